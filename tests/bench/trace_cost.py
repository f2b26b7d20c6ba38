#!/usr/bin/env python3
"""What a trace costs: the same benchmark without a trace, with one, and with one that tells of every step's layers, in turns.

    trace_cost.py PILLAR MODEL [--ranks N] [--threads N] [--tokens N] [--rounds N] [--against PILLAR]

Prints tokens per second of each kind (the best repetition's), and how much longer than without a trace it took in the
median of the rounds, with the quartiles; then the same of the processor time of the whole process, which other work on
the machine disturbs less (of one rank and one thread: others spin while they wait). `--against`: another build, as a
further kind, such as one from before a change of what is timed. `told` is what the trace itself says that tracing took
between the steps, in parts of the steps.
"""
import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile

try:
    import h5py
except ImportError:
    h5py = None


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(pillar, arguments, flags):
    """(seconds a token in the best repetition, processor seconds of all)"""
    start = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(arguments.ranks)] if arguments.ranks > 1 else []
    before = cpu_seconds()
    result = subprocess.run(start + [pillar, "bench", "-m", arguments.model, "-p", "0", "-n", str(arguments.tokens),
                                     "-r", str(arguments.repetitions), "-t", str(arguments.threads), "-o", "json", *flags],
                            check=True, capture_output=True, text=True)
    record, = json.loads(result.stdout)
    return 1 / max(record["samples_ts"]), cpu_seconds() - before


def told(path):
    with h5py.File(path) as file:
        return float(file["steps/trace_s"][:].sum() / file["steps/duration_s"][:].sum())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pillar")
    parser.add_argument("model")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--against")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "trace.h5")
        traced = ["--trace", trace, "--force"]
        kinds = {"no trace": (arguments.pillar, []), "trace": (arguments.pillar, traced),
                 "layers": (arguments.pillar, [*traced, "--trace-layers", "1"])}
        if arguments.against:
            kinds["against"] = (arguments.against, [])
        measured = {kind: [] for kind in kinds}
        shares = []
        for number in range(arguments.rounds):
            for kind in random.sample(list(kinds), len(kinds)):
                pillar, flags = kinds[kind]
                measured[kind].append(measure(pillar, arguments, flags))
                if flags and h5py:
                    shares.append(told(trace))
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
    print(f"{'kind':9} {'tok/s':>8}  longer by (quartiles)           processor time longer by")
    for kind, values in measured.items():
        line = f"{kind:9} {1 / statistics.median(seconds for seconds, _ in values):8.2f}"
        for which in range(2):
            longer = [100 * (value[which] / base[which] - 1) for base, value in zip(measured["no trace"], values)]
            low, middle, high = statistics.quantiles(longer, n=4)
            line += f"  {f'{middle:+.2f} % ({low:+.2f} to {high:+.2f})':30}"
        print(line.rstrip())
    if shares:
        print(f"told      {100 * statistics.median(shares):.3f} % of the steps")


if __name__ == "__main__":
    main()
