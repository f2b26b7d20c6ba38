"""An independent reading of GGUF models in numpy: file, block formats, forward pass in double precision.

Written from the formats' definitions and the papers, not from pillar's sources, so that both can be held against each
other. Slow and plain on purpose. Used by the end-to-end tests (tiny models) and by the accuracy tests of --all.
"""

import mmap
import struct

import numpy as np

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


# number: (name, weights a block, bytes a block, decoder)
TYPES = {
    0: ("f32", 1, 4, lambda b: b.view(np.float32)),
    1: ("f16", 1, 2, lambda b: b.view(np.float16).astype(np.float32)),
    2: ("q4_0", 32, 18, q4_0), 3: ("q4_1", 32, 20, q4_1), 6: ("q5_0", 32, 22, q5_0), 7: ("q5_1", 32, 24, q5_1),
    8: ("q8_0", 32, 34, q8_0), 10: ("q2_k", 256, 84, q2_k), 11: ("q3_k", 256, 110, q3_k), 12: ("q4_k", 256, 144, q4_k),
    13: ("q5_k", 256, 176, q5_k), 14: ("q6_k", 256, 210, q6_k), 20: ("iq4_nl", 32, 18, iq4_nl),
    23: ("iq4_xs", 256, 136, iq4_xs),
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

def rope_frequencies(of, n_dims, context, factors):
    """Radians a position for each pair, and the factor on cos and sin. `of` gives a key's value, or a default."""
    base = of("rope.freq_base", 10000.0)
    kind = of("rope.scaling.type")
    factor = of("rope.scaling.factor", of("rope.scale_linear", 1.0))
    if kind is None:
        kind = "linear" if factor != 1.0 else "none"
    pair = np.arange(n_dims // 2, dtype=np.float64)
    frequency = base ** (-2.0 * pair / n_dims)
    if factors is not None:
        frequency = frequency / factors.astype(np.float64)
    if kind == "none":
        return frequency, 1.0
    if kind == "linear":
        return frequency / factor, 1.0
    original = of("rope.scaling.original_context_length", context)

    def dimension(turns):
        return n_dims * np.log(original / (turns * 2 * np.pi)) / (2 * np.log(base))

    low = max(0.0, np.floor(dimension(of("rope.scaling.yarn_beta_fast", 32.0))))
    high = min(n_dims - 1.0, np.ceil(dimension(of("rope.scaling.yarn_beta_slow", 1.0))))
    extrapolate = 1.0 - np.clip((pair - low) / max(0.001, high - low), 0.0, 1.0)
    mixed = frequency / factor * (1 - extrapolate) + frequency * extrapolate
    return mixed, 1.0 + 0.1 * np.log(factor)


class Model:
    """Of the architectures llama (Mixtral too), qwen2, qwen3, qwen3moe and gpt-oss.

    logits(ids): (T, vocabulary) in float64 from exactly decoded weights."""

    def __init__(self, path, dtype=np.float64):
        self.file = Gguf(path)
        self.dtype = dtype
        self.cache = {}
        self.architecture = self.file.metadata["general.architecture"]
        assert self.architecture in ("llama", "qwen2", "qwen3", "qwen3moe", "gpt-oss")
        self.is_gpt_oss = self.architecture == "gpt-oss"
        self.has_half_pairs = self.architecture != "llama"
        of = self.key
        self.n_layers = of("block_count")
        self.dim = of("embedding_length")
        self.n_heads = of("attention.head_count")
        self.n_kv_heads = of("attention.head_count_kv", self.n_heads)
        self.head_dim = of("attention.key_length", self.dim // self.n_heads)
        self.n_experts = of("expert_count", 0)
        self.n_used = of("expert_used_count", 0)
        self.eps = of("attention.layer_norm_rms_epsilon", 1e-5)
        self.n_rot = of("rope.dimension_count", self.head_dim)
        factors = self.file.tensor("rope_freqs.weight") if "rope_freqs.weight" in self.file.tensors else None
        self.frequency, self.magnitude = rope_frequencies(of, self.n_rot, of("context_length"), factors)

    def key(self, name, default=None):
        return self.file.metadata.get(f"{self.architecture}.{name}", default)

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

    def rotate(self, x):
        """x (T, heads, head_dim): pairs (2i, 2i+1) of the first n_rot dimensions, or (i, i + n_rot/2)."""
        angle = np.arange(x.shape[0], dtype=np.float64)[:, None, None] * self.frequency
        cos, sin = (np.cos(angle) * self.magnitude).astype(x.dtype), (np.sin(angle) * self.magnitude).astype(x.dtype)
        out = x.copy()
        half = self.n_rot // 2
        first = slice(0, half) if self.has_half_pairs else slice(0, self.n_rot, 2)
        second = slice(half, self.n_rot) if self.has_half_pairs else slice(1, self.n_rot, 2)
        out[..., first] = x[..., first] * cos - x[..., second] * sin
        out[..., second] = x[..., first] * sin + x[..., second] * cos
        return out

    def attention(self, x, layer):
        n = x.shape[0]
        q = self.linear(x, layer, "attn_q").reshape(n, self.n_heads, self.head_dim)
        k = self.linear(x, layer, "attn_k").reshape(n, self.n_kv_heads, self.head_dim)
        if self.architecture in ("qwen3", "qwen3moe"):
            q = self.norm(q, f"blk.{layer}.attn_q_norm.weight")
            k = self.norm(k, f"blk.{layer}.attn_k_norm.weight")
        q, k = self.rotate(q), self.rotate(k)
        v = self.linear(x, layer, "attn_v").reshape(n, self.n_kv_heads, self.head_dim)
        group = self.n_heads // self.n_kv_heads
        out = np.empty_like(q)
        hidden = np.triu(np.full((n, n), -np.inf, x.dtype), 1)
        for head in range(self.n_heads):
            score = q[:, head] @ k[:, head // group].T / np.sqrt(x.dtype.type(self.head_dim)) + hidden
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
        gate, up = self.linear(x, layer, "ffn_gate"), self.linear(x, layer, "ffn_up")
        return self.linear(gate / (1 + np.exp(-gate)) * up, layer, "ffn_down")

    def logits(self, ids):
        x = self.weight("token_embd.weight")[np.asarray(ids)]
        for layer in range(self.n_layers):
            x = x + self.attention(self.norm(x, f"blk.{layer}.attn_norm.weight"), layer)
            norm = "post_attention_norm" if self.is_gpt_oss else "ffn_norm"
            x = x + self.feed_forward(self.norm(x, f"blk.{layer}.{norm}.weight"), layer)
        output = "output.weight" if "output.weight" in self.file.tensors else "token_embd.weight"
        return self.norm(x, "output_norm.weight") @ self.weight(output).T


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
