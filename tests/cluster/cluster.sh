#!/usr/bin/env bash
# A virtual cluster on one machine, for experiments and tests: nodes that have a network, a host name and nothing else of
# their own. Each node is a network namespace with one cable to a switch (a bridge in a namespace of its own), and every
# cable carries what gigabit Ethernet does, both ways. Nothing is visible from outside the namespaces. Needs root.
#
#   cluster.sh make NAME N          nodes node1 ... nodeN with the addresses 10.0.0.1 ... 10.0.0.N
#   cluster.sh enter NAME NODE COMMAND ...   run it there, under the node's host name
#   cluster.sh cut NAME NODE        pull the node's cable out of the switch
#   cluster.sh mend NAME NODE       plug it in again
#   cluster.sh processes NAME NODE  the ids of what runs there
#   cluster.sh remove NAME          kill what is left there and remove all
#
# NAME must end in the id of the process that will remove it; `make` removes clusters whose process is gone. Variables:
# PILLAR_CLUSTER_RATE (940mbit: gigabit Ethernet without its headers), PILLAR_CLUSTER_CORES=1 (node K has one core only,
# the K-th of this machine).
set -eEuo pipefail

# A larger burst would let short messages pass at the speed of memory.
rate=${PILLAR_CLUSTER_RATE:-940mbit} burst=3200 queue=256kb

die() {
    printf 'cluster: %s\n' "$2" >&2
    exit "$1"
}

shape() { # NAMESPACE DEVICE
    tc -n "$1" qdisc add dev "$2" root tbf rate "$rate" burst "$burst" limit "$queue"
}

nodes_of() { # NAME: its namespaces, the switch included
    local file
    for file in /run/netns/"$1".*; do
        [[ ! -e $file ]] || printf '%s\n' "${file##*/}"
    done
}

remove() { # NAME
    local node file pids
    for node in $(nodes_of "$1"); do
        pids=$(ip netns pids "$node" 2>/dev/null) || true
        # shellcheck disable=SC2086 # a list of ids
        [[ -z $pids ]] || kill -KILL $pids 2>/dev/null || true
    done
    for node in $(nodes_of "$1"); do
        for _ in $(seq 50); do # a namespace lives as long as a process in it
            [[ -n $(ip netns pids "$node" 2>/dev/null) ]] || break
            sleep 0.02
        done
        ip netns delete "$node"
    done
    for file in /etc/netns/"$1".*; do
        [[ ! -d $file ]] || rm -r -- "$file"
    done
    rmdir --ignore-fail-on-non-empty /etc/netns 2>/dev/null || true
}

remove_abandoned() {
    local file name pid
    for file in /run/netns/pillar*.switch; do
        name=${file##*/} && name=${name%.switch} pid=${name##*[!0-9]}
        [[ ! -e $file || -z $pid || -d /proc/$pid ]] || remove "$name"
    done
}

make() { # NAME N
    local name=$1 n=$2 node i
    remove_abandoned
    trap 'remove "$name"' ERR
    ip netns add "$name.switch"
    ip -n "$name.switch" link add switch type bridge
    ip -n "$name.switch" link set switch up
    for ((i = 1; i <= n; ++i)); do
        node=$name.node$i
        mkdir -p "/etc/netns/$node" # `ip netns exec` puts these files in place of those of /etc
        {
            printf '127.0.0.1 localhost\n'
            for ((k = 1; k <= n; ++k)); do printf '10.0.0.%d node%d\n' $k $k; done
        } >"/etc/netns/$node/hosts"
        ip netns add "$node"
        ip netns exec "$node" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6' 2>/dev/null || true
        ip link add eth0 netns "$node" type veth peer name "node$i" netns "$name.switch"
        ip -n "$node" address add "10.0.0.$i/24" dev eth0
        ip -n "$node" link set lo up
        ip -n "$node" link set eth0 up
        ip -n "$name.switch" link set "node$i" master switch up
        shape "$node" eth0
        shape "$name.switch" "node$i"
    done
    trap - ERR
}

mend() { # NAME NODE
    local ends
    ip -n "$1.switch" link set "$2" up
    for _ in $(seq 100); do # the kernel tells both ends within a second
        ends=$(ip -n "$1.switch" -oneline link show "$2" && ip -n "$1.$2" -oneline link show eth0)
        [[ $ends != *" state UP "*" state UP "* ]] || break
        sleep 0.05
    done
    ip -n "$1.$2" neighbour flush dev eth0 # what it has not found meanwhile is there again
}

enter() { # NAME NODE COMMAND ...
    local name=$1 node=$2 core=()
    shift 2
    [[ -z ${PILLAR_CLUSTER_CORES-} ]] || core=(taskset --cpu-list $(((${node#node} - 1) % $(nproc --all))))
    # shellcheck disable=SC2016 # for the shell inside
    exec ip netns exec "$name.$node" unshare --uts sh -c 'hostname "$0" && exec "$@"' "$node" "${core[@]}" "$@"
}

verb=${1-} name=${2-}
[[ $name == pillar*[0-9] ]] || die 64 "usage: cluster.sh make|enter|cut|mend|processes|remove NAME ..., NAME = pillar...PID"
[[ $(id -u) -eq 0 ]] || die 77 "network namespaces need root"
for program in ip tc unshare; do
    command -v "$program" >/dev/null || die 77 "no $program here; jobs/lib/packages.sh test installs it"
done
case $verb in
make) make "$name" "${3:?how many nodes?}" ;;
enter) enter "$name" "${@:3}" ;;
cut) ip -n "$name.switch" link set "${3:?which node?}" down ;;
mend) mend "$name" "${3:?which node?}" ;;
processes) ip netns pids "$name.${3:?which node?}" ;;
remove) remove "$name" ;;
*) die 64 "no such verb: $verb" ;;
esac
