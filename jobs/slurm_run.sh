#!/usr/bin/env bash
# One run of pillar as a Slurm job, a rank on each node with all cores of it:
#
#   sbatch --nodes=4 jobs/slurm_run.sh run -m MODEL.gguf -p "Once upon a time" --trace run.h5 --force
#   sbatch --array=1-3 jobs/slurm_run.sh run -m MODEL.gguf -f prompt-%a.txt --trace run-%A-%a.h5
#
# Submit from the project's folder (or set PILLAR_ROOT). Partition, account and nodes come from sbatch's command line.
# %A, %a and %j among the words are the ids of the array, of the task in it and of the job; %% is a percent sign.
# Two minutes before the time limit the ranks are asked to stop: they finish their step, write everything and end with
# 75; then the job goes back to the queue, at most PILLAR_REQUEUES times (default 3). A job that scancel ends, or Slurm
# for another reason, is not put back by this script; its trace is made whole in the seconds that it has left.
#SBATCH --job-name=pillar
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --time=01:00:00
#SBATCH --output=%x-%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
set -uo pipefail
if [[ ${1-} == -h || ${1-} == --help ]]; then
    sed -n '2,/^set/{/^#SBATCH/d;/^set/d;s/^# \{0,1\}//;p}' -- "$0"
    exit 0
fi
end() { printf 'slurm_run: %s\n' "$2" >&2 && exit "$1"; }
[[ -n ${SLURM_JOB_ID-} ]] || end 64 "submit this with sbatch (outside Slurm: jobs/launch.sh)"
root=${PILLAR_ROOT:-${SLURM_SUBMIT_DIR:-$PWD}}
[[ -r $root/jobs/lib/slurm.sh ]] || end 66 "$root is not the folder of pillar: submit from there, or set PILLAR_ROOT to it"
cd -- "$root" || exit 66
# shellcheck source=lib/slurm.sh
source jobs/lib/slurm.sh

fill_in "$@"
describe_job "${words[@]}"
run_and_pass_signals jobs/launch.sh -n "$n_tasks" -- "${words[@]}"
save_trace "${words[@]}"
requeue_if_out_of_time
exit "$code"
