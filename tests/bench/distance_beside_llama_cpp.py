"""How far pillar's and llama.cpp's logits are from exact arithmetic, of tiny models of each architecture and format.

Exact is tests/support/python/numpy_llama.py, in double precision from exactly decoded weights. An f32 model says whether
llama.cpp computes the same model; a quantised one compares the distances (NMSE over all positions, of pillar's integer
kernels and of llama.cpp with the same f16 cache).

    cmake --build --preset release --target pillar make_tiny_model
    llama/bin/python tests/bench/distance_beside_llama_cpp.py --architectures llama,olmo2 --types f32,q4_0,q4_k

Run it with a Python that has numpy, h5py and llama.cpp's package (see versus_llama_cpp.py). Exit code 1: some ratio is
above 1.25, or an f32 model differs.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support" / "python"))
try:
    import h5py
    import llama_cpp
    import numpy as np
    import numpy_llama
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

EXPERTS = ["--experts", "9", "--experts-used", "4"]
ARCHITECTURES = {
    "llama": [], "mixtral": ["--architecture", "llama", *EXPERTS], "qwen2": [], "qwen3": [], "qwen3moe": EXPERTS,
    "gpt-oss": [*EXPERTS, "--window", "40"], "gemma2": ["--window", "40"], "gemma3": ["--window", "40", "--layers", "7"],
    "phi3": [],  # llama.cpp leaves its window out
    "smollm3": [], "granite": [], "olmo2": ["--window", "40"],
    # llama.cpp takes the original context for the temperature's length, which tiny models have too
    "mistral3": ["--key", "mistral3.rope.scaling.original_context_length=u32:16"],
}
# Distances of mixtures differ by factors from seed to seed, so that two say little.
SEEDS_OF_EXPERTS = 12
TIED = ("gemma2",)  # llama.cpp takes no output matrix there
TYPES = ("f32,f16,q4_0,q4_1,q5_0,q5_1,q8_0,iq4_nl,iq4_xs,q2_k,q3_k,q4_k,q5_k,q6_k,tq1_0,tq2_0,mxfp4,q1_0,q2_0,"
         "iq2_xxs,iq2_xs,iq2_s,iq3_xxs,iq3_s,iq1_s,iq1_m")
N_CONTEXT = 256


def logits_of_llama_cpp(path, ids, cache, n_context=N_CONTEXT):
    parameters = llama_cpp.llama_model_default_params()
    parameters.n_gpu_layers = 0
    parameters.use_extra_bufts = False  # plain kernels: its AMX ones need a processor that lets them
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
    if not model:
        return None
    parameters = llama_cpp.llama_context_default_params()
    parameters.n_ctx, parameters.n_threads, parameters.n_threads_batch = n_context, 1, 1
    parameters.type_k = parameters.type_v = cache
    parameters.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
    context = llama_cpp.llama_init_from_model(model, parameters)
    batch = llama_cpp.llama_batch_init(len(ids), 0, 1)
    for i, token in enumerate(ids):
        batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, i, 1, 1
        batch.seq_id[i][0] = 0
    batch.n_tokens = len(ids)
    assert llama_cpp.llama_decode(context, batch) == 0
    n = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    rows = [np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, i), (n,)).astype(np.float64)
            for i in range(len(ids))]
    llama_cpp.llama_batch_free(batch)
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(model)
    return np.stack(rows)


def logits_of_pillar(binary, path, ids, flags):
    output = f"{path}.h5"
    subprocess.run([binary, "logits", "-m", path, "--ids", ",".join(map(str, ids)), "-o", output, "--force", "-t", "1",
                    "-c", str(N_CONTEXT), *flags], check=True, stderr=subprocess.DEVNULL)
    with h5py.File(output) as file:
        return file["logits"][:].astype(np.float64)


def distances(arguments, name, kind, seed, folder):
    """NMSE of pillar and of llama.cpp; None where it cannot load the model."""
    path = os.path.join(folder, "model.gguf")
    flags = ARCHITECTURES[name] if "--architecture" in ARCHITECTURES[name] else ["--architecture", name, *ARCHITECTURES[name]]
    subprocess.run([arguments.build / "tests/support/make_tiny_model", "--output", path, "--dim", "256", "--heads", "4",
                    "--kv-heads", "2", "--head-dim", "64", "--ffn", "512", "--vocab", "512", "--type", kind,
                    "--seed", str(seed), *(["--layers", "4"] if "--layers" not in flags else []),
                    *([] if name in TIED else ["--untied"]), *flags], check=True)
    ids = [int(i) for i in np.random.default_rng(7).integers(3, 300, 120)]
    exact = numpy_llama.Model(path, n_context=N_CONTEXT).logits(ids)
    is_float = kind == "f32"
    ours = logits_of_pillar(arguments.build / "pillar", path, ids, ["--cache-type", "f32"] if is_float else [])
    theirs = logits_of_llama_cpp(path, ids, 0 if is_float else 1)
    if theirs is None:
        return None
    return [np.sum((y - exact) ** 2) / np.sum(exact ** 2) for y in (ours, theirs)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", default=",".join(ARCHITECTURES))
    parser.add_argument("--types", default=TYPES)
    parser.add_argument("--seeds", type=int, default=2, help=f"models of each; {SEEDS_OF_EXPERTS} times as many with experts")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    arguments = parser.parse_args()
    silent = llama_cpp.llama_log_callback(lambda *_: None)  # kept as long as it may be called
    llama_cpp.llama_log_set(silent, None)
    llama_cpp.llama_backend_init()
    all_near = True
    print("| architecture | type | pillar | llama.cpp | ratio |\n|---|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.architectures.split(","):
            for kind in arguments.types.split(","):
                n_seeds = arguments.seeds * (SEEDS_OF_EXPERTS if EXPERTS[0] in ARCHITECTURES[name] else 1)
                found = [distances(arguments, name, kind, seed, folder) for seed in range(1, n_seeds + 1)]
                if None in found:
                    print(f"| {name} | {kind} | | not loaded | |", flush=True)
                    continue
                ours, theirs = np.exp(np.mean(np.log(found), axis=0))
                all_near &= bool(theirs < 1e-6) if kind == "f32" else bool(ours <= 1.25 * theirs)
                print(f"| {name} | {kind} | {ours:.2e} | {theirs:.2e} | {ours / theirs:.2f} |", flush=True)
    sys.exit(0 if all_near else 1)


if __name__ == "__main__":
    main()
