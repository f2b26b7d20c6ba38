"""Times that a requirement names, on machines that others use as well.

A time on the clock says something about the program only while the program has the machine. So a deadline is held when
the machine was idle before and after; elsewhere it is enough that the thing ends at all, for which the test's own
timeout stands. An attempt that others disturbed in between is repeated.
"""

import pathlib
import time

IDLE = 0.2  # so much of all cores may be in use by others


def busy_share(seconds=0.3):
    """Of all cores, used by anybody (other guests of the same host among them) for so long."""
    def ticks():
        fields = [int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(fields), fields[3] + fields[4]  # all, and idle ones
    before = ticks()
    time.sleep(seconds)
    after = ticks()
    return 1 - (after[1] - before[1]) / max(after[0] - before[0], 1)


def hold(test, required_s, attempt, attempts=3):
    """`attempt()` lets something happen to the end and returns the seconds it took: within required_s once, unless this
    machine is busy with other things."""
    taken = []
    for _ in range(attempts):
        before = busy_share()
        taken.append(attempt())
        if taken[-1] < required_s:
            return
        busy = max(before, busy_share())
        if busy > IDLE:
            print(f"not held against {required_s:g} s: others use {busy:.0%} of this machine", flush=True)
            return
    test.fail(f"required within {required_s:g} s on an idle machine; took {', '.join(f'{s:.1f}' for s in taken)} s")
