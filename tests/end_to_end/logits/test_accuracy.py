"""How far integer activations move the demo model's logits. llama.cpp's own distance from the exact logits on the same
text is the yardstick (tests/data/golden/README.md). `--kernels reference --cache-type f32` stands for exact; it is held
to golden logits by test_golden and, in ExactInNumpy, to numpy."""

import hashlib
import json
import os
import re
import unittest

import numpy as np
import numpy_llama
import pillar

GPL = "/usr/share/common-licenses/GPL-3"
GPL_SHA256 = "3972dc9744f6499f0f9b2dbf76696f2ae7ad8af9b23dde66d6af86c9dfb36986"
LLAMA_CPP_KL = [5.65e-3, 3.46e-3, 3.36e-3, 5.47e-3, 3.76e-3]
LLAMA_CPP_NMSE = [2.67e-3, 8.83e-4, 1.46e-3, 3.58e-3, 1.84e-3]
LLAMA_CPP_KL_ALL = 4.35e-3
EXACT_PERPLEXITY = 18.3001

_ids = []


def ids():
    if not _ids:
        if not os.path.exists(GPL):
            raise unittest.SkipTest(f"needs {GPL}, which Debian's base-files brings")
        with open(GPL, "rb") as file:
            text = file.read()
        if hashlib.sha256(text).hexdigest() != GPL_SHA256:
            raise unittest.SkipTest(f"needs the text of {GPL} that Debian 12 and 13 have (SHA-256 {GPL_SHA256[:12]}…)")
        result = pillar.check(pillar.run(None, ["tokenize", "-m", pillar.MODEL, "--ids", "-f", GPL]))
        _ids.extend(json.loads(result.stdout))
    return _ids


def distance(window, *flags):
    """Mean NMSE and KL divergence of the default kernels over one window, and the share of equal best tokens."""
    exact = pillar.logits(None, pillar.MODEL, window, "--kernels", "reference", "--cache-type", "f32").astype(float)
    ours = pillar.logits(None, pillar.MODEL, window, *flags).astype(float)
    return (numpy_llama.nmse(ours, exact).mean(), numpy_llama.kl_divergence(ours, exact).mean(),
            (ours.argmax(1) == exact.argmax(1)).mean())


@pillar.needs_model
class FiveWindows(pillar.WithFolder):
    def test_within_reach_of_llama_cpp(self):
        self.assertEqual(len(ids()), 7639)
        rows = np.array([distance(ids()[1500 * k:1500 * k + 192]) for k in range(5)])
        print("NMSE", rows[:, 0], "KL", rows[:, 1], "same best", rows[:, 2])
        self.assertLessEqual(rows[:, 0].mean(), 1.6 * np.mean(LLAMA_CPP_NMSE))
        self.assertLessEqual(rows[:, 1].mean(), 1.3 * np.mean(LLAMA_CPP_KL))


@pillar.needs_model
class AllWindows(pillar.WithFolder):
    def test_kl_divergence_over_the_whole_text(self):
        rows = np.array([distance(ids()[192 * k:192 * k + 192]) for k in range(39)])
        print("mean NMSE, KL, same best:", rows.mean(axis=0))
        self.assertLessEqual(rows[:, 1].mean(), 1.15 * LLAMA_CPP_KL_ALL)


@pillar.needs_model
class ExactInNumpy(pillar.WithFolder):
    def test_reference_kernels_equal_numpy(self):
        model = numpy_llama.Model(pillar.MODEL)
        for k in range(2):
            window = ids()[1500 * k:1500 * k + 192]
            ours = pillar.logits(None, pillar.MODEL, window, "--kernels", "reference", "--cache-type", "f32")
            self.assertLessEqual(numpy_llama.nmse(ours.astype(float), model.logits(window)).max(), 1e-6)


@pillar.needs_model
class Perplexity(pillar.WithFolder):
    """Counted as llama-perplexity does: windows of 512, the second half of each, no BOS for this model."""

    def test_of_the_gpl(self):
        self.assertEqual(len(ids()) // 512, 14)
        result = pillar.check(pillar.run(None, ["perplexity", "-m", pillar.MODEL, "-f", GPL], timeout=900))
        text = result.stdout.decode()
        perplexity, error = (float(x) for x in re.search(r"PPL = ([\d.]+) \+/- ([\d.]+)", text).groups())
        print(f"perplexity {perplexity:.4f} +/- {error:.4f}")
        self.assertIn("[14]", text)
        self.assertNotIn("[15]", text)
        self.assertLess(abs(perplexity / EXACT_PERPLEXITY - 1), 0.01)
        self.assertAlmostEqual(error, 0.865, delta=0.01)  # llama.cpp's


if __name__ == "__main__":
    unittest.main()
