# shellcheck shell=bash
# What machine this is, and how long it builds. Sourced by demo.sh.

# machine: "Raspberry Pi 4 Model B Rev 1.4 with 4 cores".
machine() {
    printf '%s with %s' "$(model_of_machine)" "$(count "$(nproc)" core)"
}

model_of_machine() {
    local name=''
    if [[ -r /proc/device-tree/model ]]; then
        name=$(tr -d '\0' </proc/device-tree/model)
    fi
    printf '%s' "${name:-$(uname -m) machine}"
}

# seconds_to_build: of the program alone, from nothing. One core needs 3 to 5 minutes on a PC; a core of a Pi 5 or an
# Orange Pi 5 about a quarter of its speed, one of a Pi 4 a twelfth.
seconds_to_build() {
    local core_seconds=3300
    case $(model_of_machine) in
    x86_64*) core_seconds=270 ;;
    *'Pi 5'*) core_seconds=1050 ;;
    esac
    printf '%d' $((core_seconds / $(nproc) + 10))
}
