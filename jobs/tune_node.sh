#!/usr/bin/env bash
# Tunes this node for short messages, and takes it back. Run it as root on every node before a series of runs; what it
# sets lasts until the next start of the machine. `pillar check` tells whether it helped.
#
#   jobs/tune_node.sh [--interface NAME]   tune
#   jobs/tune_node.sh --undo               restore what was there before
#   jobs/tune_node.sh --dry-run [...]      say what would be done, do nothing
#
# governor     performance: clocks do not fall while a message is waited for
# EEE          energy-efficient Ethernet off: the link does not sleep between messages      (needs ethtool)
# coalescing   packets are told of at once (rx-usecs 0, rx-frames 1, tx-frames 1)           (needs ethtool)
# interrupts   of the network card go to the last core; the thread that sends runs on the first
#
# Every line says one thing that was done, was so already, or cannot be done here. Ends with 77 when something that
# should have been possible was not. What was there before is kept in /var/lib/pillar/tuned (PILLAR_TUNED replaces the
# path) until the next start, so running it twice does no harm. The interface is the wired one that is up, if there is one only.
set -euo pipefail

me=tune_node
root=${PILLAR_TUNE_ROOT-} # stands for / in tests
state=${PILLAR_TUNED:-$root/var/lib/pillar/tuned}
interface='' mode=tune dry=no n_failed=0 is_stale=no

die() {
    printf '%s: %s\n' "$me" "$2" >&2
    exit "$1"
}
while (($# > 0)); do
    case $1 in
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" && exit 0 ;;
    --interface)
        [[ -n ${2-} ]] || die 64 "--interface wants the name of one"
        interface=$2 && shift
        ;;
    --interface=*) interface=${1#*=} ;;
    --undo) mode=undo ;;
    --dry-run) dry=yes ;;
    *) die 64 "no such option: $1; jobs/tune_node.sh [--interface NAME] [--undo] [--dry-run]" ;;
    esac
    (($# > 0)) && shift
done

say() { printf '%-11s %s\n' "$1" "$2"; }
fail() {
    say "$1" "$2"
    n_failed=$((n_failed + 1))
}

# --- what was there before: lines of "KIND<tab>TARGET<tab>VALUE", the first of each kept, all since one start ---

boot_id=$(cat -- "$root/proc/sys/kernel/random/boot_id" 2>/dev/null || true)
# A file of before the machine's last start tells nothing of now.
if [[ -n $boot_id && -s $state ]]; then
    of_boot=$(sed -n 's/^boot\t-\t//p' -- "$state")
    [[ -z $of_boot || $of_boot == "$boot_id" ]] || is_stale=yes
fi

remember() { # KIND TARGET VALUE
    [[ $dry == no ]] || return 0
    mkdir -p -- "$(dirname -- "$state")"
    if [[ $is_stale == yes || ! -e $state ]]; then
        printf 'boot\t-\t%s\n' "$boot_id" >"$state"
        is_stale=no
    fi
    if ! awk -F'\t' -v k="$1" -v t="$2" '$1 == k && $2 == t { found = 1 } END { exit !found }' "$state"; then
        printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$state"
    fi
}

# --- the two ways of setting: a file, and ethtool ---

write_file() { # FILE VALUE
    { printf '%s\n' "$2" >"$1"; } 2>/dev/null
}

set_file() { # KIND NAME FILE VALUE: one file to one value
    local old
    old=$(cat -- "$3" 2>/dev/null) || {
        fail "$1" "$2: cannot be read"
        return
    }
    if [[ $old == "$4" ]]; then
        say "$1" "$2: $4 already"
    elif [[ $dry == yes ]]; then
        say "$1" "$2: would become $4 (is $old)"
    elif remember file "$3" "$old" && write_file "$3" "$4"; then
        say "$1" "$2: $4 (was $old)"
    else
        fail "$1" "$2: cannot be set to $4; run this as root"
    fi
}

has_ethtool() { # KIND
    command -v ethtool >/dev/null || {
        fail "$1" "cannot be set: no ethtool here (sudo apt-get install ethtool)"
        return 1
    }
}

# --- tuning ---

tune_governor() {
    local file found=no
    for file in "$root"/sys/devices/system/cpu/cpufreq/policy*/scaling_governor; do
        [[ -e $file ]] || continue
        found=yes
        set_file governor "$(basename -- "$(dirname -- "$file")")" "$file" performance
    done
    [[ $found == yes ]] || say governor "none here: this kernel has no cpufreq"
}

tune_eee() {
    local shown
    has_ethtool EEE || return 0
    shown=$(ethtool --show-eee "$interface" 2>/dev/null) || {
        say EEE "$interface has none"
        return
    }
    if ! grep -q 'EEE status: enabled' <<<"$shown"; then
        say EEE "$interface: off already"
    elif [[ $dry == yes ]]; then
        say EEE "$interface: would be turned off"
    elif remember eee "$interface" on && ethtool --set-eee "$interface" eee off >/dev/null 2>&1; then
        say EEE "$interface: off (was on)"
    else
        fail EEE "$interface: cannot be turned off; run this as root, or put dtparam=eee=off into config.txt"
    fi
}

# coalescing_of NAME: a value out of `ethtool -c`; nothing when the driver has no such setting
coalescing_of() {
    case $1 in
    adaptive-rx) sed -n 's/^Adaptive RX: *\([a-z]*\).*/\1/p' <<<"$coalescing" ;;
    *) sed -n "s/^$1:[[:space:]]*\([0-9]*\)\$/\1/p" <<<"$coalescing" ;;
    esac | grep -v '^n$' || true
}

tune_coalescing() {
    local name value old coalescing
    has_ethtool coalescing || return 0
    coalescing=$(ethtool -c "$interface" 2>/dev/null) || {
        say coalescing "$interface has none"
        return
    }
    # One by one: a driver refuses a whole command for the one word that it does not know.
    for name in adaptive-rx=off rx-usecs=0 rx-frames=1 tx-frames=1; do
        value=${name#*=} name=${name%=*}
        old=$(coalescing_of "$name")
        if [[ -z $old ]]; then
            say coalescing "$name: not a setting of this driver"
        elif [[ $old == "$value" ]]; then
            say coalescing "$name: $value already"
        elif [[ $dry == yes ]]; then
            say coalescing "$name: would become $value (is $old)"
        elif remember coalescing "$interface $name" "$old" &&
            ethtool -C "$interface" "$name" "$value" >/dev/null 2>&1; then
            say coalescing "$name: $value (was $old)"
        else
            fail coalescing "$name: cannot be set to $value; run this as root"
        fi
    done
}

tune_interrupts() {
    local last number file numbers
    last=$(sed -n 's/.*[,-]//;s/^\([0-9]*\)$/\1/p' "$root/sys/devices/system/cpu/online" 2>/dev/null || true)
    [[ -n $last && $last != 0 ]] || {
        say interrupts "one core only"
        return
    }
    numbers=$(awk -v name="$interface" '{ n = $NF; sub(/[-:].*/, "", n) } n == name { sub(":", "", $1); print $1 }' \
        "$root/proc/interrupts" 2>/dev/null || true)
    [[ -n $numbers ]] || {
        say interrupts "none are told of $interface"
        return
    }
    for number in $numbers; do
        file=$root/proc/irq/$number/smp_affinity_list
        set_file interrupts "$interface, number $number" "$file" "$last"
    done
}

find_interface() {
    local folder found=()
    for folder in "$root"/sys/class/net/*; do
        [[ -e $folder/device && ! -e $folder/wireless && ! -e $folder/phy80211 ]] || continue
        [[ $(cat -- "$folder/operstate" 2>/dev/null) == up ]] || continue
        found+=("$(basename -- "$folder")")
    done
    case ${#found[@]} in
    0) say interface "no wired interface is up: its settings are left alone" ;;
    1) interface=${found[0]} ;;
    *) die 64 "several wired interfaces are up (${found[*]}): name one with --interface" ;;
    esac
}

# --- taking it back, the last first ---

restore() { # KIND TARGET VALUE
    case $1 in
    file) write_file "$2" "$3" ;;
    eee) ethtool --set-eee "$2" eee "$3" >/dev/null 2>&1 ;;
    coalescing) ethtool -C "${2% *}" "${2#* }" "$3" >/dev/null 2>&1 ;;
    *) return 1 ;;
    esac
}

undo() {
    local kind target value left=''
    [[ -s $state ]] || {
        say undo "nothing to restore: $state is not there"
        return
    }
    [[ $is_stale == no ]] || {
        say undo "nothing to restore: the machine has been started since"
        [[ $dry == yes ]] || rm -f -- "$state"
        return
    }
    while IFS=$'\t' read -r kind target value; do
        [[ $kind != boot ]] || continue
        if [[ $dry == yes ]]; then
            say undo "${target#"$root"}: would become $value again"
        elif restore "$kind" "$target" "$value"; then
            say undo "${target#"$root"}: $value again"
        else
            left=$(printf '%s\t%s\t%s\n%s' "$kind" "$target" "$value" "$left")
            fail undo "${target#"$root"}: cannot be set to $value again; run this as root"
        fi
    done < <(tac -- "$state")
    [[ $dry == no ]] || return 0
    if [[ -n $left ]]; then
        printf 'boot\t-\t%s\n%s\n' "$boot_id" "$left" | sed '/^$/d' >"$state"
    else
        rm -f -- "$state"
    fi
}

if [[ $mode == undo ]]; then
    undo
else
    [[ -n $interface ]] || find_interface
    [[ -z $interface || -e $root/sys/class/net/$interface ]] || die 66 "there is no interface $interface"
    tune_governor
    if [[ -n $interface ]]; then
        tune_eee
        tune_coalescing
        tune_interrupts
    fi
fi
((n_failed == 0)) || die 77 "$n_failed of these could not be done"
