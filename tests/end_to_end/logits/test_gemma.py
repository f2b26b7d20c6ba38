"""Gemma 3 270M, the real file, against numpy: what jobs/get_model.sh gemma-3-270m gets."""

import unittest

import numpy as np
import numpy_llama
import pillar

MODEL = pillar.MODEL.parent / "gemma-3-270m-q4_k_m.gguf"
TEXT = "The capital of France is Paris, and the capital of Italy is Rome. The capital of Germany is"


def ids_of(text):
    result = pillar.check(pillar.run(None, ["tokenize", "-m", MODEL, "-p", text, "--ids"]))
    return [int(i) for i in result.stdout.decode().strip("[]\n").replace(",", " ").split()]


@unittest.skipUnless(MODEL.exists(), f"Gemma is not at {MODEL}; jobs/get_model.sh gemma-3-270m gets it")
class Gemma(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = numpy_llama.Model(MODEL, np.float32)

    def test_logits_of_reference_kernels_are_exact(self):
        ids = ids_of(TEXT)
        exact = self.model.logits(ids).astype(np.float64)
        ours = pillar.logits(None, MODEL, ids, "--kernels", "reference", "--cache-type", "f32").astype(np.float64)
        self.assertLess(numpy_llama.nmse(ours, exact).max(), 1e-6)
        self.assertEqual(list(ours.argmax(axis=1)), list(exact.argmax(axis=1)))

    def test_a_prompt_longer_than_the_window_stays_close(self):
        ids = (ids_of(TEXT) * 40)[:540]  # the window has 512 positions
        exact = self.model.logits(ids, 512).astype(np.float64)
        ours = pillar.logits(2, MODEL, ids, "-t", 1)[512:].astype(np.float64)
        self.assertLess(np.median(numpy_llama.nmse(ours, exact)), 5e-3)

    def test_greedy_tokens_are_those_of_numpy(self):
        ids = ids_of(TEXT)
        prompt, wanted = list(ids), []
        for _ in range(4):
            last = self.model.logits(ids, len(ids) - 1)[0]
            second, best = np.sort(last)[-2:]
            if best - second < 0.5:
                break  # too close to tell
            wanted.append(int(last.argmax()))
            ids.append(wanted[-1])
        self.assertGreaterEqual(len(wanted), 1)
        for ranks in (None, 3):
            found = pillar.logits(ranks, MODEL, prompt + wanted[:-1], "-t", 1)[len(prompt) - 1:].argmax(axis=1)
            self.assertEqual(list(found), wanted)


if __name__ == "__main__":
    unittest.main()
