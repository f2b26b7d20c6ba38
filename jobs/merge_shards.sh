#!/usr/bin/env bash
# Puts the results of a batch's shards into one file, in the order of the input's lines.
#
#   jobs/merge_shards.sh -o RESULTS.jsonl [-i REQUESTS.jsonl] [--force] SHARD.jsonl ...
#
#   -o FILE     where they go; it takes its name when it is whole
#   -i FILE     the batch's input: each of its lines must have a result
#   --force     replace an existing output
#
# A line that stands twice, is torn or is no result ends this with 65 and a sentence; so does, with -i, a line without a
# result, with 75: run the shard once more. The shards are left as they are.
set -uo pipefail
# shellcheck source=lib/env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/env.sh"
export LC_ALL=C # bytes

output='' input='' force=no shards=()
while (($# > 0)); do
    case $1 in
    -h | --help) print_help ;;
    -o | --output) value_of "$@" && output=$value && shift ;;
    -i | --input) value_of "$@" && input=$value && shift ;;
    --force) force=yes ;;
    --) shift && shards+=("$@") && break ;;
    -*) die 64 "$1 is no option; --help lists them" ;;
    *) shards+=("$1") ;;
    esac
    shift
done
[[ -n $output && ${#shards[@]} -gt 0 ]] || die 64 "usage: jobs/merge_shards.sh -o RESULTS.jsonl [-i REQUESTS.jsonl] SHARD.jsonl ..."
for file in "${shards[@]}" ${input:+"$input"}; do
    [[ -f $file && -r $file ]] || die 66 "$file: no such file"
    [[ ! $file -ef $output ]] || die 64 "$output is being read; give the output another name"
done
[[ ! -d $output ]] || die 73 "$output is a folder"
[[ ! -e $output || $force == yes ]] || die 73 "$output exists already; choose another name or replace it with --force"

part=$(mktemp -d -- "$output.XXXXXX" 2>/dev/null) || die 73 "$output: nothing can be made beside it"
trap 'rm -rf -- "$part"' EXIT
whole() { die 74 "$output: cannot be written; is the disk full?"; }

# Each line with its number in front, which sort goes by: it needs little memory, whatever there is.
result='{"id":"batch_req_[0-9]\{1,19\}","custom_id":.*}'
for file in "${shards[@]}"; do
    if [[ -s $file && -n $(tail -c 1 -- "$file") ]]; then
        die 65 "$file: its last line is torn; run that shard once more, or wait for its end"
    fi
    if bad=$(grep -anvm 1 "^$result\$" -- "$file"); then
        die 65 "$file: line ${bad%%:*} is no result of \`pillar batch\`"
    fi
    sed "s/^{\"id\":\"batch_req_\\([0-9]*\\)/\\1\t&/" -- "$file" || die 74 "$file: cannot be read"
done >"$part/numbered" || whole
sort --numeric-sort --key=1,1 --temporary-directory="$part" --output="$part/sorted" -- "$part/numbered" || whole
cut -f 1 -- "$part/sorted" >"$part/numbers" || whole
twice=$(uniq -d -- "$part/numbers" | head -n 1)
[[ -z $twice ]] || die 65 "line $((twice + 1)) of the input has two results: the shards are of different runs"
if [[ -n $input ]]; then
    # Lines with nothing on them have no result.
    grep -anv '^[[:space:]]*$' -- "$input" | awk -F : '{ print $1 - 1 }' >"$part/wanted" || whole
    difference=$(diff -- "$part/wanted" "$part/numbers" | grep -m 1 '^[<>]')
    case $difference in
    '') ;;
    '<'*) die 75 "line $((${difference#< } + 1)) of $input has no result yet; run its shard once more" ;;
    *) die 65 "line $((${difference#> } + 1)) has a result, but $input has no such line: they are of another input" ;;
    esac
fi
{ cut -f 2- -- "$part/sorted" >"$part/merged" && sync -- "$part/merged"; } || whole
mv -f -- "$part/merged" "$output" || whole
printf '%s from %s in %s\n' "$(count "$(wc -l <"$part/numbers")" result)" "$(count "${#shards[@]}" shard)" "$output" >&2
