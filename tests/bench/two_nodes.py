"""One node, two nodes side by side, two nodes joined: how much faster a virtual cluster is, and how much it could be.

Two nodes of one core each on this machine (tests/cluster/cluster.sh: cables of gigabit Ethernet), a model's decoding
and prompt. A round is

  alone    one node
  beside   both nodes at once, each by itself: together they share this machine's memory, so their sum over `alone` is the
           most that joining them could bring (the cap)
  joined   both nodes as one job, with each wire
  check    the network's figures

in an order that changes from round to round. Every program measures memory and integer units between its repetitions
(--roofline); `plan` turns these and the network's figures into what the cost model predicts for the same minute.

    two_nodes.py round FILE.jsonl      one round, appended to the file (needs root, about a minute)
    two_nodes.py table FILE.jsonl      medians and ranges of all its rounds
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("PILLAR_BINARY", str(ROOT / "build/release/pillar"))
os.environ.setdefault("PILLAR_MAKE_TINY_MODEL", "")  # not needed here
sys.path.insert(0, str(ROOT / "tests/cluster"))
import virtual_cluster  # noqa: E402

WIRES = ("f32", "f16", "q8")
CORES = {"PILLAR_CLUSTER_CORES": "1"}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("round", "table"))
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--synthetic", default="llama-3.2-1b:q4_0", help="the model (default: %(default)s)")
    parser.add_argument("-p", "--n-prompt", type=int, default=256)
    parser.add_argument("-n", "--n-gen", type=int, default=32)
    parser.add_argument("-r", "--repetitions", type=int, default=3)
    parser.add_argument("--wires", default=",".join(WIRES))
    return parser.parse_args()


class Round:
    def __init__(self, arguments, cluster):
        self.cluster = cluster
        self.model = ["--synthetic", arguments.synthetic]
        self.tests = ["-p", arguments.n_prompt, "-n", arguments.n_gen]
        self.bench = ["bench", *self.model, *self.tests, "-r", arguments.repetitions, "-t", 1, "--roofline", "-o", "json"]
        self.depth = arguments.n_gen // 2  # of a middle token
        self.n_prompt = arguments.n_prompt

    def start_alone(self, node):
        command = [virtual_cluster.SCRIPT, "enter", self.cluster.name, node, virtual_cluster.PILLAR, *self.bench]
        return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**self.cluster.environment(), **CORES})

    def records(self, process):
        output, errors = process.communicate(timeout=150)
        if process.returncode != 0:
            sys.exit(f"pillar bench: exit code {process.returncode}\n{errors.decode()}")
        return json.loads(output)

    def alone(self):
        return self.records(self.start_alone("node1"))

    def beside(self):
        return [self.records(process) for process in [self.start_alone(node) for node in self.cluster.nodes]]

    def job(self, words):
        job = virtual_cluster.Job(self.cluster, words, **CORES)
        code, _ = job.end(150)
        if code != 0:
            sys.exit(f"pillar {words[0]}: exit code {code}\n{job.errors()}")
        return job

    def joined(self, wire):
        return json.loads(self.job([*self.bench, "--wire", wire]).output())

    def check(self):
        path = self.cluster.folder / "profile.json"
        self.job(["check", "-t", 1, "-o", path, "--force"])
        return path.read_text()

    def predicted(self, network, n_ranks, record, like, wire="f32"):
        """Tokens per second of a test (`record`) on nodes whose speed was measured with it; the products' share of that
        speed is the one of `like`, a single node."""
        profile = json_with_comments(network)
        profile["memory"]["read_gb_per_s"] = record["read_bandwidth"] / n_ranks / 1e9
        profile["memory"]["efficiency"] = min(1, like["tg"]["matrix_memory_share"])
        profile["arithmetic"]["int8_gmac_per_s"] = record["integer_rate"] / n_ranks / 1e9
        profile["arithmetic"]["f32_gmac_per_s"] = profile["arithmetic"]["int8_gmac_per_s"] / 4
        profile["arithmetic"]["int8_efficiency"] = min(1, like["pp"]["matrix_integer_share"])
        path = self.cluster.folder / "predicted.json"
        path.write_text(json.dumps(profile))
        is_prompt = record["n_prompt"] > 0
        allreduce = record["allreduce_prompt" if is_prompt else "allreduce_decode"]
        flags = ["-p", self.n_prompt, "-d", self.depth, "--wire", wire, "--allreduce", allreduce if n_ranks > 1 else "auto"]
        command = [virtual_cluster.PILLAR, "plan", *self.model, "--ranks", n_ranks, "--profile", path, *flags, "-o", "json"]
        row, = json.loads(subprocess.run([str(word) for word in command], check=True, capture_output=True).stdout)
        return row["prompt_tokens_per_s" if is_prompt else "decode_tokens_per_s"]


def json_with_comments(text):
    return json.loads("\n".join(line.partition("//")[0] for line in text.splitlines()))


def by_test(records):
    return {record["test"][:2]: record for record in records}


def rate(record):
    """Tokens per second of the median repetition."""
    return statistics.median(record["samples_ts"])


def run_round(arguments):
    reason = virtual_cluster.why_not()
    if reason:
        sys.exit(reason)
    number = len(arguments.file.read_text().splitlines()) if arguments.file.exists() else 0
    with virtual_cluster.Cluster(2) as cluster:
        one = Round(arguments, cluster)
        parts = {"alone": one.alone, "beside": one.beside, "check": one.check}
        parts |= {wire: lambda wire=wire: one.joined(wire) for wire in arguments.wires.split(",")}
        names = list(parts)
        turn = number % len(names)
        measured = {name: parts[name]() for name in names[turn:] + names[:turn]}
        result = {"network": json_with_comments(measured["check"])["network"], "tests": {}}
        alone, beside = by_test(measured["alone"]), [by_test(records) for records in measured["beside"]]
        for test, record in alone.items():
            base = one.predicted(measured["check"], 1, record, alone)
            entry = {"alone": rate(record), "predicted_alone": base, "read_gb_per_s": record["read_bandwidth"] / 1e9,
                     "cap": sum(rate(node[test]) for node in beside) / rate(record), "joined": {}}
            for wire in arguments.wires.split(","):
                joined = by_test(measured[wire])[test]
                predicted = one.predicted(measured["check"], 2, joined, alone, wire)
                entry["joined"][wire] = {
                    "rate": rate(joined), "speed_up": rate(joined) / rate(record), "predicted": predicted,
                    "predicted_speed_up": predicted / base, "read_gb_per_s": joined["read_bandwidth"] / 1e9,
                    "allreduce": joined["allreduce_prompt" if test == "pp" else "allreduce_decode"]}
            result["tests"][test] = entry
    with open(arguments.file, "a") as file:
        file.write(json.dumps(result) + "\n")


def spread(values, digits=2):
    """Median (least–most)."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def table(arguments):
    rounds = [json.loads(line) for line in arguments.file.read_text().splitlines()]
    network = {name: statistics.median(r["network"][name] for r in rounds) for name in rounds[0]["network"]}
    print(f"{len(rounds)} rounds: median (least–most). Network: " + ", ".join(f"{k} {v:.3g}" for k, v in network.items()))
    for test in rounds[0]["tests"]:
        tests = [r["tests"][test] for r in rounds]
        print(f"\n{test}: alone {spread([t['alone'] for t in tests], 1)} t/s, of it predicted "
              f"{spread([t['alone'] / t['predicted_alone'] for t in tests])}; cap {spread([t['cap'] for t in tests])}; one "
              f"node reads {spread([t['read_gb_per_s'] for t in tests], 1)} GB/s\n")
        print("| wire | all-reduce | t/s | speed-up | predicted speed-up | of the prediction | of the cap | GB/s |")
        print("|---|---|---|---|---|---|---|---|")
        for wire in tests[0]["joined"]:
            each = [t["joined"][wire] for t in tests]
            print(f"| {wire} | {', '.join(sorted({e['allreduce'] for e in each}))} | {spread([e['rate'] for e in each], 1)} "
                  f"| {spread([e['speed_up'] for e in each])} | {spread([e['predicted_speed_up'] for e in each])} "
                  f"| {spread([e['speed_up'] / e['predicted_speed_up'] for e in each])} "
                  f"| {spread([e['speed_up'] / t['cap'] for e, t in zip(each, tests)])} "
                  f"| {spread([e['read_gb_per_s'] for e in each], 1)} |")


def main():
    arguments = parse_arguments()
    run_round(arguments) if arguments.verb == "round" else table(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
