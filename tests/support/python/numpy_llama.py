"""An independent reading of GGUF models in numpy: file, block formats, forward pass in double precision.

Written from the formats' definitions and the papers, not from pillar's sources, so that both can be held against each
other. Slow and plain on purpose. Used by the end-to-end tests (tiny models) and by the accuracy tests of --all.
"""

import functools
import mmap
from pathlib import Path
import struct

import numpy as np
from numpy_architectures import Architecture

# ---------------------------------------------------------------- block formats: bytes -> float32

IQ4_VALUES = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32)


def half(block, at):
    """The f16 at byte `at` of every block, (n, 1) float32."""
    return block[:, at:at + 2].copy().view(np.float16).astype(np.float32)


def nibbles(q):
    """(n, k) bytes -> (n, 2k): all low nibbles, then all high ones."""
    return np.concatenate([q & 15, q >> 4], axis=1)


def fifth_bits(block, at):
    bits = block[:, at:at + 4].copy().view(np.uint32)
    return ((bits >> np.arange(32, dtype=np.uint32)) & 1).astype(np.uint8) << 4


def q4_0(b):
    return half(b, 0) * (nibbles(b[:, 2:]).astype(np.float32) - 8)


def q4_1(b):
    return half(b, 0) * nibbles(b[:, 4:]).astype(np.float32) + half(b, 2)


def q5_0(b):
    return half(b, 0) * ((nibbles(b[:, 6:]) | fifth_bits(b, 2)).astype(np.float32) - 16)


def q5_1(b):
    return half(b, 0) * (nibbles(b[:, 8:]) | fifth_bits(b, 4)).astype(np.float32) + half(b, 2)


def q8_0(b):
    return half(b, 0) * b[:, 2:].view(np.int8).astype(np.float32)


def crumbs(q):
    """(n, 64) bytes of 2-bit weights -> (n, 256): two halves of 128, in each four shifts over the same 32 bytes."""
    halves = q.reshape(-1, 2, 1, 32)
    return ((halves >> np.array([0, 2, 4, 6], np.uint8).reshape(1, 1, 4, 1)) & 3).reshape(-1, 256)


def q2_k(b):
    scales, q = b[:, :16], crumbs(b[:, 16:80]).reshape(-1, 16, 16).astype(np.float32)
    d, dmin = half(b, 80), half(b, 82)
    low = (d * (scales & 15))[:, :, None]
    high = (dmin * (scales >> 4))[:, :, None]
    return (low * q - high).reshape(-1, 256)


def q3_k(b):
    high_bits, low_bits, packed, d = b[:, :32], b[:, 32:96], b[:, 96:108], half(b, 108)
    q = crumbs(low_bits).astype(np.int8)
    high = ((high_bits[:, None, :] >> np.arange(8, dtype=np.uint8)[None, :, None]) & 1).reshape(-1, 256)
    q = q - np.where(high == 1, 0, 4).astype(np.int8)
    low4 = nibbles(packed[:, :8])
    top2 = ((packed[:, None, 8:] >> np.array([0, 2, 4, 6], np.uint8)[None, :, None]) & 3).reshape(-1, 16)
    scales = (low4 | (top2 << 4)).astype(np.int8) - 32
    return ((d * scales)[:, :, None] * q.reshape(-1, 16, 16)).reshape(-1, 256).astype(np.float32)


def k_scales(s):
    """The 12 bytes of Q4_K and Q5_K -> 8 scales and 8 minima of 6 bits."""
    first_scales, first_mins, rest = s[:, 0:4], s[:, 4:8], s[:, 8:12]
    scales = np.concatenate([first_scales & 63, (rest & 15) | ((first_scales >> 6) << 4)], axis=1)
    mins = np.concatenate([first_mins & 63, (rest >> 4) | ((first_mins >> 6) << 4)], axis=1)
    return scales.astype(np.float32), mins.astype(np.float32)


def pairs(q):
    """(n, 128) bytes -> (n, 8, 32): low nibbles of 32 bytes, then their high nibbles, four times."""
    q = q.reshape(-1, 4, 1, 32)
    return ((q >> np.array([0, 4], np.uint8).reshape(1, 1, 2, 1)) & 15).reshape(-1, 8, 32)


def q4_k(b):
    scales, mins = k_scales(b[:, 4:16])
    q = pairs(b[:, 16:]).astype(np.float32)
    return ((half(b, 0) * scales)[:, :, None] * q - (half(b, 2) * mins)[:, :, None]).reshape(-1, 256)


def q5_k(b):
    scales, mins = k_scales(b[:, 4:16])
    high = (b[:, None, 16:48] >> np.arange(8, dtype=np.uint8)[None, :, None]) & 1
    q = (pairs(b[:, 48:]) | (high << 4)).astype(np.float32)
    return ((half(b, 0) * scales)[:, :, None] * q - (half(b, 2) * mins)[:, :, None]).reshape(-1, 256)


def q6_k(b):
    low, high, scales, d = b[:, :128], b[:, 128:192], b[:, 192:208].view(np.int8), half(b, 208)
    low = low.reshape(-1, 2, 1, 64)
    low = ((low >> np.array([0, 4], np.uint8).reshape(1, 1, 2, 1)) & 15).reshape(-1, 256)
    q = (low | (crumbs(high) << 4)).astype(np.int8) - 32
    return ((d * scales)[:, :, None] * q.reshape(-1, 16, 16).astype(np.float32)).reshape(-1, 256)


def iq4_nl(b):
    return half(b, 0) * IQ4_VALUES[nibbles(b[:, 2:])]


def iq4_xs(b):
    d, high, low = half(b, 0), b[:, 2:4].copy().view(np.uint16), b[:, 4:8]
    low4 = np.stack([low & 15, low >> 4], axis=2).reshape(-1, 8)
    top2 = ((high >> np.arange(0, 16, 2, dtype=np.uint16)) & 3).astype(np.uint8)
    scales = (low4 | (top2 << 4)).astype(np.float32) - 32
    q = b[:, 8:].reshape(-1, 8, 16)
    values = IQ4_VALUES[np.concatenate([q & 15, q >> 4], axis=2)]
    return ((d * scales)[:, :, None] * values).reshape(-1, 256)


def q1_0(b):
    bits = np.unpackbits(b[:, 2:], axis=1, bitorder="little").astype(np.float32)
    return half(b, 0) * (2 * bits - 1)


def q2_0(b):
    numbers = (b[:, 2:, None] >> np.arange(0, 8, 2, dtype=np.uint8)) & 3
    return half(b, 0) * (numbers.reshape(-1, 64).astype(np.float32) - 1)


def tq2_0(b):
    return half(b, 64) * (crumbs(b[:, :64]).astype(np.float32) - 1)


def tq1_0(b):
    def digits(part, n):
        shifted = part[:, None, :].astype(np.uint32) * (3 ** np.arange(n, dtype=np.uint32))[None, :, None]
        return ((shifted & 255) * 3 >> 8).reshape(len(part), -1)
    numbers = np.concatenate([digits(b[:, :32], 5), digits(b[:, 32:48], 5), digits(b[:, 48:52], 4)], axis=1)
    return half(b, 52) * (numbers.astype(np.float32) - 1)


def mxfp4(b):
    levels = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6], np.float32)
    scales = np.ldexp(np.float32(1), b[:, :1].astype(np.int32) - 127)
    return scales * np.concatenate([levels, -levels])[nibbles(b[:, 1:])]


GRIDS = Path(__file__).resolve().parents[2] / "data/grids"


@functools.cache
def grid(name, n_weights, levels):
    """The points of a grid format as (points, n_weights) f32."""
    words = np.array([int(word, 16) for word in (GRIDS / f"{name}.txt").read_text().split()])
    width = 16 // n_weights
    numbers = words[:, None] >> np.arange(0, 16, width) & (1 << width) - 1
    return np.array(levels, np.float32)[numbers]


def eight_signs(bits):
    """Bits of signs, eight a number -> factors of 1 and -1."""
    return np.where(bits[..., None] >> np.arange(8) & 1, np.float32(-1), np.float32(1))


def of_seven(signs):
    """Seven signs of eight: the number of negative ones is even."""
    parity = (signs[..., None] >> np.arange(7) & 1).sum(axis=-1) & 1
    return eight_signs(signs | parity << 7)


def odd_scales(d, numbers, weights):
    """d (n, 1), numbers (n, k), weights (n, 256) -> weights of 256 / k neighbours times d (2 number + 1)."""
    factors = d * (2 * numbers + 1).astype(np.float32)
    return (factors[:, :, None] * weights.reshape(len(d), numbers.shape[1], -1)).reshape(-1, 256)


def words(b, begin, end, kind):
    return b[:, begin:end].copy().view(kind).astype(np.int64)


def low_nibble_first(b):
    return np.stack([b & 15, b >> 4], axis=2).reshape(len(b), -1).astype(np.int64)


IQ2_LEVELS, IQ3_XXS_LEVELS, IQ3_S_LEVELS = [8, 25, 43, np.nan], [4, 12, 20, 28, 36, 44, 52, 62], range(1, 16, 2)
SEVENS = np.array([0, 7, 14, 21])


def iq2_xxs(b):
    rest = words(b, 2, 66, np.uint32).reshape(-1, 8, 2)[:, :, 1]
    points = grid("iq2_xxs", 8, tuple(IQ2_LEVELS))[b[:, 2:].reshape(-1, 8, 8)[:, :, :4]]
    return odd_scales(half(b, 0) / 8, rest >> 28, points * of_seven(rest[..., None] >> SEVENS & 127))


def iq2_xs(b):
    w = words(b, 2, 66, np.uint16)
    points = grid("iq2_xs", 8, tuple(IQ2_LEVELS))[w & 511]
    return odd_scales(half(b, 0) / 8, low_nibble_first(b[:, 66:]), points * of_seven(w >> 9))


def iq2_s(b):
    top = (b[:, 66:74, None] >> np.arange(0, 8, 2, dtype=np.uint8) & 3).reshape(-1, 32).astype(np.int64)
    points = grid("iq2_s", 8, tuple(IQ2_LEVELS))[b[:, 2:34] | top << 8]
    return odd_scales(half(b, 0) / 8, low_nibble_first(b[:, 74:]), points * eight_signs(b[:, 34:66]))


def iq3_xxs(b):
    rest = words(b, 66, 98, np.uint32)
    points = grid("iq3_xxs", 4, tuple(IQ3_XXS_LEVELS))[b[:, 2:66]].reshape(-1, 8, 4, 8)
    return odd_scales(half(b, 0) / 4, rest >> 28, points * of_seven(rest[..., None] >> SEVENS & 127))


def iq3_s(b):
    top = np.unpackbits(b[:, 66:74], axis=1, bitorder="little").astype(np.int64)
    points = grid("iq3_s", 4, tuple(IQ3_S_LEVELS))[b[:, 2:66] | top << 8].reshape(-1, 32, 8)
    return odd_scales(half(b, 0), low_nibble_first(b[:, 106:]), points * eight_signs(b[:, 74:106]))


def iq1_s(b):
    rest = words(b, 34, 50, np.uint16)
    top = (rest[..., None] >> np.arange(0, 12, 3) & 7).reshape(-1, 32)
    points = grid("iq1", 8, (-1, 0, 1, np.nan))[b[:, 2:34] | top << 8].reshape(-1, 8, 32)
    shift = np.where(rest >> 15, np.float32(-0.125), np.float32(0.125))[..., None]
    return odd_scales(half(b, 0), rest >> 12 & 7, points + shift)


def iq1_m(b):
    rest = words(b, 48, 56, np.uint16)
    d = (rest >> 12 << np.arange(0, 16, 4)).sum(axis=1, keepdims=True).astype(np.uint16).view(np.float16)
    nibbles_of_points = low_nibble_first(b[:, 32:48])
    points = grid("iq1", 8, (-1, 0, 1, np.nan))[b[:, :32] | (nibbles_of_points & 7) << 8]
    shift = np.where(nibbles_of_points & 8, np.float32(-0.125), np.float32(0.125))[..., None]
    scales = (rest[..., None] >> np.arange(0, 12, 3) & 7).reshape(-1, 16)
    return odd_scales(d.astype(np.float32), scales, points + shift)


# number: (name, weights a block, bytes a block, decoder)
TYPES = {
    0: ("f32", 1, 4, lambda b: b.view(np.float32)),
    1: ("f16", 1, 2, lambda b: b.view(np.float16).astype(np.float32)),
    2: ("q4_0", 32, 18, q4_0), 3: ("q4_1", 32, 20, q4_1), 6: ("q5_0", 32, 22, q5_0), 7: ("q5_1", 32, 24, q5_1),
    8: ("q8_0", 32, 34, q8_0), 10: ("q2_k", 256, 84, q2_k), 11: ("q3_k", 256, 110, q3_k), 12: ("q4_k", 256, 144, q4_k),
    13: ("q5_k", 256, 176, q5_k), 14: ("q6_k", 256, 210, q6_k), 20: ("iq4_nl", 32, 18, iq4_nl),
    23: ("iq4_xs", 256, 136, iq4_xs), 34: ("tq1_0", 256, 54, tq1_0), 35: ("tq2_0", 256, 66, tq2_0),
    39: ("mxfp4", 32, 17, mxfp4), 41: ("q1_0", 128, 18, q1_0), 42: ("q2_0", 64, 18, q2_0),
    16: ("iq2_xxs", 256, 66, iq2_xxs), 17: ("iq2_xs", 256, 74, iq2_xs), 18: ("iq3_xxs", 256, 98, iq3_xxs),
    19: ("iq1_s", 256, 50, iq1_s), 21: ("iq3_s", 256, 110, iq3_s), 22: ("iq2_s", 256, 82, iq2_s),
    29: ("iq1_m", 256, 56, iq1_m),
    30: ("bf16", 1, 2, lambda b: (b.view(np.uint16).astype(np.uint32) << 16).view(np.float32)),
}


def decode(number, data, shape):
    """Tensor bytes -> float32 array, rows first. `shape` in the file's order (columns first)."""
    _, n_weights, n_bytes, decoder = TYPES[number]
    blocks = np.frombuffer(data, np.uint8).reshape(-1, n_bytes)
    return np.ascontiguousarray(decoder(blocks)).reshape(-1).reshape(tuple(reversed(shape)))


# ---------------------------------------------------------------- the file

SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}


class Gguf:
    """metadata: dict; tensors: name -> (shape, type number, absolute offset, bytes)."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.at = 0
        assert self.data[:4] == b"GGUF"
        self.at = 4
        version = self.scalar("<I")
        assert version in (2, 3)
        n_tensors, n_pairs = self.scalar("<Q"), self.scalar("<Q")
        self.metadata = {}
        for _ in range(n_pairs):
            key = self.text()
            self.metadata[key] = self.value(self.scalar("<I"))
        entries = []
        for _ in range(n_tensors):
            name = self.text()
            shape = [self.scalar("<Q") for _ in range(self.scalar("<I"))]
            entries.append((name, shape, self.scalar("<I"), self.scalar("<Q")))
        alignment = self.metadata.get("general.alignment", 32)
        start = -(-self.at // alignment) * alignment
        self.tensors = {}
        for name, shape, number, offset in entries:
            _, n_weights, n_bytes, _ = TYPES[number]
            size = int(np.prod(shape, dtype=np.int64)) // n_weights * n_bytes
            self.tensors[name] = (shape, number, start + offset, size)

    def scalar(self, form):
        value = struct.unpack_from(form, self.data, self.at)[0]
        self.at += struct.calcsize(form)
        return value

    def text(self):
        n = self.scalar("<Q")
        raw = self.data[self.at:self.at + n]
        self.at += n
        return raw.decode("utf-8", "surrogateescape")

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            element, n = self.scalar("<I"), self.scalar("<Q")
            return [self.value(element) for _ in range(n)]
        return self.scalar(SCALARS[kind])

    def tensor(self, name):
        shape, number, offset, size = self.tensors[name]
        return decode(number, self.data[offset:offset + size], shape)


# ---------------------------------------------------------------- the forward pass

def soft_cap(x, cap):
    return cap * np.tanh(x / cap) if cap else x


class Model:
    """Of the architectures that numpy_architectures knows.

    logits(ids): (T, vocabulary) in float64 from exactly decoded weights. `n_context` is what the run was given."""

    def __init__(self, path, dtype=np.float64, n_context=None):
        self.file = Gguf(path)
        self.dtype = dtype
        self.cache = {}
        self.name = self.file.metadata["general.architecture"]
        self.is_gpt_oss = self.name == "gpt-oss"
        of = self.key
        self.n_layers = of("block_count")
        self.dim = of("embedding_length")
        self.n_heads = of("attention.head_count")
        self.n_kv_heads = of("attention.head_count_kv", self.n_heads)
        self.head_dim = of("attention.key_length", self.dim // self.n_heads)
        self.n_experts = of("expert_count", 0)
        self.n_used = of("expert_used_count", 0)
        self.eps = of("attention.layer_norm_rms_epsilon", 1e-5)
        self.architecture = Architecture(self.name, of, self.vector, self.head_dim, n_context)

    def key(self, name, default=None):
        value = self.file.metadata.get(f"{self.name}.{name}", default)
        of_layers = isinstance(value, list) and not isinstance(value[0], bool)  # one number for all of them
        return value[0] if of_layers and len(set(value)) == 1 else value

    def vector(self, name):
        return self.file.tensor(name) if name in self.file.tensors else None

    def weight(self, name):
        if name not in self.cache:
            self.cache[name] = self.file.tensor(name).astype(self.dtype)
        return self.cache[name]

    def bias(self, name, like):
        return self.weight(name) if name in self.file.tensors else np.zeros((), like.dtype)

    def linear(self, x, layer, name):
        y = x @ self.weight(f"blk.{layer}.{name}.weight").T
        return y + self.bias(f"blk.{layer}.{name}.bias", y)

    def norm(self, x, name):
        return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.eps) * self.weight(name)

    def rotate(self, x, rope):
        """x (T, heads, head_dim): pairs (2i, 2i+1) of the first n_dims dimensions, or (i, i + n_dims/2)."""
        if rope is None:
            return x
        angle = np.arange(x.shape[0], dtype=np.float64)[:, None, None] * rope.frequency
        cos, sin = (np.cos(angle) * rope.magnitude).astype(x.dtype), (np.sin(angle) * rope.magnitude).astype(x.dtype)
        out = x.copy()
        half, in_halves = rope.n_dims // 2, self.architecture.has_half_pairs
        first = slice(0, half) if in_halves else slice(0, rope.n_dims, 2)
        second = slice(half, rope.n_dims) if in_halves else slice(1, rope.n_dims, 2)
        out[..., first] = x[..., first] * cos - x[..., second] * sin
        out[..., second] = x[..., first] * sin + x[..., second] * cos
        return out

    def query_key_value(self, x, layer):
        if not self.architecture.fused:
            return [self.linear(x, layer, name) for name in ("attn_q", "attn_k", "attn_v")]
        all_rows, n_keys = self.linear(x, layer, "attn_qkv"), self.n_kv_heads * self.head_dim
        return np.split(all_rows, [self.n_heads * self.head_dim, self.n_heads * self.head_dim + n_keys], axis=1)

    def attention(self, x, layer):
        n, architecture = x.shape[0], self.architecture
        q, k, v = self.query_key_value(x, layer)
        if architecture.has_joint_norms:
            q, k = self.norm(q, f"blk.{layer}.attn_q_norm.weight"), self.norm(k, f"blk.{layer}.attn_k_norm.weight")
        q = q.reshape(n, self.n_heads, self.head_dim)
        k, v = k.reshape(n, self.n_kv_heads, self.head_dim), v.reshape(n, self.n_kv_heads, self.head_dim)
        if architecture.has_head_norms:
            q = self.norm(q, f"blk.{layer}.attn_q_norm.weight")
            k = self.norm(k, f"blk.{layer}.attn_k_norm.weight")
        q, k = self.rotate(q, architecture.ropes[layer]), self.rotate(k, architecture.ropes[layer])
        q = q * architecture.query_factor(np.arange(n))[:, None, None].astype(q.dtype)
        group = self.n_heads // self.n_kv_heads
        out = np.empty_like(q)
        ahead = np.arange(n)[None, :] - np.arange(n)[:, None]
        window = architecture.windows[layer] or n
        hidden = np.where((ahead > 0) | (ahead <= -window), -np.inf, 0.0).astype(x.dtype)
        for head in range(self.n_heads):
            score = q[:, head] @ k[:, head // group].T * x.dtype.type(architecture.score_scale)
            score = soft_cap(score, architecture.score_cap) + hidden
            if self.is_gpt_oss:  # one more position, which has a score and no value
                sink = np.full((n, 1), self.weight(f"blk.{layer}.attn_sinks.weight")[head])
                score = np.concatenate([score, sink], axis=1)
            p = np.exp(score - score.max(axis=1, keepdims=True))
            out[:, head] = (p / p.sum(axis=1, keepdims=True))[:, :n] @ v[:, head // group]
        return self.linear(out.reshape(n, -1), layer, "attn_output")

    def experts(self, x, layer):
        """Softmax over all experts, the n_used most likely of them, weights that add up to 1: as Qwen3's and Mixtral's
        authors write it."""
        def swiglu(x, e):
            gate, up = x @ of_experts[0][e].T + biases[0][e], x @ of_experts[1][e].T + biases[1][e]
            if self.is_gpt_oss:
                gate, up = np.minimum(gate, 7), np.clip(up, -7, 7)
                hidden = gate / (1 + np.exp(-1.702 * gate)) * (up + 1)
            else:
                hidden = gate / (1 + np.exp(-gate)) * up
            return hidden @ of_experts[2][e].T + biases[2][e]
        score = self.linear(x, layer, "ffn_gate_inp")
        p = np.exp(score - score.max(axis=1, keepdims=True))
        p = p / p.sum(axis=1, keepdims=True)
        of_experts = [self.weight(f"blk.{layer}.ffn_{name}_exps.weight") for name in ("gate", "up", "down")]
        biases = [self.weight(f"blk.{layer}.ffn_{name}_exps.bias") if self.is_gpt_oss else np.zeros((self.n_experts, 1))
                  for name in ("gate", "up", "down")]
        out = np.zeros_like(x)
        for row in range(x.shape[0]):
            chosen = np.argsort(-p[row], kind="stable")[:self.n_used]
            for e in chosen:
                out[row] += p[row, e] / p[row, chosen].sum() * swiglu(x[row], e)
        return out

    def feed_forward(self, x, layer):
        if self.n_experts > 0:
            return self.experts(x, layer)
        if self.architecture.fused:
            gate, up = np.split(self.linear(x, layer, "ffn_up"), 2, axis=1)
        else:
            gate, up = self.linear(x, layer, "ffn_gate"), self.linear(x, layer, "ffn_up")
        if self.architecture.has_gelu:
            gate = gate * (1 + np.tanh(np.sqrt(2 / np.pi) * (gate + 0.044715 * gate ** 3))) / 2
        else:
            gate = gate / (1 + np.exp(-gate))
        return self.linear(gate * up, layer, "ffn_down")

    def started(self, x, pre_norm):
        """What a block is given of the residual."""
        return self.norm(x, pre_norm) if self.architecture.has_pre_norms else x

    def added(self, y, post_norm):
        """What a block adds to the residual."""
        return self.architecture.residual_scale * (self.norm(y, post_norm) if self.architecture.has_post_norms else y)

    def logits(self, ids, first=0):
        """Of position `first` and those after it."""
        architecture = self.architecture
        x = self.weight("token_embd.weight")[np.asarray(ids)] * self.dtype(architecture.embedding_scale)
        for layer in range(self.n_layers):
            block = f"blk.{layer}."
            x = x + self.added(self.attention(self.started(x, block + "attn_norm.weight"), layer),
                               block + "post_attention_norm.weight")
            norm = "post_attention_norm.weight" if self.is_gpt_oss else "ffn_norm.weight"
            x = x + self.added(self.feed_forward(self.started(x, block + norm), layer),
                               block + "post_ffw_norm.weight")
        output = "output.weight" if "output.weight" in self.file.tensors else "token_embd.weight"
        raw = self.norm(x[first:], "output_norm.weight") @ self.weight(output).T
        return soft_cap(raw * architecture.logit_scale, architecture.logit_cap)


def nmse(y, x):
    """Σ(y−x)² / Σx² over the last axis, x exact."""
    return np.sum((y - x) ** 2, axis=-1) / np.sum(x * x, axis=-1)


def kl_divergence(y, x):
    """KL(softmax(x) ‖ softmax(y)) over the last axis, x exact."""
    x = x.astype(np.float64)
    y = y.astype(np.float64)
    lx = x - x.max(-1, keepdims=True)
    lx -= np.log(np.exp(lx).sum(-1, keepdims=True))
    ly = y - y.max(-1, keepdims=True)
    ly -= np.log(np.exp(ly).sum(-1, keepdims=True))
    return np.sum(np.exp(lx) * (lx - ly), axis=-1)
