# shellcheck shell=bash
# What the Slurm scripts share. Sourced, never run; the working folder is the project's. Slurm sends its warning to the
# batch shell alone (--signal=B:), so the scripts run their work through run_and_pass_signals.
# shellcheck source=env.sh
source jobs/env.sh
# shellcheck source=pass_signals.sh
source jobs/pass_signals.sh

# Since Slurm 22.05 srun does not take over the job's --cpus-per-task; a step would get one core.
export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-1}

describe_job() {
    printf '# job %s, nodes %s, %s\n' "$SLURM_JOB_ID" "${SLURM_JOB_NODELIST:-here}" "$("$pillar_binary" --version)"
}

# 75 = stopped early, run again to go on.
requeue_if_resumable() {
    if ((code == 75 && ${SLURM_RESTART_COUNT:-0} < ${PILLAR_REQUEUES:-3})); then
        printf '# stopped early; back to the queue\n'
        scontrol requeue "$SLURM_JOB_ID"
    fi
}
