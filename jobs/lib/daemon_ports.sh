# shellcheck shell=bash disable=SC2154 # daemon_ports comes from env.sh
# Sourced by launch.sh, after env.sh.

# mpirun listens on every port of its range, so two jobs that start on one node need different ones: four of the range,
# where nobody listens yet. Without such it takes ports of the system's choice, which no firewall knows.
choose_daemon_ports() {
    local v4=${daemon_ports}_ipv4_ports v6=${daemon_ports}_ipv6_ports
    local range=${!v4-} range_v6=${!v6-} n=4 first last blocks block port used=' ' line fields
    [[ $range =~ ^([0-9]+)-([0-9]+)$ && $range_v6 =~ ^[0-9]+-[0-9]+$ ]] || return 0
    first=${range%-*} last=${range#*-} blocks=$(((last - first + 1) / n))
    local first_v6=${range_v6%-*}
    while read -r line; do
        read -ra fields <<<"$line"
        [[ ${fields[3]-} != 0A ]] || used+="$((16#${fields[1]##*:})) " # 0A: somebody listens
    done < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)
    for block in $(shuf --input-range="0-$((blocks - 1))"); do
        for ((port = first + n * block; port < first + n * (block + 1); ++port)); do
            [[ $used != *" $port "* && $used != *" $((port - first + first_v6)) "* ]] || continue 2
        done
        export "$v4=$((port - n))-$((port - 1))"
        export "$v6=$((port - n - first + first_v6))-$((port - 1 - first + first_v6))"
        return 0
    done
    printf 'launch: many jobs run here already; the daemons of this one take any ports\n' >&2
    unset "$v4" "$v6"
}
