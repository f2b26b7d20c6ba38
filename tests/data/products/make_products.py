#!/usr/bin/env python3
"""Exact truth for products and for quantised activations; writes products.txt and quantize.txt beside itself.

Everything is computed in rational arithmetic and rounded once per operation to f32 (half to even), straight
from the published layouts of the formats and from "Same bits" in docs/architecture.md. It shares no code
with the program. Needs numpy for random numbers and for f16.
"""
from fractions import Fraction
from pathlib import Path
import struct

import numpy as np

IQ4 = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
ROWS, BLOCK_COLUMNS, FLOAT_COLUMNS = 2, 512, 300
CUTS = {  # slices' borders; equal neighbours make an empty slice
    BLOCK_COLUMNS: [[0, 512], [0, 80, 160, 160, 240, 320, 400, 480, 512], [80, 160, 336, 336, 432], [240, 272]],
    FLOAT_COLUMNS: [[0, 300], [0, 37, 75, 112, 112, 187, 225, 262, 300], [80, 160], [33, 33, 34]],
}


def f32(x):
    """A rational number rounded to f32, as a rational number."""
    if x == 0:
        return Fraction(0)
    sign, x = (-1, -x) if x < 0 else (1, x)
    exponent = x.numerator.bit_length() - x.denominator.bit_length()
    if Fraction(2) ** exponent > x:
        exponent -= 1
    unit = Fraction(2) ** (max(exponent, -126) - 23)
    return sign * round(x / unit) * unit  # round() of a Fraction is half to even


def fma(a, b, c):
    return f32(a * b + c)


def exact(value):
    return Fraction(float(value))


def f16_at(block, offset):
    return exact(np.frombuffer(block[offset:offset + 2], np.float16)[0])


def nibbles(data):
    return [b & 15 for b in data], [b >> 4 for b in data]


def bits_of(word, n):
    return [word >> i & 1 for i in range(n)]


# ---- formats: block → d, m, integers, scales and minima of each 16 weights (None where there are none) ----

def q4_0(b):
    low, high = nibbles(b[2:])
    return f16_at(b, 0), None, [n - 8 for n in low + high], None, None


def q4_1(b):
    low, high = nibbles(b[4:])
    return f16_at(b, 0), f16_at(b, 2), low + high, None, None


def q5_0(b):
    low, high = nibbles(b[6:])
    top = bits_of(int.from_bytes(b[2:6], "little"), 32)
    return f16_at(b, 0), None, [n + 16 * t - 16 for n, t in zip(low + high, top)], None, None


def q5_1(b):
    low, high = nibbles(b[8:])
    top = bits_of(int.from_bytes(b[4:8], "little"), 32)
    return f16_at(b, 0), f16_at(b, 2), [n + 16 * t for n, t in zip(low + high, top)], None, None


def q8_0(b):
    return f16_at(b, 0), None, list(struct.unpack("32b", b[2:])), None, None


def iq4_nl(b):
    low, high = nibbles(b[2:])
    return f16_at(b, 0), None, [IQ4[n] for n in low + high], None, None


def pairs_of(data):
    """64 bytes → 256 two-bit numbers in weight order."""
    return [data[32 * half + k] >> 2 * j & 3 for half in (0, 1) for j in range(4) for k in range(32)]


def q2_k(b):
    return (f16_at(b, 80), f16_at(b, 82), pairs_of(b[16:80]), [s & 15 for s in b[:16]], [s >> 4 for s in b[:16]])


def q3_k(b):
    top = [b[k] >> sub & 1 for sub in range(8) for k in range(32)]
    integers = [p + 4 * t - 4 for p, t in zip(pairs_of(b[32:96]), top)]
    low, high = nibbles(b[96:104])
    scales = [(n | (b[104 + i % 4] >> 2 * (i // 4) & 3) << 4) - 32 for i, n in enumerate(low + high)]
    return f16_at(b, 108), None, integers, scales, None


def six_bits(f):
    """12 bytes → 8 scales, 8 minima."""
    scales = [f[j] & 63 for j in range(4)] + [f[8 + j] & 15 | f[j] >> 6 << 4 for j in range(4)]
    minima = [f[4 + j] & 63 for j in range(4)] + [f[8 + j] >> 4 | f[4 + j] >> 6 << 4 for j in range(4)]
    return scales, minima


def interleaved_nibbles(data):
    """128 bytes → 256 numbers: 32 low nibbles, then the 32 high ones of the same bytes."""
    return [n for p in range(4) for half in nibbles(data[32 * p:32 * p + 32]) for n in half]


def twice(values):
    return [v for v in values for _ in (0, 1)]


def q4_k(b):
    scales, minima = six_bits(b[4:16])
    return f16_at(b, 0), f16_at(b, 2), interleaved_nibbles(b[16:]), twice(scales), twice(minima)


def q5_k(b):
    scales, minima = six_bits(b[4:16])
    top = [b[16 + k] >> sub & 1 for sub in range(8) for k in range(32)]
    integers = [n + 16 * t for n, t in zip(interleaved_nibbles(b[48:]), top)]
    return f16_at(b, 0), f16_at(b, 2), integers, twice(scales), twice(minima)


def q6_k(b):
    integers = []
    for half in (0, 1):
        ql, qh = b[64 * half:64 * half + 64], b[128 + 32 * half:160 + 32 * half]
        low, high = nibbles(ql)
        for j, quarter in enumerate([low[:32], low[32:], high[:32], high[32:]]):
            integers += [n + 16 * (h >> 2 * j & 3) - 32 for n, h in zip(quarter, qh)]
    return f16_at(b, 208), None, integers, list(struct.unpack("16b", b[192:208])), None


def iq4_xs(b):
    top = int.from_bytes(b[2:4], "little")
    scales = [(b[4 + s // 2] >> 4 * (s % 2) & 15 | (top >> 2 * s & 3) << 4) - 32 for s in range(8)]
    integers = [IQ4[n] for s in range(8) for half in nibbles(b[8 + 16 * s:24 + 16 * s]) for n in half]
    return f16_at(b, 0), None, integers, twice(scales), None


def q1_0(b):
    return f16_at(b, 0), None, [2 * bit - 1 for bit in bits_of(int.from_bytes(b[2:], "little"), 128)], None, None


def q2_0(b):
    return f16_at(b, 0), None, [(byte >> shift & 3) - 1 for byte in b[2:] for shift in (0, 2, 4, 6)], None, None


def tq2_0(b):
    return f16_at(b, 64), None, [n - 1 for n in pairs_of(b[:64])], None, None


def digit(byte, i):
    """Digit i of byte / 256 in base 3."""
    return byte * 3 ** i % 256 * 3 // 256


def tq1_0(b):
    integers = [digit(byte, i) - 1 for part, n in ((b[:32], 5), (b[32:48], 5), (b[48:52], 4))
                for i in range(n) for byte in part]
    return f16_at(b, 52), None, integers, None, None


def mxfp4(b):
    low, high = nibbles(b[1:])
    values = [int(2 * v) for v in (0, 0.5, 1, 1.5, 2, 3, 4, 6)]
    return Fraction(2) ** (b[0] - 128), None, [values[n & 7] * (-1 if n & 8 else 1) for n in low + high], None, None


GRIDS = Path(__file__).resolve().parents[1] / "grids"


def points_of(name, n_weights, levels):
    width = 16 // n_weights
    return [[levels[int(word, 16) >> width * k & (1 << width) - 1] for k in range(n_weights)]
            for word in (GRIDS / f"{name}.txt").read_text().split()]


IQ1 = points_of("iq1", 8, [-1, 0, 1])
IQ2_XXS, IQ2_XS, IQ2_S = (points_of(name, 8, [8, 25, 43]) for name in ("iq2_xxs", "iq2_xs", "iq2_s"))
IQ3_XXS = points_of("iq3_xxs", 4, [4, 12, 20, 28, 36, 44, 52, 62])
IQ3_S = points_of("iq3_s", 4, [1, 3, 5, 7, 9, 11, 13, 15])


def signed(weights, signs):
    return [-w if s else w for w, s in zip(weights, signs)]


def seven_signs(word):
    signs = bits_of(word, 7)
    return signs + [sum(signs) % 2]


def words_of(data, n_bytes):
    return [int.from_bytes(data[i:i + n_bytes], "little") for i in range(0, len(data), n_bytes)]


def all_nibbles(data):
    return [n for byte in data for n in (byte & 15, byte >> 4)]


def odd(numbers):
    return [2 * n + 1 for n in numbers]


def iq2_xxs(b):
    integers, scales = [], []
    for sub in range(8):
        part = b[2 + 8 * sub:10 + 8 * sub]
        rest = words_of(part[4:], 4)[0]
        scales.append(rest >> 28)
        for i in range(4):
            integers += signed(IQ2_XXS[part[i]], seven_signs(rest >> 7 * i))
    return f16_at(b, 0) / 8, None, integers, twice(odd(scales)), None


def iq2_xs(b):
    integers = [w for word in words_of(b[2:66], 2) for w in signed(IQ2_XS[word % 512], seven_signs(word >> 9))]
    return f16_at(b, 0) / 8, None, integers, odd(all_nibbles(b[66:])), None


def iq2_s(b):
    integers = []
    for i in range(32):
        number = b[2 + i] + 256 * (b[66 + i // 4] >> 2 * (i % 4) & 3)
        integers += signed(IQ2_S[number], bits_of(b[34 + i], 8))
    return f16_at(b, 0) / 8, None, integers, odd(all_nibbles(b[74:])), None


def iq3_xxs(b):
    integers, scales = [], []
    for sub, rest in enumerate(words_of(b[66:], 4)):
        scales.append(rest >> 28)
        for i in range(4):
            first, second = b[2 + 8 * sub + 2 * i], b[3 + 8 * sub + 2 * i]
            integers += signed(IQ3_XXS[first] + IQ3_XXS[second], seven_signs(rest >> 7 * i))
    return f16_at(b, 0) / 4, None, integers, twice(odd(scales)), None


def iq3_s(b):
    numbers = [b[2 + i] + 256 * (b[66 + i // 8] >> i % 8 & 1) for i in range(64)]
    signs = [s for byte in b[74:106] for s in bits_of(byte, 8)]
    integers = signed([w for n in numbers for w in IQ3_S[n]], signs)
    return f16_at(b, 0), None, integers, twice(odd(all_nibbles(b[106:]))), None


def iq1_s(b):
    integers, scales = [], []
    for sub, rest in enumerate(words_of(b[34:], 2)):
        scales.append(rest >> 12 & 7)
        for i in range(4):
            number = b[2 + 4 * sub + i] + 256 * (rest >> 3 * i & 7)
            integers += [8 * w + (-1 if rest >> 15 else 1) for w in IQ1[number]]
    return f16_at(b, 0) / 8, None, integers, twice(odd(scales)), None


def iq1_m(b):
    integers = []
    for i, nibble in enumerate(all_nibbles(b[32:48])):
        integers += [8 * w + (-1 if nibble & 8 else 1) for w in IQ1[b[i] + 256 * (nibble & 7)]]
    words = words_of(b[48:], 2)
    scales = [word >> 3 * i & 7 for word in words for i in range(4)]
    d = sum((word >> 12) << 4 * i for i, word in enumerate(words))
    return f16_at(d.to_bytes(2, "little"), 0) / 8, None, integers, odd(scales), None


#          unpack, weights a block, bytes a block, offsets of f16 factors
FORMATS = {
    "q4_0": (q4_0, 32, 18, [0]), "q4_1": (q4_1, 32, 20, [0, 2]), "q5_0": (q5_0, 32, 22, [0]),
    "q5_1": (q5_1, 32, 24, [0, 2]), "q8_0": (q8_0, 32, 34, [0]), "q2_K": (q2_k, 256, 84, [80, 82]),
    "q3_K": (q3_k, 256, 110, [108]), "q4_K": (q4_k, 256, 144, [0, 2]), "q5_K": (q5_k, 256, 176, [0, 2]),
    "q6_K": (q6_k, 256, 210, [208]), "iq4_nl": (iq4_nl, 32, 18, [0]), "iq4_xs": (iq4_xs, 256, 136, [0]),
}
# behind the floats, so that those keep their random numbers
LOW_BIT_FORMATS = {
    "tq1_0": (tq1_0, 256, 54, [52]), "tq2_0": (tq2_0, 256, 66, [64]), "mxfp4": (mxfp4, 32, 17, []),
    "q1_0": (q1_0, 128, 18, [0]), "q2_0": (q2_0, 64, 18, [0]),
}
GRID_FORMATS = {
    "iq2_xxs": (iq2_xxs, 256, 66, [0]), "iq2_xs": (iq2_xs, 256, 74, [0]), "iq3_xxs": (iq3_xxs, 256, 98, [0]),
    "iq1_s": (iq1_s, 256, 50, [0]), "iq3_s": (iq3_s, 256, 110, [0]), "iq2_s": (iq2_s, 256, 82, [0]),
    "iq1_m": (iq1_m, 256, 56, [49, 51, 53, 55]),
}


def decode(block, unpack):
    d, m, integers, scales, minima = unpack(block)
    out = []
    for k, q in enumerate(integers):
        step = d if scales is None else f32(d * scales[k // 16])
        w = f32(step * q)
        if minima is not None:
            w = f32(w - f32(m * minima[k // 16]))
        elif m is not None:
            w = f32(w + m)
        out.append(w)
    return out


# ---- activations ----

def quantize(values):
    """32 floats → dx (f32 or NaN), q."""
    values = [float(v) for v in values]
    if not all(np.isfinite(values)):
        return float("nan"), [0] * 32
    amax = max(abs(Fraction(v)) for v in values)
    largest = Fraction(2) ** 128 - Fraction(2) ** 104
    if amax == 0 or f32(Fraction(127) / amax) > largest:
        return Fraction(0), [0] * 32
    inverse = f32(Fraction(127) / amax)
    q = [max(-127, min(127, round(f32(Fraction(v) * inverse)))) for v in values]
    return f32(amax / 127), q


def blocks_of(x, begin, end):
    """(block number, dx, q) of the blocks that a slice touches."""
    for block in range(begin // 32, -(-end // 32) if end > begin else begin // 32):
        values = [x[c] if begin <= c < end else 0.0 for c in range(32 * block, 32 * block + 32)]
        yield (block, *quantize(values))


# ---- sums ----

def tree(sums):
    while len(sums) > 1:
        sums = [f32(a + b) for a, b in zip(sums[::2], sums[1::2])]
    return sums[0]


def float_sum(weights, x, begin, end):
    a = Fraction(0)
    for c in range(begin, end):
        a = fma(weights[c], exact(x[c]), a)
    return a


def integer_sum(unpacked, per_block, x, begin, end):
    a = u = v = Fraction(0)
    blocks = list(blocks_of(x, begin, end))
    for block, dx, q in blocks:
        first = 32 * block % per_block
        d, m, integers, scales, minima = unpacked[32 * block // per_block]
        w = integers[first:first + 32]
        dots = [sum(w[k] * q[k] for k in range(h, h + 16)) for h in (0, 16)]
        sums = [sum(q[:16]), sum(q[16:])]
        if scales is None:
            a = fma(f32(d * dx), sum(dots), a)
            if m is not None:
                a = fma(m, f32(dx * sum(sums)), a)
            continue
        s = scales[first // 16:first // 16 + 2]
        u = fma(dx, s[0] * dots[0] + s[1] * dots[1], u)
        if minima is not None:
            n = minima[first // 16:first // 16 + 2]
            v = fma(dx, n[0] * sums[0] + n[1] * sums[1], v)
        if first + 32 == per_block or block == blocks[-1][0]:
            a = fma(d, u, a)
            if minima is not None:
                a = fma(-m, v, a)
            u = v = Fraction(0)
    return a


def hex_floats(values):
    return np.array([float(v) for v in values], np.float32).tobytes().hex()


def write_case(out, cuts, integer, reference):
    slices = list(zip(cuts[:-1], cuts[1:]))
    out.write("slices " + " ".join(map(str, cuts)) + "\n")
    out.write("integer " + hex_floats(tree([integer(r, b, e) for b, e in slices]) for r in range(ROWS)) + "\n")
    out.write("reference " + hex_floats(tree([reference(r, b, e) for b, e in slices]) for r in range(ROWS)) + "\n")


def activations(random, n):
    x = random.standard_normal(n) * 2.0 ** random.integers(-6, 7, n // 32 + 1).repeat(32)[:n]
    x[64:96] = 0
    return x.astype(np.float32)


def set_factors(blocks, factors, random):
    if not factors:
        blocks[:, 0] = random.integers(118, 125, len(blocks))  # MXFP4's exponent
        return
    n_scales = 1 if len(factors) == 4 else len(factors)
    for i in range(n_scales):
        d = random.uniform(0.001, 0.05, len(blocks)) * random.choice([-1, 1], len(blocks))
        halves = d.astype(np.float16).view(np.uint16)
        if len(factors) < 4:
            blocks[:, factors[i]:factors[i] + 2] = halves.view(np.uint8).reshape(-1, 2)
            continue
        for k, offset in enumerate(factors):  # IQ1_M: the top nibbles of four bytes
            blocks[:, offset] = blocks[:, offset] & 15 | (halves >> 4 * k & 15).astype(np.uint8) << 4


def make_blocks(out, random, formats):
    for name, (unpack, per_block, n_bytes, factors) in formats.items():
        rows = []
        for _ in range(ROWS):
            blocks = random.integers(0, 256, (BLOCK_COLUMNS // per_block, n_bytes), dtype=np.uint8)
            set_factors(blocks, factors, random)
            rows.append([bytes(b) for b in blocks])
        x = activations(random, BLOCK_COLUMNS)
        unpacked = [[unpack(b) for b in row] for row in rows]
        decoded = [[w for b in row for w in decode(b, unpack)] for row in rows]
        out.write(f"type {name}\nweights {b''.join(b for row in rows for b in row).hex()}\nx {hex_floats(x)}\n")
        for cuts in CUTS[BLOCK_COLUMNS]:
            write_case(out, cuts, lambda r, b, e: integer_sum(unpacked[r], per_block, x, b, e),
                       lambda r, b, e: float_sum(decoded[r], x, b, e))


def make_products(out):
    random = np.random.default_rng(20240229)
    make_blocks(out, random, FORMATS)
    for name in ("f32", "f16", "bf16"):
        w = random.standard_normal((ROWS, FLOAT_COLUMNS)).astype(np.float32)
        data = w.tobytes()
        if name == "f16":
            data = w.astype(np.float16).tobytes()
            w = w.astype(np.float16).astype(np.float32)
        if name == "bf16":
            halves = (w.view(np.uint32) >> 16).astype(np.uint16)
            data, w = halves.tobytes(), (halves.astype(np.uint32) << 16).view(np.float32)
        x = activations(random, FLOAT_COLUMNS)
        weights = [[exact(v) for v in row] for row in w]
        out.write(f"type {name}\nweights {data.hex()}\nx {hex_floats(x)}\n")
        for cuts in CUTS[FLOAT_COLUMNS]:
            both = lambda r, b, e: float_sum(weights[r], x, b, e)
            write_case(out, cuts, both, both)
    make_blocks(out, random, LOW_BIT_FORMATS)
    make_blocks(out, random, GRID_FORMATS)


def make_quantize(out):
    random = np.random.default_rng(7)
    ties = np.zeros(32)
    ties[:9] = [127, 0.5, 1.5, 2.5, -0.5, -1.5, 126.5, -126.5, 125.5]  # inverse is 1
    blocks = [random.standard_normal(32) * s for s in (1, 1e-3, 1e4, 1e30, 1e-30, 3e-38, 1e-40, 3.3e38 / 4)]
    blocks += [np.zeros(32), -np.zeros(32), ties, np.full(32, -1.0), np.full(32, 3.7e-37), np.full(32, 3.8e-37)]
    for place, value in ((0, np.nan), (31, np.inf), (13, -np.inf), (5, 3.4028234e38)):
        block = random.standard_normal(32)
        block[place] = value
        blocks.append(block)
    for block in blocks:
        block = block.astype(np.float32)
        dx, q = quantize(block)
        scale = b"\x00\x00\xc0\x7f".hex() if dx != dx else hex_floats([dx])
        out.write(f"x {block.tobytes().hex()}\ndx {scale}\nq {np.array(q, np.int8).tobytes().hex()}\n")


if __name__ == "__main__":
    here = Path(__file__).parent
    with open(here / "products.txt", "w", encoding="ascii") as file:
        make_products(file)
    with open(here / "quantize.txt", "w", encoding="ascii") as file:
        make_quantize(file)
