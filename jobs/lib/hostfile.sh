# shellcheck shell=bash disable=SC2154 # open_mpi_major comes from env.sh
# Reads Open MPI's hostfiles for the scripts that source this (after env.sh): what mpirun would refuse with a page of its
# own, or take for something else, ends here with 65 and one sentence that names the line.

# The nodes in their order, each once, as mpirun and ssh reach them; the slots of the smallest (0: unknown); whether any
# of them is another machine.
# shellcheck disable=SC2034
nodes=() slots=0 elsewhere=no

# Is it this machine? is_here NODE.
is_here() {
    local name=${1#*@} here
    here=$(hostname)
    name=${name,,} here=${here,,}
    [[ $name == localhost || $name == 127.* || $name == "$here" || $name == "${here%%.*}" ]]
}

# check_node_name NAME WRONG: WRONG is the command that ends with a sentence.
check_node_name() {
    local name=${1#*@}
    if [[ $name =~ ^([A-Za-z0-9._-]+):\ *([0-9]+)?$ ]]; then
        "$2" "'$1' is not how Open MPI counts slots; write '${BASH_REMATCH[1]} slots=${BASH_REMATCH[2]:-4}'"
    elif [[ $name == *:* ]]; then
        "$2" "'$1' cannot be a node: no IPv6 addresses here; give it a name in /etc/hosts"
    elif [[ ! $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ || ! $1 =~ ^([A-Za-z0-9._-]+@)?[^@]+$ ]]; then
        "$2" "'$1' is not the name of a node; a line is 'NODE slots=4'"
    elif [[ $name == *_* ]] && ((open_mpi_major < 5)); then
        "$2" "Open MPI $open_mpi_major takes no '_' in a node's name ('$1'); give it another in /etc/hosts"
    fi
}

read_hostfile() { # FILE
    local file=$1 line ended=yes number=0 node same user key value n_slots max least='' i
    local -a words=()
    local -A slots_of=()
    [[ -r $file && -f $file ]] || die 66 "cannot read the hostfile $file"
    # shellcheck disable=SC2317 # called by name, too
    wrong() { die 65 "$file, line $number: $1"; }
    while IFS= read -r line || { [[ -n $line ]] && ended=no; }; do
        ((++number > 1)) || [[ $line != $'\xef\xbb\xbf'* ]] ||
            wrong "begins with a byte-order mark, which mpirun cannot read; take it out: sed -i '1s/^...//' (with LC_ALL=C)"
        [[ ! $line =~ ^[[:space:]]*// ]] || line='#'
        if [[ $line == *'#'* ]]; then
            [[ $ended == yes || $line =~ ^[[:space:]]*# ]] ||
                wrong "a comment at the end of the file needs a line's end behind it, or mpirun cannot read it"
            line=${line%%#*}
        fi
        [[ -n ${line//[[:space:]]/} ]] || continue
        [[ $line != *$'\r'* ]] ||
            wrong "ends with a carriage return, as Windows writes lines, which mpirun cannot read; take them out: sed -i 's/\\r\$//'"
        line=${line//[$'\t\v\f']/ }
        read -ra words <<<"${line//=/ = }"
        node=${words[0]} user='' n_slots='' max=''
        check_node_name "$node" wrong
        for ((i = 1; i < ${#words[@]}; i += 3)); do
            key=${words[i]} value=${words[i + 2]-}
            [[ ${words[i + 1]-} == = && -n $value ]] ||
                wrong "'$key' is not understood; one node a line, as in '$node slots=4'"
            case $key in
            slots | cpu | count)
                [[ -z $n_slots ]] || wrong "says the number of slots twice"
                [[ $value =~ ^0*[1-9][0-9]{0,4}$ ]] || wrong "$key wants a number from 1 to 99999, not '$value'"
                n_slots=$((10#$value))
                ;;
            max_slots | max-slots | slots_max | slots-max)
                [[ $value =~ ^0*[1-9][0-9]{0,4}$ ]] || wrong "$key wants a number from 1 to 99999, not '$value'"
                max=$((10#$value))
                ;;
            username | user_name | user-name) user=$value@ ;;
            *) wrong "'$key' is not understood; there are slots, max_slots and username" ;;
            esac
        done
        [[ -z $max || -z $n_slots || $max -ge $n_slots ]] || wrong "max_slots=$max is less than slots=$n_slots"
        n_slots=${n_slots:-$max}
        same=${node#*@} same=${same,,}
        ! is_here "$same" || same=localhost
        [[ $same == localhost ]] || elsewhere=yes
        if [[ -z ${slots_of[$same]+set} ]]; then
            [[ $node == *@* ]] || node=$user$node
            nodes+=("$node")
            slots_of[$same]=${n_slots:-0}
        elif [[ -n $n_slots ]]; then
            wrong "$node stands in the file already; give its slots once"
        else
            ((slots_of[$same] == 0)) || ((++slots_of[$same])) # each further line is one more
        fi
    done <"$file"
    ((${#nodes[@]} > 0)) || die 65 "$file names no node"
    for n_slots in "${slots_of[@]}"; do
        [[ -n $least && $least -le $n_slots ]] || least=$n_slots
    done
    # shellcheck disable=SC2034
    slots=$least
}
