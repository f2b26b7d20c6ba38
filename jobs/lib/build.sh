# shellcheck shell=bash disable=SC2154 # pillar_root comes from env.sh
# Configures and builds the preset release in build/release. Sourced by demo.sh and test.sh, which share the folder.

# configure [cmake's options]: quietly, unless it fails. A folder that another clone's path is written into (the clone
# was moved) is begun anew.
configure() {
    local cache=$pillar_root/build/release/CMakeCache.txt log=$pillar_root/build/configure.log fresh=()
    if [[ -e $cache ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$pillar_root" "$cache"; then
        fresh=(--fresh)
    fi
    mkdir -p -- "$pillar_root/build"
    (cd -- "$pillar_root" && cmake --preset release "${fresh[@]}" "$@") >"$log" 2>&1 || {
        cat -- "$log" >&2
        die 70 "CMake could not configure the build; its messages stand above and in build/configure.log"
    }
}

# compilers: how many at a time have room, at 450 MB each; ninja itself would start two more than there are cores.
compilers() {
    local available wanted=$(($(nproc) + 2)) room
    available=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
    room=$((${available:-0} / 450000))
    ((${available:-0} > 0 && room < wanted)) || room=$wanted
    printf '%d' $((room > 0 ? room : 1))
}

# build [cmake --build's options]: on a terminal ninja's one line, else a line every ten seconds. Errors and warnings
# are shown as they come.
build() {
    local code=0
    [[ -n ${CMAKE_BUILD_PARALLEL_LEVEL-} ]] || CMAKE_BUILD_PARALLEL_LEVEL=$(compilers)
    export CMAKE_BUILD_PARALLEL_LEVEL
    if [[ -t 1 ]]; then
        (cd -- "$pillar_root" && NINJA_STATUS='build: %f of %t (%p), %e s ' cmake --build --preset release "$@") || code=$?
    else
        (cd -- "$pillar_root" && NINJA_STATUS='@build %f %t @' cmake --build --preset release "$@") | tell_build || code=$?
    fi
    ((code == 0)) || die 70 "the build failed; its messages stand above"
}

# tell_build: ninja's output, but instead of its status at every file a line every ten seconds, also while none is
# finished.
tell_build() {
    local line='' rest finished=0 all=0 began=$SECONDS said=$SECONDS status
    while true; do
        status=0
        IFS= read -r -t "$tell_every" rest || status=$?
        line+=$rest
        if ((status == 0)); then
            if [[ $line =~ ^@build\ ([0-9]+)\ ([0-9]+)\ @ ]]; then
                finished=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
            elif [[ $line == 'ninja: no work to do.' ]]; then
                printf 'build: nothing to do\n'
            else
                printf '%s\n' "$line"
            fi
            line=''
        elif ((status <= 128)); then # the end, not the timeout
            printf '%s' "$line"
            break
        fi
        if ((SECONDS - said >= tell_every && all > 0)); then
            said=$SECONDS
            printf 'build: %d of %d (%d %%)%s\n' "$finished" "$all" $((100 * finished / all)) \
                "$(time_left "$finished" "$all" $((SECONDS - began)))"
        fi
    done
    ((all == 0)) || printf 'build: %d of %d in %s\n' "$finished" "$all" "$(duration $((SECONDS - began)))"
}

# time_left FINISHED ALL SECONDS: as if all files took the same time; nothing before a tenth is there.
time_left() {
    if (($1 * 10 >= $2 && $1 < $2)); then
        printf ', about %s left' "$(duration $(($3 * ($2 - $1) / $1)))"
    fi
}
