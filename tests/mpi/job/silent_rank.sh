#!/usr/bin/env bash
# A rank that is stopped, or that comes to no collective any more, is named with its host, and the job ends with 69.
#   silent_rank.sh PROBE MPIRUN
set -euo pipefail
probe=$1
mpirun=$2
in_step='(in layer [0-7] of|before|at the end of) step [0-9]+'
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

fail() {
    echo "FAILED: $1" >&2
    cat "$folder/stderr" >&2
    exit 1
}

# expect_named RANK PLACE: the job that was started last ends and names the rank, once.
expect_named() {
    local begin code=0 taken_ms
    begin=$(date +%s%N)
    wait "$job" || code=$?
    taken_ms=$((($(date +%s%N) - begin) / 1000000))
    echo "rank $1 silent: exit code $code after $taken_ms ms"
    [ "$code" -eq 69 ] || fail "exit code $code instead of 69"
    [ "$(grep -c 'has been silent' "$folder/stderr")" -eq 1 ] || fail "one sentence is expected"
    grep -Eq "error: rank $1 on [^ ]+ has been silent for ([3-9]|[1-9][0-9]) s while rank [0-9] on [^ ]+ waited( for it| for rank [0-9]|) $2:" \
        "$folder/stderr" || fail "rank $1 is not named"
}

for part in watched halves; do
for victim in 0 2; do
    rm -f "$folder"/*
    "$mpirun" -n 3 "$probe" $part "$folder" >/dev/null 2>"$folder/stderr" </dev/null &
    job=$!
    for _ in $(seq 200); do
        [ -e "$folder/0" ] && [ -e "$folder/1" ] && [ -e "$folder/2" ] && break
        sleep 0.05
    done
    sleep 0.2
    kill -STOP "$(cat "$folder/$victim")"
    expect_named "$victim" "$in_step"
    sleep 0.3
    for rank in 0 1 2; do
        pid=$(cat "$folder/$rank")
        if grep -q '(mpi_probe) [^Z]' "/proc/$pid/stat" 2>/dev/null; then
            kill -9 "$pid"
            fail "rank $rank is left behind"
        fi
    done
done
done

# Before the first step: at once, or while a second communicator is made.
for victim in 0 1; do
    "$mpirun" -n 3 "$probe" frozen $victim >/dev/null 2>"$folder/stderr" </dev/null &
    job=$!
    expect_named $victim 'while the ranks meet'
    "$mpirun" -n 3 "$probe" frozen_later $victim >/dev/null 2>"$folder/stderr" </dev/null &
    job=$!
    expect_named $victim 'while the ranks meet'
done

"$mpirun" -n 3 "$probe" careless >/dev/null 2>"$folder/stderr" </dev/null &
job=$!
expect_named 1 "$in_step"
