#!/usr/bin/env bash
# Stands in for ssh when Open MPI starts its daemons on the nodes of a virtual cluster (plm_rsh_agent): NODE COMMAND ...,
# the command being text for a shell.
set -euo pipefail
node=$1
shift
exec "$(dirname -- "${BASH_SOURCE[0]}")/cluster.sh" enter "${PILLAR_CLUSTER:?the cluster has no name}" "$node" sh -c "$*"
