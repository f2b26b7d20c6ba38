"""Texts for tiny models, and their windows."""

import os

import numpy as np
import pillar

WORDS = "the sea is a house of many doors and one of them was open when we came to it in winter".split()


def write_text(folder, name="text.txt", n_words=300, seed=5):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(" ".join(np.random.default_rng(seed).choice(WORDS, n_words)))
    return path


def token_ids(model, path):
    """With BOS where the model has it."""
    result = pillar.check(pillar.run(None, ["tokenize", "-m", model, "--ids", "-f", path]))
    return [int(word) for word in result.stdout.decode().replace("[", " ").replace("]", " ").replace(",", " ").split()]


def windows(ids, length, step, n):
    """(n, length), each begun with BOS, which is the first of all."""
    cut = np.array([ids[i * step:i * step + length] for i in range(n)])
    cut[:, 0] = ids[0]
    return cut
