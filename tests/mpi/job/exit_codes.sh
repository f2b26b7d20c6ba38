#!/usr/bin/env bash
# What the shell sees when a job ends early: the code through mpirun, and one sentence.
#   exit_codes.sh PROBE MPIRUN
set -euo pipefail
probe=$1
mpirun=$2
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

run 65 "$mpirun" -n 3 "$probe" agree_fails
[ "$(grep -c 'bad header' "$out/stderr")" -eq 1 ] || fail "an agreed error is printed once"
grep -Eq '^\[pillar\] error: rank 2 on [^ ]+: bad header$' "$out/stderr" || fail "its rank is named"

run 65 "$probe" agree_fails
grep -qx '\[pillar\] error: bad header' "$out/stderr" || fail "one rank has no name"

run 75 "$mpirun" -n 2 "$probe" aborts
# Open MPI 5 writes a line that does not end to the wrong stream.
cat "$out/stdout" "$out/stderr" | grep -q 'text before the end' || fail "buffered text is written before the end"
run 75 "$probe" aborts

run 75 "$mpirun" -n 2 "$probe" aborts_elsewhere

run 70 "$mpirun" -n 2 "$probe" truncates
grep -Eq '^\[pillar rank 1 on [^ ]+\] error: MPI_Testall with rank 0 on [^ ]+ failed: .*TRUNCATE' "$out/stderr" ||
    fail "a failed step names function, ranks and host"
echo "all ends are as they should be"
