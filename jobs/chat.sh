#!/usr/bin/env bash
# Talks with a model at a terminal, on several ranks.
#
#   jobs/chat.sh -n RANKS [--hostfile FILE] [launch.sh's options] -- -m MODEL [chat's flags]
#
# Type a turn and Enter; /help tells the commands, Ctrl-D ends. Ctrl-C ends an answer, and the chat while nothing is
# computed; two within a second end all at once. Lines are edited with rlwrap where it is installed.
# Also takes turns from a pipe. docs/running.md has the table of exit codes.
set -uo pipefail
[[ -e /proc/self/fd/1 ]] || exec 1</dev/null # writing fails, as it should
# shellcheck source=lib/env.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/env.sh"

usage='usage: jobs/chat.sh -n RANKS [--hostfile FILE] [launch.sh options] -- -m MODEL [chat flags]'
own=()
while (($# > 0)) && [[ $1 != -- ]]; do
    case $1 in -h | --help) print_help ;; esac
    own+=("$1") && shift
done
[[ ${1-} == -- ]] || die 64 "$usage"
shift

# rlwrap stands between the terminal and this script, and takes what is written last for the prompt.
if [[ -t 0 && -t 1 && -z ${PILLAR_CHAT_EDITED-} ]] && command -v rlwrap >/dev/null; then
    export PILLAR_CHAT_EDITED=1
    exec rlwrap --command-name pillar-chat -- "${BASH_SOURCE[0]}" ${own[0]+"${own[@]}"} -- "$@"
fi
# A prompt and dim letters are for a terminal.
if [[ ! -t 1 ]]; then
    export PILLAR_TTY=0
fi

# mpirun cannot read a terminal that is not its own: a process here reads it and feeds a pipe. Ctrl-C is this script's
# alone: those that it starts in the background ignore it.
exec {typed}<&0
exec {feed}< <(trap '' INT && exec cat <&"$typed")
reader=$!
launch='' interrupted=no last_time=0
# shellcheck disable=SC2317 # called by traps
on_interrupt() {
    interrupted=yes
    [[ -n $launch ]] || exit 75
    local now=${EPOCHREALTIME/[.,]/} # in microseconds
    if ((now - last_time < 1000000)); then
        stop_at_once
    else
        kill -USR1 "$launch"
    fi 2>/dev/null
    last_time=$now
}
# Two requests, the second when the first has been taken: launch.sh ends the ranks at it.
# shellcheck disable=SC2317
stop_at_once() {
    interrupted=yes
    [[ -z $launch ]] || { kill -TERM "$launch" && sleep 0.3 && kill -TERM "$launch"; } 2>/dev/null
}
trap on_interrupt INT
trap stop_at_once TERM HUP
trap 'interrupted=yes; [[ -z $launch ]] || kill -USR1 "$launch" 2>/dev/null' USR1

"$pillar_root/jobs/launch.sh" ${own[0]+"${own[@]}"} -- chat "$@" <&"$feed" {typed}<&- {feed}<&- &
launch=$!
exec {feed}<&- {typed}<&-
code=0
while interrupted=no; do
    wait "$launch"
    status=$?
    ((status == 127)) || code=$status
    [[ $interrupted == yes ]] || break
done
kill "$reader" 2>/dev/null # it may wait for a line that nobody reads any more
exit "$code"
