#!/bin/sh
# run.sh CPU PROGRAM [ARGUMENT...]: an x86-64 program on a CPU that this machine is not ("qemu-x86_64-static -cpu help"
# lists them). 77 where there is no emulator.
set -eu
cpu=$1
shift
qemu=$(command -v qemu-x86_64-static || command -v qemu-x86_64) || {
    echo "skipped: there is no qemu-x86_64-static; on Debian and Ubuntu: apt-get install qemu-user-static"
    exit 77
}
exec "$qemu" -cpu "$cpu" "$@"
