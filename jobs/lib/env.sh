# shellcheck shell=bash
# Settings that all jobs share. Sourced, never run. What the caller has set already stays.
# shellcheck disable=SC2034 # the variables are for the scripts that source this

# A descriptor that the caller has closed would be the next file that is opened.
[[ -e /proc/self/fd/0 ]] || exec </dev/null
[[ -e /proc/self/fd/1 ]] || exec 1</dev/null # writing fails, as it should
[[ -e /proc/self/fd/2 ]] || exec 2>/dev/null

pillar_root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
pillar_binary=${PILLAR_BINARY:-$pillar_root/build/release/pillar}

# Say a sentence and end: die CODE SENTENCE (the codes are those of docs/running.md).
die() {
    printf '%s: %s\n' "$(basename -- "$0" .sh)" "$2" >&2
    exit "$1"
}

# "1 rank", "2 ranks": count NUMBER NOUN.
count() {
    local plural=s
    [[ $1 != 1 ]] || plural=''
    printf '%d %s%s' "$1" "$2" "$plural"
}

# Seconds between two lines of progress where stdout is no terminal.
tell_every=10

# "98.4 MB": bytes NUMBER.
bytes() {
    local n=$1 tenths='' unit
    for unit in B kB MB GB TB; do
        ((n >= 1000)) || break
        tenths=.$((n % 1000 / 100)) n=$((n / 1000))
    done
    printf '%d%s %s' "$n" "$tenths" "$unit"
}

# "45 s", "3 min", "1 h 20 min": duration SECONDS.
duration() {
    local minutes=$((($1 + 30) / 60))
    if (($1 < 90)); then
        printf '%d s' "$1"
    elif ((minutes < 60)); then
        printf '%d min' "$minutes"
    else
        printf '%d h %d min' $((minutes / 60)) $((minutes % 60))
    fi
}

# value_of ARGUMENT ...: of an option that wants one, the argument behind it, in `value`.
value_of() {
    if (($# < 2)) || [[ $2 == -- ]]; then
        die 64 "$1 wants a value behind it"
    fi
    value=$2
}

# Print the comment at the head of the script that was started, and end.
print_help() {
    sed -n '2,/^set/{/^#SBATCH/d;/^set/d;s/^# \{0,1\}//;p}' -- "$0"
    exit 0
}

# Open MPI's settings travel to all nodes as environment variables. Those of Open MPI 5 and of its launcher have other names.
open_mpi_major=4
if command -v mpirun >/dev/null && [[ $(mpirun --version 2>/dev/null) =~ Open\ MPI\)\ ([0-9]+)\. ]]; then
    open_mpi_major=${BASH_REMATCH[1]}
fi
read_mca_params() {
    local name value
    while IFS='=' read -r name value; do
        name=${name//[[:space:]]/}
        read -r value <<<"$value" # without the blanks around it
        [[ -n $name && $name != \#* ]] || continue
        [[ $name == PRTE_MCA_* || $name == PMIX_MCA_* ]] || name=OMPI_MCA_$name
        [[ -n ${!name+set} ]] || export "$name=$value"
    done <"$1"
}
if ((open_mpi_major >= 5)); then
    daemon_ports=PRTE_MCA_oob_tcp_dynamic
    read_mca_params "$pillar_root/jobs/config/mca-params-5.conf"
else
    daemon_ports=OMPI_MCA_oob_tcp_dynamic
    read_mca_params "$pillar_root/jobs/config/mca-params.conf"
fi

# Containers and fresh boards often have root alone.
if [[ $(id -u) -eq 0 ]]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# HDF5 before 1.14 fails on network file systems without locks; rank 0 is the only writer, so nothing is lost.
export HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING:-BEST_EFFORT}
