# shellcheck shell=bash disable=SC2034,SC2154 # values for, and of, the scripts that source this; env.sh has pillar_*
# A folder of runs, one trace a run, and the report over all of them. Sourced after env.sh by sweep.sh and
# strong_scaling.sh, which say what the runs are. A run that is there is never made again: it gets its name when it is whole.
# shellcheck source=pass_signals.sh
source "$pillar_root/jobs/lib/pass_signals.sh"
# shellcheck source=cooling.sh
source "$pillar_root/jobs/lib/cooling.sh"

run_names=() run_texts=() run_ranks=() run_words=()

# numbers NAME LIST: the array `list`.
numbers() {
    local word
    read -ra list <<<"${2//,/ }"
    for word in "${list[@]}"; do
        [[ $word =~ ^[1-9][0-9]{0,5}$ ]] || die 64 "$1 wants numbers from 1, not '$word'"
    done
}

# one_number NAME TEXT
one_number() {
    numbers "$1" "$2"
    ((${#list[@]} == 1)) || die 64 "$1 wants one number"
}

# leave_to_sweep WHY FLAG ... -- WORD ...: refuse a command that has a flag which the sweep gives.
leave_to_sweep() {
    local why=$1 own=() flag word
    shift
    while [[ $1 != -- ]]; do
        own+=("$1") && shift
    done
    shift
    for word; do
        for flag in "${own[@]}"; do
            [[ $word != "$flag" && $word != "$flag"=* && ($flag == --* || $word != "$flag"[0-9]*) ]] || die 64 "$flag is the sweep's own: $why"
        done
    done
}

# open_folder FOLDER LINE FORCE: the runs of a folder are those of one command, which is written down before the first.
open_folder() {
    local command_file=$1/command found former
    [[ -n $1 ]] || die 64 "--out wants a folder"
    mkdir -p -- "$1" || exit 73
    shopt -s nullglob
    found=("$1"/*-run*.h5)
    if [[ $3 == yes ]]; then
        rm -f -- "$command_file" "$1"/*-run*.h5 "$1"/*-run*.txt "$1"/running* || exit 73
    elif ((${#found[@]} > 0)); then
        former=$(cat -- "$command_file" 2>/dev/null) || former=''
        [[ $former == "$2" ]] ||
            die 73 "the runs in $1 are of another command (${former:-it is not written down}); another --out keeps them, --force removes them"
    fi
    printf '%s\n' "$2" >"$command_file" || exit 74
}

# add_run NAME TEXT RANKS [WORD ...]: a run to make, which the log calls TEXT; words without blanks, for the command's end.
add_run() {
    run_names+=("$1") run_texts+=("$2") run_ranks+=("$3")
    shift 3
    run_words+=("$*")
}

# mix FIRST SEED: the runs from FIRST on in another order, the same for the same seed.
mix() {
    local i j name text ranks words
    RANDOM=$2
    for ((i = ${#run_names[@]} - 1; i > $1; i--)); do
        j=$(($1 + RANDOM % (i - $1 + 1)))
        name=${run_names[i]} text=${run_texts[i]} ranks=${run_ranks[i]} words=${run_words[i]}
        run_names[i]=${run_names[j]} run_texts[i]=${run_texts[j]} run_ranks[i]=${run_ranks[j]} run_words[i]=${run_words[j]}
        run_names[j]=$name run_texts[j]=$text run_ranks[j]=$ranks run_words[j]=$words
    done
}

# make_runs FOLDER SHARE SHARES LAUNCH-OPTION ... -- COMMAND ...: those runs that are missing, of SHARES shares the
# SHARE-th. Ends this script with the code of a run that fails.
make_runs() {
    local folder=$1 share=$2 n_shares=$3 i extra own=() options=() running=$1/running$2
    shift 3
    while [[ $1 != -- ]]; do
        options+=("$1") && shift
    done
    shift
    for i in "${!run_names[@]}"; do
        ((i % n_shares == share)) || continue
        [[ ! -e $folder/${run_names[i]}.h5 ]] || continue
        cool_down
        printf '%s: %s\n' "$(basename -- "$0" .sh)" "${run_texts[i]}" >&2
        read -ra extra <<<"${run_words[i]}"
        rm -f -- "$running".*
        own=(--trace "$running.h5")
        if [[ $1 == batch ]]; then
            own+=(-o "$running.results")
            first_requests "$running.requests" "${run_ranks[i]}"
        fi
        run_and_pass_signals "$pillar_root/jobs/launch.sh" -n "${run_ranks[i]}" "${options[@]}" -- "$@" "${extra[@]}" \
            "${own[@]}" >"$folder/${run_names[i]}.txt"
        ((code == 0)) || exit "$code"
        look_for_heat "$running.h5" "$running.csv"
        mv -- "$running.h5" "$folder/${run_names[i]}.h5" || exit 74
        rm -rf -- "$running".*
    done
}

# Weak scaling has requests of its own for each number of ranks; sweep.sh knows how many.
first_requests() { own+=(); }

# all_traces FOLDER: the array `traces`, in the order of their names, and how many are missing in `n_missing`.
all_traces() {
    local name
    traces=() n_missing=0
    while IFS= read -r name; do
        if [[ -e $1/$name.h5 ]]; then
            traces+=("$1/$name.h5")
        else
            n_missing=$((n_missing + 1))
        fi
    done < <(printf '%s\n' "${run_names[@]}" | sort -V)
}
