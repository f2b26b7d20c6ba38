"""Logits of llama.cpp for tiny f32 models of each architecture -> logits.jsonl, which numpy_llama is held against.

usage: make_logits.py BUILD-FOLDER      (llama-cpp-python 0.3.36, numpy, h5py)
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

here = pathlib.Path(__file__).resolve().parent
sys.path.append(str(here.parent.parent / "bench"))
import distance_beside_llama_cpp as beside  # noqa: E402

YARN, LONG = "--rope-scaling yarn", "--rope-scaling longrope"
# name: (flags of make_tiny_model, context of the run). Of the model's 1,024 positions the original ones are 256.
MODELS = {
    "llama": ("--dim 120 --heads 5 --kv-heads 1", 512),
    "llama, yarn": (YARN, 512),
    "llama, long factors": (LONG, 512),
    "mixtral, 6 of 60": ("--heads 5 --kv-heads 1 --dim 80 --ffn 48 --experts 60 --experts-used 6", 512),
    "qwen2": ("--architecture qwen2 --dim 120 --heads 5 --kv-heads 1", 512),
    "qwen3": ("--architecture qwen3 --heads 5 --kv-heads 1 --head-dim 80", 512),
    "qwen3moe": ("--architecture qwen3moe --head-dim 80 --heads 5 --kv-heads 1 --ffn 48 --experts 60 --experts-used 6", 512),
    "gemma2": ("--architecture gemma2 --heads 3 --kv-heads 3 --head-dim 96 --window 9", 512),
    "gemma3": ("--architecture gemma3 --heads 3 --kv-heads 1 --head-dim 256 --layers 7 --window 20", 512),
    "gemma3, windows by layer": ("--architecture gemma3 --layers 4 --window 20 --rope-scaling linear"
                                 " --key gemma3.attention.sliding_window_pattern=flags:1001"
                                 " --key gemma3.rope.freq_base_swa=f32:500", 512),
    "phi3, short factors": (f"--architecture phi3 --dim 96 --heads 3 --kv-heads 1 --rotary-dims 24 {LONG}", 256),
    "phi3, long factors": (f"--architecture phi3 --dim 96 --heads 3 --kv-heads 1 --rotary-dims 24 {LONG}", 512),
    "smollm3": ("--architecture smollm3 --layers 5 --dim 120 --heads 5 --kv-heads 1", 512),
    "granite": ("--architecture granite --dim 120 --heads 5 --kv-heads 1", 512),
    "granite, short factors": (f"--architecture granite {LONG}", 256),
    "granite, long factors": (f"--architecture granite {LONG}", 512),
    "granite without positions": ("--architecture granite --key granite.rope.scaling.finetuned=bool:0", 512),
    "mistral3": (f"--architecture mistral3 {YARN} --heads 5 --kv-heads 1 --head-dim 80"
                 " --key mistral3.rope.scaling.original_context_length=u32:16", 512),
    "olmo2": ("--architecture olmo2 --dim 120 --heads 5 --kv-heads 1 --untied", 512),
    "olmo2, as OLMo 3": (f"--architecture olmo2 --layers 5 --window 50 --untied {YARN}"
                         " --key olmo2.rope.scaling.yarn_attn_factor=f32:1.1386294"
                         " --key olmo2.attention.sliding_window_pattern=flags:11101", 512),
    "gpt-oss": (f"--architecture gpt-oss --layers 3 --head-dim 80 --experts 9 --experts-used 4 --ffn 48 --window 23 --untied {YARN}",
                512),
}
N_IDS, POSITIONS, N_LOGITS = 300, [0, 17, 69, 255, 299], 12


def main(build):
    beside.llama_cpp.llama_backend_init()
    with open(here / "logits.jsonl", "w", encoding="utf-8") as out, tempfile.TemporaryDirectory() as folder:
        for name, (flags, context) in MODELS.items():
            path = f"{folder}/model.gguf"
            flags = ["--type", "f32", "--context", "1024", *flags.split()]
            subprocess.run([f"{build}/tests/support/make_tiny_model", "--output", path, *flags], check=True)
            n = min(N_IDS, context)
            ids = [int(i) for i in np.random.default_rng(7).integers(3, 300, n)]
            logits = beside.logits_of_llama_cpp(path, ids, 0, context)
            assert logits is not None, name
            positions = [position for position in POSITIONS if position < n]
            rows = [[float(f"{x:.6g}") for x in logits[position, :N_LOGITS]] for position in positions]
            line = {"name": name, "flags": flags, "context": context, "ids": n, "positions": positions, "logits": rows}
            out.write(json.dumps(line, separators=(",", ":")) + "\n")


main(*sys.argv[1:])
