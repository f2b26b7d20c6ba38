# shellcheck shell=bash
# Sourced by scripts that start others and must not end before them. From here on USR1, TERM, INT and HUP are noted in
# `asked` (USR1 or TERM; TERM stays) and handed on to the command that run_and_pass_signals has started.
# shellcheck disable=SC2034 # asked and code are for the scripts that source this

asked='' child='' code=0 n_signals=0

# Slurm sends TERM to every process of a job by itself; a second one would end mpirun at once, so that the request to
# finish the step is handed on instead.
# shellcheck disable=SC2317 # called by traps
note_signal() { # NAME
    local handed_on=$1
    n_signals=$((n_signals + 1))
    [[ $asked == TERM ]] || asked=$1
    [[ $1 != TERM || -z ${SLURM_JOB_ID-} ]] || handed_on=USR1
    [[ -z $child ]] || kill "-$handed_on" "$child" 2>/dev/null
}
trap 'note_signal USR1' USR1
trap 'note_signal TERM' TERM INT HUP # INT as TERM: a background child cannot hear INT

# run_and_pass_signals COMMAND ...: run it in the background (a foreground child would keep bash from its traps) and
# leave its exit code in `code`: 75 where a signal came before it had begun. It does not outlive this script.
run_and_pass_signals() {
    local status before=-1
    code=75
    [[ -z $asked ]] || return 0
    if command -v setpriv >/dev/null; then
        setpriv --pdeathsig TERM -- "$@" &
    else
        "$@" &
    fi
    child=$! code=127
    [[ -z $asked ]] || kill -USR1 "$child" 2>/dev/null # it came between the lines above
    while ((before != n_signals)); do
        before=$n_signals
        wait "$child"
        status=$?
        ((status == 127)) || code=$status
    done
    child=''
    # The signal met a child that had not set its traps yet.
    [[ -z $asked || ($code != 138 && $code != 143) ]] || code=75
}
