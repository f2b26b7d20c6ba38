#!/usr/bin/env bash
# Runs pillar on a virtual cluster of this machine: nodes with a network and a host name of their own, joined by cables of
# one gigabit a second. They share this machine's memory and cores. Needs root (network namespaces).
#
#   tests/cluster/run.sh -n NODES [--ranks P] [--cores] [launch.sh's options] -- SUBCOMMAND ...
#   tests/cluster/run.sh -n NODES --shell [COMMAND ...]     a shell (or a command) on node1
#
# --ranks P  so many ranks, spread over the nodes; without it one a node
# --cores    each node has one core: node1 the first of this machine, node2 the second ...
# Signals and exit codes are those of jobs/launch.sh. PILLAR_CLUSTER_RATE=100mbit makes the cables slower.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../.." && pwd)
# shellcheck source=../../jobs/lib/pass_signals.sh
source "$root/jobs/lib/pass_signals.sh"

die() {
    printf 'run: %s\n' "$2" >&2
    exit "$1"
}
usage='usage: tests/cluster/run.sh -n NODES [--ranks P] [--cores] [options of launch.sh] -- SUBCOMMAND ...'
n_nodes='' n_ranks='' shell=no options=()
while (($# > 0)) && [[ $1 != -- ]]; do
    case $1 in
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" && exit 0 ;;
    -n) n_nodes=${2-} && shift ;;
    --ranks) n_ranks=${2-} && shift ;;
    --cores) export PILLAR_CLUSTER_CORES=1 ;;
    --shell) shell=yes && shift && break ;;
    *) options+=("$1") ;;
    esac
    (($# > 0)) && shift
done
[[ $n_nodes =~ ^[1-9][0-9]?$ ]] || die 64 "$usage"
if [[ $shell == yes ]]; then
    command=("${@:-bash}")
else
    [[ ${1-} == -- && $# -gt 1 ]] || die 64 "$usage"
    command=("$root/jobs/launch.sh")
fi

PILLAR_CLUSTER=pillar$$
hostfile=$(mktemp)
trap '"$here/cluster.sh" remove "$PILLAR_CLUSTER"; rm -f -- "$hostfile"' EXIT
"$here/cluster.sh" make "$PILLAR_CLUSTER" "$n_nodes"
for ((i = 1; i <= n_nodes; ++i)); do printf 'node%d\n' "$i"; done >"$hostfile"
# By name and not by path: Open MPI cuts the value at spaces.
export PATH="$here:$PATH" PILLAR_CLUSTER OMPI_MCA_plm_rsh_agent=rsh_agent.sh PRTE_MCA_plm_ssh_agent=rsh_agent.sh
# All nodes are this one machine: waiting ranks must give their core away.
export OMPI_MCA_mpi_yield_when_idle=${OMPI_MCA_mpi_yield_when_idle:-1}
[[ $shell == yes ]] || command+=(-n "${n_ranks:-$n_nodes}" --hostfile "$hostfile" "${options[@]}" "$@")
if [[ $shell == yes ]]; then
    code=0
    "$here/cluster.sh" enter "$PILLAR_CLUSTER" node1 "${command[@]}" || code=$?
else
    exec 3<&0 # a background process would read nothing
    # shellcheck disable=SC2016 # for the shell inside
    run_and_pass_signals bash -c 'exec "$@" <&3 3<&-' on_node1 \
        "$here/cluster.sh" enter "$PILLAR_CLUSTER" node1 "${command[@]}" || true # wait tells what ended it
fi
exit "$code"
