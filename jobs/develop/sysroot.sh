#!/usr/bin/env bash
# Unpacks the arm64 libraries that pillar needs into sysroot/aarch64, so that `cmake --preset pi4` can build the whole
# program on another machine. Works with an apt database of its own beside it: neither the host's packages nor its list
# of architectures change, and no root is needed. Run again at will; --force starts afresh.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
root=$PWD

packages=(libc6-dev linux-libc-dev libstdc++6 libgcc-s1 libgomp1
    libopenmpi-dev libhdf5-dev libfmt-dev libpcre2-dev libcli11-dev nlohmann-json3-dev)
sysroot=$root/sysroot/aarch64
apt_root=$root/sysroot/apt

die() {
    printf 'sysroot: %s\n' "$1" >&2
    exit "${2:-70}"
}

if [[ ${1-} == -h || ${1-} == --help ]]; then
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' -- jobs/develop/sysroot.sh
    exit 0
fi
[[ $# -eq 0 || $* == --force ]] || die "usage: jobs/develop/sysroot.sh [--force]" 64
for tool in apt-get dpkg; do
    command -v $tool >/dev/null || die "needs $tool (Debian or one of its kin)" 77
done
[[ $(dpkg --print-architecture) != arm64 ]] || die "this machine is arm64 itself: build with the preset release" 64
[[ ${1:-} != --force ]] || rm -rf -- "$sysroot" "$apt_root"
# What another version of this script has unpacked may lack something; before, none was written down.
asked=$sysroot/asked.txt
if [[ -e $asked && $(cat -- "$asked") != "${packages[*]}" ]]; then
    printf 'sysroot: other packages are needed now; starting afresh\n'
    rm -rf -- "$sysroot" "$apt_root"
fi
if [[ -e $sysroot/packages.txt ]]; then
    printf 'sysroot: %s packages are there (--force renews them)\n' "$(wc -l <"$sysroot/packages.txt")"
    exit 0
fi

# An apt that knows one architecture and no installed package. Its sources and keys are the host's.
prepare_apt() {
    mkdir -p -- "$apt_root/state/lists/partial" "$apt_root/cache/archives/partial" "$apt_root/packages"
    : >"$apt_root/state/status"
    cat >"$apt_root/apt.conf" <<END
Dir::State "$apt_root/state";
Dir::State::status "$apt_root/state/status";
Dir::Cache "$apt_root/cache";
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
Acquire::Languages "none";
END
    export APT_CONFIG=$apt_root/apt.conf
    apt-get -qq update || printf 'sysroot: not every source of this machine has arm64 packages; going on\n' >&2
}

# What installing them would bring, without programs: libraries and headers only.
needed_packages() {
    apt-get install --simulate --no-install-recommends --yes "${packages[@]}" | awk '$1 == "Inst" { print $2 }' |
        grep -E '^lib|-dev$|^zlib1g$|^openmpi-common$|^ibverbs-providers$|^ocl-icd-libopencl1$' |
        grep -vE '^lib(perl|js-|asan|lsan|tsan|ubsan|hwasan|gprofng|cc1|isl|gcc-12-dev|gfortran-12-dev|pam)'
}

# Absolute links would lead from the sysroot into the host.
make_links_relative() {
    local link target
    while IFS= read -r -d '' link; do
        target=$(readlink -- "$link")
        ln -sfnr -- "$1$target" "$link"
    done < <(find "$1" -type l -lname '/*' -print0)
}

# Debian's mpi.h and mpicc stand behind alternatives, which installing would have set; cmake/aarch64.cmake names the real
# folders, so nothing needs them here.
unpack() {
    local part=$sysroot.part package
    rm -rf -- "$part"
    mkdir -p -- "$part"
    for package in "$apt_root"/packages/*.deb; do
        dpkg -x "$package" "$part"
    done
    rm -rf -- "$part"/usr/share/{doc,man,info,locale,lintian}
    make_links_relative "$part"
    (cd "$apt_root/packages" && ls -- *.deb) >"$part/packages.txt"
    printf '%s\n' "${packages[*]}" >"$part/asked.txt"
    mv -- "$part" "$sysroot"
}

printf 'sysroot: asking for arm64 packages\n'
prepare_apt
mapfile -t names < <(needed_packages)
((${#names[@]} > 0)) || die "the sources of this machine offer no arm64 packages (the message above tells more)" 74
printf 'sysroot: getting %d packages\n' "${#names[@]}"
(cd "$apt_root/packages" && apt-get -qq download "${names[@]}") || die "a download failed; run it again" 74
unpack
rm -rf -- "$apt_root"
printf 'sysroot: %d packages in sysroot/aarch64 (%s); next: cmake --preset pi4 && cmake --build --preset pi4\n' \
    "${#names[@]}" "$(du -sh -- "$sysroot" | cut -f1)"
