#!/usr/bin/env bash
# A rank killed in mid-step ends the job and leaves nobody behind. (That it takes less than three seconds is held by the
# tests in Python, which can tell whether this machine is busy.)
#   killed_rank.sh PROBE MPIRUN
set -euo pipefail
probe=$1
mpirun=$2
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
n_ranks=3

# A dead process that nobody has waited for yet is gone all the same.
is_running() {
    grep -q '(mpi_probe) [^Z]' "/proc/$1/stat" 2>/dev/null
}

for victim in 0 2; do
    rm -f "$folder"/*
    "$mpirun" -n $n_ranks "$probe" endless "$folder" >/dev/null 2>&1 </dev/null &
    job=$!
    for _ in $(seq 200); do
        [ -e "$folder/0" ] && [ -e "$folder/1" ] && [ -e "$folder/2" ] && break
        sleep 0.05
    done
    sleep 0.2
    kill -9 "$(cat "$folder/$victim")"
    begin=$(date +%s%N)
    code=0
    wait $job || code=$?
    taken_ms=$((($(date +%s%N) - begin) / 1000000))
    echo "rank $victim killed: exit code $code after $taken_ms ms"
    [ "$code" -ne 0 ] || { echo "FAILED: exit code 0" >&2; exit 1; }
    sleep 0.3
    for rank in 0 1 2; do
        if is_running "$(cat "$folder/$rank")"; then
            echo "FAILED: rank $rank is left behind" >&2
            kill -9 "$(cat "$folder/$rank")"
            exit 1
        fi
    done
done
