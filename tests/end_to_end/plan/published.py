"""What others have measured on boards, and how `plan` is told of their engines."""

import json
import os

import pillar

MODELS = {"llama-3.2-1b": "Llama-3.2-1B", "gemma-3-1b": "Gemma-3-1B", "gemma-3-270m": "Gemma-3-270M",
          "qwen2.5-0.5b": "Qwen2.5-0.5B", "qwen3-0.6b": "Qwen3-0.6B"}
FORMATS = ("F16", "Q8_0", "Q6_K", "Q4_K_M", "Q4_0", "IQ4_NL", "Q3_K_S", "IQ3_M")

# One Raspberry Pi 4B, llama.cpp build 7095 with OpenBLAS, 4 threads, 22 November 2025: llama-bench's pp512 and tg128
# (github.com/sensura-san/llm-bench, results/), by format and model in the order of MODELS.
PI4_MATRIX = {
    "F16": ((5.0, 1.48), (9.6, 1.82), (56, 6.7), (17.8, 3.7), (11.5, 2.8)),
    "Q8_0": ((11.8, 2.76), (16.1, 3.39), (79, 12.2), (29.2, 6.8), (19.8, 5.0)),
    "Q6_K": ((9.0, 3.61), (14.5, 3.58), (75, 12.5), (26.6, 7.1), (15.8, 6.8)),
    "Q4_K_M": ((11.9, 4.47), (13.1, 4.32), (69, 13.9), (24.3, 9.2), (19.7, 8.3)),
    "Q4_0": ((11.4, 4.61), (15.3, 4.88), (77, 14.1), (27.5, 9.8), (18.9, 8.4)),
    "IQ4_NL": ((9.9, 4.57), (13.6, 4.81), (71, 14.5), (24.7, 9.8), (17.2, 8.5)),
    "Q3_K_S": ((8.7, 5.41), (13.0, 5.01), (68, 14.8), (23.7, 10.1), (15.2, 9.7)),
    "IQ3_M": ((5.2, 3.68), (10.8, 4.53), (62, 14.1), (19.8, 9.2), (10.3, 7.0)),
}

# That engine there: billions of multiply-adds a second of a prompt, by format. In the second three models rows are no
# multiples of 256, so that files named after K-quants hold Q8_0, Q5_0 or Q4_0 instead, with the second rate; F16 rows of
# 1024 and 2048 weights lie powers of two apart, which caches do not like.
WIDE = ("Llama-3.2-1B", "Qwen3-0.6B")
PROMPT_RATES = {"F16": (5.2, 6.6), "Q8_0": (11.8, 11.8), "Q6_K": (8.9, 10.4), "Q4_K_M": (11.6, 9.6), "Q4_0": (11.3, 11.3),
                "IQ4_NL": (10.0, 10.0), "Q3_K_S": (8.6, 9.3), "IQ3_M": (10.0, 10.0)}

# Three Raspberry Pi 5 16 GB, NanoCamelid (github.com/timtoole02/NanoCamelid, July 2026): tokens a second on so many nodes.
PI5_STAR = {"llama-3.2-1b": (16.15, 23.19), "llama-3.2-3b": (6.36, 9.51, 11.54), "qwen2.5-7b": (2.83, 5.08)}

# Four Raspberry Pi 5, distributed-llama 0.16 as it is and tuned by danielcorrea-hellomatik, 2026.
PI5_DIRECT = {"qwen3-30b-a3b": (13.04, 15.143), "llama-3.1-8b": (5.70, 7.2)}

# Raspberry Pi 4 8 GB, distributed-llama 0.1.0 (its report of January 2024): ms a token of the root's computing and of its
# transfers.
PI4_STAR = {("llama-2-7b", 1): (1312, None), ("llama-2-7b", 2): (739, 52), ("llama-2-7b", 4): (459, 34),
            ("llama-2-7b", 8): (297, 290), ("llama-2-13b", 2): (1465, 31), ("llama-2-13b", 4): (747, 100),
            ("llama-2-13b", 8): (461, 653), ("llama-2-70b", 8): (2122, 2720)}
# layers, width, feed-forward width, width of keys and values, vocabulary
SHAPES = {"llama-2-7b": (32, 4096, 11008, 4096, 32000), "llama-2-13b": (40, 5120, 13824, 5120, 32000),
          "llama-2-70b": (80, 8192, 28672, 1024, 32000), "llama-3.2-1b": (16, 2048), "llama-3.2-3b": (28, 3072),
          "qwen2.5-7b": (28, 3584)}

# Further single boards. (who, board, profile, model, tokens a second)
SINGLE = (("Ollama (ai-benchmarks)", "Pi 400", "pi4-1.8", "llama-3.2-3b:q4_k_m", 1.60),
          ("Ollama (hammad93)", "CM4", "pi4", "llama-3.1-8b:q4_0", 0.76),
          ("distributed-llama 0.1.0", "Pi 4", "pi4", "llama-2-7b:q4_0", 0.76),
          ("Ollama (dambergn)", "Pi 4", "pi4-1.8", "qwen2.5-7b:q4_k_m", 0.78),
          ("Ollama (ai-benchmarks)", "Pi 5 16 GB", "pi5-16", "llama-3.2-3b:q4_k_m", 4.88),
          ("Ollama (ai-benchmarks)", "Pi 5 16 GB", "pi5-16", "llama-3.1-8b:q4_k_m", 2.17),
          ("llama.cpp (beowulf-ai-cluster 6)", "CM5", "cm5", "llama-3.2-3b:q4_k_m", 6.07),
          ("llama.cpp (llama.cpp 30069)", "Pi 5", "pi5", "qwen2.5-0.5b:q4_0", 33.8),
          ("llama.cpp (llama.cpp 7176)", "Orange Pi 5", "orange-pi-5", "phi-3.5-mini:iq4_xs", 7.0),
          ("Ollama (ai-benchmarks)", "N150", "n150", "llama-3.2-3b:q4_k_m", 9.06),
          ("llama.cpp (normiebench 38)", "N100", "n100", "llama-3.1-8b:q4_k_m", 3.01))


def plan(*flags):
    return json.loads(pillar.check(pillar.run(None, ["plan", "-o", "json", *flags])).stdout)


def write_profile(folder, name, profile):
    path = os.path.join(folder, name + ".json")
    with open(path, "w") as file:
        json.dump(profile, file)
    return path


def llama_cpp_on_a_pi4(folder, form, wide):
    """Its decoding waits for the memory in all formats but IQ3; it has a barrier for every operator."""
    rate = PROMPT_RATES[form][0 if wide else 1]
    return write_profile(folder, f"llama_cpp_{form}_{wide}", {
        "base": "pi4", "name": "Pi 4, llama.cpp",
        "memory": {"read_gb_per_s": 3.66, "efficiency": 0.985},
        "arithmetic": {"int8_gmac_per_s": 48, "int8_efficiency": rate / 48, "grid_gmac_per_s": 4.6,
                       "f32_gmac_per_s": 24, "f32_efficiency": (rate if form == "F16" else 3.0) / 24, "barrier_us": 25}})


def pi4_matrix(folder):
    """(model, format): ((prompt published, predicted), (decode published, predicted))"""
    cells = {}
    for form in FORMATS:
        for wide in (True, False):
            names = [name for name, title in MODELS.items() if (title in WIDE) == wide]
            rows = plan("--grid", "--models", ",".join(names), "--formats", form.lower(), "--ranks", 1, "-p", 512, "-b", 512,
                        "-d", 64, "--profile", llama_cpp_on_a_pi4(folder, form, wide))
            for row in rows:
                published = PI4_MATRIX[form][list(MODELS.values()).index(row["model"])]
                cells[row["model"], form] = ((published[0], row["prompt_tokens_per_s"]),
                                             (published[1], row["decode_tokens_per_s"]))
    return {(model, form): cells[model, form] for model in MODELS.values() for form in FORMATS}


# Seconds: a short message, each further one at once, a byte, a byte of the first packet in the switch.
ALPHA, FURTHER, BYTE, STORED, PACKET = 50e-6, 12e-6, 8.5e-9, 8e-9, 1538


def star(n_ranks, n_bytes):
    """The root gets that from each other rank, or sends it to each."""
    others = n_ranks - 1
    return ALPHA + (others - 1) * FURTHER + others * n_bytes * BYTE + min(n_bytes, PACKET) * STORED


def pi5_star(folder):
    """(model, ranks): (published, predicted). Partial sums of f32 go to the root and back, twice a layer; three ranks own 2,
    3 and 3 of 8 KV heads."""
    profile = write_profile(folder, "nano", {"base": "pi5-16", "name": "Pi 5, NanoCamelid", "memory": {"efficiency": 0.98}})
    figures = {}
    for model, published in PI5_STAR.items():
        layers, width = SHAPES[model]
        for ranks, speed in enumerate(published, 1):
            split = ["--split", "2,3,3"] if ranks == 3 else []
            row, = plan("--synthetic", f"{model}:q4_0", "--ranks", ranks, "--profile", profile, "-d", 64, *split)
            computing = sum(row["decode"][part] for part in ("matrices_s", "attention_s", "barriers_s"))
            messages = 2 * layers * 2 * star(ranks, 4 * width) if ranks > 1 else 0
            figures[model, ranks] = speed, 1 / (computing + messages)
    return figures


def pi5_direct(folder):
    """model: (published as it is, tuned, predicted). Every node sends its partial sum in 8 bits to all others."""
    profile = write_profile(folder, "dllama", {"base": "pi5", "name": "Pi 5, distributed-llama",
                                               "memory": {"efficiency": 0.68}})
    figures = {}
    for model, (plain, tuned) in PI5_DIRECT.items():
        row, = plan("--synthetic", f"{model}:q4_0", "--ranks", 4, "--profile", profile, "--allreduce", "direct", "--wire",
                    "q8", "-d", 64)
        figures[model] = plain, tuned, row["decode_tokens_per_s"]
    return figures


# distributed-llama 0.1.0 on a Pi 4: what its products read a second; what the root alone does, a layer and element of the
# residual (attention of all heads, norms); and what a round costs in which more than four workers answer the root at once.
STAR_BYTES_PER_S, ROOT_S, MANY_ANSWERS_S = 3.0e9, 0.9e-6, 3.6e-3


def pi4_star():
    """(model, ranks): ((computing published, predicted), (transfer published, predicted)), ms"""
    figures = {}
    for (model, ranks), (computing, transfer) in PI4_STAR.items():
        layers, width, hidden, kv, vocabulary = SHAPES[model]
        layer_bytes = (2 * width * width + 2 * width * kv + 3 * width * hidden) * 18 / 32
        predicted = (layers * layer_bytes / ranks + vocabulary * width * 18 / 32) / STAR_BYTES_PER_S + ROOT_S * layers * width
        messages = None
        if ranks > 1:
            eighths = 34 / 32  # bytes a value
            to_all = [width, width, hidden, 0]
            to_root = [(width + 2 * kv) / ranks, width / ranks, hidden / ranks, 0]
            round_s = sum(star(ranks, n * eighths) for n in to_all + to_root) + 8 * 20e-6
            messages = 1e3 * layers * (round_s + (4 * MANY_ANSWERS_S if ranks > 5 else 0))
        figures[model, ranks] = (computing, 1e3 * predicted), (transfer, messages)
    return figures


def single_boards():
    """(who, board, model, published, predicted, low, high): with pillar's own efficiencies."""
    figures = []
    for who, board, profile, model, published in SINGLE:
        row, = plan("--synthetic", model, "--ranks", 1, "--profile", profile, "-d", 64)
        figures.append((who, board, model, published, row["decode_tokens_per_s"], row["decode_tokens_per_s_low"],
                        row["decode_tokens_per_s_high"]))
    return figures
