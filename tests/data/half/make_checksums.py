#!/usr/bin/env python3
"""Checksums of half-float conversions as numpy performs them; prints the content of checksums.txt.

A checksum is the sum of bits[i] * (2 i + 1) modulo 2^64. NaN results count as one fixed pattern, because
what becomes of a payload is not numpy's promise.
"""
import numpy as np

NAN32, NAN16 = 0x7FC00000, 0x7E00


def checksum(bits):
    weights = 2 * np.arange(bits.size, dtype=np.uint64) + 1
    return int((bits.astype(np.uint64) * weights).sum(dtype=np.uint64))


halves = np.arange(65536, dtype=np.uint16).view(np.float16)
widened = halves.astype(np.float32)
bits = np.where(np.isnan(widened), np.uint32(NAN32), widened.view(np.uint32))
print(f"f16_to_f32 {checksum(bits):016x}")

# Every finite half, the midpoint to its neighbour further from zero, and the floats around each.
finite = np.arange(0x7C00, dtype=np.uint16)
value = finite.view(np.float16).astype(np.float32)
above = np.append(value[1:], np.float32(65536))
middle = (value + above) / np.float32(2)  # exact in f32
probes = np.stack([value, middle])
around = np.stack([probes.view(np.uint32) + np.uint32(d) for d in (0, 1)] +
                  [np.maximum(probes.view(np.uint32), 1) - np.uint32(1)])
patterns = around.transpose(2, 1, 0).ravel()  # half by half; value, middle; 0, +1, −1
patterns = np.stack([patterns, patterns | np.uint32(0x80000000)]).ravel()
with np.errstate(over="ignore"):
    rounded = patterns.view(np.float32).astype(np.float16)
print(f"f32_to_f16 {checksum(rounded.view(np.uint16)):016x}")
