#!/usr/bin/env bash
# The same work on 1, 2, 4 ... ranks, one trace a run, and the report over all of them.
#
#   jobs/strong_scaling.sh [--ranks "1 2 4"] [--threads "1 2 4"] [--repeat 3] [--out FOLDER] [--force]
#                          [launch.sh's options] -- run ...
#
# With --threads every number of ranks is run with every number of threads a rank; without, pillar chooses (or your -t).
# The work is a `run` with any flags but --trace; with -n and --temp 0 all runs do the same. Runs that a former call
# finished are kept, so a sweep that was stopped (it ends with 75) is continued by the same command, also with further
# ranks, threads and repetitions. Another command needs another folder, or --force, which removes the former runs.
# jobs/sweep.sh has more studies, a random order, pauses for hot boards, figures and a page.
set -uo pipefail
# shellcheck source=lib/env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/env.sh"
# shellcheck source=lib/sweep.sh
source "$pillar_root/jobs/lib/sweep.sh"

ranks='1 2 4' threads='' repeat=3 out=scaling force=no launch_options=()
while (($# > 0)) && [[ $1 != -- ]]; do
    case $1 in
    -h | --help) print_help ;;
    --ranks) value_of "$@" && ranks=$value && shift ;;
    --ranks=*) ranks=${1#*=} ;;
    --threads) value_of "$@" && threads=$value && shift ;;
    --threads=*) threads=${1#*=} ;;
    --repeat) value_of "$@" && repeat=$value && shift ;;
    --repeat=*) repeat=${1#*=} ;;
    --out) value_of "$@" && out=$value && shift ;;
    --out=*) out=${1#*=} ;;
    --force) force=yes ;;
    *) launch_options+=("$1") ;;
    esac
    shift
done
[[ ${1-} == -- && ${2-} == run ]] ||
    die 64 'usage: jobs/strong_scaling.sh [--ranks LIST] [--threads LIST] [--repeat N] [--out FOLDER] [launch options] -- run ...'
shift
leave_to_sweep "traces lie in $out (--out)" --trace -- "$@"
one_number --repeat "$repeat"
numbers --threads "$threads" && each_thread=("${list[@]}")
numbers --ranks "$ranks" && each_rank=("${list[@]}")
((${#each_rank[@]} > 0)) || die 64 "--ranks wants at least one number"
((${#each_thread[@]} > 0)) || each_thread=('')
line=$(printf '%q ' "${launch_options[@]}" -- "$@")
open_folder "$out" "${line% }" "$force"

# Repetitions go round, so that a machine that grows warm touches all rank counts alike.
for ((i = 1; i <= repeat; i++)); do
    for n in "${each_rank[@]}"; do
        for t in "${each_thread[@]}"; do
            add_run "ranks$n${t:+-threads$t}-run$i" \
                "$(count "$n" rank)${t:+ of $(count "$t" thread)}, run $i of $repeat" "$n" ${t:+-t "$t"}
        done
    done
done
# shellcheck disable=SC2034 # cooling.sh's: no pauses
cool_most=0
make_runs "$out" 0 1 "${launch_options[@]}" -- "$@"
all_traces "$out"
"$pillar_binary" report "${traces[@]}"
