"""Two small vocabularies of our own, learnt from the texts named on the command line → small_vocabularies.json.

usage: make_small_vocabularies.py TEXT-FILE...

Byte-level BPE: the 256 bytes, then the most frequent pair of neighbours inside words, again and again; four control
tokens and a user-defined one. SentencePiece: unknown, BOS, EOS, 256 byte tokens, merged pairs in the order of learning
(the score falls by one each time), then single characters.
"""
import collections
import json
import os
import re
import sys

N_MERGES = 700


def alphabet():
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    characters, free = {}, 256
    for byte in range(256):
        characters[byte] = chr(byte) if byte in own else chr(free)
        free += byte not in own
    return characters


def learn(words, n_merges):
    """words: Counter of tuples of symbols → merges in order, most frequent first (ties: the lesser pair)."""
    merges = []
    for _ in range(n_merges):
        pairs = collections.Counter()
        for word, count in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < 2:
            break
        merges.append(best)
        merged = collections.Counter()
        for word, count in words.items():
            symbols, i = [], 0
            while i < len(word):
                both = word[i:i + 2] == best
                symbols.append(word[i] + word[i + 1] if both else word[i])
                i += 2 if both else 1
            merged[tuple(symbols)] += count
        words = merged
    return merges


def byte_level(text):
    characters = alphabet()
    words = collections.Counter(
        tuple(characters[b] for b in word.encode())
        for word in re.findall(r"\s*[^\W\d_]+|\s*\d+|\s*[^\w\s]+[\r\n]*|\s+", text))
    merges = learn(words, N_MERGES)
    tokens = [characters[b] for b in range(256)]
    tokens += dict.fromkeys(a + b for a, b in merges)
    types = [1] * len(tokens) + [3, 3, 3, 3, 4]
    tokens += ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|im_start|>system", "<tool>"]
    return {"tokens": tokens, "types": types, "merges": [f"{a} {b}" for a, b in merges]}


def sentence_piece(text):
    words = collections.Counter(tuple(word) for word in re.findall(r" *[^ ]+", text.replace("\u2581", "")))
    words = collections.Counter({tuple(c.replace(" ", "\u2581") for c in word): n
                                 for word, n in words.items()})
    merges = [a + b for a, b in learn(words, N_MERGES) if "\n" not in a + b]
    singles = sorted({c for word in words for c in word if c != "\n"})[:400]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    types, scores = [2, 3, 3] + [6] * 256, [0.0] * 259
    for piece in dict.fromkeys(merges + singles):
        tokens.append(piece)
        types.append(1)
        scores.append(-float(len(tokens) - 259))
    tokens += ["<|user|>", "<|end|>", "<tool>"]
    types += [3, 3, 4]
    scores += [0.0] * 3
    return {"tokens": tokens, "types": types, "scores": scores}


def main(paths):
    here = os.path.dirname(os.path.abspath(__file__))
    text = "\n".join(json.load(open(os.path.join(here, "texts.json"), encoding="utf-8")))
    text = text.replace("\0", "")  # the other engine ends a piece there
    text += "\n".join(open(path, encoding="utf-8").read() for path in paths)
    with open(os.path.join(here, "small_vocabularies.json"), "w", encoding="utf-8") as out:
        json.dump({"small-bpe": byte_level(text), "small-spm": sentence_piece(text)}, out,
                  ensure_ascii=False, separators=(",", ":"))
        out.write("\n")


main(sys.argv[1:])
