"""pillar beside llama.cpp: the same GGUF, the same threads, in turns, in one run.

A round is one test by pillar (`pillar bench`) and the same by llama.cpp (its C interface through the Python package,
timed as llama-bench does it: synthetic tokens, sampling left out). The ratio is taken within a round, so that what the
machine does from hour to hour falls out; printed are the median over the rounds and the smallest and largest.

    python3 tests/bench/versus_llama_cpp.py -m FILE.gguf -t 1,2
    python3 tests/bench/versus_llama_cpp.py --synthetic llama-3.2-1b:q4_0,llama-3.2-1b:q4_k_m -t 1,2 -p 128,512 -n 32

Run it with a Python that has llama.cpp's package (it builds from source, native instructions, some ten minutes):

    python3 -m venv llama && llama/bin/pip install llama-cpp-python && llama/bin/python tests/bench/versus_llama_cpp.py ...
"""

import argparse
import contextlib
import ctypes
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MISSING = 77

try:
    import llama_cpp
except ImportError:
    llama_cpp = None


class LlamaCpp:
    """One model in llama.cpp; a context for each number of threads."""

    name = "llama.cpp"

    def __init__(self, path, n_context):
        llama_cpp.llama_backend_init()
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        if not self.model:
            sys.exit(f"llama.cpp cannot load {path}")
        parameters = llama_cpp.llama_context_default_params()  # as llama-bench: n_batch 2048, n_ubatch 512, cache f16
        parameters.n_ctx = n_context
        self.context = llama_cpp.llama_init_from_model(self.model, parameters)
        if not self.context:
            sys.exit(f"llama.cpp cannot make a context of {n_context} positions for {path}")
        self.memory = llama_cpp.llama_get_memory(self.context)
        self.n_batch = parameters.n_batch
        self.n_tokens = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        self.random = random.Random(1)

    def close(self):
        llama_cpp.llama_free(self.context)
        llama_cpp.llama_model_free(self.model)

    def decode(self, n):
        tokens = (llama_cpp.llama_token * n)(*(self.random.randrange(self.n_tokens) for _ in range(n)))
        if llama_cpp.llama_decode(self.context, llama_cpp.llama_batch_get_one(tokens, n)) != 0:
            sys.exit("llama_decode failed")

    def prompt(self, n):
        for begin in range(0, n, self.n_batch):
            self.decode(min(self.n_batch, n - begin))
        llama_cpp.llama_synchronize(self.context)

    def generate(self, n):
        for _ in range(n):
            self.decode(1)
            llama_cpp.llama_synchronize(self.context)

    def run(self, test, n_threads):
        """Tokens per second, after one warm-up."""
        llama_cpp.llama_set_n_threads(self.context, n_threads, n_threads)
        llama_cpp.llama_memory_clear(self.memory, False)
        self.prompt(test.n_prompt)
        self.generate(min(test.n_gen, 1))
        llama_cpp.llama_memory_clear(self.memory, False)
        self.prompt(test.n_depth)
        begin = time.perf_counter()
        self.prompt(test.n_prompt)
        self.generate(test.n_gen)
        return test.n_tokens / (time.perf_counter() - begin)


class Pillar:
    """`pillar bench`, one process a test."""

    name = "pillar"

    def __init__(self, binary, path, flags):
        self.command = [str(binary), "bench", "-m", str(path), "-o", "json", "-r", "1", *flags]
        self.kernels = None

    def run(self, test, n_threads):
        flags = ["-p", test.n_prompt, "-n", test.n_gen, "-d", test.n_depth, "-t", n_threads]
        result = subprocess.run(self.command + [str(flag) for flag in flags], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            sys.exit(f"pillar bench: exit code {result.returncode}\n{result.stderr}")
        (record,) = json.loads(result.stdout)
        self.kernels = record["kernels"]
        return record["avg_ts"]


class Test:
    def __init__(self, n_prompt, n_gen, n_depth):
        self.n_prompt, self.n_gen, self.n_depth = n_prompt, n_gen, n_depth
        self.n_tokens = n_prompt + n_gen

    def __str__(self):
        name = f"pp{self.n_prompt}" if self.n_prompt else f"tg{self.n_gen}"
        return name + (f" @ d{self.n_depth}" if self.n_depth else "")


def numbers(text):
    return [int(part) for part in text.split(",")]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-m", "--model", action="append", default=[], help="a GGUF file; may be given again")
    parser.add_argument("--synthetic", default="", help="models that pillar writes first: SHAPE:TYPE,...")
    parser.add_argument("-t", "--threads", type=numbers, default=[os.cpu_count()], help="list")
    parser.add_argument("-p", "--n-prompt", type=numbers, default=[128, 512], help="list; 0 = none")
    parser.add_argument("-n", "--n-gen", type=numbers, default=[64], help="list; 0 = none")
    parser.add_argument("-d", "--n-depth", type=numbers, default=[0], help="list")
    parser.add_argument("-r", "--rounds", type=int, default=5)
    parser.add_argument("--pillar", default=ROOT / "build/release/pillar", help="the program")
    parser.add_argument("--pillar-flags", default="", help='more flags for `pillar bench`, e.g. "--kernels avx2"')
    parser.add_argument("--folder", default=None, help="where synthetic models are written, and removed again")
    return parser.parse_args()


@contextlib.contextmanager
def models(arguments):
    """Pairs of a title and a path; synthetic ones exist while they are used."""

    def each(folder):
        for path in arguments.model:
            yield pathlib.Path(path).stem, path
        for name in filter(None, arguments.synthetic.split(",")):
            path = os.path.join(folder, name.replace(":", ".") + ".gguf")
            subprocess.run([arguments.pillar, "bench", "--synthetic", name, "--write", path], check=True)
            yield name, path
            os.remove(path)

    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        yield each(folder)


def compare(title, path, tests, arguments):
    n_context = max(test.n_depth + test.n_tokens for test in tests)
    ours = Pillar(arguments.pillar, path, arguments.pillar_flags.split())
    theirs = LlamaCpp(path, n_context)
    for n_threads in arguments.threads:
        for test in tests:
            rounds = []
            for i in range(arguments.rounds):
                order = (ours, theirs) if i % 2 == 0 else (theirs, ours)  # neither always goes first
                rates = {engine.name: engine.run(test, n_threads) for engine in order}
                rounds.append((rates[ours.name], rates[theirs.name]))
            ratios = sorted(a / b for a, b in rounds)
            mine, other = (statistics.median(column) for column in zip(*rounds))
            print(f"| {title} | {n_threads} | {ours.kernels} | {test} | {mine:.1f} | {other:.1f} "
                  f"| {statistics.median(ratios):.2f} | {ratios[0]:.2f}–{ratios[-1]:.2f} |", flush=True)
    theirs.close()


def main():
    arguments = parse_arguments()
    if llama_cpp is None:
        print(f"this Python has no llama_cpp.\n{__doc__}", file=sys.stderr)
        return MISSING
    tests = [Test(n, 0, depth) for depth in arguments.n_depth for n in arguments.n_prompt if n > 0]
    tests += [Test(0, n, depth) for depth in arguments.n_depth for n in arguments.n_gen if n > 0]
    quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    print(f"llama-cpp-python {llama_cpp.__version__}; {llama_cpp.llama_print_system_info().decode().strip(' |')}")
    print(f"{arguments.rounds} rounds: medians, and the ratio's median and range\n")
    print("| model | threads | kernels | test | pillar t/s | llama.cpp t/s | ratio | range |")
    print("|---|---|---|---|---|---|---|---|")
    with models(arguments) as given:
        for title, path in given:
            compare(title, path, tests, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
