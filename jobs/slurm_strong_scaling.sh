#!/usr/bin/env bash
# A strong-scaling sweep inside one allocation, so that all runs have the same nodes:
#
#   sbatch --nodes=8 jobs/slurm_strong_scaling.sh -m MODEL.gguf -p "Once upon a time" -n 64 --temp 0
#
# 1, 2, 4 ... ranks up to the number of nodes, each with PILLAR_THREADS ("1 2 4"; default: all cores of a node),
# PILLAR_REPEAT times (default 3); traces, texts and the report's table lie in scaling-JOBID. A job that its time limit
# cut goes back to the queue and continues with the runs that are missing. %A, %a and %j among the words: as
# slurm_run.sh has them.
#SBATCH --job-name=pillar-scaling
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
end() { printf 'slurm_strong_scaling: %s\n' "$2" >&2 && exit "$1"; }
[[ -n ${SLURM_JOB_ID-} ]] || end 64 "submit this with sbatch (outside Slurm: jobs/strong_scaling.sh)"
root=${PILLAR_ROOT:-${SLURM_SUBMIT_DIR:-$PWD}}
[[ -r $root/jobs/lib/slurm.sh ]] || end 66 "$root is not the folder of pillar: submit from there, or set PILLAR_ROOT to it"
cd -- "$root" || exit 66
# shellcheck source=lib/slurm.sh
source jobs/lib/slurm.sh

ranks=''
for ((n = 1; n <= n_tasks; n *= 2)); do
    ranks+=" $n"
done
fill_in "$@"
describe_job run "${words[@]}"
run_and_pass_signals jobs/strong_scaling.sh --ranks "$ranks" --threads "${PILLAR_THREADS-}" \
    --repeat "${PILLAR_REPEAT:-3}" --out "scaling-$SLURM_JOB_ID" -- run "${words[@]}"
requeue_if_out_of_time
exit "$code"
