#!/usr/bin/env bash
# The one list of Debian packages, and what installs those that are missing.
#
#   jobs/lib/packages.sh GROUP ...        install what is missing of these groups (says nothing when all is there)
#   jobs/lib/packages.sh --list GROUP ... print their names
#   jobs/lib/packages.sh --missing GROUP ... print the names of those that are missing
#
# run    on a node that gets a finished program
# build  to build the program
# test   to build and run the tests, and to draw the report's figures and the lab's
# all    for the longer tests of `jobs/test.sh --all`
# pip    to get the demo model
set -euo pipefail
# shellcheck source=env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/env.sh"

build=(g++ cmake ninja-build git openmpi-bin libopenmpi-dev libhdf5-dev libfmt-dev libpcre2-dev
    libcli11-dev nlohmann-json3-dev)
tests=(libgtest-dev libgmock-dev python3 python3-numpy python3-h5py python3-xarray python3-h5netcdf hdf5-tools
    shellcheck g++-aarch64-linux-gnu qemu-user-static iproute2 nftables util-linux procps gnuplot-nox python3-matplotlib
    libopen-trace-format2-dev otf2-tools)
longer=()
pip=(python3-pip)

# The names of libraries change from one Debian to the next; where they are not known, the build packages bring them.
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null || true)
case $release in
bookworm)
    run=(openmpi-bin libhdf5-103-1 libhdf5-hl-100 libfmt9 libpcre2-8-0 libgomp1)
    # The simulated A72 and libFuzzer, in the one version that the limits were measured with; elsewhere those are skipped.
    tests+=(clang-14 llvm-14) longer+=(libclang-rt-14-dev)
    ;;
trixie) run=(openmpi-bin libhdf5-310 libhdf5-hl-310 libfmt10 libpcre2-8-0 libgomp1) ;;
*) run=("${build[@]}") ;;
esac

[[ ${1-} != -h && ${1-} != --help ]] || print_help
verb=install
case ${1-} in --list | --missing) verb=${1#--} && shift ;; esac
wanted=()
for group; do
    case $group in
    run) wanted+=("${run[@]}") ;;
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${tests[@]}") ;;
    all) wanted+=("${longer[@]}") ;;
    pip) wanted+=("${pip[@]}") ;;
    *) die 64 "no group of packages is called '$group'; there are run, build, test, all, pip" ;;
    esac
done
((${#wanted[@]} > 0)) || die 64 "usage: jobs/lib/packages.sh [--list | --missing] GROUP ..."
if [[ $verb == list ]]; then
    printf '%s\n' "${wanted[@]}"
    exit
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    [[ $verb == install ]] || exit 0
    printf 'packages: this is no Debian; please see that there is what these packages bring: %s\n' "${wanted[*]}" >&2
    exit 0
fi
installed=$(dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
    sed -n 's/^installed //p' || true)
missing=()
for package in "${wanted[@]}"; do
    grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
((${#missing[@]} > 0)) || exit 0
if [[ $verb == missing ]]; then
    printf '%s\n' "${missing[@]}"
    exit
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || die 77 "missing here: ${missing[*]}; without sudo somebody must install them as root"
    as_root=(sudo)
fi
# tell_apt: what apt says of its state in lines like `dlstatus:3:12.5:Retrieving file 3 of 20`, as one from time to time.
# What it says of each package is dropped; errors are on stderr.
tell_apt() {
    local line verb said=$SECONDS
    while IFS= read -r line; do
        [[ $line =~ ^(dl|pm)status:.*:([0-9]+)\.[0-9]+: ]] || continue
        ((SECONDS - said >= tell_every)) || continue
        said=$SECONDS
        verb=installed
        [[ ${BASH_REMATCH[1]} == pm ]] || verb=downloaded
        printf 'packages: %s %d %%\n' "$verb" "${BASH_REMATCH[2]}"
    done
}

printf 'packages: installing %s (this may take some minutes): %s\n' "$(count "${#missing[@]}" package)" "${missing[*]}"
as_root+=(env DEBIAN_FRONTEND=noninteractive)
"${as_root[@]}" apt-get -qq update || printf 'packages: apt-get update met an error; trying nevertheless\n' >&2
"${as_root[@]}" apt-get -qq -o Dpkg::Use-Pty=0 -o APT::Status-Fd=1 install --yes --no-install-recommends \
    "${missing[@]}" | tell_apt || die 74 "apt-get could not install ${missing[*]}; is there a network?"
