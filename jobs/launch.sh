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
[[ -e /proc/self/fd/1 ]] || exec 1</dev/null # writing fails, as it should
trap 'exit 75' INT TERM HUP USR1 # nothing has been started yet that would have to end in order
# shellcheck source=lib/env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/env.sh"

# shellcheck source=lib/hostfile.sh
source "$pillar_root/jobs/lib/hostfile.sh"
# shellcheck source=lib/daemon_ports.sh
source "$pillar_root/jobs/lib/daemon_ports.sh"

usage='usage: jobs/launch.sh -n RANKS [--hostfile FILE] [--print | --dry-run] [launcher options] -- SUBCOMMAND ...'
n_ranks='' hostfile='' print=no dry_run=no mapped=no own_options=()
while (($# > 0)) && [[ $1 != -- ]]; do
    case $1 in
    -h | --help) print_help ;;
    -n | --n | -np | --np) value_of "$@" && n_ranks=$value && shift ;;
    -n=* | --n=* | -np=* | --np=*) n_ranks=${1#*=} ;;
    -n[0-9]* | -np[0-9]*) n_ranks=${1#-n} && n_ranks=${n_ranks#p} ;;
    -hostfile | --hostfile | -machinefile | --machinefile) value_of "$@" && hostfile=$value && shift ;;
    -hostfile=* | --hostfile=* | -machinefile=* | --machinefile=*) hostfile=${1#*=} ;;
    --print) print=yes ;;
    --dry-run) print=yes dry_run=yes ;;
    *)
        case ${1%%=*} in
        *-map-by | *-bind-to | *-rankfile | -rf | --cpu-bind | -N | *-npernode | *-pernode | *-npersocket | *-ppr) mapped=yes ;;
        *-cpus-per-proc | *-cpus-per-rank | *-bynode | *-byslot | *-cpu-set | *-cpu-list) mapped=yes ;;
        esac
        own_options+=("$1")
        ;;
    esac
    shift
done
[[ ${1-} == -- ]] || die 64 "$usage"
shift
(($# > 0)) || die 64 "$usage"
[[ $n_ranks =~ ^[1-9][0-9]{0,5}$ ]] || die 64 "-n wants the number of ranks, not '$n_ranks'"
[[ -x $pillar_binary && -f $pillar_binary ]] ||
    die 66 "no program at $pillar_binary; build it (jobs/demo.sh does) or set PILLAR_BINARY"

n_nodes=1
in_slurm=no
# The cores of the job's smallest node ("4(x2),2": two nodes of four and one of two), or fewer where the job asks for so
# many a task.
count_slurm_slots() {
    local part per_node asked=${SLURM_CPUS_PER_TASK:-0} tasks=${SLURM_NTASKS_PER_NODE:-1}
    slots=${SLURM_CPUS_ON_NODE:-0}
    IFS=, read -ra per_node <<<"${SLURM_JOB_CPUS_PER_NODE-}"
    for part in "${per_node[@]}"; do
        part=${part%%(*}
        ((part >= slots && slots > 0)) || slots=$part
    done
    ((asked * tasks == 0 || asked * tasks >= slots)) || slots=$((asked * tasks))
}
if [[ -n $hostfile ]]; then
    read_hostfile "$hostfile"
    n_nodes=${#nodes[@]}
elif [[ -n ${SLURM_JOB_NUM_NODES-} ]]; then
    in_slurm=yes n_nodes=$SLURM_JOB_NUM_NODES elsewhere=yes
    count_slurm_slots
fi
ranks_per_node=$(((n_ranks + n_nodes - 1) / n_nodes))
cores_per_rank=$((slots / ranks_per_node))

launcher=${PILLAR_LAUNCHER:-mpirun}
if [[ -z ${PILLAR_LAUNCHER-} && $in_slurm == yes ]] && srun --mpi=list 2>&1 | grep -qw pmix; then
    launcher=srun
fi
command -v "${launcher%% *}" >/dev/null || die 66 "no $launcher here; jobs/lib/packages.sh run installs Open MPI"

# One rank a node gets all its cores; more share them equally. On one machine nothing is bound: pillar divides the
# cores among the ranks that share them (-t). Waiting threads must not spin where ranks share a core.
bound() { export OMP_PROC_BIND=${OMP_PROC_BIND:-close} OMP_PLACES=${OMP_PLACES:-cores}; }
oversubscribed() { export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}; }
placement=()
if [[ $mapped == yes ]]; then
    :
elif [[ $launcher == srun* ]]; then
    placement=(--ntasks-per-node="$ranks_per_node" --cpus-per-task=$((cores_per_rank > 0 ? cores_per_rank : 1))
        --cpu-bind=cores)
    bound
elif [[ $elsewhere == no ]]; then
    placement=(--oversubscribe --bind-to none)
    ((n_ranks <= $(nproc))) || oversubscribed
elif ((cores_per_rank > 0)); then
    placement=(--map-by "ppr:$ranks_per_node:node:pe=$cores_per_rank" --bind-to core)
    bound
else
    placement=(--map-by node --oversubscribe --bind-to none)
    oversubscribed
fi

[[ $launcher == srun* ]] || choose_daemon_ports

# No rank can see the terminal: tell them whether somebody watches.
PILLAR_TTY=${PILLAR_TTY:-0}
[[ ! -t 2 ]] || PILLAR_TTY=1
export PILLAR_TTY

# What this script starts ends with it, also where it is killed.
with_this_script=()
! command -v setpriv >/dev/null || with_this_script=(setpriv --pdeathsig TERM --)

# Where a pipe takes the text, a process here passes it on: when its reader leaves (`| head`), mpirun itself would abort
# or crash, while the ranks can be asked to finish. Of standard error alone, what nobody reads is dropped. These end
# with their last writer, and signals of a whole process group are not for them.
pass_on() { # WHAT-WHEN-NOBODY-READS
    trap '' INT TERM HUP USR1
    cat 2>/dev/null || { "$@" && cat >/dev/null && exit 1; }
}
text_out=1 log_out=2 text_passer='' log_passer='' text_folder='' text_reader=''
if [[ $dry_run == no && -p /dev/stdout ]]; then
    exec {text_out}<> <(:) # a pipe without a name
    pass_on kill -USR1 $$ </proc/self/fd/"$text_out" {text_out}>&- &
    text_passer=$!
fi
if [[ $dry_run == no && -p /dev/stderr ]]; then
    if [[ $text_out != 1 && /dev/stdout -ef /dev/stderr ]]; then
        log_out=$text_out
    else
        exec {log_out}<> <(:)
        pass_on true </proc/self/fd/"$log_out" >&2 {log_out}>&- &
        log_passer=$!
    fi
fi

# Where rank 0 runs on this machine it writes to a pipe beside mpirun: Open MPI 5's passes on whole lines only, so that a
# text would not be seen growing; 4.1's says nothing of a full disk.
# shellcheck disable=SC2317 # called by a trap
leave() {
    [[ -z $text_reader ]] || kill -KILL "$text_reader" 2>/dev/null
    rm -rf -- "$text_folder"
}
if [[ $launcher != srun* && $dry_run == no ]] && text_folder=$(mktemp -d); then
    trap leave EXIT
    export PILLAR_TEXT_PIPE=$text_folder/text
    mkfifo -- "$PILLAR_TEXT_PIPE"
    # To the reader itself: when it leaves, rank 0 finds its pipe without one, and the ranks end in order with 0.
    (trap '' INT TERM HUP USR1 PIPE && LC_ALL=C exec "${with_this_script[@]/TERM/KILL}" cat -- "$PILLAR_TEXT_PIPE") 2>"$text_folder/error" &
    text_reader=$!
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

name=$(basename -- "$pillar_binary")
name=${name:0:15} # as the kernel keeps it
pid='' n_requests=0 interrupted=no alone=no guard=''
# The ranks finish their step when one of them has USR1; mpirun would hand it on with a line of its own amid the text.
# shellcheck disable=SC2317 # called by traps
ask_to_finish() {
    interrupted=yes
    [[ -n $pid ]] || return 0
    if [[ $launcher == srun* ]] || ! pkill -USR1 --parent "$pid" --exact "$name"; then
        kill -USR1 "$pid"
    fi 2>/dev/null
}
# shellcheck disable=SC2317
request_stop() {
    interrupted=yes
    n_requests=$((n_requests + 1))
    [[ -n $pid ]] || return 0
    case $n_requests in
    1) ask_to_finish ;;
    2) kill -TERM "$pid" ;;
    *) kill_session ;;
    esac 2>/dev/null
}
# Every rank here has a process group of its own, but they all share the launcher's session.
# shellcheck disable=SC2317
kill_session() {
    local file stat fields
    for file in /proc/[0-9]*/stat; do
        { read -r stat <"$file"; } 2>/dev/null || continue
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
trap 'alone=yes; kill_session' USR2
trap request_stop INT TERM HUP
trap ask_to_finish USR1

# The launcher lives in a session of its own, so that Ctrl-C reaches this script alone.
"${with_this_script[@]}" setsid --wait "${command_line[@]}" <&3 3<&- >&"$text_out" 2>&"$log_out" &
pid=$!
exec 3<&-
[[ $text_out == 1 ]] || exec {text_out}>&-
[[ $log_out == 2 || $log_out == "$text_out" ]] || exec {log_out}>&-
[[ $interrupted == no ]] || ask_to_finish # the request came before there was anybody to ask
if [[ $launcher != srun* ]] && command -v pgrep >/dev/null; then
    end_when_alone "$pid" "$name" </dev/null >/dev/null 2>&1 &
    guard=$!
fi
code=127
while interrupted=no was_alone=$alone; do
    wait "$pid" 2>/dev/null # without bash's own word on a child that was killed
    status=$?
    ((status == 127)) || code=$status
    [[ $interrupted == yes || $alone != "$was_alone" ]] || break
done
[[ -z $guard ]] || kill "$guard" 2>/dev/null
# wait_for PID: its exit code, through signals; nothing for none.
wait_for() {
    local code=0 status
    while [[ -n $1 ]]; do
        interrupted=no
        wait "$1"
        status=$?
        ((status == 127)) || code=$status
        [[ $interrupted == yes ]] || break
    done
    return "$code"
}
write_failed=no
if [[ -n $text_reader ]]; then # it ends with its last writer; where rank 0 never came, that is this script
    exec {writer}<>"$PILLAR_TEXT_PIPE" && exec {writer}>&-
    wait_for "$text_reader" || write_failed=yes
    text_reader=''
fi
reader_left=no
wait_for "$text_passer" || reader_left=yes
wait_for "$log_passer"
# Open MPI 5's mpirun ends with 0 when it has lost a node. The ranks' own end tells.
[[ $code -ne 0 || -z $text_folder || ! -e $PILLAR_TEXT_PIPE.open ]] || code=205

# A full disk ends the reader, and for rank 0 it is gone like one that has seen enough.
if [[ $write_failed == yes ]] && ! grep -q 'Broken pipe' "$text_folder/error"; then
    ((code != 0 && code != 205)) || code=74
    printf 'launch: standard output cannot be written: %s\n' "$(sed 's/^cat: .*: //;q' "$text_folder/error")" >&2
fi

# What the launcher made of the ranks' end, in pillar's own codes.
end_with() {
    printf 'launch: %s (%s ended with %d)\n' "$2" "$launcher" "$code" >&2
    exit "$1"
}
# Who has read enough wants no word of it, and the ranks have written everything else.
[[ $reader_left == no || $n_requests -gt 0 || $code -ne 75 ]] || exit 0
case $code in
0 | 6[4-9] | 7[0-8]) exit "$code" ;;
1)
    ((n_requests < 1)) || end_with 75 "stopped at once as asked; what was written until then is there"
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
