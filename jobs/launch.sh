#!/usr/bin/env bash
# Starts pillar on several ranks: environment, binding, signals, exit codes.
#
#   jobs/launch.sh -n RANKS [--hostfile FILE] [--print | --dry-run] [the launcher's own options] -- SUBCOMMAND ...
#
# The launcher is mpirun; inside a Slurm job srun, where it has PMIx (PILLAR_LAUNCHER=mpirun or srun decides).
# Without a hostfile (and outside a Slurm job) all ranks run here and share the cores. With one, the ranks are spread
# over the nodes and each is bound to its part of a node's slots. Mapping or binding flags of your own replace these.
# Ctrl-C or TERM lets the ranks finish their step, write everything and end with 75; a second one ends them at once.
# docs/running.md has the table of exit codes.
set -uo pipefail
# Closed descriptors would be given to the next file or socket that this script, or mpirun, opens.
[[ -e /dev/fd/0 ]] || exec 0</dev/null
[[ -e /dev/fd/1 ]] || exec 1</dev/null # writing fails, as it should
[[ -e /dev/fd/2 ]] || exec 2>/dev/null
# shellcheck source=env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/env.sh"

usage='usage: jobs/launch.sh -n RANKS [--hostfile FILE] [--print | --dry-run] [launcher options] -- SUBCOMMAND ...'
n_ranks='' hostfile='' print=no dry_run=no mapped=no own_options=()
while (($# > 0)) && [[ $1 != -- ]]; do
    case $1 in
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" && exit 0 ;;
    -n | -np | --np) n_ranks=${2-} && shift ;;
    --hostfile | -hostfile | --machinefile | -machinefile) hostfile=${2-} && shift ;;
    --print) print=yes ;;
    --dry-run) print=yes dry_run=yes ;;
    *)
        [[ $1 != *-map-by && $1 != *-bind-to && $1 != *-rankfile && $1 != -rf && $1 != --cpu-bind* ]] || mapped=yes
        own_options+=("$1")
        ;;
    esac
    (($# > 0)) && shift
done
[[ ${1-} == -- ]] || die 64 "$usage"
shift
(($# > 0)) || die 64 "$usage"
[[ $n_ranks =~ ^[1-9][0-9]*$ ]] || die 64 "-n wants the number of ranks, not '$n_ranks'"
[[ -x $pillar_binary ]] || die 66 "no program at $pillar_binary; build it (jobs/demo.sh does) or set PILLAR_BINARY"

# The nodes: how many, the slots of the smallest (0: unknown), and whether any of them is another machine.
n_nodes=1 slots=0 elsewhere=no
read_hostfile() {
    local line node n least=''
    local -A seen=()
    [[ -r $1 && -f $1 ]] || die 66 "cannot read the hostfile $1"
    while read -r line || [[ -n $line ]]; do
        line=${line%%#*} n=0
        read -r node _ <<<"$line"
        [[ -n $node ]] || continue
        [[ $node == localhost || $node == 127.* || $node == "$(hostname)" ]] || elsewhere=yes
        [[ ! $line =~ slots[[:space:]]*=[[:space:]]*([0-9]+) ]] || n=${BASH_REMATCH[1]}
        seen[$node]=1
        [[ -n $least && $least -le $n ]] || least=$n
    done <"$1"
    n_nodes=${#seen[@]} slots=${least:-0}
    ((n_nodes > 0)) || die 65 "$1 names no node"
}
in_slurm=no
if [[ -n $hostfile ]]; then
    read_hostfile "$hostfile"
elif [[ -n ${SLURM_JOB_NUM_NODES-} ]]; then
    in_slurm=yes n_nodes=$SLURM_JOB_NUM_NODES slots=${SLURM_CPUS_ON_NODE:-0} elsewhere=yes
fi
ranks_per_node=$(((n_ranks + n_nodes - 1) / n_nodes))
cores_per_rank=$((slots / ranks_per_node))

launcher=${PILLAR_LAUNCHER:-mpirun}
if [[ -z ${PILLAR_LAUNCHER-} && $in_slurm == yes ]] && srun --mpi=list 2>&1 | grep -qw pmix; then
    launcher=srun
fi
command -v "${launcher%% *}" >/dev/null || die 66 "no $launcher here; jobs/packages.sh run installs Open MPI"

# One rank a node gets all its cores; more share them equally. On one machine nothing is bound: pillar divides the
# cores among the ranks that share them (-t). Waiting threads must not spin where ranks share a core.
bound() { export OMP_PROC_BIND=${OMP_PROC_BIND:-close} OMP_PLACES=${OMP_PLACES:-cores}; }
crowded() { export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}; }
placement=()
if [[ $mapped == yes ]]; then
    :
elif [[ $launcher == srun* ]]; then
    placement=(--ntasks-per-node="$ranks_per_node" --cpus-per-task=$((cores_per_rank > 0 ? cores_per_rank : 1))
        --cpu-bind=cores)
    bound
elif [[ $elsewhere == no ]]; then
    placement=(--oversubscribe --bind-to none)
    ((n_ranks <= $(nproc))) || crowded
elif ((cores_per_rank > 0)); then
    placement=(--map-by "ppr:$ranks_per_node:node:pe=$cores_per_rank" --bind-to core)
    bound
else
    placement=(--map-by node --oversubscribe --bind-to none)
    crowded
fi

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
[[ $launcher == srun* ]] || choose_daemon_ports

# No rank can see the terminal: tell them whether somebody watches.
PILLAR_TTY=${PILLAR_TTY:-0}
[[ ! -t 2 ]] || PILLAR_TTY=1
export PILLAR_TTY

# Where rank 0 runs on this machine it writes to a pipe beside mpirun: Open MPI 5's passes on whole lines only, so that a
# text would not be seen growing; 4.1's aborts the job when the reader has seen enough (`| head`).
text_folder='' text_reader=''
if [[ $launcher != srun* && $dry_run == no ]] && text_folder=$(mktemp -d); then
    export PILLAR_TEXT_PIPE=$text_folder/text
    mkfifo -- "$PILLAR_TEXT_PIPE"
    LC_ALL=C cat -- "$PILLAR_TEXT_PIPE" 2>"$text_folder/error" &
    text_reader=$!
    trap 'rm -rf -- "$text_folder"' EXIT
fi

read -ra command_line <<<"$launcher"
if [[ $launcher == srun* ]]; then # which hands on the whole environment by itself
    command_line+=(--mpi=pmix --nodes=$((n_ranks < n_nodes ? n_ranks : n_nodes)) --ntasks="$n_ranks"
        --kill-on-bad-exit=1 "${placement[@]}")
else
    command_line+=(-n "$n_ranks" ${hostfile:+--hostfile "$hostfile"} "${placement[@]}")
    for name in PILLAR_TTY PILLAR_TEXT_PIPE OMP_PROC_BIND OMP_PLACES OMP_WAIT_POLICY HDF5_USE_FILE_LOCKING NO_COLOR; do
        [[ -z ${!name+set} ]] || command_line+=(-x "$name")
    done
fi
command_line+=("${own_options[@]}" "$pillar_binary" "$@")
if [[ $print == yes ]]; then
    { printf '+' && printf ' %q' "${command_line[@]}" && printf '\n'; } >&2
fi
[[ $dry_run == no ]] || exit 0

# mpirun cannot read a terminal that is not its own; `-` among the arguments says that one is meant to be typed on.
if [[ ! -t 0 ]]; then
    exec 3<&0
elif [[ " $* " == *" - "* ]]; then
    exec 3< <(cat)
else
    exec 3</dev/null
fi

# The launcher lives in a session of its own, so that Ctrl-C reaches this script alone.
setsid --wait "${command_line[@]}" <&3 3<&- &
pid=$! n_requests=0 interrupted=no rank_name=$(basename -- "$pillar_binary")
rank_name=${rank_name:0:15} # as the system keeps it
exec 3<&-
# A rank that is asked stops them all. mpirun would say in the middle of the text that it passes the signal on.
# shellcheck disable=SC2317 # called by traps
ask_ranks() {
    [[ $launcher != srun* ]] || { kill -USR1 "$pid" && return; }
    pkill -USR1 --parent "$pid" --exact "$rank_name" || kill -USR1 "$pid"
}
# shellcheck disable=SC2317
request_stop() {
    interrupted=yes
    n_requests=$((n_requests + 1))
    case $n_requests in
    1) ask_ranks ;;
    2) kill -TERM "$pid" ;;
    *) kill_session ;;
    esac 2>/dev/null
}
# Every rank here has a process group of its own, but they all share the launcher's session.
# shellcheck disable=SC2317
kill_session() {
    local file stat fields
    for file in /proc/[0-9]*/stat; do
        read -r stat <"$file" || continue
        read -ra fields <<<"${stat##*) }" # the name before may hold anything
        [[ ${fields[3]} != "$pid" ]] || kill -KILL "${stat%% *}"
    done
}
# mpirun may wait for a quarter of an hour for a node that it cannot reach, when all ranks here have long ended.
is_running() {
    local stat
    read -r stat <"/proc/$1/stat" && [[ ${stat##*) } != [ZX]* ]]
}
end_when_alone() { # PID NAME: of the launcher, and of its ranks here
    local ranks rank n_left alone_since='' never
    exec {never}<> <(:)
    while ! ranks=$(pgrep --parent "$1" --exact "$2"); do
        is_running "$1" || return 0
        read -rt 2 -u "$never" # sleeps without a process of its own
    done
    while is_running "$1"; do
        read -rt 1 -u "$never"
        n_left=0
        for rank in $ranks; do ! is_running "$rank" || ((++n_left)); done
        ((n_left == 0)) || continue
        alone_since=${alone_since:-$SECONDS}
        ((SECONDS - alone_since < 3)) || { kill -USR2 $$ && return 0; }
    done
}
alone=no guard=''
trap 'alone=yes; kill_session' USR2
trap request_stop INT TERM HUP
trap 'interrupted=yes; ask_ranks 2>/dev/null' USR1
if [[ $launcher != srun* ]] && command -v pgrep >/dev/null; then
    end_when_alone "$pid" "$rank_name" </dev/null >/dev/null 2>&1 &
    guard=$!
fi
code=127
while interrupted=no was_alone=$alone; do
    wait "$pid"
    status=$?
    ((status == 127)) || code=$status
    [[ $interrupted == yes || $alone != "$was_alone" ]] || break
done
[[ -z $guard ]] || kill "$guard" 2>/dev/null
if [[ -n $text_reader ]]; then # it ends with its last writer; where rank 0 never came, that is this script
    exec {writer}<>"$PILLAR_TEXT_PIPE" && exec {writer}>&-
    # A full disk ends the reader, and for rank 0 it is gone like one that has seen enough.
    if ! wait "$text_reader" && grep -qv 'Broken pipe' "$text_folder/error"; then
        ((code == 0)) && code=74
        printf 'launch: standard output cannot be written: %s\n' "$(sed '1s/^cat: .*: //;q' "$text_folder/error")" >&2
    fi
fi
# Open MPI 5's mpirun ends with 0 when it has lost a node. The ranks' own end tells.
[[ $code -ne 0 || -z $text_folder || ! -e $PILLAR_TEXT_PIPE.open ]] || code=205

# What the launcher made of the ranks' end, in pillar's own codes.
end_with() {
    printf 'launch: %s (%s ended with %d)\n' "$2" "$launcher" "$code" >&2
    exit "$1"
}
case $code in
0 | 6[4-9] | 7[0-8]) exit "$code" ;;
1)
    ((n_requests < 2)) || end_with 75 "stopped at once as asked; what was written until then is there"
    end_with 69 "the ranks could not be started or did not end in order; the message above says which"
    ;;
110) end_with 75 "the launcher's time limit is over; what was written until then is there" ;;
14) end_with 69 "a rank was lost: killed, or its node is gone; look at the hosts that the message above names" ;; # Open MPI 5
132) end_with 66 "the program is missing on a node (jobs/deploy.sh brings it) or its CPU lacks an instruction" ;;
129 | 130 | 138 | 143) end_with 75 "stopped by a signal" ;;
137)
    [[ $alone == no ]] || end_with 69 "a node was lost, and mpirun waited for it in vain"
    ((n_requests < 3)) || end_with 75 "killed as asked; pillar report --recover FILE.h5.journal saves a trace"
    end_with 69 "a rank was killed; when nobody did it, look for the out-of-memory killer in dmesg"
    ;;
205) end_with 69 "a node was lost" ;;
*) end_with 70 "a rank ended by a fault of the program" ;;
esac
