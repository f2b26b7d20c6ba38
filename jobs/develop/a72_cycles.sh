#!/usr/bin/env bash
# The cycle gate of the Cortex-A72: compiles the kernels' inner loops as they ship and asks llvm-mca how many cycles they
# take per 32 weights and column; docs/performance_model.md says what that means. Fails when a format that has a limit
# exceeds it. The last line of output is the summary.
#
#   jobs/develop/a72_cycles.sh
#
# The limits hold for clang, whose model of the processor is the simulator's own; the loops of g++, which builds the
# program, are reported beside them.
set -euo pipefail
# shellcheck source=../lib/env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/env.sh"
cd -- "$pillar_root"

((!$#)) || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" && exit 0; }

clang="clang++-14"
gxx=aarch64-linux-gnu-g++
mca=llvm-mca-14
for tool in $clang $gxx $mca c++filt; do
    command -v "$tool" >/dev/null || die 77 "needs $tool (jobs/lib/packages.sh test)"
done

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
sources=(src/kernels/neon/formats/block_formats.cpp src/kernels/neon/formats/k_quants.cpp src/kernels/neon/formats/low_bits.cpp)
common=(-mcpu=cortex-a72 -std=c++20 -ffp-contract=off -fPIC -Iinclude -Isrc/kernels -S)
for source in "${sources[@]}"; do
    name=$(basename -- "$source" .cpp)
    "$clang" --target=aarch64-linux-gnu -O2 "${common[@]}" "$source" -o "$work/$name.clang.s" &
    "$gxx" -O3 -DNDEBUG -fno-schedule-insns "${common[@]}" "$source" -o "$work/$name.gxx.s"
    wait $!
done
for compiler in clang gxx; do
    jobs/lib/loop_cycles.py "$mca" cortex-a72 "$work"/*.$compiler.s >"$work/$compiler.txt"
done
jobs/lib/cycle_table.py "$work/clang.txt" "$work/gxx.txt"
