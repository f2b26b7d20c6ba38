#!/usr/bin/env python3
"""The table of jobs/develop/a72_cycles.sh: cycles per 32 weights and column, and whether the limits hold.

usage: cycle_table.py CLANG.txt GXX.txt      lines `FORMAT COLUMNS CYCLES` (loop_cycles.py)
"""
import sys

PANEL = 4  # columns of a full panel
# cycles for one column and for a full panel
LIMITS = {"Q4_0": (5.3, 4.6), "Q8_0": (5.0, 4.7), "Q4_K": (6.1, 5.3), "Q5_0": (6.6, 5.0), "Q5_1": (7.0, 5.6),
          "Q6_K": (7.0, 5.9), "Q1_0": (4.6, 3.7), "Q2_0": (5.3, 4.5), "TQ2_0": (5.5, 4.6), "MXFP4": (8.4, 5.2)}
FORMATS = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS",
           "Q1_0", "Q2_0", "TQ2_0", "MXFP4"]


def read(path):
    """(format, columns) → cycles."""
    cycles = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, columns, value = line.split()
            cycles[name, int(columns)] = float(value)
    missing = [f"{name} with {c}" for name in FORMATS for c in range(1, PANEL + 1) if (name, c) not in cycles]
    if missing or len(cycles) != len(FORMATS) * PANEL:
        raise SystemExit(f"{path}: expected a loop for each of {len(FORMATS)} formats and {PANEL} numbers of columns; "
                         f"missing: {', '.join(missing) or 'none'}")
    return cycles


def main():
    clang, gxx = (read(path) for path in sys.argv[1:3])
    print("cycles per 32 weights and column (Cortex-A72, simulated)")
    print(f"{'':7} {'clang -O2, columns':^27} {'limits':^11} {'g++ -O3, columns':^27}")
    print(f"{'':7} {'1':>6} {'2':>6} {'3':>6} {'4':>6} {'1':>5} {'4':>5} {'1':>6} {'2':>6} {'3':>6} {'4':>6}")
    too_slow = []
    for name in FORMATS:
        columns = range(1, PANEL + 1)
        limits = LIMITS.get(name)
        shown = [f"{limit:5.1f}" for limit in limits] if limits else ["    -"] * 2
        print(f"{name:7}", *(f"{clang[name, c]:6.2f}" for c in columns), *shown,
              *(f"{gxx[name, c]:6.2f}" for c in columns))
        if limits:
            too_slow += [f"{name} with {c} takes {clang[name, c]:.2f}, not {limit}"
                         for c, limit in zip((1, PANEL), limits) if clang[name, c] > limit + 0.005]
    n_limits = 2 * len(LIMITS)
    summary = "; ".join(f"{name} {clang[name, 1]:.2f} / {clang[name, PANEL]:.2f}" for name in LIMITS)
    print(f"{n_limits - len(too_slow)} of {n_limits} limits hold: {summary}" +
          (f". Too slow: {', '.join(too_slow)}" if too_slow else ""))
    return 1 if too_slow else 0


if __name__ == "__main__":
    sys.exit(main())
