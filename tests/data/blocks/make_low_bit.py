#!/usr/bin/env python3
"""Q1_0 and Q2_0 blocks and what they decode to, beside this file. Needs numpy, shares no code with the program.

The layouts are ggml's (types 41 and 42):
  Q1_0  f16 d, 128 bits, lowest of the first byte first; a weight is d where its bit is set, else -d
  Q2_0  f16 d, 64 two-bit numbers, lowest of the first byte first; a weight is (number - 1) * d
"""
from pathlib import Path

import numpy as np

N_BLOCKS = 8


def write(name, bits, seed):
    random = np.random.default_rng(seed)
    scales = random.normal(0, 0.02, N_BLOCKS).astype(np.float16)
    scales[:3] = [0, 2.0**-24, -0.5]  # zero, subnormal, negative
    blocks = random.integers(0, 256, (N_BLOCKS, 18), dtype=np.uint8)
    blocks[:, :2] = scales.view(np.uint8).reshape(-1, 2)
    stream = np.unpackbits(blocks[:, 2:], axis=1, bitorder="little").astype(np.float32)
    if bits == 1:
        numbers = np.where(stream == 1, np.float32(1), np.float32(-1))
    else:
        numbers = stream[:, 0::2] + 2 * stream[:, 1::2] - 1
    weights = scales.astype(np.float32)[:, None] * numbers
    folder = Path(__file__).parent
    (folder / f"{name}.blocks").write_bytes(blocks.tobytes())
    (folder / f"{name}.f32").write_bytes(weights.astype("<f4").tobytes())


if __name__ == "__main__":
    write("Q1_0", 1, 1)
    write("Q2_0", 2, 2)
