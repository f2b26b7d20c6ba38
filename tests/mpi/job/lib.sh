# shellcheck shell=bash
# What scripts about a job's end share; to be sourced after `set -euo pipefail`.

out=$(mktemp -d)
trap 'rm -r "$out"' EXIT

fail() {
    echo "FAILED: $1" >&2
    cat "$out"/* >&2
    exit 1
}

# run EXPECTED_CODE COMMAND...: stdout and stderr are left in $out.
run() {
    local expected=$1 code=0
    shift
    "$@" >"$out/stdout" 2>"$out/stderr" </dev/null || code=$?
    [ "$code" -eq "$expected" ] || fail "exit code $code instead of $expected: $*"
}
