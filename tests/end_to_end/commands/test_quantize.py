"""`quantize`: models that run in every format, and what it refuses, in one sentence and with nothing left behind."""

import os
import re
import subprocess
import unittest

import numpy as np
import pillar

MIXES = ("F16 BF16 Q8_0 Q6_K Q5_K_M Q5_K_S Q5_1 Q5_0 Q4_K_M Q4_K_S Q4_1 Q4_0 IQ4_NL IQ4_XS MXFP4 MXFP4_MOE Q3_K_L Q3_K_M Q3_K_S "
         "Q2_K Q2_0 TQ2_0 TQ1_0 Q1_0").split()
FINE = {"F16": 1e-2, "BF16": 2e-2, "Q8_0": 5e-2, "Q6_K": 0.1, "Q5_K_M": 0.15, "Q5_0": 0.15}  # most rms of differences of logits, relative
ERROR = rb"(?m)^\[pillar\] error: .*$"


class Quantize(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "wide", "--type", "f32", "--dim", "256", "--heads", "4", "--kv-heads", "2",
                                      "--ffn", "512")

    def path(self, name):
        return os.path.join(self.folder, name)

    def quantize(self, *arguments, ranks=None, **options):
        return pillar.run(ranks, ["quantize", *arguments], **options)

    def refuse(self, code, words, *arguments):
        before = set(os.listdir(self.folder))
        result = self.quantize(*arguments)
        sentences = re.findall(ERROR, result.stderr)
        self.assertEqual((result.returncode, len(sentences), result.stdout), (code, 1, b""), result.stderr)
        self.assertIn(words, sentences[0].decode())
        self.assertEqual(set(os.listdir(self.folder)), before)

    def test_every_format_runs(self):
        ids = list(range(20, 60))
        exact = pillar.logits(None, self.model, ids)
        for mix in MIXES:
            output = self.path(f"{mix}.gguf")
            pillar.check(self.quantize(self.model, output, mix.lower()))
            logits = pillar.logits(None, output, ids)
            self.assertTrue(np.isfinite(logits).all(), mix)
            if mix in FINE:
                rms = np.sqrt(np.mean((logits - exact) ** 2) / np.mean(exact**2))
                self.assertLess(rms, FINE[mix], mix)
            os.remove(output)

    def test_under_mpirun_one_process_works(self):
        result = pillar.check(self.quantize(self.model, self.path("ranks.gguf"), "Q4_0", ranks=2))
        alone = pillar.check(self.quantize(self.model, self.path("alone.gguf"), "Q4_0"))
        self.assertEqual(result.stdout.count(b"ranks.gguf"), 1)
        self.assertEqual(alone.stdout.count(b"alone.gguf"), 1)
        with open(self.path("ranks.gguf"), "rb") as one, open(self.path("alone.gguf"), "rb") as other:
            self.assertEqual(one.read(), other.read())

    def test_parts_of_a_split_model_run(self):
        pillar.check(self.quantize(self.model, self.path("whole.gguf"), "Q8_0"))
        pillar.check(self.quantize(self.model, self.path("parts.gguf"), "Q8_0", "--split-max-size", "1M"))
        ids = list(range(20, 40))
        parts = sorted(name for name in os.listdir(self.folder) if name.startswith("parts-"))
        self.assertGreater(len(parts), 1)
        np.testing.assert_array_equal(pillar.logits(None, self.path(parts[0]), ids),
                                      pillar.logits(None, self.path("whole.gguf"), ids))

    def test_what_is_refused(self):
        output = self.path("refused.gguf")
        small = self.path("small.gguf")
        pillar.check(self.quantize(self.model, small, "Q4_0"))
        self.refuse(65, "is q4_0 already", small, output, "Q4_K_M")
        self.refuse(66, "missing.gguf", self.path("missing.gguf"), output, "Q4_0")
        self.refuse(64, 'no type "Q4_X"', self.model, output, "Q4_X")
        self.refuse(64, "IN.gguf OUT.gguf", self.model, output)
        self.refuse(64, "--output-tensor-type", self.model, output, "Q4_0", "--output-tensor-type", "q9")
        self.refuse(64, "REGEX=TYPE", self.model, output, "Q4_0", "--tensor-type", "attn_v")
        self.refuse(64, "no regular expression", self.model, output, "Q4_0", "--tensor-type", "attn_(=q8_0")
        self.refuse(64, "500M or 2G", self.model, output, "Q4_0", "--split-max-size", "12")
        self.refuse(73, "small.gguf", self.model, small, "Q4_0")
        self.refuse(64, "is being read", self.model, self.model, "Q4_0", "--force")
        self.refuse(65, "no importance matrix", self.model, output, "Q4_0", "--imatrix", self.model)

    def test_a_full_disk_leaves_nothing(self):
        before = set(os.listdir(self.folder))
        full = subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 900; exec "$@"', "bash",
                               *pillar.command(None, ["quantize", self.model, self.path("full.gguf"), "F16"])],
                              env=pillar.ENVIRONMENT, capture_output=True, timeout=120, check=False)
        self.assertEqual(full.returncode, 74, full.stderr)
        self.assertEqual(len(re.findall(ERROR, full.stderr)), 1)
        self.assertIn("full.gguf", full.stderr.decode())
        self.assertEqual(set(os.listdir(self.folder)), before)


if __name__ == "__main__":
    unittest.main()
