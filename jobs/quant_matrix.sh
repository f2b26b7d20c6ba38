#!/usr/bin/env bash
# Which quantisation: a model in every format, and what each costs: size, perplexity, distance from the model as it was,
# tokens a second here and, as `plan` predicts, on boards. Then the model as it was with each type of KV cache.
#
#   jobs/quant_matrix.sh [options] MODEL.gguf
#
#   --formats LIST       types of `quantize`; none = the model alone                     (all but F32 and MXFP4_MOE)
#   --cache-types LIST   of keys and values, or KEYS/VALUES as in q8_0/q4_0; none        (f16 q8_0 q8_0/q4_0 q4_0)
#   --text FILE          the text that is predicted                     (the GPL 3 that Debian has in /usr/share)
#   --chunks N           windows of it; -1 = all                                                              (8)
#   -c, --ctx-size N     tokens of a window                                                                 (512)
#   -p, --n-prompt N     tokens of the prompt whose reading is measured                                     (256)
#   -n, --n-gen N        tokens that are generated                                                           (32)
#   -d, --n-depth LIST   positions in the context before, for the types of KV cache; rising, by comma         (1024)
#   -r, --repetitions N  of each measurement                                                                  (3)
#   -t, --threads N      threads                                                        (the cores there are)
#   --profile NAME       the boards that `plan` predicts for                                                (pi4)
#   --imatrix FILE       importance matrix for `quantize`
#   --allow-requantize   take a model that is quantised already: its rows then say what a second loss adds to the first
#   --out FOLDER         rows, table.md, table.csv, quality.svg, .png and .gnuplot                 (quant_matrix)
#   --scratch FOLDER     quantised models (one at a time) and the model's logits                    (OUT/scratch)
#   --keep               leave them there; a later call with the same settings takes them
#   --only PART          quality, or speed: what other programs on the machine would spoil can be made apart
#   --force              remove the rows of a former call
#
# A row that is there is not made again: what was stopped (it ends with 75) goes on by the same command, also with
# further formats and cache types; with none of either it makes the table of the rows that are there. One that has quality or
# speed alone is not in the table until the same command, with another --only or none, has made the rest. Other settings
# need another folder, or --force.
set -uo pipefail
# shellcheck source=lib/env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/env.sh"
# shellcheck source=lib/pass_signals.sh
source "$pillar_root/jobs/lib/pass_signals.sh"
# All runs are of one process, which needs none of the few ports that a cluster's firewalls know; another job may have them.
unset "${daemon_ports}_ipv4_ports" "${daemon_ports}_ipv6_ports"

formats='BF16 F16 Q8_0 Q6_K Q5_K_M Q5_K_S Q5_1 Q5_0 Q4_K_M Q4_K_S Q4_1 Q4_0 IQ4_NL IQ4_XS MXFP4 Q3_K_L Q3_K_M Q3_K_S Q2_K
    Q2_0 TQ2_0 TQ1_0 Q1_0'
cache_types='f16 q8_0 q8_0/q4_0 q4_0'
text=/usr/share/common-licenses/GPL-3 chunks=8 window=512 prompt=256 gen=32 depth=1024 repetitions=3 threads=''
profile=pi4 imatrix='' requantize=() out=quant_matrix scratch='' keep=no force=no only='' models=()
while (($# > 0)); do
    [[ $1 != --*=* ]] || set -- "${1%%=*}" "${1#*=}" "${@:2}"
    case $1 in
    -h | --help) print_help ;;
    --allow-requantize) requantize=(--allow-requantize) ;;
    --keep) keep=yes ;;
    --force) force=yes ;;
    -*)
        case $1 in
        --formats) name=formats ;;
        --cache-types) name=cache_types ;;
        --text) name=text ;;
        --chunks) name=chunks ;;
        -c | --ctx-size) name=window ;;
        -p | --n-prompt) name=prompt ;;
        -n | --n-gen) name=gen ;;
        -d | --n-depth) name=depth ;;
        -r | --repetitions) name=repetitions ;;
        -t | --threads) name=threads ;;
        --profile) name=profile ;;
        --imatrix) name=imatrix ;;
        --out) name=out ;;
        --scratch) name=scratch ;;
        --only) name=only ;;
        *) die 64 "no such option: $1; see jobs/quant_matrix.sh --help" ;;
        esac
        value_of "$@" && printf -v "$name" %s "$value" && shift
        ;;
    *) models+=("$1") ;;
    esac
    shift
done
((${#models[@]} == 1)) || die 64 'usage: jobs/quant_matrix.sh [options] MODEL.gguf; see --help'
model=${models[0]}

for pair in "--ctx-size $window" "--n-prompt $prompt" "--n-gen $gen" "--repetitions $repetitions" "--threads ${threads:-1}"; do
    [[ ${pair#* } =~ ^[1-9][0-9]{0,6}$ ]] || die 64 "${pair%% *} wants a number from 1, not '${pair#* }'"
done
[[ $depth =~ ^[0-9]{1,7}(,[0-9]{1,7})*$ ]] || die 64 "--n-depth wants numbers from 0, by comma, not '$depth'"
[[ $chunks =~ ^(-1|[1-9][0-9]{0,6})$ ]] || die 64 "--chunks wants a number from 1, or -1, not '$chunks'"
[[ $only =~ ^(quality|speed)?$ ]] || die 64 "--only: quality or speed, not '$only'"
[[ -n $out ]] || die 64 "--out wants a folder"
scratch=${scratch:-$out/scratch}

# A name is asked for once; `quantize` and `perplexity` know which exist, but only after the work before it.
read -ra each_format <<<"$(tr ',\n' '  ' <<<"$formats")"
[[ ${formats,,} != none ]] || each_format=()
known=" F32 $("$pillar_binary" quantize --help 2>/dev/null | sed -n 's/.* type or mix: //p') "
[[ $known != ' F32  ' ]] || die 66 "$pillar_binary cannot quantise; is it built (jobs/demo.sh), and of this version?"
for i in "${!each_format[@]}"; do
    each_format[i]=${each_format[i]^^}
    case ${each_format[i]} in Q3_K | Q4_K | Q5_K) each_format[i]+=_M ;; esac
    [[ $known == *" ${each_format[i]} "* ]] || die 64 "--formats: no type ${each_format[i]}; there are$known"
done
read -ra each_cache <<<"$(tr ',\n' '  ' <<<"$cache_types")"
[[ ${cache_types,,} != none ]] || each_cache=()
for cache in "${each_cache[@]}"; do
    [[ $cache =~ ^(f16|f32|q8_0|q4_0)(/(f16|f32|q8_0|q4_0))?$ ]] ||
        die 64 "--cache-types: no type $cache; there are f16, f32, q8_0, q4_0, and two as in q8_0/q4_0"
done
for file in "$model" "$text" ${imatrix:+"$imatrix"}; do
    [[ -r $file && -f $file ]] || die 66 "there is no file $file"
done
command -v python3 >/dev/null || die 77 "python3 makes the table and is not installed here (jobs/packages.sh test)"
command -v gnuplot >/dev/null ||
    printf 'quant_matrix: gnuplot is not installed here (jobs/packages.sh test): there will be tables but no plot\n' >&2
said=$("$pillar_binary" plan -m "$model" --ranks 1 --profile "$profile" 2>&1 >/dev/null) || {
    code=$? # no such boards, no such model
    printf '%s\n' "$said" >&2
    exit "$code"
}
mkdir -p -- "$out/rows" || exit 73

# The rows of a folder are those of one model, text and settings. They are written down before the first of them.
settings=$(
    printf 'model %s\n' "$(stat -L -c '%n, %s bytes, of %y' -- "$model")"
    printf 'text %s\n' "$(sha256sum <"$text")"
    printf 'chunks %s, window %s, prompt %s, tokens %s, depth %s, ' "$chunks" "$window" "$prompt" "$gen" "$depth"
    printf 'repetitions %s, threads %s, profile %s\n' "$repetitions" "${threads:-all}" "$profile"
    [[ -z $imatrix ]] || printf 'imatrix %s\n' "$(sha256sum <"$imatrix")"
)
shopt -s nullglob
rows=("$out"/rows/*)
base=$scratch/base.h5 quantised=$scratch/quantised.gguf
if [[ $force == yes ]]; then
    rm -rf -- "$out/rows" "$out/settings" "$base"* "$quantised"* && mkdir -- "$out/rows" || exit 73
elif ((${#rows[@]} > 0)) && ! cmp -s -- "$out/settings" <(printf '%s\n' "$settings"); then
    what="the rows in $out are of another model, text or settings (see $out/settings)"
    die 73 "$what; another --out keeps them, --force removes them"
fi
# What a stopped call of other settings has left to go on with is of no use.
cmp -s -- "$out/settings" <(printf '%s\n' "$settings") || rm -f -- "$base"* "$quantised"*
printf '%s\n' "$settings" >"$out/settings" || exit 74
mkdir -p -- "$scratch" || exit 73

# lacks ROW PART: it is to be made now.
lacks() {
    local -A made_of=([quality]=perplexity.txt [speed]=bench.json)
    [[ ${only:-$2} == "$2" && ! -e $out/rows/$1/${made_of[$2]} ]]
}
todo=()
for row in source "${each_format[@]}" "${each_cache[@]/#/cache-}"; do
    row=${row//\//-}
    [[ " ${todo[*]} " == *" $row "* ]] || { ! lacks "$row" quality && ! lacks "$row" speed; } || todo+=("$row")
done

# step FILE COMMAND ...: its output to FILE in the row's folder, its log beside it. What fails ends the script.
step() {
    run_and_pass_signals "$pillar_binary" "${@:2}" >"$part/$1" 2>"$part/$1.log"
    ((code == 0)) && return
    grep -v '^\[[0-9]' -- "$part/$1.log" | tail -n 1 >&2
    [[ $code == 75 ]] || printf 'quant_matrix: %s failed with %d at %s; its log is %s\n' "$2" "$code" "$row" "$part/$1.log" >&2
    exit "$code"
}
has_threads=(${threads:+-t "$threads"})

# The logits that all rows are compared with; they are needed again where further rows are asked for.
make_base() {
    [[ ! -e $base ]] || return 0
    step base.txt perplexity -m "$model" -f "$text" -c "$window" --chunks "$chunks" --save-logits "$base" "${has_threads[@]}"
}
make_row() { # MODEL [cache flags]
    local of=$1 flags=("${@:2}") tests=(-p "$prompt" -n "$gen") at=()
    ((${#flags[@]} == 0)) || tests=(-p 0 -n "$gen" -d "$depth") at=(-d "${depth##*,}")
    ! lacks "$row" quality ||
        step perplexity.txt perplexity -m "$of" -c "$window" --chunks "$chunks" --kl-divergence-base "$base" \
            -o "$part/scores.h5" "${flags[@]}" "${has_threads[@]}"
    ! lacks "$row" speed ||
        step bench.json bench -m "$of" "${tests[@]}" -r "$repetitions" -o json "${flags[@]}" "${has_threads[@]}"
    step plan.json plan -m "$of" --ranks 1,2,4 --profile "$profile" "${at[@]}" -o json "${flags[@]}"
}

began=$SECONDS n_done=0
for row in "${todo[@]}"; do
    left=''
    ((n_done == 0)) || left=", about $(duration $(((SECONDS - began) * (${#todo[@]} - n_done) / n_done))) left"
    printf 'quant_matrix: %s, %d of %d (%d %%)%s\n' "$row" $((n_done + 1)) "${#todo[@]}" \
        $((100 * n_done / ${#todo[@]})) "$left" >&2
    part=$scratch/$row.row
    mkdir -p -- "$part" || exit 73
    rm -f -- "$part"/{scores.h5,perplexity.txt,bench.json} # a stopped call's are not whole
    ! lacks "$row" quality || make_base
    case $row in
    source) make_row "$model" ;;
    cache-*)
        types=${row#cache-}
        make_row "$model" --cache-type-k "${types%-*}" --cache-type-v "${types#*-}"
        ;;
    *)
        # The row's name beside the file tells a stopped call's from another one's.
        if [[ -e $scratch/$row.gguf ]] && cmp -s -- "$scratch/$row.settings" <(printf '%s\n' "$settings"); then
            rm -f -- "$quantised.row" "$scratch/$row.settings"
            mv -- "$scratch/$row.gguf" "$quantised" && printf '%s\n' "$row" >"$quantised.row" || exit 74
        fi
        if [[ $(cat -- "$quantised.row" 2>/dev/null) != "$row" || ! -e $quantised ]]; then
            rm -f -- "$quantised"
            step quantize.txt quantize "$model" "$quantised" "$row" "${requantize[@]}" ${imatrix:+--imatrix "$imatrix"} \
                "${has_threads[@]}"
            printf '%s\n' "$row" >"$quantised.row" || exit 74
        fi
        stat -c %s -- "$quantised" >"$part/file_size" || exit 74
        make_row "$quantised"
        if [[ $keep == yes ]]; then
            rm -f -- "$scratch/$row.settings"
            mv -- "$quantised" "$scratch/$row.gguf" || exit 74
            printf '%s\n' "$settings" >"$scratch/$row.settings" || exit 74
        fi
        rm -f -- "$quantised" "$quantised.row"
        ;;
    esac
    [[ $row != source ]] || stat -L -c %s -- "$model" >"$part/file_size" || exit 74
    rm -f -- "$part/scores.h5"
    rm -rf -- "$out/rows/.$row" # a copy that was stopped, where the scratch folder is on another disk
    mv -- "$part" "$out/rows/.$row" || exit 74
    if [[ -e $out/rows/$row ]]; then
        mv -- "$out/rows/.$row"/* "$out/rows/$row/" && rmdir -- "$out/rows/.$row" || exit 74
    else
        mv -- "$out/rows/.$row" "$out/rows/$row" || exit 74
    fi
    n_done=$((n_done + 1))
done
((${#todo[@]} > 0)) || printf 'quant_matrix: all rows are there\n' >&2
[[ $keep == yes ]] || rm -f -- "$base"
rmdir -- "$scratch" 2>/dev/null

whole=no
for row in "$out"/rows/*; do
    [[ ! -e $row/perplexity.txt || ! -e $row/bench.json ]] || whole=yes
done
if [[ $whole == no ]]; then
    printf 'quant_matrix: no row has both quality and speed; the same command with another --only, or none, makes the rest\n' >&2
    exit
fi
python3 "$pillar_root/jobs/lib/quant/table.py" "$out" || exit
if command -v gnuplot >/dev/null; then
    (cd -- "$out" && gnuplot quality.gnuplot) || die 70 "gnuplot could not draw $out/quality.gnuplot"
fi
cat -- "$out/table.md" || exit 74
