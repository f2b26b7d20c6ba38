#!/usr/bin/env python3
"""Proposals: `run` with --draft beside `run` without, in turns, on the same prompts and seeds.

    proposals.py PILLAR MODEL --draft ngram|FILE.gguf[:N] [--threads N] [--tokens N] [--rounds N] [--seeds N] [--temp T]
                 [--prompt TEXT ...]

The texts are compared and must be the same. Printed are, for each prompt and seed, tokens a second without and the ratio
with: its median over the rounds and its range; then the same over all.
"""
import argparse
import re
import statistics
import subprocess
import sys

PROSE = ["Once upon a time", "The winter of that year", "Dear Anna, yesterday", "How to bake bread:"]


def run(arguments, prompt, seed, draft):
    """(text, tokens a second)"""
    command = [arguments.pillar, "run", "-m", arguments.model, "-t", arguments.threads, "-p", prompt, "-n", arguments.tokens,
               "--temp", arguments.temp, "--seed", seed, "--ignore-eos", "--draft", draft]
    result = subprocess.run([str(word) for word in command], check=True, capture_output=True)
    rate = re.search(rb"\s{2,}eval time =.*, +([\d.]+) tokens per second", result.stderr)
    return result.stdout, float(rate[1])


def spread(ratios):
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pillar")
    parser.add_argument("model")
    parser.add_argument("--draft", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--temp", type=float, default=0.8)
    parser.add_argument("--prompt", action="append", help="instead of four beginnings of prose")
    arguments = parser.parse_args()
    print("| prompt | seed | without, tok/s | with |\n|---|---|---|---|")
    medians = []
    for prompt in arguments.prompt or PROSE:
        for seed in range(1, arguments.seeds + 1):
            without, ratios = [], []
            for i in range(arguments.rounds):
                order = ("none", arguments.draft) if i % 2 == 0 else (arguments.draft, "none")
                told = {draft: run(arguments, prompt, seed, draft) for draft in order}
                if told["none"][0] != told[arguments.draft][0]:
                    sys.exit(f"the text of {prompt!r}, seed {seed}, is another one with --draft {arguments.draft}")
                without.append(told["none"][1])
                ratios.append(told[arguments.draft][1] / told["none"][1])
            medians.append(statistics.median(ratios))
            print(f"| {prompt} | {seed} | {statistics.median(without):.1f} | {spread(ratios)} |", flush=True)
    print(f"\nall: {spread(medians)} of {len(medians)} texts' medians")


if __name__ == "__main__":
    main()
