#!/usr/bin/env bash
# Brings the program and a model to every node of a hostfile, to the same paths as here, where mpirun looks for them.
#
#   jobs/deploy.sh HOSTFILE MODEL.gguf
#
# What a node has already, by its SHA-256, is not sent again (so a shared mount costs nothing); a file gets its name
# only when it has arrived whole, and what was cut goes on where it was. A node that has a file passes it on, so this
# machine sends few copies: 3 for 7 nodes. Nodes that reach no other by ssh are served from here. Every line says which
# node it is about. Of a split model, give any part. Exit codes: 0 all nodes are ready, 69 some are not, 75 stopped.
# PILLAR_SSH replaces `ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15`, here and on the nodes.
set -uo pipefail
# shellcheck source=lib/env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/env.sh"
# shellcheck source=lib/hostfile.sh
source "$pillar_root/jobs/lib/hostfile.sh"
# shellcheck source=lib/relay.sh
source "$pillar_root/jobs/lib/relay.sh"

[[ ${1-} != -h && ${1-} != --help ]] || print_help
(($# == 2)) || die 64 "usage: jobs/deploy.sh HOSTFILE MODEL.gguf"
read_hostfile "$1"
[[ -r $2 && -f $2 ]] || die 66 "cannot read the model $2"
[[ -x $pillar_binary ]] || die 66 "no program at $pillar_binary; build it (jobs/demo.sh does) or set PILLAR_BINARY"
read -ra ssh <<<"${PILLAR_SSH:-ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15}"

# Paths stay as they are written (no links resolved): they are what mpirun and -m will be given.
absolute() { printf '%s/%s' "$(cd -- "$(dirname -- "$1")" && pwd)" "$(basename -- "$1")"; }
model=$(absolute "$2")
files=("$(absolute "$pillar_binary")" "$model")
if [[ $model =~ ^(.*)-[0-9]{5}(-of-[0-9]{5}\.gguf)$ ]]; then
    files=("${files[0]}" "${BASH_REMATCH[1]}"-[0-9][0-9][0-9][0-9][0-9]"${BASH_REMATCH[2]}")
fi

sums=() sizes=() total=0
for file in "${files[@]}"; do
    sizes+=("$(stat -L -c %s -- "$file")")
    total=$((total + sizes[-1]))
done
printf 'deploy: checksums of %s (%s)\n' "$(count "${#files[@]}" file)" "$(bytes "$total")"
for file in "${files[@]}"; do
    sums+=("$(sha256sum <"$file" | cut -d' ' -f1)")
done

targets=()
for node in "${nodes[@]}"; do
    is_here "$node" || targets+=("$node")
done
send_to_all

# start_on NODE: does the program start there?
start_on() {
    local node=$1 version
    version=$(on "$node" "$(quote "${files[0]}") --version") || {
        printf '%s: the program does not start there; its libraries: sudo apt-get install %s\n' "$node" \
            "$("$pillar_root/jobs/lib/packages.sh" --list run | tr '\n' ' ')" >&2
        return 1
    }
    printf '%s: %s\n' "$node" "$version"
}
pids=() n_failed=${#failed[@]}
for node in "${targets[@]}"; do
    [[ -z ${failed[$node]+set} ]] || continue
    start_on "$node" &
    pids+=($!)
done
for pid in "${pids[@]}"; do
    wait "$pid" || n_failed=$((n_failed + 1))
done
((n_failed == 0)) || die 69 "$n_failed of $(count "${#nodes[@]}" node) not ready"
printf 'deploy: ready: %s\n' "$(count "${#nodes[@]}" node)"
