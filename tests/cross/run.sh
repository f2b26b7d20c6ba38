#!/bin/sh
# Builds core, quant and kernels for a Cortex-A72 in the folder BUILD and runs what the kernels compute there under an
# emulator: on a Cortex-A72 the families of ARMv8.0, on the emulator's own best processor the dotprod family as well.
#
#   run.sh BUILD hashes FILE    compare with the hashes in FILE
#   run.sh BUILD units          the unit tests of the Arm families and of quantize's encoders
#
# Exit 77 = skipped.
set -eu
build=$1
what=$2
here=$(cd "$(dirname "$0")" && pwd)
fmt=${FMT_HEADERS:-/usr/include/fmt}
googletest=${GOOGLETEST_SOURCES:-/usr/src/googletest}

for tool in aarch64-linux-gnu-g++ qemu-aarch64-static; do
    if ! command -v "$tool" >/dev/null; then
        echo "skipped: there is no $tool on this machine (g++-aarch64-linux-gnu, qemu-user-static)"
        exit 77
    fi
done

configure() {
    mkdir -p "$build"
    cmake -S "$here" -B "$build" -G Ninja --toolchain "$here/../../cmake/aarch64.cmake" \
        -DCMAKE_BUILD_TYPE=Release -DFMT_HEADERS="$fmt" -DGOOGLETEST_SOURCES="$googletest" \
        >"$build/configure.log" 2>&1 ||
        { cat "$build/configure.log"; exit 1; }
}

# on PROCESSOR PROGRAM [ARGUMENT ...]
on() {
    processor=$1
    shift
    echo "on $processor:"
    qemu-aarch64-static -cpu "$processor" -L /usr/aarch64-linux-gnu "$@"
}

# units_of PROCESSOR FAMILY
units_of() {
    if ! on "$1" "$build/unit_kernels" --gtest_list_tests --gtest_filter="*/$2*" | grep -q "/$2"; then
        echo "there are no tests of the family $2 on $1"
        exit 1
    fi
    on "$1" "$build/unit_kernels" --gtest_brief=1 --gtest_filter="*/$2*"
}

configure
case $what in
hashes)
    cmake --build "$build" -j2
    on cortex-a72 "$build/kernel_hashes" "$3"
    on max "$build/kernel_hashes" "$3"
    ;;
units)
    if [ ! -e "$googletest/CMakeLists.txt" ]; then
        echo "skipped: there are no sources of GoogleTest in $googletest (libgtest-dev)"
        exit 77
    fi
    cmake --build "$build" -j2 --target unit_kernels --target unit_encoders
    units_of cortex-a72 neon
    units_of max dotprod
    on cortex-a72 "$build/unit_encoders" --gtest_brief=1
    ;;
esac
