#!/usr/bin/env bash
# Installs what is missing, builds and runs the tests; the last line of output is `N passed, N failed, N skipped`.
#
#   jobs/test.sh [--all | --also LABEL ... | --label LABEL] [ctest's options]
#
# --all     the longer tests too: sanitizers, fuzzing, a Raspberry Pi's binary under emulation, full accuracy
# --also L  of those only the ones with the label L (asan, fuzz, cross, accuracy)
# --label L only the tests with the label L (`--label fast`: under two minutes)
set -euo pipefail
# shellcheck source=lib/env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/env.sh"
# mpirun takes every daemon port that it is given, and another job may be starting beside this one.
unset "${daemon_ports}_ipv4_ports" "${daemon_ports}_ipv6_ports"
# shellcheck source=lib/build.sh
source "$pillar_root/jobs/lib/build.sh"
cd -- "$pillar_root"

all=no label='' also=() options=()
while (($# > 0)); do
    case $1 in
    -h | --help) print_help ;;
    --all) all=yes ;;
    --also) value_of "$@" && also+=("$value") && shift ;;
    --label) value_of "$@" && label=$value && shift ;;
    *) options+=("$1") ;;
    esac
    shift
done

groups=(build test)
[[ $all == no && ${#also[@]} -eq 0 && -z $label ]] || groups+=(all)
jobs/lib/packages.sh "${groups[@]}"
# Another python3 in PATH may lack numpy and h5py; Debian's has them.
configure -DPILLAR_TESTS=ON -DPython3_EXECUTABLE=/usr/bin/python3
build --target all
if ! jobs/get_model.sh; then
    printf 'test: going on without the demo model; the tests that need it are skipped\n'
fi

# run NAME [ctest's options]: one pass over a part of the suite, its results in build/release/NAME.xml.
failed=no results=()
run() {
    local name=$1
    shift
    results+=("build/release/$name.xml")
    rm -f -- "build/release/$name.xml"
    ctest --test-dir build/release --output-junit "$name.xml" --output-on-failure --no-tests=ignore -j2 "$@" \
        "${options[@]}" || failed=yes
}
if [[ -n $label ]]; then
    run tests -L "^$label\$"
elif [[ $all == yes ]]; then
    run tests
else
    run tests -LE '^all$'
    for part in "${also[@]}"; do
        run "tests-$part" -L '^all$' -L "^$part\$"
    done
fi
/usr/bin/python3 jobs/lib/count_tests.py "${results[@]}" || failed=yes
[[ $failed == no ]]
