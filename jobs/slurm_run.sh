#!/usr/bin/env bash
# One run of pillar as a Slurm job, a rank on each node:
#
#   sbatch --nodes=4 jobs/slurm_run.sh run -m MODEL.gguf -p "Once upon a time" --trace run.h5 --force
#
# Submit from the project's folder (or set PILLAR_ROOT). Partition, account and nodes come from sbatch's command line.
# Two minutes before the time limit the ranks are asked to stop: they finish their step, write everything and end with
# 75; then the job goes back to the queue, at most PILLAR_REQUEUES times (default 3).
#SBATCH --job-name=pillar
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=4
#SBATCH --time=01:00:00
#SBATCH --output=%x-%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
set -uo pipefail
cd -- "${PILLAR_ROOT:-${SLURM_SUBMIT_DIR:?submit this with sbatch}}" || exit 66
# shellcheck source=slurm.sh
source jobs/slurm.sh

describe_job
run_and_pass_signals jobs/launch.sh -n "$SLURM_NTASKS" -- "$@"
requeue_if_resumable
exit "$code"
