#!/usr/bin/env python3
"""The points that the grid formats choose from, as text beside this file and as tables of the program.

    make_grids.py [--check]

Takes them from the `gguf` Python package (MIT, version 0.17 or newer), which has them as gguf.quants; --check only
compares and exits with 1 where something differs. A point is one hexadecimal word: 2 bits a number for points of eight
weights, 4 bits for points of four, lowest first.
"""
from pathlib import Path
import sys

import gguf.quants
import numpy as np

HERE = Path(__file__).parent
TABLES = HERE.parents[2] / "include/pillar/quant/formats/grid/tables"
# name: class, what its numbers stand for
GRIDS = {
    "iq1": ("IQ1_S", "n stands for n − 1; IQ1_S and IQ1_M"),
    "iq2_xxs": ("IQ2_XXS", "0, 1, 2 stand for 8, 25, 43; IQ2_XXS"),
    "iq2_xs": ("IQ2_XS", "0, 1, 2 stand for 8, 25, 43; IQ2_XS"),
    "iq2_s": ("IQ2_S", "0, 1, 2 stand for 8, 25, 43; IQ2_S"),
    "iq3_xxs": ("IQ3_XXS", "n stands for 8n + 4, but 7 for 62; IQ3_XXS"),
    "iq3_s": ("IQ3_S", "n stands for 2n + 1; IQ3_S"),
}


def words_of(name):
    grid_class = getattr(gguf.quants, GRIDS[name][0])
    grid_class.init_grid()
    weights = grid_class.grid.reshape(grid_class.grid_shape)
    numbers = np.array([[grid_class.grid_map.index(int(w)) for w in point] for point in weights])
    width = 2 if weights.shape[1] == 8 else 4
    return [sum(int(n) << width * k for k, n in enumerate(point)) for point in numbers], weights.shape[1]


def text_of(words):
    return "".join(" ".join(f"{w:04x}" for w in words[i:i + 16]) + "\n" for i in range(0, len(words), 16))


def table_of(name, words, n_weights):
    body = "\n".join("    " + " ".join(f"0x{w:04x}," for w in words[i:i + 12]) for i in range(0, len(words), 12))
    width = 2 if n_weights == 8 else 4
    return f"""#pragma once
// Written by tests/data/grids/make_grids.py: {len(words)} points of {n_weights} weights, {width} bits a weight,
// lowest first. {GRIDS[name][1]}.

#include <cstdint>

namespace pillar::quant {{

// clang-format off
inline constexpr std::uint16_t {name}_points[{len(words)}] = {{
{body}
}};
// clang-format on

}} // namespace pillar::quant
"""


def main(arguments):
    differs = False
    for name in GRIDS:
        words, n_weights = words_of(name)
        for path, text in ((HERE / f"{name}.txt", text_of(words)),
                           (TABLES / f"{name}.hpp", table_of(name, words, n_weights))):
            if "--check" not in arguments:
                path.write_text(text)
            elif not path.exists() or path.read_text() != text:
                differs = True
                print(f"make_grids.py: {path.name} differs from the package's points")
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
