"""Two nodes of which one is slowed to half: what --split auto makes of it, beside an even split and the ideal.

A virtual cluster (tests/cluster/run.sh, root) of two nodes with one core each and gigabit cables between them, and a busy
process on node2's core. It computes for 0.1 ms and sleeps as long, ahead of everything else, so that node2 is a node of
half the speed at any moment. (With `--burst 0` it never stops: then the system hands the core to and fro every few
milliseconds, more than a layer takes, and node1 waits for node2's turn whatever the split.) The plain kernels
(`--kernels integer`) make a core as slow as a board's. In turns, `--rounds` times, all with `bench --synthetic MODEL`:

    alone   even split, nothing beside
    even    even split, the busy process beside node2
    auto    --split auto, the busy process beside node2

The ideal is every byte that the ranks read for a token at the speeds that auto measured: bytes / (speed1 + speed2),
without messages and what does not depend on the split. An even split waits for the slower half: bytes / 2 / least speed.

    sudo python3 tests/bench/uneven_nodes.py --synthetic llama-3.2-1b:q4_0

Prints what auto said in each round, then a table in Markdown: medians over the rounds. Exits with 77 where there are not two cores or no root.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MISSING = 77
BUSY = """
import time
end = time.perf_counter()
while True:
    end += 2 * BURST
    while time.perf_counter() < end - BURST:
        pass
    time.sleep(max(0, end - time.perf_counter()))
"""


class Beside:
    """The busy process, on this core, while the context lasts. `burst_s` 0: it never stops."""

    def __init__(self, core, burst_s):
        self.core = core
        self.burst_s = burst_s

    def __enter__(self):
        program = BUSY.replace("BURST", str(self.burst_s)) if self.burst_s > 0 else "while True: pass"

        def prepare():
            os.sched_setaffinity(0, {self.core})
            if self.burst_s > 0:
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))

        self.process = subprocess.Popen([sys.executable, "-c", program], preexec_fn=prepare)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def bench(options, split):
    """(median seconds a token, what auto said, the record)"""
    result = subprocess.run([ROOT / "tests/cluster/run.sh", "-n", "2", "--cores", "--", "bench", "--synthetic",
                             options.synthetic, "--kernels", options.kernels, "-p", "0", "-n", str(options.n), "-r", str(options.repetitions), "-t",
                             "1", "-o", "json", "--split", split],
                            capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(result.stderr)
    record = json.loads(result.stdout)[0]
    said = re.search(r"split +(auto: .*)", result.stderr)
    return statistics.median(record["samples_ns"]) * 1e-9 / options.n, said[1] if said else "", record


def speeds_of(said):
    """B/s of each rank."""
    return [float(text) * 1e9 for text in re.search(r"speeds ([\d.e+-]+), ([\d.e+-]+) GB/s", said).groups()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--synthetic", default="llama-3.2-1b:q4_0", help="model, as bench takes it")
    parser.add_argument("--burst", type=float, default=0.1, metavar="MS")
    parser.add_argument("--kernels", default="integer", help="family, as bench takes it")
    parser.add_argument("-n", type=int, default=32, help="tokens of a repetition")
    parser.add_argument("-r", "--repetitions", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    if os.geteuid() != 0 or len(os.sched_getaffinity(0)) < 2:
        print("skipped: needs root and two cores")
        sys.exit(MISSING)

    names = ["even, nothing beside", "even", "`--split auto`", "even, expected of the measured speeds", "ideal"]
    seconds, ratios = {name: [] for name in names}, {name: [] for name in names}
    for _ in range(options.rounds):
        alone, _, record = bench(options, "even")
        with Beside(1, options.burst * 1e-3):
            even = bench(options, "even")[0]
            auto, said, _ = bench(options, "auto")
        print(said)
        speeds = speeds_of(said)
        ideal = record["model_size"] / sum(speeds)
        for name, time in zip(names, (alone, even, auto, record["model_size"] / 2 / min(speeds), ideal)):
            seconds[name].append(time)
            ratios[name].append(time / ideal)
    print("| | ms a token | × the round's ideal | range |\n|---|---:|---:|---|")
    for name in names:
        print(f"| {name} | {statistics.median(seconds[name]) * 1e3:.1f} | {statistics.median(ratios[name]):.2f} | "
              f"{min(ratios[name]):.2f}–{max(ratios[name]):.2f} |")


if __name__ == "__main__":
    main()
