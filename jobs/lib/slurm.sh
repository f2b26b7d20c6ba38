# shellcheck shell=bash disable=SC2034 # some are for the scripts that source this
# What the Slurm scripts share. Sourced, never run; the working folder is the project's. Slurm sends its warning to the
# batch shell alone (--signal=B:), so the scripts run their work through run_and_pass_signals.
# shellcheck source=pass_signals.sh
source jobs/lib/pass_signals.sh
# shellcheck source=env.sh
source jobs/lib/env.sh

started=$EPOCHSECONDS
n_requeues=${PILLAR_REQUEUES:-3}
[[ $n_requeues =~ ^[0-9]{1,6}$ ]] || die 64 "PILLAR_REQUEUES wants a number, not '$n_requeues'"
# One task's name in an array: the plain number of its last task stands for the whole array.
own_job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID-}}
own_job=${own_job:-${SLURM_JOB_ID-}}
n_nodes=${SLURM_JOB_NUM_NODES:-1}
n_tasks=${SLURM_NTASKS:-$n_nodes}
# Since Slurm 22.05 srun does not take over the job's --cpus-per-task; a step would get one core.
export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-1}}

# fill_in WORD ...: the array `words`, with %A, %a and %j as in sbatch's --output, %% for a percent sign. %A and %a
# stay as they are in a job that is no array.
fill_in() {
    local word left piece
    words=()
    for word; do
        left=$word word=''
        while [[ $left == *%* ]]; do
            word+=${left%%%*} left=${left#*%} piece=${left:0:1}
            case $piece in
            A) word+=${SLURM_ARRAY_JOB_ID:-%A} ;;
            a) word+=${SLURM_ARRAY_TASK_ID:-%a} ;;
            j) word+=$SLURM_JOB_ID ;;
            %) word+=% ;;
            *) word+=%$piece ;;
            esac
            left=${left:1}
        done
        words+=("$word$left")
    done
}

describe_job() { # WORD ...: what it runs
    printf '# job %s%s, nodes %s, %s\n' "$SLURM_JOB_ID" \
        "${SLURM_ARRAY_TASK_ID:+, task $SLURM_ARRAY_TASK_ID of array ${SLURM_ARRAY_JOB_ID-}}" \
        "${SLURM_JOB_NODELIST:-here}" "$("$pillar_binary" --version)"
    { printf '#' && printf ' %q' "$@" && printf '\n'; }
}

# 75 = stopped early, run again to go on. Only the time limit's warning asks for that: what scancel, preemption or a
# lost node end (TERM) goes back to the queue where Slurm does so itself.
requeue_if_out_of_time() {
    [[ $asked == USR1 ]] || return 0
    ((code == 75 && ${SLURM_RESTART_COUNT:-0} < 10#$n_requeues)) || return 0
    printf '# stopped before the time limit; back to the queue\n'
    scontrol requeue "$own_job"
}

# save_trace WORD ...: ranks that TERM has ended leave a journal. Make it a trace in the time that Slurm still gives
# (KillWait, 30 s); an older trace gives way where --force is among the words.
save_trace() {
    local trace='' force=() previous='' word
    for word; do
        [[ $previous != --trace ]] || trace=$word
        case $word in
        --trace=*) trace=${word#*=} ;;
        --force) force=(--force) ;;
        esac
        previous=$word
    done
    [[ $asked == TERM && -n $trace && -f $trace.journal ]] || return 0
    (($(stat -c %Y -- "$trace.journal") + 2 >= started)) || return 0 # another run's
    "$pillar_binary" report --recover "$trace.journal" "${force[@]}"
}
