#!/usr/bin/env bash
# One command from a fresh clone to a language model that answers on two ranks, with a trace written and analysed:
# installs missing packages, builds, gets the demo model once, runs it, reports. Says at the start what of that is to do
# and how long it takes here. Safe to repeat.
set -euo pipefail
# shellcheck source=lib/env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/env.sh"
# shellcheck source=lib/build.sh
source "$pillar_root/jobs/lib/build.sh"
# shellcheck source=lib/machine.sh
source "$pillar_root/jobs/lib/machine.sh"
cd -- "$pillar_root"
[[ ${1-} != -h && ${1-} != --help ]] || print_help
(($# == 0)) || die 64 "usage: jobs/demo.sh"

model=models/SmolLM2-135M-Instruct.Q4_1.gguf
trace=build/demo/trace.h5

plan() {
    local missing build='what has changed since the last build' fetch='98 MB to download, half a minute at 25 Mbit/s'
    missing=$(jobs/lib/packages.sh --missing build)
    if [[ -n $missing ]]; then
        missing="$(count "$(wc -w <<<"$missing")" package) of Debian, some minutes"
    fi
    [[ -e $pillar_binary ]] || build="about $(duration "$(seconds_to_build)"), with all cores"
    [[ ! -e $model ]] || fetch='there'
    printf 'demo: five steps on this %s:\n' "$(machine)"
    printf 'demo:   1. install packages     %s\n' "${missing:-all there}"
    printf 'demo:   2. build pillar         %s\n' "$build"
    printf 'demo:   3. get a small model    %s\n' "$fetch"
    printf 'demo:   4. let it answer on two ranks, with a trace\n'
    printf 'demo:   5. report where the time went\n'
    printf 'demo: what is done stays done: stop with Ctrl-C, go on with the same command\n'
}

# step NAME: the one before has ended, this one begins.
step=0 began=0
step() {
    end_step
    step=$((step + 1)) began=$SECONDS
    printf '\ndemo: step %d of 5: %s\n' "$step" "$1"
}
end_step() {
    ((step == 0)) || printf 'demo: step %d took %s\n' "$step" "$(duration $((SECONDS - began)))"
}

plan
step 'install packages'
jobs/lib/packages.sh build

step 'build pillar'
# Where the tests are built already, they stay configured; a first build leaves them out.
if [[ -e build/release/CMakeCache.txt ]]; then
    configure
else
    configure -DPILLAR_TESTS=OFF
fi
build --target pillar

step 'get a small model'
jobs/get_model.sh

step 'let it answer on two ranks'
mkdir -p build/demo
prompt='<|im_start|>user\nWhat is a computer cluster, and what is it good for?<|im_end|>\n<|im_start|>assistant\n'
rm -f -- "$trace" "$trace.journal"
jobs/launch.sh --print -n 2 -- run -m "$model" -p "$prompt" -n 96 --temp 0 --trace "$trace"

step 'report where the time went'
printf '+ build/release/pillar report %s\n' "$trace" >&2
build/release/pillar report "$trace"
end_step
printf 'demo: done in %s; next: docs/getting_started.md\n' "$(duration "$SECONDS")"
