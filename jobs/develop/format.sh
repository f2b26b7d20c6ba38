#!/bin/sh
# Formats every C++ file of the tree with clang-format 14, whose version the layout depends on.
#   jobs/develop/format.sh            writes
#   jobs/develop/format.sh --check    only names the files that would change; exit code 1 if there are any
set -eu

case "${1:-}" in
    -h | --help)
        sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
        exit 0 ;;
esac
cd "$(dirname "$0")/../.."
formatter=${CLANG_FORMAT:-clang-format-14}
if ! command -v "$formatter" >/dev/null; then
    echo "format.sh: $formatter is not installed (Debian package clang-format-14)" >&2
    exit 69
fi

files() {
    find src include tests -type f \( -name '*.cpp' -o -name '*.hpp' \) -print0
}

case "${1:-}" in
    '') files | xargs -0 -r "$formatter" -i ;;
    --check)
        if ! files | xargs -0 -r "$formatter" --dry-run --Werror; then
            echo "format.sh: run jobs/develop/format.sh" >&2
            exit 1
        fi ;;
    *)
        echo "usage: jobs/develop/format.sh [--check]" >&2
        exit 64 ;;
esac
