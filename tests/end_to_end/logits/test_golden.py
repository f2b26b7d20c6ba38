"""The demo model against golden results that were made without pillar (tests/data/golden/README.md)."""

import json
import unittest

import numpy as np
import numpy_llama
import pillar

GREEDY = [json.loads(line) for line in open(pillar.DATA / "golden" / "greedy.jsonl", encoding="utf-8")]


def best_ids(ranks, golden, *flags):
    """Best id at each golden step under teacher forcing, and the logits of the last prompt position."""
    ids = golden["prompt_ids"] + golden["ids"][:-1]
    logits = pillar.logits(ranks, pillar.MODEL, ids, *flags)
    first = len(golden["prompt_ids"]) - 1
    return logits[first:].argmax(axis=1), logits[first]


@pillar.needs_model
class Golden(pillar.WithFolder):
    def compare(self, ranks, texts, *flags):
        """Equal from a margin of 1.0; between 0.5 and 1.0 at most 2 % of the steps (one at least) may differ."""
        n_near, n_near_wrong = 0, 0
        for golden in texts:
            best, _ = best_ids(ranks, golden, *flags)
            margin, expected = np.array(golden["margin"]), np.array(golden["ids"])
            wrong = best != expected
            self.assertFalse(wrong[margin >= 1.0].any(), golden["prompt"])
            near = (margin >= 0.5) & (margin < 1.0)
            n_near += near.sum()
            n_near_wrong += (wrong & near).sum()
        self.assertLessEqual(n_near_wrong, max(1, 0.02 * n_near))

    def test_best_ids_on_one_rank(self):
        self.compare(None, GREEDY)

    def test_best_ids_on_three_ranks(self):
        self.compare(3, GREEDY[::3], "-t", 1)

    def test_best_ids_on_five_ranks(self):
        self.compare(5, GREEDY[1::4], "-t", 1)

    def test_best_ids_on_seven_ranks(self):
        self.compare(7, GREEDY[2::5], "-t", 1)

    def test_reference_kernels_are_exact(self):
        for n, golden in enumerate(GREEDY):
            best, last = best_ids(None, golden, "--kernels", "reference", "--cache-type", "f32")
            margin, expected = np.array(golden["margin"]), np.array(golden["ids"])
            self.assertTrue((best == expected)[margin >= 0.05].all(), golden["prompt"])
            exact = pillar.DATA / "golden" / f"logits_{n:02d}.npy"
            if exact.exists():
                error = numpy_llama.nmse(last.astype(np.float64), np.load(exact).astype(np.float64))
                self.assertLess(error, 1e-6)

    def test_prompts_tokenise_as_golden(self):
        for golden in GREEDY:
            result = pillar.check(pillar.run(None, ["tokenize", "-m", pillar.MODEL, "--ids", "--no-escape", "-p",
                                                    golden["prompt"]]))
            self.assertEqual(json.loads(result.stdout), golden["prompt_ids"], golden["prompt"])


if __name__ == "__main__":
    unittest.main()
