#!/usr/bin/env python3
"""Sequences at a time: pillar's `batch` and llama.cpp's decoding of as many sequences, in turns on the same file.

    llama/bin/python tests/bench/sequences_versus_llama_cpp.py -m MODEL.gguf -t 2 -s 1,8,16 -n 48 -r 5

Printed are tokens per second of all sequences together and the ratio to one sequence of the same round: its median and
range. pillar picks tokens and writes results within its time, llama.cpp only decodes."""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time

import llama_cpp

CONTEXT = 256  # positions of a sequence


def pillar(binary, model, threads, n_sequences, n_tokens, folder):
    requests, results = os.path.join(folder, "in.jsonl"), os.path.join(folder, "out.jsonl")
    with open(requests, "w", encoding="utf-8") as file:
        for i in range(n_sequences):
            body = {"prompt": "a", "max_tokens": n_tokens, "ignore_eos": True, "seed": i}
            file.write(json.dumps({"custom_id": str(i), "url": "/v1/completions", "body": body}) + "\n")
    if os.path.exists(results):
        os.remove(results)
    log = subprocess.run([binary, "batch", "-m", model, "-t", str(threads), "-c", str(CONTEXT), "--parallel",
                          str(n_sequences), "-i", requests, "-o", results], check=True, capture_output=True, text=True).stderr
    return float(re.search(r"generated \(([\d.]+) tokens per second", log).group(1))


class Llama:
    def __init__(self, model, threads, n_sequences):
        self.model = llama_cpp.llama_model_load_from_file(model.encode(), llama_cpp.llama_model_default_params())
        options = llama_cpp.llama_context_default_params()
        options.n_ctx, options.n_seq_max = CONTEXT * n_sequences, n_sequences
        options.n_threads = options.n_threads_batch = threads
        self.context = llama_cpp.llama_init_from_model(self.model, options)
        self.batch = llama_cpp.llama_batch_init(n_sequences, 0, 1)

    def step(self, n_sequences, position):
        self.batch.n_tokens = n_sequences
        for i in range(n_sequences):
            self.batch.token[i], self.batch.pos[i], self.batch.n_seq_id[i] = 100 + 7 * i + position, position, 1
            self.batch.seq_id[i][0], self.batch.logits[i] = i, 1
        if llama_cpp.llama_decode(self.context, self.batch) != 0:
            raise RuntimeError("llama_decode failed")

    def rate(self, n_sequences, n_tokens):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)
        self.step(n_sequences, 0)
        begin = time.monotonic()
        for position in range(1, n_tokens + 1):
            self.step(n_sequences, position)
        return n_sequences * n_tokens / (time.monotonic() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("-s", "--sequences", default="1,8,16", help="numbers of sequences, the first one is 1")
    parser.add_argument("-n", "--n-gen", type=int, default=48)
    parser.add_argument("-r", "--rounds", type=int, default=5)
    parser.add_argument("--binary", default="build/release/pillar")
    arguments = parser.parse_args()
    numbers = [int(n) for n in arguments.sequences.split(",")]
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        peer = Llama(arguments.model, arguments.threads, max(numbers))
        for _ in range(arguments.rounds):
            for n in numbers:
                rates.setdefault(("pillar", n), []).append(
                    pillar(arguments.binary, arguments.model, arguments.threads, n, arguments.n_gen, folder))
                rates.setdefault(("llama.cpp", n), []).append(peer.rate(n, arguments.n_gen))
    print("| | sequences | tokens/s | beside one | range |\n|---|---|---|---|---|")
    for (program, n), of in rates.items():
        ratios = [rate / one for rate, one in zip(of, rates[program, numbers[0]])]
        print(f"| {program} | {n} | {statistics.median(of):.1f} | {statistics.median(ratios):.2f} | "
              f"{min(ratios):.2f}–{max(ratios):.2f} |")


if __name__ == "__main__":
    main()
