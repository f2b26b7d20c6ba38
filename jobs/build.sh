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

# build [cmake --build's options]: ninja's one line on a terminal, else only warnings and errors.
build() {
    local quiet=()
    if [[ ! -t 1 ]]; then
        quiet=(-- --quiet)
        printf 'build: the preset release\n'
    fi
    (cd -- "$pillar_root" && cmake --build --preset release "$@" "${quiet[@]}") || die 70 "the build failed"
}
