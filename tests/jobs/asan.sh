#!/usr/bin/env bash
# Builds the preset asan and runs the unit, MPI and small end-to-end tests in it: no address error, no undefined
# behaviour.  asan.sh PYTHON
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
mkdir -p build
cmake --preset asan -DPILLAR_TESTS=ON -DPython3_EXECUTABLE="$1" >build/configure-asan.log 2>&1 ||
    { cat build/configure-asan.log && exit 1; }
cmake --build --preset asan -j 2 -- --quiet
ctest --test-dir build/asan --output-on-failure -j 2 -R '^(unit|mpi)\.|^end_to_end\.(tiny_models|bad_files)'
