#!/usr/bin/env python3
"""quantize and llama_model_quantize in turns on one file, with the same threads; the ratio of times is taken within a round.

    quantize_versus_llama_cpp.py --normals MODEL.gguf              its F16 matrices become random normals, each column with a
                                                                   spread of its own: those of a synthetic file are too even
    quantize_versus_llama_cpp.py MODEL.gguf Q4_K_M Q4_0 [-t 2] [-r 3] [--pillar build/release/pillar] [--scratch /dev/shm]

Needs llama-cpp-python, gguf and numpy. Both write to the scratch folder; in memory, the disk does not count."""
import argparse
import ctypes
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

# llama.cpp's LLAMA_FTYPE_MOSTLY_...
MIXES = {"F16": 1, "BF16": 32, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K_S": 11, "Q3_K_M": 12,
         "Q3_K_L": 13, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "IQ4_NL": 25, "IQ4_XS": 30}


def fill_with_normals(path):
    import gguf
    import numpy as np

    random = np.random.default_rng(1)
    for tensor in gguf.GGUFReader(path, "r+").tensors:
        if tensor.tensor_type != gguf.GGMLQuantizationType.F16:
            continue
        columns = int(tensor.shape[0])
        spread = 0.02 * np.exp(random.normal(0, 0.2, columns)).astype(np.float32)
        rows_at_once = max(1, (1 << 24) // columns)
        for first in range(0, tensor.data.shape[0], rows_at_once):
            rows = tensor.data[first:first + rows_at_once]
            rows[:] = random.standard_normal(rows.shape, dtype=np.float32) * spread


def quantise_with_llama(source, target, mix, threads):
    """In a process of its own; prints the seconds that the call itself took."""
    import llama_cpp

    silent = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
    llama_cpp.llama_log_set(silent, None)
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.nthread, parameters.ftype = threads, MIXES[mix]
    began = time.monotonic()
    if llama_cpp.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(parameters)) != 0:
        raise SystemExit(f"llama.cpp could not make {mix} of {source}")
    print(time.monotonic() - began)


def seconds_of(command):
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - began


def compare(options, mix, target):
    pillar, llama = [], []
    for _ in range(options.rounds):
        pillar.append(seconds_of([options.pillar, "quantize", options.model, target, mix, "-t", str(options.threads)]))
        size = os.path.getsize(target)
        os.remove(target)
        said = subprocess.run([sys.executable, __file__, "--llama", target, "-t", str(options.threads), options.model, mix],
                              check=True, stdout=subprocess.PIPE).stdout
        llama.append(float(said))
        share = size / os.path.getsize(target)
        os.remove(target)
    ratios = sorted(mine / theirs for mine, theirs in zip(pillar, llama, strict=True))
    print(f"| {mix} | {statistics.median(pillar):.1f} | {statistics.median(llama):.1f} | {statistics.median(ratios):.2f} "
          f"| {ratios[0]:.2f}–{ratios[-1]:.2f} | {share:.4f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("mixes", nargs="*", choices=[*MIXES, []], metavar="TYPE")
    parser.add_argument("--normals", action="store_true")
    parser.add_argument("--llama", metavar="TARGET", help=argparse.SUPPRESS)
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("-r", "--rounds", type=int, default=3)
    parser.add_argument("--pillar", default="build/release/pillar")
    parser.add_argument("--scratch", default=None)
    options = parser.parse_args()
    if options.normals:
        fill_with_normals(options.model)
    elif options.llama:
        quantise_with_llama(options.model, options.llama, options.mixes[0], options.threads)
    else:
        print("| type | pillar, s | llama.cpp, s | ratio | range | size, ratio |\n| --- | ---: | ---: | ---: | ---: | ---: |")
        with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
            for mix in options.mixes:
                compare(options, mix, str(pathlib.Path(folder) / "out.gguf"))


main()
