#!/usr/bin/env python3
"""Exact truth for norm, rotation, gate and attention; writes vectors.txt beside itself.

Every operation in rational arithmetic, rounded once to f32 (half to even), in the order of "Same bits" in
docs/architecture.md. It shares no code with the program. Needs numpy for random numbers and f16.
Lines: name, then the little-endian f32 values in hexadecimal.
"""
from fractions import Fraction
from math import isqrt
from pathlib import Path
import sys

import numpy as np

sys.path.append(str(Path(__file__).parent.parent / "products"))
from make_products import exact, f32, fma, hex_floats  # noqa: E402

# exp_f32: constants of core/elementary.hpp (Cephes, expf)
LOG2_E, LN2_HIGH, LN2_LOW = (exact(np.float32(v)) for v in (1.44269504, 0.693359375, -2.12194440e-4))
POLYNOMIAL = [exact(np.float32(v)) for v in (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2,
                                             1.6666665459e-1, 5.0000001201e-1)]
SHIFT = Fraction(12582912)


def exp(x):
    n = f32(fma(x, LOG2_E, SHIFT) - SHIFT)
    r = fma(n, -LN2_LOW, fma(n, -LN2_HIGH, x))
    p = POLYNOMIAL[0]
    for c in POLYNOMIAL[1:]:
        p = fma(p, r, c)
    p = f32(fma(p, f32(r * r), r) + 1)
    half = int(n) >> 1
    return f32(f32(p * Fraction(2) ** half) * Fraction(2) ** (int(n) - half))


def root(x):
    """√x rounded to f32, for normal results."""
    scale = 4 ** 60  # enough bits that truncation cannot hide a tie
    numerator = x.numerator * x.denominator * scale
    s = isqrt(numerator)
    value = Fraction(s, x.denominator * 2 ** 60)
    return f32(value if s * s == numerator else value + Fraction(1, x.denominator * 2 ** 61))


def lanes_sum(terms, add):
    lanes = [Fraction(0)] * 16
    for i, term in enumerate(terms):
        lanes[i % 16] = add(lanes[i % 16], term)
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = [f32(lanes[i] + lanes[i + half]) for i in range(half)]
    return lanes[0]


def rms_norm(x, weight, eps):
    total = lanes_sum(x, lambda lane, v: fma(v, v, lane))
    r = f32(1 / root(f32(f32(total / len(x)) + eps)))
    return [f32(f32(v * r) * w) for v, w in zip(x, weight)]


def rope(head, cosine, sine):
    out = []
    for i, (c, s) in enumerate(zip(cosine, sine)):
        a, b = head[2 * i], head[2 * i + 1]
        out += [fma(-b, s, f32(a * c)), fma(a, s, f32(b * c))]
    return out


def swiglu(gate, up):
    return [f32(f32(g / f32(1 + exp(-g))) * u) for g, u in zip(gate, up)]


GELU_LINEAR, GELU_CUBIC = (exact(np.float32(v)) for v in (-1.5957691216, -0.0713548162726))


def geglu(gate, up):
    inner = [f32(g * fma(GELU_CUBIC, f32(g * g), GELU_LINEAR)) for g in gate]
    return [f32(f32(g / f32(1 + exp(z))) * u) for g, z, u in zip(gate, inner, up)]


def soft_cap(x, cap):
    return [f32(cap - f32(f32(2 * cap) / f32(1 + exp(f32(v * f32(2 / cap)))))) for v in x]


def swiglu_clamped(gate, up):
    alpha, limit = exact(np.float32(1.702)), Fraction(7)
    out = []
    for g, u in zip(gate, up):
        g, u = min(g, limit), max(min(u, limit), -limit)
        out.append(f32(f32(g / f32(1 + exp(-f32(alpha * g)))) * f32(u + 1)))
    return out


def attend(query, keys, values, scale):
    scores = []
    for key in keys:
        t = Fraction(0)
        for q, k in zip(query, key):
            t = fma(q, k, t)
        scores.append(f32(t * scale))
    m = max(scores)
    e = [exp(f32(s - m)) for s in scores]
    o = [Fraction(0)] * len(query)
    for weight, value in zip(e, values):
        o = [fma(weight, v, a) for v, a in zip(value, o)]
    return m, lanes_sum(e, lambda lane, v: f32(lane + v)), o


def combine(a, b):
    m = max(a[0], b[0])
    fa, fb = exp(f32(a[0] - m)), exp(f32(b[0] - m))
    join = lambda x, y: fma(y, fb, f32(x * fa))
    return m, join(a[1], b[1]), [join(x, y) for x, y in zip(a[2], b[2])]


def main():
    random = np.random.default_rng(11)
    data = {}

    def draw(name, *shape, size=1.0):
        data[name] = (random.standard_normal(shape) * size).astype(np.float32)
        return [exact(v) for v in data[name].ravel()]

    x, weight = draw("norm_x", 77), draw("norm_weight", 77)
    data["norm_eps"] = [np.float32(1e-5)]
    data["norm_out"] = rms_norm(x, weight, exact(np.float32(1e-5)))
    data["rope_out"] = rope(draw("rope_head", 26), draw("rope_cosine", 13), draw("rope_sine", 13))
    data["swiglu_out"] = swiglu(draw("swiglu_gate", 45, size=8.0), draw("swiglu_up", 45))
    for kind in ("f32", "f16"):
        parts = []
        for page, n in ((0, 37), (1, 19)):
            name = f"{kind}_{page}_"
            query = draw(f"{kind}_query", 10) if page == 0 else query
            keys, values = draw(name + "keys", n, 10), draw(name + "values", n, 10)
            if kind == "f16":
                keys, values = ([exact(np.float16(float(v))) for v in a] for a in (keys, values))
            rows = [[a[10 * j:10 * j + 10] for j in range(n)] for a in (keys, values)]
            parts.append(attend(query, *rows, exact(np.float32(0.3))))
            data[name + "part"] = [parts[-1][0], parts[-1][1], *parts[-1][2]]
        m, l, o = combine(*parts)
        data[f"{kind}_combined"] = [m, l, *o]
        r = f32(1 / l)
        data[f"{kind}_out"] = [f32(v * r) for v in o]
    data["geglu_out"] = geglu(draw("geglu_gate", 45, size=2.0), draw("geglu_up", 45))
    data["cap"] = [np.float32(30)]
    data["cap_out"] = soft_cap(draw("cap_x", 45, size=30.0), exact(np.float32(30)))
    data["swiglu_clamped_out"] = swiglu_clamped(draw("swiglu_clamped_gate", 45, size=12.0),
                                                draw("swiglu_clamped_up", 45, size=12.0))
    with open(Path(__file__).parent / "vectors.txt", "w", encoding="ascii") as file:
        for name, values in data.items():
            file.write(f"{name} {hex_floats(np.ravel(values) if not isinstance(values, list) else values)}\n")


if __name__ == "__main__":
    main()
