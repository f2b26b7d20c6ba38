#!/usr/bin/env bash
# A Slurm of two nodes on this machine, for a command: two slurmd under other names and ports, a controller and munge,
# with all files in a folder of their own. When the command has ended, all of it is ended and removed.
#
#   tests/slurm/two_nodes.sh [COMMAND ...]      without one, a shell; the environment has SLURM_CONF
#
# Needs root and Debian's slurm-wlm and munge; ends with 77 and a sentence where they are missing. Each node is told to
# have all cores of this machine, and a job that goes back to the queue waits for 11 s instead of two minutes.
# `srun --mpi=pmix` does not work between two slurmd of one machine: PILLAR_LAUNCHER=mpirun.
set -euo pipefail

skip() {
    printf 'two_nodes: %s\n' "$1" >&2
    exit 77
}
[[ $(id -u) -eq 0 ]] || skip "slurmd needs root"
for program in slurmctld slurmd munged sbatch; do
    command -v "$program" >/dev/null || skip "no $program here; Debian's slurm-wlm and munge bring it"
done

folder=$(mktemp -d)
daemons=()
# shellcheck disable=SC2317 # called by the trap
end() {
    local i
    scancel --user=root 2>/dev/null || true
    for ((i = 0; i < 50; ++i)); do
        [[ -n $(squeue --noheader 2>/dev/null) ]] || break
        sleep 0.2
    done
    for ((i = ${#daemons[@]} - 1; i >= 0; --i)); do # munge last
        kill "${daemons[i]}" 2>/dev/null && wait "${daemons[i]}" 2>/dev/null
    done
    rm -rf -- "$folder"
}
trap end EXIT
trap 'exit 75' INT TERM HUP

# start NAME COMMAND ...: a daemon in the foreground of a background process.
start() {
    local name=$1
    shift
    "$@" >"$folder/$name.out" 2>&1 </dev/null &
    daemons+=($!)
}

chmod 755 "$folder"
mkdir "$folder/munge" "$folder/state" "$folder/spoolnode1" "$folder/spoolnode2"
dd if=/dev/urandom of="$folder/munge/key" bs=128 count=1 status=none
chmod 700 "$folder/munge" && chmod 600 "$folder/munge/key"
port=${PILLAR_SLURM_PORT:-17017}
cat >"$folder/slurm.conf" <<EOF
ClusterName=pillar
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=10
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool%n
SlurmctldPidFile=$folder/controller.pid
SlurmdPidFile=$folder/%n.pid
SlurmctldLogFile=$folder/controller.log
SlurmdLogFile=$folder/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
JobRequeue=1
SchedulerParameters=requeue_delay=1
NodeName=node1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=$(nproc) State=UNKNOWN
NodeName=node2 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=node[1-2] Default=YES MaxTime=INFINITE State=UP
EOF
export SLURM_CONF=$folder/slurm.conf
# mpirun and the daemons of both nodes cannot share the fixed ports of one machine.
export OMPI_MCA_oob_tcp_dynamic_ipv4_ports='' OMPI_MCA_oob_tcp_dynamic_ipv6_ports=''

start munge munged --foreground --force --num-threads=2 --key-file="$folder/munge/key" --socket="$folder/munge/socket" \
    --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" --seed-file="$folder/munge/seed"
for _ in $(seq 50); do [[ ! -S $folder/munge/socket ]] || break; sleep 0.1; done
start controller slurmctld -D -i
for node in node1 node2; do start "$node" slurmd -D -N "$node"; done
for _ in $(seq 100); do
    [[ $(sinfo --noheader --states=idle --format=%D 2>/dev/null) != 2 ]] || break
    sleep 0.2
done
if [[ $(sinfo --noheader --states=idle --format=%D 2>/dev/null) != 2 ]]; then
    tail -n 20 "$folder"/*.out "$folder"/*.log >&2
    printf 'two_nodes: the two nodes did not become idle; their messages stand above\n' >&2
    exit 70
fi
if (($# > 0)); then "$@"; else "${SHELL:-bash}"; fi
