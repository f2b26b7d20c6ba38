#!/usr/bin/env bash
# Builds the preset fuzz and lets every fuzz target search for PILLAR_FUZZ_S seconds (default 30) from its seeds. What
# it finds stays in build/fuzz/found. For a longer search: PILLAR_FUZZ_S=1800 tests/jobs/fuzz.sh
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
if ! command -v clang++-14 >/dev/null; then
    echo "skipped: needs clang++-14 (Debian 12: clang-14 and libclang-rt-14-dev)"
    exit 77
fi
mkdir -p build
cmake --preset fuzz >build/configure-fuzz.log 2>&1 || { cat build/configure-fuzz.log && exit 1; }
targets=()
for source in tests/fuzz/fuzz_*.cpp; do
    name=$(basename "$source" .cpp)
    [[ $name == fuzz_tokenizer ]] || targets+=("$name") # what the tokenizers' targets share
done
cmake --build --preset fuzz -j 2 --target "${targets[@]}" -- --quiet

found=build/fuzz/found
mkdir -p "$found"
failed=''
for target in "${targets[@]}"; do
    name=${target#fuzz_}
    mkdir -p "build/fuzz/grown/$name"
    echo "$target, ${PILLAR_FUZZ_S:-30} s"
    "build/fuzz/tests/fuzz/$target" -max_total_time="${PILLAR_FUZZ_S:-30}" -max_len=65536 -rss_limit_mb=512 -malloc_limit_mb=256 -timeout=5 \
        -print_final_stats=1 -verbosity=0 -artifact_prefix="$found/$name-" "build/fuzz/grown/$name" \
        "build/fuzz/corpus/$name" || failed+=" $name"
done
[[ -z $failed ]] || { echo "found something in:$failed (inputs in $found)" && exit 1; }
