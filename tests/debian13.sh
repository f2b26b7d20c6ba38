#!/usr/bin/env bash
# The tests in a Debian 13 of their own (Open MPI 5, HDF5 1.14, GCC 14) on a machine that runs something else. Needs
# root and debootstrap.
#
#   tests/debian13.sh FOLDER [COMMAND ...]     COMMAND in the clone there; without one `jobs/test.sh`
#
# FOLDER gets the system once (2.6 GB with all packages and a build) and a clone of what is committed here, which later
# calls bring up to date. What is mounted and what runs there is gone when COMMAND ends. PILLAR_MIRROR is another Debian
# mirror.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
mirror=${PILLAR_MIRROR-} # empty: debootstrap's own

die() {
    printf 'debian13: %s\n' "$2" >&2
    exit "$1"
}
[[ $# -gt 0 && $1 != -* ]] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" && exit 64; }
[[ $(id -u) -eq 0 ]] || die 77 "making and entering another system needs root"
command -v debootstrap >/dev/null || die 77 "no debootstrap here; the Debian package of this name brings it"
folder=$1
shift
(($# > 0)) || set -- jobs/test.sh

host_settings=$folder/etc/apt/apt.conf.d/90host
if [[ ! -e $host_settings ]]; then
    debootstrap --variant=minbase --include=ca-certificates trixie "$folder" ${mirror:+"$mirror"} >"$folder.log" 2>&1 ||
        die 74 "debootstrap failed; $folder.log says why"
    rm -- "$folder.log"
    # The way to the mirror is that of this machine.
    { apt-config dump Acquire | grep -E '^Acquire::(http|https|Check)' || true; } >"$host_settings"
fi
folder=$(cd -- "$folder" && pwd)
cp -L -- /etc/resolv.conf /etc/hosts "$folder/etc/"

clone=$folder/srv/pillar
[[ -d $clone ]] || git clone --quiet --no-checkout --no-hardlinks "$root" "$clone"
git -C "$clone" fetch --quiet "$root" HEAD
git -C "$clone" checkout --quiet --force --detach FETCH_HEAD
# What the tests use beside the clone, where it is here: the demo model and values of other programs.
[[ ! -d $root/models || -d $clone/models ]] || cp -rL -- "$root/models" "$clone/models"
[[ ! -d $root/../shared/golden || -d $folder/srv/shared ]] ||
    { mkdir "$folder/srv/shared" && cp -r -- "$root/../shared/golden" "$folder/srv/shared/"; }

# Mounts and processes live in name spaces that end with COMMAND. The bind mount makes the folder a mount point, which a
# root must be for `ip netns exec`.
# shellcheck disable=SC2016 # for the shell inside
exec unshare --mount --pid --fork --kill-child bash -euo pipefail -c '
    folder=$1
    shift
    mount --bind "$folder" "$folder"
    mount -t proc proc "$folder/proc"
    mount --rbind /sys "$folder/sys"
    mount --rbind /dev "$folder/dev"
    mount -t tmpfs tmpfs "$folder/dev/shm"
    mount -t tmpfs tmpfs "$folder/run"
    # Process numbers begin anew: folders of killed programs would be in the way.
    temporary=$(mktemp -d -- "$folder/var/tmp/XXXXXX")
    mount --bind "$temporary" "$folder/tmp"
    chmod 1777 "$folder/tmp"
    code=0 # no exec: this shell takes in the orphans
    chroot "$folder" env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        bash -c "cd /srv/pillar && exec \"\$@\"" bash "$@" || code=$?
    rm -rf -- "$temporary"
    exit "$code"
    ' bash "$folder" "$@"
