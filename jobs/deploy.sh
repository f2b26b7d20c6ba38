#!/usr/bin/env bash
# Brings the program and a model to every node of a hostfile, to the same paths as here, where mpirun looks for them.
#
#   jobs/deploy.sh HOSTFILE MODEL.gguf
#
# What a node has already, by its SHA-256, is not sent again (so a shared mount costs nothing); a file gets its name
# only when it has arrived whole. All nodes at once; every line says which one it is about. Of a split model, give any
# part. PILLAR_SSH replaces `ssh -o BatchMode=yes -o ConnectTimeout=10`.
set -uo pipefail
# shellcheck source=env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source=hostfile.sh
source "$pillar_root/jobs/hostfile.sh"

[[ ${1-} != -h && ${1-} != --help ]] || print_help
(($# == 2)) || die 64 "usage: jobs/deploy.sh HOSTFILE MODEL.gguf"
read_hostfile "$1"
[[ -r $2 && -f $2 ]] || die 66 "cannot read the model $2"
[[ -x $pillar_binary ]] || die 66 "no program at $pillar_binary; build it (jobs/demo.sh does) or set PILLAR_BINARY"
read -ra ssh <<<"${PILLAR_SSH:-ssh -o BatchMode=yes -o ConnectTimeout=10}"

# Paths stay as they are written (no links resolved): they are what mpirun and -m will be given.
absolute() { printf '%s/%s' "$(cd -- "$(dirname -- "$1")" && pwd)" "$(basename -- "$1")"; }
model=$(absolute "$2")
files=("$(absolute "$pillar_binary")" "$model")
if [[ $model =~ ^(.*)-[0-9]{5}(-of-[0-9]{5}\.gguf)$ ]]; then
    files=("${files[0]}" "${BASH_REMATCH[1]}"-[0-9][0-9][0-9][0-9][0-9]"${BASH_REMATCH[2]}")
fi

printf 'deploy: checksums of %s\n' "$(count "${#files[@]}" file)"
declare -A sums=()
for file in "${files[@]}"; do
    sums[$file]=$(sha256sum <"$file" | cut -d' ' -f1)
done

# to_node NODE FILE: send one file unless it is there.
# shellcheck disable=SC2094 # the file written is another machine's
to_node() {
    local node=$1 file=$2 path part there mode=644
    path=$(printf '%q' "$file")
    part=$(printf '%q' "$file.part.$node") # of its own: the nodes may share a disk
    [[ ! -x $file ]] || mode=755
    there=$("${ssh[@]}" "$node" "if test -f $path; then sha256sum <$path; else echo none; fi" </dev/null) || {
        printf '%s: cannot be reached\n' "$node" >&2
        return 1
    }
    if [[ ${there%% *} == "${sums[$file]}" ]]; then
        printf '%s: %s is there\n' "$node" "$(basename -- "$file")"
        return
    fi
    "${ssh[@]}" "$node" "set -e; mkdir -p $(printf '%q' "$(dirname -- "$file")"); part=$part
        trap 'rm -f \"\$part\"' EXIT; cat >\"\$part\"
        test \"\$(sha256sum <\"\$part\" | cut -d' ' -f1)\" = ${sums[$file]}
        chmod $mode \"\$part\"; mv -f \"\$part\" $path" <"$file" || {
        printf '%s: %s did not arrive whole (disk full? run it again)\n' "$node" "$file" >&2
        return 1
    }
    printf '%s: %s sent\n' "$node" "$(basename -- "$file")"
}

deploy_to() {
    local node=$1 file version
    for file in "${files[@]}"; do
        to_node "$node" "$file" || return 1
    done
    version=$("${ssh[@]}" "$node" "$(printf '%q' "${files[0]}") --version" </dev/null) || {
        printf '%s: the program does not start there; its libraries: sudo apt-get install %s\n' "$node" \
            "$("$pillar_root/jobs/packages.sh" --list run | tr '\n' ' ')" >&2
        return 1
    }
    printf '%s: %s\n' "$node" "$version"
}

pids=() n_failed=0
for node in "${nodes[@]}"; do
    ! is_here "$node" || continue
    deploy_to "$node" &
    pids+=($!)
done
for pid in "${pids[@]}"; do
    wait "$pid" || n_failed=$((n_failed + 1))
done
((n_failed == 0)) || die 69 "$n_failed of $(count "${#nodes[@]}" node) not ready"
printf 'deploy: ready: %s\n' "$(count "${#nodes[@]}" node)"
