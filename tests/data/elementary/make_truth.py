#!/usr/bin/env python3
"""Truth for the elementary functions of core: Python's decimal with 80 digits, no floating point in between.

Writes beside itself one file per function. A line: arguments, then the exact result as two doubles whose sum is
good to about 2^-105 (sin_cos: sine and cosine, two each), everything in C's hexadecimal notation.
"""
import math
import pathlib
import random
from decimal import Decimal, getcontext

getcontext().prec = 80
HERE = pathlib.Path(__file__).parent


def arctan_of_inverse(n):
    power = total = Decimal(1) / n
    k = 1
    while abs(power) > Decimal(10) ** -79:
        power, k = -power / (n * n), k + 2
        total += power / k
    return total


PI = 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))


def sine_cosine(x):
    r = x - (x / (2 * PI)).to_integral_value() * (2 * PI)
    sine, cosine, term, k = Decimal(0), Decimal(0), Decimal(1), 0
    while k < 20 or abs(term) > Decimal(10) ** -70:
        if k % 2 == 0:
            cosine += term if k % 4 == 0 else -term
        else:
            sine += term if k % 4 == 1 else -term
        k += 1
        term = term * r / k
    return sine, cosine


def two_doubles(value):
    high = float(value)
    if math.isinf(high) or high == 0.0:
        return f"{high.hex()} {0.0.hex()}"
    return f"{high.hex()} {float(value - Decimal(high)).hex()}"


def write(name, rows):
    (HERE / name).write_text("".join(row + "\n" for row in rows))


def main():
    random.seed(1)
    x = [0.0, -0.0, 1.0, -1.0, 2.0**-1074, -(2.0**-1022), 1e-300, 2.0**-53, -(2.0**-54), 0.5 * math.log(2), 709.78,
         709.782712893384, -708.4, -709.0, -720.5, -745.0, -745.13, 88.7, -103.9, 10.0, -10.0]
    x += [random.uniform(-708, 709) for _ in range(60)] + [random.uniform(-1, 1) for _ in range(60)]
    x += [random.uniform(-40, 0) for _ in range(60)] + [math.ldexp(random.uniform(-1, 1), -k) for k in range(1, 60, 3)]
    x += [(k + 0.5) * math.log(2) for k in (-1000, -100, -3, -2, -1, 0, 1, 2, 50, 1000)]
    write("exp.txt", (f"{a.hex()} {two_doubles(Decimal(a).exp())}" for a in x))

    x = [1.0, 2.0, 0.5, math.e, 10.0, 1e6, 5e5, 1e-300, 1e300, 2.0**-1074, 2.0**-1030 * 1.7, 1.7976931348623157e308,
         math.nextafter(1.0, 2), math.nextafter(1.0, 0), math.sqrt(2), math.nextafter(math.sqrt(2), 2), math.sqrt(0.5)]
    x += [random.uniform(0.5, 2) for _ in range(80)] + [1 + math.ldexp(random.uniform(-1, 1), -k) for k in range(1, 52)]
    x += [math.exp(random.uniform(-700, 700)) for _ in range(80)]
    write("log.txt", (f"{a.hex()} {two_doubles(Decimal(a).ln())}" for a in x))

    x = [0.0, 1.0, -1.0, math.pi / 4, math.pi / 2, math.pi, 2 * math.pi, 1e-8, -1e-300, 2.0**31, -(2.0**31), 1e9,
         573204.0 * math.pi / 2, 131071.0, 131072.0, 1048576.0]
    x += [random.uniform(-7, 7) for _ in range(80)] + [float(random.randrange(131072)) for _ in range(40)]
    x += [random.uniform(-(2**31), 2**31) for _ in range(60)]
    x += [float(k * (PI / 2)) for k in (1, 2, 3, 4, 5, 1001, 123457, 99999999, 1367130551)]
    write("sin_cos.txt", (f"{a.hex()} " + " ".join(map(two_doubles, sine_cosine(Decimal(a)))) for a in x))

    pairs = [(10000.0, -2.0 * i / d) for d in (64, 80, 128) for i in range(0, d // 2, 5)]
    pairs += [(b, -2.0 * i / 64) for b in (500000.0, 1e6) for i in range(0, 32, 3)]
    pairs += [(2.0, 0.5), (2.0, 10.0), (3.0, -40.0), (0.25, 3.0), (7.0, 0.0), (1.0, 1e9), (0.9999, 1e5)]
    pairs += [(math.exp(random.uniform(-20, 20)), random.uniform(-3.2, 3.2)) for _ in range(100)]
    write("pow.txt", (f"{a.hex()} {b.hex()} {two_doubles((Decimal(b) * Decimal(a).ln()).exp())}" for a, b in pairs))


if __name__ == "__main__":
    main()
