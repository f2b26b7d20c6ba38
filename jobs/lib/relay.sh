# shellcheck shell=bash disable=SC2154 # files, sums, sizes, targets and ssh are those of deploy.sh
# Sends files to nodes that pass them on. Sourced by deploy.sh: send_to_all brings every one of `files` to all `targets`.
#
# Who has a file whole sends it to one node at a time that lacks it, so the machines that have it double with every round.
# The relayed bytes go from node to node; only the commands and the progress go through here. Nodes are asked first what
# they have, and whether they reach the next one. Should no node pass anything on, this machine sends all copies at once.

# Nobody is asked for a password: what sends is behind the terminal, where it would wait for ever.
export SSH_ASKPASS=false SSH_ASKPASS_REQUIRE=force
on_node=$(sed '/^ *#/d' "$pillar_root/jobs/lib/on_node.sh")
here='this machine' # as a sender; no node has a name with a blank
declare -A has=()         # "FILE NODE": it is there whole
declare -A failed=()      # NODE: said why
declare -A passes=()      # NODE: it reaches another node
declare -A target_of=()   # process: the node that it sends to; source_of, file_of likewise
declare -A source_of=() file_of=()
declare -A n_sending=() receiving=() # by node
declare -A from_here=()   # "FILE NODE": arrived damaged once

# Text that any POSIX shell reads as the one word TEXT: quote TEXT.
quote() {
    local by="'\\''"
    printf "'%s'" "${1//\'/$by}"
}

on() { # NODE COMMAND
    "${ssh[@]}" "$1" "$2" </dev/null
}

part_of() { # FILE NODE: of its own for each node, since they may share a disk, and for each content
    printf '%s.%s.part.%s' "${files[$1]}" "${sums[$1]:0:12}" "$2"
}

ask_command() { # FILE NODE
    printf '\nask %s %s %d %s' "$(quote "${files[$1]}")" "$(quote "$(part_of "$1" "$2")")" "${sizes[$1]}" "${sums[$1]}"
}

# ask_all: has and failed of every target, all at once.
ask_all() {
    local node i answer
    # shellcheck disable=SC2317 # called in the background
    ask_node() {
        local node=$1 command=$on_node i=0 answer
        for i in "${!files[@]}"; do
            command+=$(ask_command "$i" "$node")
        done
        i=0
        while read -r answer _; do
            printf '%s %d %s\n' "$node" "$i" "$answer"
            i=$((i + 1))
        done < <(on "$node" "$command")
        ((i == ${#files[@]})) || printf '%s - unreachable\n' "$node"
    }
    while read -r node i answer; do
        case $answer in
        whole)
            has[$i $node]=1
            printf '%s: %s is there\n' "$node" "$(basename -- "${files[$i]}")"
            ;;
        unreachable)
            failed[$node]=1
            printf '%s: cannot be reached by ssh (without a password)\n' "$node" >&2
            ;;
        esac
    done < <(for node in "${targets[@]}"; do ask_node "$node" & done; wait)
}

# find_passing: does a node reach the next one? Only asked where passing on could help.
find_passing() {
    local alive=() node i lacking=0 next
    for node in "${targets[@]}"; do
        [[ -z ${failed[$node]+set} ]] || continue
        alive+=("$node")
        for i in "${!files[@]}"; do
            [[ -n ${has[$i $node]+set} ]] || lacking=1
        done
    done
    ((${#alive[@]} > 1 && lacking)) || return 0
    # shellcheck disable=SC2317 # called in the background
    try() {
        local command word
        for word in "${ssh[@]}" "$2" true; do
            command+="$(quote "$word") "
        done
        on "$1" "$command" >/dev/null 2>&1 && printf '%s yes %s\n' "$1" "$2" || printf '%s no %s\n' "$1" "$2"
    }
    while read -r node answer next; do
        if [[ $answer == yes ]]; then
            passes[$node]=1
        else
            printf '%s: cannot reach %s by ssh, so it passes nothing on\n' "$node" "$next"
        fi
    done < <(for i in "${!alive[@]}"; do try "${alive[i]}" "${alive[(i + 1) % ${#alive[@]}]}" & done; wait)
    ((${#passes[@]} > 0)) || printf 'deploy: no node reaches another one: every copy is sent from here\n'
}

# show NODE NAME OFFSET SIZE SOURCE: what a node that receives says, as a line every ten seconds.
show() {
    local node=$1 name=$2 offset=$3 size=$4 source=$5 began=$SECONDS shown=$SECONDS word rest rate
    while read -r word rest; do
        if [[ $word == failed ]]; then
            printf '%s: %s could not be written: %s\n' "$node" "$name" "$rest" >&2
        elif [[ $word == at && $rest =~ ^[0-9]+$ ]] && ((SECONDS - shown >= tell_every)); then
            shown=$SECONDS
            rate=$(((rest - offset) / (SECONDS - began)))
            if ((rest >= size)); then
                printf '%s: %s is being checked\n' "$node" "$name"
            elif ((rate > 0)); then
                printf '%s: %s %d %% of %s from %s, %s/s, about %s left\n' "$node" "$name" $((100 * rest / size)) \
                    "$(bytes "$size")" "$source" "$(bytes "$rate")" "$(duration $(((size - rest) / rate)))"
            else
                printf '%s: %s %d %% of %s from %s; nothing comes\n' "$node" "$name" $((100 * rest / size)) \
                    "$(bytes "$size")" "$source"
            fi
        fi
    done
}

# send FILE SOURCE NODE: 0 it is there; 1 it is not, and why is said; 2 SOURCE does not pass it on; 3 it was damaged.
send() {
    local i=$1 source=$2 node=$3 file=${files[$1]} size=${sizes[$1]} name mode=644 answer offset room command relay word code
    name=$(basename -- "$file")
    [[ ! -x $file ]] || mode=755
    answer=$(on "$node" "$on_node$(ask_command "$i" "$node")") || {
        printf '%s: cannot be reached any more\n' "$node" >&2
        return 1
    }
    if [[ $answer == whole ]]; then # a shared disk
        printf '%s: %s is there\n' "$node" "$name"
        return
    fi
    read -r _ offset room <<<"$answer"
    ((offset <= size)) || offset=$size
    if [[ $room =~ ^[0-9]+$ ]] && ((room < size - offset)); then
        printf '%s: no room for %s: it takes %s, its disk has %s\n' "$node" "$name" "$(bytes $((size - offset)))" \
            "$(bytes "$room")" >&2
        return 1
    fi
    ((offset == 0)) || printf '%s: %s goes on at %d %%\n' "$node" "$name" $((100 * offset / size))
    command="$on_node
receive $(quote "$file") $(quote "$(part_of "$i" "$node")") $offset $size ${sums[$i]} $mode"
    if [[ $source == "$here" ]]; then
        # shellcheck disable=SC2094 # the file written is another machine's
        "${ssh[@]}" "$node" "$command" < <(exec tail -c +$((offset + 1)) -- "$file") |
            show "$node" "$name" "$offset" "$size" "$source"
    else
        relay="tail -c +$((offset + 1)) -- $(quote "$file") |"
        for word in "${ssh[@]}" "$node" "$command"; do
            relay+=" $(quote "$word")"
        done
        on "$source" "$relay" | show "$node" "$name" "$offset" "$size" "$source"
    fi
    code=${PIPESTATUS[0]}
    case $code in
    0)
        if [[ $source == "$here" ]]; then
            printf '%s: %s sent\n' "$node" "$name"
        else
            printf '%s: %s sent by %s\n' "$node" "$name" "$source"
        fi
        return
        ;;
    21) return 3 ;;
    22) return 1 ;;
    esac
    if [[ $source != "$here" ]]; then
        printf '%s: cannot pass %s on to %s\n' "$source" "$name" "$node"
        return 2
    fi
    answer=$(on "$node" "$on_node$(ask_command "$i" "$node")" 2>/dev/null) && read -r _ offset _ <<<"$answer"
    printf '%s: the connection broke with %s at %d %%; run it again, it goes on from there\n' "$node" "$name" \
        $((100 * offset / size)) >&2
    return 1
}

# start: begin every transfer that can be made now.
start() {
    local node source i
    for node in "${targets[@]}"; do
        [[ -z ${failed[$node]+set} && -z ${receiving[$node]+set} ]] || continue
        for i in "${!files[@]}"; do
            [[ -z ${has[$i $node]+set} ]] || continue
            find_source "$i" "$node" || continue
            set -m # a process group of its own, which takes signals
            send "$i" "$source" "$node" &
            set +m
            target_of[$!]=$node source_of[$!]=$source file_of[$!]=$i
            receiving[$node]=1
            n_sending[$source]=$((${n_sending[$source]:-0} + 1))
            break
        done
    done
}

# find_source FILE NODE: who sends it now, in `source`; a node before this machine.
find_source() {
    local other
    if [[ -z ${from_here[$1 $2]+set} ]]; then
        for other in "${targets[@]}"; do
            if [[ -n ${has[$1 $other]+set} && -n ${passes[$other]+set} ]] && ((${n_sending[$other]:-0} == 0)); then
                source=$other
                return
            fi
        done
    fi
    source=$here
    ((${n_sending[$here]:-0} == 0 || ${#passes[@]} == 0))
}

# finish PROCESS CODE: what follows from the end of a transfer.
finish() {
    local node=${target_of[$1]} source=${source_of[$1]} i=${file_of[$1]}
    unset "target_of[$1]" "receiving[$node]"
    n_sending[$source]=$((n_sending[$source] - 1))
    case $2 in
    0) has[$i $node]=1 ;;
    2) unset "passes[$source]" ;;
    3)
        if [[ -z ${from_here[$i $node]+set} ]]; then
            from_here[$i $node]=1
        else
            printf '%s: %s did not arrive whole, twice: its SHA-256 is another; look at its disk and memory\n' "$node" \
                "${files[$i]}" >&2
            failed[$node]=1
        fi
        ;;
    *) failed[$node]=1 ;;
    esac
}

# stop: what is under way ends, here at once and on the nodes soon after.
stop() {
    trap '' INT TERM HUP
    local pid
    for pid in "${!target_of[@]}"; do
        kill -TERM -- "-$pid" 2>/dev/null
    done
    die 75 "stopped; run it again, it goes on where it was"
}

trap stop INT TERM HUP

send_to_all() {
    local pid code
    ((${#targets[@]} > 0)) || return 0
    printf 'deploy: asking %s\n' "$(count "${#targets[@]}" node)"
    ask_all
    find_passing
    while start && ((${#target_of[@]} > 0)); do
        pid=''
        wait -n -p pid "${!target_of[@]}"
        code=$?
        if [[ -n $pid ]]; then
            finish "$pid" "$code"
            continue
        fi
        for pid in "${!target_of[@]}"; do # one that had ended before
            if ! kill -0 "$pid" 2>/dev/null; then
                wait "$pid"
                finish "$pid" $?
            fi
        done
    done
}
