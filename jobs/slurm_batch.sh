#!/usr/bin/env bash
# A batch of requests as a Slurm job that goes on until all are answered:
#
#   sbatch --nodes=4 jobs/slurm_batch.sh -m MODEL.gguf -i requests.jsonl -o results.jsonl
#   sbatch --array=0-3 --nodes=2 jobs/slurm_batch.sh -m MODEL.gguf -i requests.jsonl -o results-%a.jsonl
#
# Submit from the project's folder (or set PILLAR_ROOT). Partition, account and nodes come from sbatch's command line;
# the words are those of `pillar batch`. In an array each task answers its share of the lines, into an output of its own:
# jobs/merge_shards.sh puts them together. %A, %a and %j among the words are the ids of the array, of the task in it and
# of the job; %% is a percent sign.
# Two minutes before the time limit the ranks are asked to stop: they write what is answered and end with 75, and the
# job goes back to the queue, where it takes up what is left, until nothing is: at most PILLAR_REQUEUES times (default
# 1000), and not after a run that has answered nothing, which would go on so for ever. What scancel ends stays ended.
#SBATCH --job-name=pillar-batch
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
end() { printf 'slurm_batch: %s\n' "$2" >&2 && exit "$1"; }
[[ -n ${SLURM_JOB_ID-} ]] || end 64 "submit this with sbatch (outside Slurm: jobs/launch.sh)"
root=${PILLAR_ROOT:-${SLURM_SUBMIT_DIR:-$PWD}}
[[ -r $root/jobs/lib/slurm.sh ]] || end 66 "$root is not the folder of pillar: submit from there, or set PILLAR_ROOT to it"
cd -- "$root" || exit 66
export PILLAR_REQUEUES=${PILLAR_REQUEUES:-1000}
# shellcheck source=lib/slurm.sh
source jobs/lib/slurm.sh

# last_of FLAG ...: the value that one of these flags has among the words, the last one.
last_of() {
    local word flag value='' previous=''
    for word in "${words[@]}"; do
        for flag; do
            [[ $previous != "$flag" ]] || value=$word
            [[ $word != "$flag="* ]] || value=${word#*=}
        done
        previous=$word
    done
    printf '%s' "$value"
}

# Whole lines of the output.
n_results() {
    if [[ -f $output ]]; then wc -l <"$output"; else printf 0; fi
}

# 75 = stopped, and something is left. TERM is scancel or preemption: Slurm itself puts back what it preempts.
requeue_until_done() {
    ((code == 75)) && [[ $asked != TERM ]] || return 0
    local n_new=$(($(n_results) - n_before)) n_restarts=${SLURM_RESTART_COUNT:-0}
    if ((n_new <= 0)); then
        printf 'slurm_batch: nothing was answered before the time limit; give the job more of it (--time)\n' >&2
        return 0
    fi
    if ((10#$n_restarts >= 10#$n_requeues)); then
        printf 'slurm_batch: %s back in the queue already; the same command goes on where it was\n' \
            "$(count "$n_restarts" time)" >&2
        return 0
    fi
    printf '# %s more; back to the queue for what is left\n' "$(count "$n_new" result)"
    # Where the site turns requeueing off, or the job was submitted with --no-requeue, the job may still ask for it.
    scontrol update "JobId=$own_job" Requeue=1 2>/dev/null
    scontrol requeue "$own_job" && return 0
    printf 'slurm_batch: Slurm does not take the job back; submit the same command again, it goes on where it was\n' >&2
}

[[ ${1-} != batch ]] || shift
words=("$@")
output_as_typed=$(last_of -o --output)
fill_in batch "$@"
input=$(last_of -i --input) output=$(last_of -o --output)
[[ -n $output ]] || end 64 "no place for the results: give a file with -o FILE"
[[ $input != - && $output != - ]] || end 64 "a job that comes back reads and writes files: -i FILE -o FILE"
if ((${SLURM_ARRAY_TASK_COUNT:-1} > 1)) && [[ $output_as_typed != *%[aj]* ]]; then
    end 64 "each task of the array wants an output of its own: -o results-%a.jsonl"
fi

describe_job "${words[@]}"
n_before=$(n_results)
run_and_pass_signals jobs/launch.sh -n "$n_tasks" -- "${words[@]}"
save_trace "${words[@]}"
requeue_until_done
exit "$code"
