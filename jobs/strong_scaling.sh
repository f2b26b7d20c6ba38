#!/usr/bin/env bash
# The same work on 1, 2, 4 ... ranks, one trace a run, and the report over all of them.
#
#   jobs/strong_scaling.sh [--ranks "1 2 4"] [--threads "1 2 4"] [--repeat 3] [--out FOLDER] [launch.sh's options] -- run ...
#
# With --threads every number of ranks is run with every number of threads a rank; without, pillar chooses (or your -t).
# The work is a `run` with any flags but --trace; with -n and --temp 0 all runs do the same. Runs that a former call
# finished are kept, so a sweep that was stopped (it ends with 75) is continued by the same command.
set -uo pipefail
# shellcheck source=env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source=pass_signals.sh
source "$pillar_root/jobs/pass_signals.sh"

ranks='1 2 4' threads='' repeat=3 out=scaling launch_options=()
while (($# > 0)) && [[ $1 != -- ]]; do
    case $1 in
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" && exit 0 ;;
    --ranks) ranks=${2:?--ranks wants a list} && shift ;;
    --threads) threads=${2?--threads wants a list} && shift ;;
    --repeat) repeat=${2:?--repeat wants a number} && shift ;;
    --out) out=${2:?--out wants a folder} && shift ;;
    *) launch_options+=("$1") ;;
    esac
    shift
done
[[ ${1-} == -- && ${2-} == run ]] ||
    die 64 'usage: jobs/strong_scaling.sh [--ranks LIST] [--threads LIST] [--repeat N] [--out FOLDER] [launch options] -- run ...'
shift
mkdir -p -- "$out" || exit 73

# Repetitions go round, so that a machine that grows warm touches all rank counts alike.
read -ra each_thread <<<"$threads"
((${#each_thread[@]} > 0)) || each_thread=('')
traces=()
for ((i = 1; i <= repeat; i++)); do
    for n in $ranks; do
        for t in "${each_thread[@]}"; do
            name=ranks$n${t:+-threads$t}-run$i
            traces+=("$out/$name.h5")
            [[ ! -e $out/$name.h5 ]] || continue
            printf 'strong_scaling: %d ranks%s, run %d of %d\n' "$n" "${t:+ of $t threads}" "$i" "$repeat" >&2
            rm -f -- "$out/running.h5" "$out/running.h5.journal"
            run_and_pass_signals "$pillar_root/jobs/launch.sh" -n "$n" "${launch_options[@]}" -- "$@" ${t:+-t "$t"} \
                --trace "$out/running.h5" >"$out/$name.txt"
            ((code == 0)) || exit "$code"
            mv -- "$out/running.h5" "$out/$name.h5"
        done
    done
done
"$pillar_binary" report "${traces[@]}"
