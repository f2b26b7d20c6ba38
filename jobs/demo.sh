#!/usr/bin/env bash
# One command from a fresh clone to a language model that answers on two ranks, with a trace written and analysed:
# installs missing packages, builds, gets the demo model once, runs it, reports. Safe to repeat.
set -euo pipefail
# shellcheck source=env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source=build.sh
source "$pillar_root/jobs/build.sh"
cd -- "$pillar_root"
[[ ${1-} != -h && ${1-} != --help ]] || print_help
(($# == 0)) || die 64 "usage: jobs/demo.sh"

jobs/packages.sh build
# Where the tests are built already, they stay configured; a first build leaves them out.
if [[ -e build/release/CMakeCache.txt ]]; then
    configure
else
    configure -DPILLAR_TESTS=OFF
fi
build --target pillar
jobs/get_model.sh

mkdir -p build/demo
trace=build/demo/trace.h5
prompt='<|im_start|>user\nWhat is a computer cluster, and what is it good for?<|im_end|>\n<|im_start|>assistant\n'
rm -f -- "$trace" "$trace.journal"
jobs/launch.sh --print -n 2 -- run -m models/SmolLM2-135M-Instruct.Q4_1.gguf -p "$prompt" -n 96 --temp 0 --trace "$trace"
printf '\n+ build/release/pillar report %s\n' "$trace" >&2
build/release/pillar report "$trace"
