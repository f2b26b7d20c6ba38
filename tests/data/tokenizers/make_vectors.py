"""Token ids of another engine for texts.json and special_texts.json → vectors.jsonl.

usage: make_vectors.py FOLDER-OF-VOCABULARIES MODEL.gguf      (llama-cpp-python 0.3.36, gguf 0.19.0)

Pre-tokenizers that have no published vectors are tried with a published vocabulary, and some with the small one, in
which only tokenizer.ggml.pre is replaced.
"""
import ctypes
import json
import os
import struct
import sys
import tempfile

import gguf
import llama_cpp

OLD_STYLE = ["default", "gpt-2", "olmo", "smollm", "falcon", "bloom", "viking", "chameleon", "superbpe"]
NEW_STYLE = ["llama-bpe", "chatglm-bpe", "jais-2", "smollm", "qwen35", "ufakzeka", "laguna",
             "minicpm5", "seed-coder", "bailingmoe", "exaone-moe", "tekken", "gpt-4o",
             "granite-embed-multi-97m", "tiny_aya", "afmoe", "youtu", "kimi-k2", "deepseek-coder",
             "deepseek-v3", "spark2_5"]
SMALL = ["default", "llama-bpe", "smollm", "gpt-4o", "deepseek-v3", "bloom", "olmo", "dbrx", "refact", "deepseek-r1-qwen"]
CASES = ([("gpt-2", pre) for pre in OLD_STYLE] + [("llama-bpe", pre) for pre in NEW_STYLE] +
         [("qwen2", "qwen2"), ("deepseek-llm", "deepseek-llm"), ("llama-spm", ""), ("phi-3", ""),
          ("smollm2", ""), ("small-spm", "")] + [("small-bpe", pre) for pre in SMALL])
SPECIAL = [("llama-spm", ""), ("phi-3", ""), ("llama-bpe", "llama-bpe"), ("qwen2", "qwen2"),
           ("deepseek-llm", "deepseek-llm"), ("starcoder", "starcoder"), ("smollm2", ""),
           ("small-spm", ""), ("small-bpe", "smollm")]
# What files say besides. `dropped_merges`: without the last ones, so that words stay which are pieces and do not come
# of merges; some pre-tokenizers' rules take these as they are.
OPTIONS = [("small-bpe", "tekken", {"dropped_merges": 300}), ("small-bpe", "llama3", {"dropped_merges": 300}),
           ("small-bpe", "qwen2", {"dropped_merges": 300}), ("small-bpe", "glm4", {"dropped_merges": 300}),
           ("small-bpe", "smollm", {"add_bos": True, "add_eos": True}), ("small-bpe", "tekken", {"add_bos": False}),
           ("small-bpe", "llama-bpe", {"add_eos": True}), ("small-spm", "", {"add_bos": False, "add_eos": True}),
           ("small-spm", "", {"add_space_prefix": False, "add_eos": True})]


@ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
def silent(level, text, user_data):
    pass


def with_pre(path, pre):
    """Copy of a vocabulary-only file with another tokenizer.ggml.pre."""
    data = open(path, "rb").read()
    key = b"tokenizer.ggml.pre"
    at = data.index(struct.pack("<Q", len(key)) + key) + 8 + len(key) + 4
    size = struct.unpack_from("<Q", data, at)[0]
    file = tempfile.NamedTemporaryFile(suffix=".gguf", delete=False)
    file.write(data[:at] + struct.pack("<Q", len(pre)) + pre.encode() + data[at + 8 + size:])
    file.close()
    return file.name


def small(here, name, pre, options):
    """One of the small vocabularies as a file."""
    vocabulary = json.load(open(os.path.join(here, "small_vocabularies.json"), encoding="utf-8"))[name]
    file = tempfile.NamedTemporaryFile(suffix=".gguf", delete=False)
    writer = gguf.GGUFWriter(file.name, "llama")
    writer.add_tokenizer_model("llama" if name == "small-spm" else "gpt2")
    writer.add_token_list(vocabulary["tokens"])
    writer.add_token_types(vocabulary["types"])
    if name == "small-spm":
        writer.add_token_scores(vocabulary["scores"])
    else:
        writer.add_tokenizer_pre(pre)
        merges = vocabulary["merges"]
        writer.add_token_merges(merges[:len(merges) - options.get("dropped_merges", 0)])
        end = vocabulary["tokens"].index("<|endoftext|>")
        writer.add_bos_token_id(end)
        writer.add_eos_token_id(end)
    for key, add in (("add_bos", writer.add_add_bos_token), ("add_eos", writer.add_add_eos_token),
                     ("add_space_prefix", writer.add_add_space_prefix)):
        if key in options:
            add(options[key])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return file.name


def main(folder, model_path):
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    here = os.path.dirname(os.path.abspath(__file__))
    texts = json.load(open(os.path.join(here, "texts.json"), encoding="utf-8"))
    special = json.load(open(os.path.join(here, "special_texts.json"), encoding="utf-8"))

    def encode(name, pre, strings, parse_special, options=None):
        if name == "smollm2":
            path = model_path
        elif name.startswith("small-"):
            path = small(here, name, pre, options or {})
        else:
            path = f"{folder}/ggml-vocab-{name}.gguf"
            path = with_pre(path, pre) if pre else path
        model = llama_cpp.Llama(model_path=path, vocab_only=True, verbose=False)
        if name.startswith("small-") or (pre and name != "smollm2"):
            os.unlink(path)
        ids = [model.tokenize(text.encode(), add_bos=parse_special, special=parse_special)
               for text in strings]
        return {"vocabulary": name, "pre": pre, "parse_special": parse_special,
                **({"options": options} if options else {}), "ids": ids}

    with open(os.path.join(here, "vectors.jsonl"), "w", encoding="utf-8") as out:
        for name, pre in CASES:
            out.write(json.dumps(encode(name, pre, texts, False), separators=(",", ":")) + "\n")
        for name, pre in SPECIAL:
            out.write(json.dumps(encode(name, pre, special, True), separators=(",", ":")) + "\n")
        for name, pre, options in OPTIONS:
            out.write(json.dumps(encode(name, pre, special, True, options), separators=(",", ":")) + "\n")


main(*sys.argv[1:])
