#!/bin/sh
# Builds core, quant and kernels for a Cortex-A72 in the folder $1 and compares what the kernels compute
# there, under an emulator, with the hashes in $2. Exit 77 = skipped.
set -eu
build=$1
expected=$2
here=$(cd "$(dirname "$0")" && pwd)
fmt=${FMT_HEADERS:-/usr/include/fmt}

for tool in aarch64-linux-gnu-g++ qemu-aarch64-static; do
    if ! command -v "$tool" >/dev/null; then
        echo "skipped: there is no $tool on this machine (g++-aarch64-linux-gnu, qemu-user-static)"
        exit 77
    fi
done

mkdir -p "$build"
cmake -S "$here" -B "$build" -G Ninja --toolchain "$here/../../cmake/aarch64.cmake" \
    -DCMAKE_BUILD_TYPE=Release -DFMT_HEADERS="$fmt" >"$build/configure.log" 2>&1 ||
    { cat "$build/configure.log"; exit 1; }
cmake --build "$build" -j2
qemu-aarch64-static -cpu cortex-a72 -L /usr/aarch64-linux-gnu "$build/kernel_hashes" "$expected"
