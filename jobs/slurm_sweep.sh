#!/usr/bin/env bash
# A study of jobs/sweep.sh as a Slurm job, or as an array whose tasks share the runs:
#
#   sbatch --nodes=4 jobs/slurm_sweep.sh wire --ranks 4 -- run -m MODEL.gguf -p "Once upon a time" -n 64 --temp 0
#   sbatch --nodes=4 --array=0-3 jobs/slurm_sweep.sh strong -- run -m MODEL.gguf -p "Once upon a time" -n 64 --temp 0
#
# Without --ranks, strong and weak take 1, 2, 4 ... up to the tasks of the job, all other studies as many as it has
# (threads: also one). Traces, texts, figures and page lie in STUDY-JOBID (of an array, its id) or in --out. One job has
# the same nodes for all runs; an array is through sooner, but its tasks may get nodes that differ. Whichever task makes
# the last run reports. A job that its time limit cut goes back to the queue and continues with the runs that are missing;
# so does a task of an array that failed, when it is submitted again with the same --out and --array.
#SBATCH --job-name=pillar-sweep
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --time=02:00:00
#SBATCH --output=%x-%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
set -uo pipefail
if [[ ${1-} == -h || ${1-} == --help ]]; then
    sed -n '2,/^set/{/^#SBATCH/d;/^set/d;s/^# \{0,1\}//;p}' -- "$0"
    exit 0
fi
end() { printf 'slurm_sweep: %s\n' "$2" >&2 && exit "$1"; }
[[ -n ${SLURM_JOB_ID-} ]] || end 64 "submit this with sbatch (outside Slurm: jobs/sweep.sh)"
root=${PILLAR_ROOT:-${SLURM_SUBMIT_DIR:-$PWD}}
[[ -r $root/jobs/lib/slurm.sh ]] || end 66 "$root is not the folder of pillar: submit from there, or set PILLAR_ROOT to it"
cd -- "$root" || exit 66
# shellcheck source=lib/slurm.sh
source jobs/lib/slurm.sh

fill_in "$@"
study=${words[0]-}
ranks=$n_tasks
if [[ $study == strong || $study == weak ]]; then
    ranks=''
    for ((n = 1; n <= n_tasks; n *= 2)); do
        ranks+="${ranks:+ }$n"
    done
elif [[ $study == threads ]] && ((n_tasks > 1)); then
    ranks="1 $n_tasks"
fi
options=()
if [[ -n ${SLURM_ARRAY_TASK_ID-} ]]; then
    first=${SLURM_ARRAY_TASK_MIN:-0} step=${SLURM_ARRAY_TASK_STEP:-1}
    options=(--share "$(((SLURM_ARRAY_TASK_ID - first) / step))/${SLURM_ARRAY_TASK_COUNT:-1}")
fi
describe_job sweep "${words[@]}"
# What the words name behind these wins.
run_and_pass_signals jobs/sweep.sh "$study" --ranks "$ranks" --out "$study-${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}" \
    "${options[@]}" "${words[@]:1}"
requeue_if_out_of_time
exit "$code"
