#!/usr/bin/env python3
"""What llama.cpp makes of the same models and weights: types.txt and errors.txt beside this script.

    make_references.py            needs the packages llama-cpp-python, gguf and numpy

types.txt: tiny models of many kinds (zeros, as f16), quantised by llama_model_quantize to every mix, without and with an
importance matrix; which type each tensor got. errors.txt: a seeded matrix in every format, by ggml_quantize_chunk; the
mean squared error, and the same weighted by the columns' importance."""
import ctypes
import enum
import pathlib
import tempfile

import gguf
import llama_cpp
import numpy as np

HERE = pathlib.Path(__file__).parent
MIXES = {"F16": 1, "BF16": 32, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K_S": 11, "Q3_K_M": 12,
         "Q3_K_L": 13, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "IQ4_NL": 25, "IQ4_XS": 30,
         "TQ1_0": 36, "TQ2_0": 37, "MXFP4_MOE": 38, "Q1_0": 40, "Q2_0": 41}
FORMATS = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4", "Q1_0",
           "Q2_0", "TQ1_0", "TQ2_0"]
ROWS, COLUMNS = 64, 1024

# The package knows less than llama.cpp: Q2_0 is not in it yet.
TYPES = enum.IntEnum("TYPES", {**{kind.name: kind.value for kind in gguf.GGMLQuantizationType}, "Q2_0": 42})
gguf.gguf_reader.GGMLQuantizationType = TYPES
gguf.GGML_QUANT_SIZES[TYPES.Q2_0] = (64, 18)


class TypeTraits(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("block", ctypes.c_int64), ("interleave", ctypes.c_int64), ("size", ctypes.c_size_t),
                ("is_quantized", ctypes.c_bool), ("to_float", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64))]


class Importance(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.POINTER(ctypes.c_float)), ("size", ctypes.c_size_t)]


def layer(i, parts):
    return [(f"blk.{i}.{name}.weight", shape) for name, shape in parts]


def model(architecture, n_layers, heads, kv_heads, parts, width=256, experts=0, others=()):
    keys = {"block_count": n_layers, "context_length": 128, "embedding_length": width, "feed_forward_length": 512,
            "attention.head_count": heads, "attention.head_count_kv": kv_heads, "rope.dimension_count": width // heads}
    if experts:
        keys |= {"expert_count": experts, "expert_used_count": 2, "expert_feed_forward_length": 512}
    tensors = [("token_embd.weight", [width, 8]), *others]
    for i in reversed(range(n_layers)):  # not in the order that the rules count in
        tensors += layer(i, parts)
    return architecture, keys, tensors


def dense(width, kv_width, hidden):
    return [("attn_norm", [width]), ("attn_q", [width, width]), ("attn_k", [width, kv_width]), ("attn_v", [width, kv_width]),
            ("attn_output", [width, width]), ("ffn_gate", [width, hidden]), ("ffn_up", [width, hidden]),
            ("ffn_down", [hidden, width])]


def sparse(experts):
    return [("attn_q", [256, 256]), ("attn_k", [256, 64]), ("attn_v", [256, 64]), ("attn_output", [256, 256]),
            ("ffn_gate_inp", [256, experts]), ("ffn_gate_exps", [256, 32, experts]), ("ffn_up_exps", [256, 32, experts]),
            ("ffn_down_exps", [256, 16, experts])]


OUTPUT = ("output.weight", [256, 8])
MODELS = {
    "tied, 4 heads to a KV head": model("llama", 17, 8, 2, dense(256, 64, 512)),
    "output, all heads alike": model("llama", 12, 8, 8, dense(256, 256, 512), others=[OUTPUT, ("output_norm.weight", [256])]),
    "blocks that do not fit": model("llama", 9, 4, 2, dense(160, 80, 416) + [("extra", [48, 2])], width=160,
                                    others=[("output.weight", [160, 8])]),
    "8 experts": model("llama", 16, 8, 2, sparse(8), experts=8, others=[OUTPUT]),
    "16 experts": model("qwen3moe", 10, 8, 2, sparse(16), experts=16),
    "fused": model("phi3", 11, 8, 2, [("attn_qkv", [256, 384]), ("attn_output", [256, 256]), ("ffn_up", [256, 64]),
                                      ("ffn_down", [512, 16])], others=[OUTPUT]),
    "80 layers": model("llama", 80, 8, 1, [("attn_v", [256, 2]), ("ffn_down", [256, 2])], others=[OUTPUT]),
    "80 layers of qwen2": model("qwen2", 80, 8, 2, [("attn_v", [256, 2]), ("ffn_down", [256, 2])], others=[OUTPUT]),
    "names that stay": model("llama", 2, 8, 2, [("attn_kv_b", [256, 2]), ("ffn_down_shexp", [256, 2]), ("ssm_conv1d", [256, 2]),
                                                ("attn_q_norm", [256, 2]), ("flat", [256, 1]), ("ssm_out", [256, 2])],
                             others=[("per_layer_token_embd.weight", [256, 4]), ("position_embd.weight", [256, 4]),
                                     ("token_types.weight", [256, 2])]),
}


def write_model(path, architecture, keys, tensors):
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in keys.items():
        writer.add_uint32(f"{architecture}.{key}", value)
    writer.add_float32(f"{architecture}.attention.layer_norm_rms_epsilon", 1e-5)
    for name, shape in tensors:
        writer.add_tensor(name, np.zeros(shape[::-1], np.float32 if len(shape) == 1 else np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def importance_of(tensors):
    entries = [(name.encode(), np.ones(shape[0] * (shape[2] if len(shape) > 2 else 1), np.float32))
               for name, shape in tensors if len(shape) > 1]
    array = (Importance * (len(entries) + 1))()
    for i, (name, values) in enumerate(entries):
        array[i] = Importance(name, values.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), values.size)
    return array, entries


def types_of(folder, source, file_type, tensors, weighted):
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.nthread, parameters.ftype = 1, file_type
    if weighted:
        array, kept = importance_of(tensors)
        parameters.imatrix = ctypes.cast(array, type(parameters.imatrix))
    target = folder / "out.gguf"
    if llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(parameters)) != 0:
        return None
    return {tensor.name: tensor.tensor_type.name.lower() for tensor in gguf.GGUFReader(target).tensors}


def ranges(places):
    runs = []
    for place in places:
        if runs and runs[-1][1] == place - 1:
            runs[-1][1] = place
        else:
            runs.append([place, place])
    return ",".join(f"{first}-{last}" if first < last else f"{first}" for first, last in runs)


def write_types(file, folder):
    for title, (architecture, keys, tensors) in MODELS.items():
        file.write(f"model {title}\ntext general.architecture {architecture}\n")
        for key, value in keys.items():
            file.write(f"number {architecture}.{key} {value}\n")
        for name, shape in tensors:
            file.write(f"tensor {name} {' '.join(map(str, shape))}\n")
        source = folder / "in.gguf"
        write_model(source, architecture, keys, tensors)
        for mix, file_type in MIXES.items():
            for weighted in (False, True):
                types = types_of(folder, source, file_type, tensors, weighted)
                if types is None:  # llama.cpp has no fall-back for this one
                    continue
                places = {}
                for place, (name, _) in enumerate(tensors):
                    places.setdefault(types[name], []).append(place)
                listed = " ".join(f"{kind}:{ranges(of_kind)}" for kind, of_kind in sorted(places.items()))
                file.write(f"mix {mix} {int(weighted)} {listed}\n")


def splitmix64(seed, n):
    """The stream of tests/support/random.hpp."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, n + 1, dtype=np.uint64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(seed, n):
    return (splitmix64(seed, n) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def seeded_matrix():
    """Sums of four uniform numbers, near to normal, and one in sixteen four times as large."""
    u = uniform(7, 5 * ROWS * COLUMNS).reshape(-1, 5)
    x = 0.02 * (u[:, 0] + u[:, 1] + u[:, 2] + u[:, 3] - 2.0)
    return np.where(u[:, 4] < 1 / 16, 4.0 * x, x).astype(np.float32).reshape(ROWS, COLUMNS)


def seeded_importance():
    u = uniform(8, COLUMNS)
    return (0.05 + 20.0 * (u * u) * (u * u)).astype(np.float32)


def write_errors(file):
    ggml = ctypes.CDLL(str(pathlib.Path(llama_cpp.__file__).parent / "lib" / "libggml-base.so"))
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64,
                                         ctypes.c_int64, ctypes.c_void_p]
    ggml.ggml_get_type_traits.restype = ctypes.POINTER(TypeTraits)
    x, importance = seeded_matrix(), seeded_importance()
    for name in FORMATS:
        kind = TYPES[name]
        traits = ggml.ggml_get_type_traits(int(kind)).contents
        errors = []
        for weights in (None, importance):
            out, decoded = np.zeros((ROWS, COLUMNS // traits.block * traits.size), np.uint8), np.zeros_like(x)
            ggml.ggml_quantize_init(int(kind))
            ggml.ggml_quantize_chunk(int(kind), x.ctypes.data, out.ctypes.data, 0, ROWS, COLUMNS,
                                     None if weights is None else weights.ctypes.data)
            traits.to_float(out.ctypes.data, decoded.ctypes.data, x.size)
            error = (decoded.astype(np.float64) - x) ** 2
            errors.append(np.mean(error if weights is None else error * weights))
        file.write(f"{name.lower()} {errors[0]:.6e} {errors[1]:.6e}\n")


@ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
def silent(_level, _text, _data):
    pass


def main():
    llama_cpp.llama_log_set(silent, None)
    made = f"# made by {pathlib.Path(__file__).name} with llama-cpp-python {llama_cpp.__version__}\n"
    with tempfile.TemporaryDirectory() as folder, open(HERE / "types.txt", "w", encoding="utf-8") as file:
        file.write(made)
        write_types(file, pathlib.Path(folder))
    with open(HERE / "errors.txt", "w", encoding="utf-8") as file:
        file.write(made + "# format, mean squared error, weighted by importance\n")
        write_errors(file)


main()
