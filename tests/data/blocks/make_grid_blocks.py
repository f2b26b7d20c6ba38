#!/usr/bin/env python3
"""Blocks of the grid formats (IQ1_S … IQ3_S) and what they decode to, beside this file.

Needs the `gguf` Python package (MIT), which decodes; shares no code with the program.
"""
from pathlib import Path

import gguf.quants
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

N_BLOCKS = 8
NAMES = ("IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ3_S", "IQ2_S", "IQ1_M")


def write(name, seed):
    random = np.random.default_rng(seed)
    kind = GGMLQuantizationType[name]
    scales = random.normal(0, 0.02, N_BLOCKS).astype(np.float16)
    scales[:3] = [0, 2.0**-24, -0.5]  # zero, subnormal, negative
    blocks = random.integers(0, 256, (N_BLOCKS, GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)
    if name == "IQ1_M":  # a nibble of the scale on top of each of four words
        for i in range(4):
            nibble = (scales.view(np.uint16) >> 4 * i & 15).astype(np.uint8)
            blocks[:, 49 + 2 * i] = blocks[:, 49 + 2 * i] & 15 | nibble << 4
    else:
        blocks[:, :2] = scales.view(np.uint8).reshape(-1, 2)
    weights = gguf.quants.dequantize(blocks, kind)
    folder = Path(__file__).parent
    (folder / f"{name}.blocks").write_bytes(blocks.tobytes())
    (folder / f"{name}.f32").write_bytes(weights.astype("<f4").tobytes())


if __name__ == "__main__":
    for seed, name in enumerate(NAMES):
        write(name, seed)
