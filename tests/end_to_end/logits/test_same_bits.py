"""The promise: logits have the same bits whatever the ranks, threads, chunks, kernel family. Hashes, not tolerances."""

import unittest

import numpy as np
import pillar

SHAPES = {
    "odd heads, f16": ["--type", "f16", "--dim", 96, "--heads", 5, "--kv-heads", 1, "--head-dim", 24, "--ffn", 200],
    "head width 80": ["--type", "q4_0", "--dim", 160, "--heads", 6, "--kv-heads", 3, "--head-dim", 80, "--ffn", 352],
    "few heads": ["--type", "q8_0", "--dim", 64, "--heads", 3, "--kv-heads", 3, "--head-dim", 32, "--ffn", 96],
    "cut super-blocks": ["--types", "mixed", "--dim", 256, "--heads", 6, "--kv-heads", 2, "--head-dim", 128,
                         "--ffn", 1280, "--layers", 3, "--untied", "--vocab", 397],
    "cut grids": ["--type", "iq1_m", "--dim", 256, "--heads", 6, "--kv-heads", 2, "--head-dim", 128, "--ffn", 1280],
    "experts of grids": ["--architecture", "qwen3moe", "--type", "iq2_xs", "--dim", 256, "--heads", 4, "--kv-heads", 2,
                         "--ffn", 512, "--experts", 9, "--experts-used", 3],
    "qwen2": ["--architecture", "qwen2", "--type", "q4_0", "--dim", 96, "--heads", 6, "--kv-heads", 2, "--ffn", 320],
    "qwen3": ["--architecture", "qwen3", "--type", "q4_k", "--dim", 256, "--heads", 5, "--kv-heads", 1,
              "--head-dim", 80, "--ffn", 512],
    "mixtral": ["--type", "q4_0", "--dim", 96, "--heads", 6, "--kv-heads", 2, "--ffn", 352, "--experts", 8],
    "qwen3moe": ["--architecture", "qwen3moe", "--type", "q4_k", "--dim", 256, "--heads", 5, "--kv-heads", 1,
                 "--head-dim", 80, "--ffn", 768, "--experts", 13, "--experts-used", 5],
    "gpt-oss": ["--architecture", "gpt-oss", "--type", "q4_0", "--dim", 96, "--heads", 6, "--kv-heads", 2,
                "--head-dim", 48, "--ffn", 352, "--experts", 9, "--experts-used", 4, "--window", 12],
    "qwen3moe, mixed": ["--architecture", "qwen3moe", "--types", "mixed", "--dim", 256, "--heads", 8, "--kv-heads", 2,
                        "--ffn", 512, "--experts", 60, "--experts-used", 6, "--layers", 3],
    "gemma2": ["--architecture", "gemma2", "--type", "q4_0", "--dim", 96, "--heads", 6, "--kv-heads", 2, "--ffn", 320,
               "--window", 9],
    "phi3": ["--architecture", "phi3", "--type", "q4_k", "--dim", 256, "--heads", 5, "--kv-heads", 1, "--head-dim", 80,
             "--rotary-dims", 60, "--ffn", 512, "--rope-scaling", "longrope"],
    "smollm3": ["--architecture", "smollm3", "--type", "q5_1", "--dim", 96, "--heads", 3, "--kv-heads", 3,
                "--layers", 4],
    "granite": ["--architecture", "granite", "--type", "q8_0", "--dim", 64, "--heads", 4, "--kv-heads", 2],
    "mistral3": ["--architecture", "mistral3", "--type", "q6_k", "--dim", 256, "--heads", 4, "--rope-scaling", "yarn"],
    "olmo2": ["--architecture", "olmo2", "--type", "q4_k", "--dim", 256, "--heads", 6, "--kv-heads", 3, "--head-dim", 80,
              "--ffn", 512, "--untied"],
    "gemma3": ["--architecture", "gemma3", "--type", "q4_k", "--dim", 256, "--heads", 5, "--kv-heads", 1,
               "--head-dim", 80, "--ffn", 512, "--layers", 3, "--window", 11, "--window-pattern", 2],
}


def lines(ranks, threads, chunk, kernels="auto"):
    return {"ranks": ranks, "threads": threads, "chunk": chunk, "kernels": kernels}


VARIANTS = [
    lines(1, 2, 16), lines(1, 3, 7), lines(1, 1, 1), lines(2, 1, 16), lines(2, 2, 5), lines(4, 1, 16),
    lines(8, 1, 13), lines(1, 1, 16, "integer"), lines(4, 1, 3, "integer"),
]


class SameBits(pillar.WithFolder):
    def compare(self, model, ids, variants, flags=()):
        def logits(v):
            return pillar.digest(pillar.logits(v["ranks"], model, ids, "-t", v["threads"], "-b", v["chunk"],
                                               "--kernels", v["kernels"], *flags))
        first = logits(lines(1, 1, 16))
        for variant in variants:
            with self.subTest(**variant):
                self.assertEqual(logits(variant), first)

    def test_tiny_models(self):
        ids = [int(i) for i in np.random.default_rng(3).integers(3, 300, 40)]
        for name, flags in SHAPES.items():
            with self.subTest(name):
                self.compare(pillar.tiny_model(self.folder, "bits", *flags), ids, VARIANTS)

    def test_steps_in_halves(self):
        """Of 64 rows and more several ranks compute one half while they add up the other."""
        ids = [int(i) for i in np.random.default_rng(8).integers(3, 300, 150)]
        for name in ("odd heads, f16", "cut super-blocks", "gpt-oss", "olmo2"):
            with self.subTest(name):
                self.compare(pillar.tiny_model(self.folder, "halves", *SHAPES[name]), ids,
                             [lines(2, 1, 64), lines(2, 2, 150), lines(4, 1, 81), lines(8, 1, 150), lines(1, 2, 150)])

    def test_sums_of_experts_in_pieces(self):
        """Of 300 rows a thread adds up some 210 columns of the residual at a time, here of 256."""
        ids = [int(i) for i in np.random.default_rng(10).integers(3, 300, 300)]
        model = pillar.tiny_model(self.folder, "pieces", *SHAPES["qwen3moe, mixed"], "--context", 512)
        self.compare(model, ids, [lines(1, 1, 300), lines(1, 2, 300), lines(2, 1, 256), lines(8, 1, 300),
                                  lines(1, 1, 300, "integer")])

    def test_windows_over_pages(self):
        ids = [int(i) for i in np.random.default_rng(9).integers(3, 300, 700)]
        model = pillar.tiny_model(self.folder, "window", "--architecture", "gemma3", "--type", "q8_0", "--context", 1024,
                                  "--window", 270, "--window-pattern", 2, "--heads", 6, "--kv-heads", 3, "--dim", 96)
        self.compare(model, ids, [lines(1, 3, 700), lines(2, 2, 150), lines(4, 1, 64), lines(8, 1, 7),
                                  lines(1, 2, 256, "integer")])

    def test_f32_cache(self):
        ids = [int(i) for i in np.random.default_rng(4).integers(3, 300, 40)]
        model = pillar.tiny_model(self.folder, "f32_cache", *SHAPES["cut super-blocks"])
        self.compare(model, ids, [lines(2, 2, 5), lines(8, 1, 16)], ["--cache-type", "f32"])

    def test_q8_0_cache(self):
        ids = [int(i) for i in np.random.default_rng(7).integers(3, 300, 40)]
        for name in ("head width 80", "cut super-blocks"):
            model = pillar.tiny_model(self.folder, "q8_0_cache", *SHAPES[name])
            self.compare(model, ids, [lines(1, 3, 7), lines(2, 2, 5), lines(8, 1, 16), lines(2, 1, 1, "integer")],
                         ["--cache-type", "q8_0"])

    def test_q4_0_cache(self):
        ids = [int(i) for i in np.random.default_rng(7).integers(3, 300, 40)]
        for name in ("head width 80", "cut super-blocks", "gpt-oss"):
            for cache in (["--cache-type", "q4_0"], ["--cache-type-k", "q4_0"], ["--cache-type", "q4_0", "--cache-type-k", "q8_0"]):
                model = pillar.tiny_model(self.folder, "q4_0_cache", *SHAPES[name])
                self.compare(model, ids, [lines(1, 3, 7), lines(2, 2, 5), lines(8, 1, 16), lines(2, 1, 1, "integer")], cache)

    def test_reference_kernels_keep_the_promise_too(self):
        ids = [int(i) for i in np.random.default_rng(5).integers(3, 300, 30)]
        model = pillar.tiny_model(self.folder, "twin", *SHAPES["head width 80"])
        hashes = {pillar.digest(pillar.logits(r, model, ids, "-t", t, "-b", b, "--kernels", "reference"))
                  for r, t, b in ((1, 1, 16), (1, 2, 3), (2, 1, 7), (4, 1, 16), (8, 1, 16))}
        self.assertEqual(len(hashes), 1)

    def test_other_rank_counts_repeat(self):
        ids = [int(i) for i in np.random.default_rng(6).integers(3, 300, 30)]
        model = pillar.tiny_model(self.folder, "odd", *SHAPES["cut super-blocks"])
        for ranks in (3, 5):
            with self.subTest(ranks=ranks):
                self.assertEqual(pillar.digest(pillar.logits(ranks, model, ids, "-t", 1)),
                                 pillar.digest(pillar.logits(ranks, model, ids, "-t", 2, "-b", 4)))

    @pillar.needs_model
    def test_demo_model_with_nine_heads_over_three_kv_heads(self):
        ids = [504, 3575, 282, 4649, 314, 7042, 30, 198, 198, 504, 2988, 314]
        self.compare(pillar.MODEL, ids, [lines(1, 2, 16), lines(1, 2, 5), lines(2, 1, 16), lines(4, 1, 16),
                                         lines(8, 1, 12), lines(1, 1, 16, "integer")])


if __name__ == "__main__":
    unittest.main()
