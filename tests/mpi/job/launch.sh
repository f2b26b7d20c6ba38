#!/usr/bin/env bash
# Ways to start: mpirun, plainly, and the mislaunches that must be refused with a hint.
#   launch.sh PROBE MPIRUN
set -euo pipefail
probe=$1
mpirun=$2
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

run 0 "$mpirun" -n 3 "$probe" world
[ "$(sort "$out/stdout")" = "$(printf 'rank %d of 3\n' 0 1 2)" ] || fail "three ranks"

run 0 "$probe" world
grep -qx 'rank 0 of 1' "$out/stdout" || fail "a plain start is one rank"
[ ! -s "$out/stderr" ] || fail "a plain start is silent"

# srun without PMIx: refused before Open MPI ends the process with its own page.
run 64 env SLURM_JOB_ID=7 SLURM_JOBID=7 SLURM_NODELIST=a SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_NTASKS=4 \
    SLURM_STEP_NUM_TASKS=4 "$probe" world
grep -q 'srun started 4 tasks' "$out/stderr" || fail "srun without PMIx is named"
grep -q 'srun --mpi=pmix' "$out/stderr" || fail "srun without PMIx gets its hint"
[ "$(wc -l <"$out/stderr")" -eq 1 ] || fail "a mislaunch is one line"

# One task in a step without PMIx is a job of one rank.
run 0 env SLURM_JOB_ID=7 SLURM_JOBID=7 SLURM_NODELIST=a SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=4 \
    SLURM_STEP_NUM_TASKS=1 "$probe" world
grep -qx 'rank 0 of 1' "$out/stdout" || fail "a step of one task is one rank"

# Plainly in a batch script of four tasks.
run 0 env SLURM_JOB_ID=7 SLURM_JOBID=7 SLURM_NODELIST=a SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_TASKS_PER_NODE=4 \
    "$probe" world
grep -qx 'rank 0 of 1' "$out/stdout" || fail "a batch script's own process is one rank"

# Another MPI's mpirun.
run 64 env PMI_RANK=2 PMI_SIZE=4 "$probe" world
grep -q 'another MPI than' "$out/stderr" || fail "another MPI's mpirun is named"
# Ranks bound to one CPU of several, as mpirun does by default with one or two.
run 0 "$mpirun" -n 1 "$probe" binding
n_cpus=$(sed -n 's/ threads$//p' "$out/stdout") # nproc counts no quotas, and obeys OMP_NUM_THREADS
[ "$(wc -w <"$out/stdout")" -eq 2 ] || fail "nothing to warn of"
if [ "$n_cpus" -gt 1 ]; then
    first=$(taskset -cp $$ | sed 's/.*: *//; s/[,-].*//')
    run 0 "$mpirun" -n 1 taskset -c "$first" "$probe" binding
    grep -qx '1 threads' "$out/stdout" || fail "a rank bound to one CPU has one thread"
    grep -q "may use only 1 of $n_cpus CPUs: add --bind-to none" "$out/stdout" || fail "a narrow binding is reported"
    run 0 "$mpirun" -n 2 taskset -c "$first" "$probe" binding
    grep -q "share 1 CPU on .* although it has $n_cpus" "$out/stdout" || fail "a shared CPU is reported"
    run 0 taskset -c "$first" "$probe" binding
    grep -q 'without taskset' "$out/stdout" || fail "a plain start is not told of mpirun"
fi
echo "all starts are as they should be"
