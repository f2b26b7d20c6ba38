# shellcheck shell=bash disable=SC2154 # those who source this have env.sh and pass_signals.sh
# Pauses of a sweep: a run that begins on a hot board is slower than one on a cold board, whatever is compared. Heat is
# seen here from the firmware or Linux; on other nodes, from the trace of the run before.

cool_at=75       # degrees at which a run does not begin
cool_most=600    # seconds that it waits at most
cool_pause=60    # seconds after a run in which a node was throttled
cool_step=5      # seconds between two looks
thermal_zones=/sys/class/thermal
firmware_bits=/sys/devices/platform/soc/soc:firmware/get_throttled
was_hot='' said_weak=no

# throttle_bits: the Raspberry Pi firmware's, as a number; 0 where there is no such firmware.
throttle_bits() {
    local text=''
    if command -v vcgencmd >/dev/null; then
        text=$(vcgencmd get_throttled 2>/dev/null)
        text=${text#*=0x}
    elif [[ -r $firmware_bits ]]; then
        text=$(<"$firmware_bits")
    fi
    [[ $text =~ ^[0-9a-fA-F]{1,8}$ ]] || text=0
    printf '%d' "$((16#$text))"
}

# hottest: of this machine's zones, in degrees; 0 where there are none.
hottest() {
    local file text most=0
    for file in "$thermal_zones"/thermal_zone*/temp; do
        { read -r text <"$file"; } 2>/dev/null || continue
        [[ $text =~ ^[0-9]{1,6}$ ]] && ((text > most)) && most=$text
    done
    printf '%d' $((most / 1000))
}

# heat DEGREES: why no run should begin now, in `why`; fails where one may.
heat() {
    local bits degrees
    bits=$(throttle_bits) degrees=$(hottest) why=''
    if ((bits & 1)) && [[ $said_weak == no ]]; then
        said_weak=yes # no pause mends that
        printf '%s: warning: the supply of this board is weak (bits 0x%x): its runs are slower than they should be\n' \
            "$(basename -- "$0" .sh)" "$bits" >&2
    fi
    if ((bits & 14)); then # of now: capped clock, throttling, soft temperature limit
        why=$(printf 'this board is throttled (bits 0x%x)' "$bits")
    elif ((degrees >= $1)); then
        why="this machine is at $degrees degrees"
    fi
    [[ -n $why ]]
}

# cool_down: return when a run may begin; end with 75 where a signal asks for that.
cool_down() {
    local why='' since=$SECONDS
    ((cool_most > 0)) || return 0
    if [[ -n $was_hot ]]; then
        tell_pause "$was_hot"
        pause "$cool_pause"
        was_hot=''
    fi
    heat "$cool_at" || return 0
    tell_pause "$why"
    while heat $((cool_at - 10)); do # a little colder, or each run would need a pause
        if ((SECONDS - since >= cool_most)); then
            printf '%s: warning: %s after %s of waiting; going on without pauses\n' "$(basename -- "$0" .sh)" "$why" \
                "$(duration "$cool_most")" >&2
            cool_most=0
            return 0
        fi
        pause "$cool_step"
    done
}
tell_pause() { printf '%s: a pause: %s\n' "$(basename -- "$0" .sh)" "$1" >&2; }
pause() {
    run_and_pass_signals sleep "$1"
    [[ -z $asked ]] || exit 75
}

# look_for_heat TRACE FOLDER: note whether a node was throttled in the run; FOLDER is for what the trace tells.
look_for_heat() {
    local ranks
    ((cool_most > 0)) || return 0
    "$pillar_binary" report --export csv "$2" "$1" >/dev/null 2>&1 || return 0 # the report at the end will tell why
    ranks=$(awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
        int($column["throttled"] % 16 / 2) > 0 { hot[$column["rank"]] }
        END { for (rank in hot) printf " %s", rank }' "$2/telemetry.csv" 2>/dev/null)
    [[ -z $ranks ]] || was_hot="boards were throttled in the last run, of ranks$ranks"
}
