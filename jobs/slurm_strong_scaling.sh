#!/usr/bin/env bash
# A strong-scaling sweep inside one allocation, so that all runs have the same nodes:
#
#   sbatch --nodes=8 jobs/slurm_strong_scaling.sh -m MODEL.gguf -p "Once upon a time" -n 64 --temp 0
#
# 1, 2, 4 ... ranks up to the number of nodes, each with PILLAR_THREADS ("1 2 4"; default: all cores of a node),
# PILLAR_REPEAT times (default 3); traces, texts and the report's table lie in scaling-JOBID. A job that its time limit
# cut goes back to the queue and continues with the runs that are missing.
#SBATCH --job-name=pillar-scaling
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=4
#SBATCH --exclusive
#SBATCH --time=02:00:00
#SBATCH --output=%x-%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
set -uo pipefail
cd -- "${PILLAR_ROOT:-${SLURM_SUBMIT_DIR:?submit this with sbatch}}" || exit 66
# shellcheck source=slurm.sh
source jobs/slurm.sh

ranks=''
for ((n = 1; n <= SLURM_NTASKS; n *= 2)); do
    ranks+=" $n"
done
describe_job
run_and_pass_signals jobs/strong_scaling.sh --ranks "$ranks" --threads "${PILLAR_THREADS-}" --repeat "${PILLAR_REPEAT:-3}" \
    --out "scaling-$SLURM_JOB_ID" -- run "$@"
requeue_if_resumable
exit "$code"
