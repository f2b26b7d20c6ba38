# shellcheck shell=bash disable=SC2034 # code is for the scripts that source this
# Sourced by scripts that start others and must not end before them.

# run_and_pass_signals COMMAND ...: run it in the background, hand on USR1, TERM and INT (as TERM: a background child
# cannot hear INT), and leave its exit code in `code`. A foreground child would keep bash from its traps.
run_and_pass_signals() {
    local pid signalled status
    "$@" &
    pid=$!
    trap 'signalled=yes; kill -USR1 "$pid" 2>/dev/null' USR1
    trap 'signalled=yes; kill -TERM "$pid" 2>/dev/null' TERM INT
    code=127
    while signalled=no; do
        wait "$pid"
        status=$?
        ((status == 127)) || code=$status
        [[ $signalled == yes ]] || break
    done
    trap - USR1 TERM INT
}
