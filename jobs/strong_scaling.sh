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
set -uo pipefail
# shellcheck source=env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source=lib/pass_signals.sh
source "$pillar_root/jobs/lib/pass_signals.sh"

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
for word; do
    [[ $word != --trace && $word != --trace=* ]] || die 64 "--trace is the sweep's own: traces lie in $out (--out)"
done
# numbers NAME LIST: the array `list`.
numbers() {
    local word
    read -ra list <<<"${2//,/ }"
    for word in "${list[@]}"; do
        [[ $word =~ ^[1-9][0-9]{0,5}$ ]] || die 64 "$1 wants numbers from 1, not '$word'"
    done
}
numbers --repeat "$repeat"
((${#list[@]} == 1)) || die 64 "--repeat wants one number"
numbers --threads "$threads" && each_thread=("${list[@]}")
numbers --ranks "$ranks" && each_rank=("${list[@]}")
((${#each_rank[@]} > 0)) || die 64 "--ranks wants at least one number"
((${#each_thread[@]} > 0)) || each_thread=('')
[[ -n $out ]] || die 64 "--out wants a folder"
mkdir -p -- "$out" || exit 73

# The runs of a folder are those of one command. It is written down before the first of them.
line=$(printf '%q ' "${launch_options[@]}" -- "$@")
command_file=$out/command
shopt -s nullglob
found=("$out"/ranks*-run*.h5)
if [[ $force == yes ]]; then
    rm -f -- "$command_file" "$out"/ranks*-run*.h5 "$out"/ranks*-run*.txt "$out"/running.h5* || exit 73
elif ((${#found[@]} > 0)); then
    former=$(cat -- "$command_file" 2>/dev/null) || former=''
    [[ "$former " == "$line" ]] ||
        die 73 "the runs in $out are of another command (${former:-it is not written down}); another --out keeps them, --force removes them"
fi
printf '%s\n' "${line% }" >"$command_file" || exit 74

# Repetitions go round, so that a machine that grows warm touches all rank counts alike.
traces=()
for ((i = 1; i <= repeat; i++)); do
    for n in "${each_rank[@]}"; do
        for t in "${each_thread[@]}"; do
            name=ranks$n${t:+-threads$t}-run$i
            traces+=("$out/$name.h5")
            [[ ! -e $out/$name.h5 ]] || continue
            printf 'strong_scaling: %s%s, run %d of %d\n' "$(count "$n" rank)" "${t:+ of $(count "$t" thread)}" "$i" "$repeat" >&2
            rm -f -- "$out/running.h5" "$out/running.h5.journal"
            run_and_pass_signals "$pillar_root/jobs/launch.sh" -n "$n" "${launch_options[@]}" -- "$@" ${t:+-t "$t"} \
                --trace "$out/running.h5" >"$out/$name.txt"
            ((code == 0)) || exit "$code"
            mv -- "$out/running.h5" "$out/$name.h5"
        done
    done
done
"$pillar_binary" report "${traces[@]}"
