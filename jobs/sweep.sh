#!/usr/bin/env bash
# A study: the same command with one setting changed from run to run, a trace each, then the report over all of them with
# its figures and page.
#
#   jobs/sweep.sh STUDY [--values LIST] [--ranks LIST] [--repeat 3] [--out FOLDER] [launch.sh's options] -- COMMAND ...
#
# STUDY          what changes from run to run                                  COMMAND            --values    --ranks
# strong         ranks                                                         run, bench, batch              1 2 4
# weak           ranks, and sequences with them: VALUE requests a rank of -i   batch              4           1 2 4
# threads        threads of a rank, on every number of ranks                   run, bench, batch  1 2 4       1 2
# context        the context (-c); of bench the positions before (-d)          run, bench, batch  0 512 1024  1
# batch          rows of a prompt a step (-b); of batch --parallel             run, bench, batch  1 4 16 64   1
# wire           --wire                                                        run, bench, batch  f32 f16 q8  2
# message-size   rows of prompts, all in one trace: the sums' lengths          bench              1 4 16 64   2
# split          --split                                                       run, bench, batch  even auto   2
#
#   --out FOLDER     where traces, texts, figures/ and report.html go (default: the study's name)
#   --order HOW      of the runs of each repetition: random (default) or given
#   --seed N         of the random order; without it, it follows from the command
#   --cool DEGREES   pause before a run while this machine is hotter, or throttled; after one in whose trace a node was
#                    throttled, for a minute (default 75; 0: no pauses)
#   --profile NAME   machine profile for the report: predicted beside measured
#   --force          remove the runs of another command
#
# Lists are separated by blanks or commas (those of split by blanks). Runs that a former call finished are kept: a sweep
# that was stopped (it ends with 75) is continued by the same command, also with further values, ranks and repetitions.
# On one machine ranks share the cores: give the command -t 1, so that all runs have the same threads a rank.
set -uo pipefail
# shellcheck source=lib/env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/env.sh"
# shellcheck source=lib/sweep.sh
source "$pillar_root/jobs/lib/sweep.sh"

usage='usage: jobs/sweep.sh STUDY [--values LIST] [--ranks LIST] [--repeat N] [--out FOLDER] [launch options] -- COMMAND ...'
study=${1-}
case $study in
-h | --help) print_help ;;
strong | weak | threads | context | batch | wire | message-size | split) shift ;;
'' | -*) die 64 "$usage" ;;
*) die 64 "no study is called '$study'; there are strong, weak, threads, context, batch, wire, message-size, split" ;;
esac
values='' ranks='' repeat=3 out=$study order=random seed='' profile='' share=0/1 force=no launch_options=()
while (($# > 0)) && [[ $1 != -- ]]; do
    case $1 in
    -h | --help) print_help ;;
    --values | --ranks | --repeat | --out | --order | --seed | --cool | --profile | --share)
        value_of "$@"
        printf -v "${1#--}" '%s' "$value"
        shift
        ;;
    --values=* | --ranks=* | --repeat=* | --out=* | --order=* | --seed=* | --cool=* | --profile=* | --share=*)
        name=${1%%=*}
        printf -v "${name#--}" '%s' "${1#*=}"
        ;;
    --force) force=yes ;;
    -n | -np) die 64 "$1 is the sweep's own: name the numbers of ranks with --ranks" ;;
    *) launch_options+=("$1") ;;
    esac
    shift
done
[[ ${1-} == -- && -n ${2-} ]] || die 64 "$usage"
shift

# What each study changes, and on which commands.
flags=() default_ranks=2 default_values=''
case $study-$1 in
strong-run | strong-bench | strong-batch) default_ranks='1 2 4' ;;
weak-batch) flags=(--parallel) default_ranks='1 2 4' default_values=4 ;;
threads-run | threads-bench | threads-batch) flags=(-t --threads) default_ranks='1 2' default_values='1 2 4' ;;
context-bench) flags=(-d --n-depth) default_ranks=1 default_values='0 512 1024' ;;
context-run | context-batch) flags=(-c --ctx-size) default_ranks=1 default_values='512 1024 2048' ;;
batch-batch) flags=(--parallel) default_ranks=1 default_values='1 4 16 64' ;;
batch-run | batch-bench) flags=(-b --batch-size) default_ranks=1 default_values='1 4 16 64' ;;
wire-run | wire-bench | wire-batch) flags=(--wire) default_values='f32 f16 q8' ;;
message-size-bench) flags=(-p --n-prompt) default_values='1 4 16 64' ;;
split-run | split-bench | split-batch) flags=(--split) default_values='even auto' ;;
weak-*) die 64 "weak wants the command batch, whose sequences grow with the ranks, not '$1'" ;;
message-size-*) die 64 "message-size wants the command bench, not '$1'" ;;
*) die 64 "$study wants run, bench or batch, not '$1'" ;;
esac
leave_to_sweep "traces lie in $out (--out)" --trace -- "$@"
[[ $1 != batch ]] || leave_to_sweep "only traces are kept" -o --output -- "$@"
leave_to_sweep "name what it takes with --values" "${flags[@]}" -- "$@"
one_number --repeat "$repeat"
numbers --ranks "${ranks:-$default_ranks}" && each_rank=("${list[@]}")
((${#each_rank[@]} > 0)) || die 64 "--ranks wants at least one number"
[[ $order == random || $order == given ]] || die 64 "--order wants random or given, not '$order'"
if ! [[ $share =~ ^(0|[1-9][0-9]{0,4})/([1-9][0-9]{0,4})$ ]] || ((BASH_REMATCH[1] >= BASH_REMATCH[2])); then
    die 64 "--share wants I/N with I from 0 to N - 1, not '$share'"
fi
[[ -z $seed || $seed =~ ^[0-9]{1,9}$ ]] || die 64 "--seed wants a number, not '$seed'"
cool=${cool:-75}
if ! [[ $cool =~ ^(0|[1-9][0-9]{1,2})$ ]] || ((cool > 0 && cool < 20)); then
    die 64 "--cool wants degrees from 20, or 0, not '$cool'"
fi
# shellcheck disable=SC2034 # cooling.sh's
cool_at=$cool
# shellcheck disable=SC2034
((cool > 0)) || cool_most=0
[[ $study != strong || -z $values ]] || die 64 "strong changes the ranks alone: name them with --ranks"
values=${values:-$default_values}
[[ $study == split ]] || values=${values//,/ }
read -ra each_value <<<"$values"
case $study in
wire | split | strong) ;;
context) for value in "${each_value[@]}"; do [[ $value == 0 && $1 == bench ]] || one_number --values "$value"; done ;;
*) for value in "${each_value[@]}"; do one_number --values "$value"; done ;;
esac
((${#each_value[@]} > 0)) || each_value=('')
[[ $study != weak || ${#each_value[@]} == 1 ]] || die 64 "weak wants one number of requests a rank"

requests='' each=${each_value[0]}
if [[ $study == weak ]]; then
    for ((i = 1; i <= $#; i++)); do
        case ${!i} in
        -i | --input) j=$((i + 1)) && requests=${!j-} ;;
        -i=* | --input=*) requests=${!i#*=} ;;
        esac
    done
    [[ -n $requests && $requests != - ]] || die 64 "weak wants a file of requests: batch -i FILE"
    [[ -r $requests ]] || die 66 "no file of requests at $requests"
    most=0
    for n in "${each_rank[@]}"; do ((n <= most)) || most=$n; done
    (($(wc -l <"$requests") >= most * each)) ||
        die 65 "$requests has fewer lines than the $((most * each)) that $(count "$most" rank) with $each each need"
fi
# first_requests FILE RANKS: their requests, in place of all.
first_requests() {
    [[ $study == weak ]] || return 0
    head -n $((each * $2)) -- "$requests" >"$1" || exit 74
    own+=(-i "$1")
}

line=$(printf '%q ' "$study" "${launch_options[@]}" -- "$@")
line=${line% }
open_folder "$out" "$line" "$force"
[[ -n $seed ]] || seed=$(cksum <<<"$line" | cut -d ' ' -f 1)

# value_words RANKS VALUE: what a run has behind the command, in `extra`.
value_words() {
    case $study in
    strong) extra=() ;;
    weak) extra=(--parallel $(($1 * $2))) ;;
    message-size) extra=(-p "$2") ;;
    *) extra=("${flags[0]}" "$2") ;;
    esac
}
[[ $study != message-size ]] || each_value=("$(IFS=, && printf '%s' "${each_value[*]}")")
# A round has every run once, in an order of its own: what changes in time touches all alike.
for ((i = 1; i <= repeat; i++)); do
    first=${#run_names[@]}
    for n in "${each_rank[@]}"; do
        for value in "${each_value[@]}"; do
            value_words "$n" "$value"
            what=$study
            [[ $study != strong ]] || what=''
            add_run "ranks$n${what:+-$what-${value//[^a-zA-Z0-9.,_-]/_}}-run$i" \
                "$(count "$n" rank)${what:+, $what $value}, run $i of $repeat" "$n" "${extra[@]}"
        done
    done
    [[ $order == given ]] || mix "$first" $((10#$seed % 30000 + i))
done
make_runs "$out" "${share%/*}" "${share#*/}" "${launch_options[@]}" -- "$@"
all_traces "$out"
if ((n_missing > 0)); then # other shares of the same sweep are at work
    printf 'sweep: %d of %s are there; whoever makes the last one reports\n' "${#traces[@]}" "$(count "${#run_names[@]}" run)" >&2
    exit 0
fi
shown=(--plots "$out/figures" --html "$out/report.html" --force)
if ! command -v gnuplot >/dev/null; then
    shown=()
    printf 'sweep: no gnuplot here, so neither figures nor page; jobs/lib/packages.sh test brings it\n' >&2
fi
"$pillar_binary" report "${traces[@]}" ${profile:+--profile "$profile"} "${shown[@]}"
