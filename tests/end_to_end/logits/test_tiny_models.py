"""Tiny models of every shape and format against numpy in double precision."""

import json
import unittest

import numpy as np
import numpy_llama
import pillar


def keys(*texts):
    """Metadata keys besides, as flags of make_tiny_model."""
    return [word for text in texts for word in ("--key", text)]


# name: flags of make_tiny_model
SHAPES = {
    "plain": ["--type", "f32"],
    "uneven heads": ["--type", "f16", "--dim", 96, "--heads", 5, "--kv-heads", 1, "--head-dim", 24, "--ffn", 200],
    "head width 80": ["--type", "q8_0", "--dim", 160, "--heads", 6, "--kv-heads", 3, "--head-dim", 80, "--ffn", 352],
    "k-quants": ["--type", "q4_k", "--dim", 256, "--heads", 4, "--kv-heads", 2, "--head-dim", 64, "--ffn", 768],
    "mixed, untied": ["--types", "mixed", "--dim", 256, "--heads", 8, "--kv-heads", 2, "--head-dim", 32, "--ffn", 512,
                      "--layers", 3, "--untied"],
    "qwen2": ["--architecture", "qwen2", "--type", "f32", "--dim", 96, "--heads", 6, "--kv-heads", 2],
    "qwen3": ["--architecture", "qwen3", "--type", "f32", "--dim", 96, "--heads", 5, "--kv-heads", 1, "--head-dim", 80],
    "qwen3, k-quants": ["--architecture", "qwen3", "--type", "q6_k", "--dim", 256, "--heads", 8, "--kv-heads", 4,
                        "--head-dim", 64, "--ffn", 512, "--untied"],
    "mixtral": ["--type", "f32", "--dim", 96, "--heads", 6, "--kv-heads", 2, "--experts", 8, "--experts-used", 2,
                "--ffn", 160],
    "qwen3moe": ["--architecture", "qwen3moe", "--type", "f32", "--dim", 96, "--heads", 5, "--kv-heads", 1,
                 "--head-dim", 80, "--experts", 60, "--experts-used", 6, "--ffn", 96],
    "qwen3moe, odd, mixed": ["--architecture", "qwen3moe", "--types", "mixed", "--dim", 256, "--heads", 8, "--kv-heads", 4,
                             "--head-dim", 32, "--experts", 7, "--experts-used", 3, "--ffn", 256, "--untied",
                             "--layers", 3],
    "gpt-oss": ["--architecture", "gpt-oss", "--type", "f32", "--dim", 96, "--heads", 6, "--kv-heads", 2,
                "--head-dim", 32, "--experts", 9, "--experts-used", 4, "--ffn", 160, "--rope-scaling", "yarn"],
    "gpt-oss, odd": ["--architecture", "gpt-oss", "--type", "q8_0", "--dim", 160, "--heads", 5, "--kv-heads", 1,
                     "--head-dim", 80, "--experts", 7, "--experts-used", 3, "--ffn", 96, "--untied", "--window", 23,
                     "--layers", 3],
    "gpt-oss, mxfp4": ["--architecture", "gpt-oss", "--type", "mxfp4", "--dim", 128, "--heads", 8, "--kv-heads", 2,
                       "--experts", 8, "--experts-used", 4, "--ffn", 128, "--window", 40],
    "one expert of one": ["--type", "q8_0", "--experts", 1, "--experts-used", 1],
    "gemma3": ["--architecture", "gemma3", "--type", "f32", "--dim", 96, "--heads", 4, "--kv-heads", 1, "--head-dim", 80,
               "--layers", 7, "--window", 20],
    "gemma3, k-quants": ["--architecture", "gemma3", "--type", "q4_k", "--dim", 256, "--heads", 8, "--kv-heads", 4,
                         "--head-dim", 256, "--ffn", 512, "--untied", "--window", 64, "--window-pattern", 2,
                         "--rope-scaling", "linear"],
    "gemma2": ["--architecture", "gemma2", "--type", "f32", "--dim", 96, "--heads", 5, "--kv-heads", 1, "--head-dim", 80,
               "--layers", 3, "--window", 30],
    "gemma2, k-quants": ["--architecture", "gemma2", "--type", "q6_k", "--dim", 256, "--heads", 8, "--kv-heads", 4,
                         "--head-dim", 256, "--ffn", 512, "--untied"],
    "phi3": ["--architecture", "phi3", "--type", "f32", "--dim", 96, "--heads", 3, "--kv-heads", 1, "--ffn", 200],
    "phi3, partly rotated": ["--architecture", "phi3", "--type", "q5_k", "--dim", 256, "--heads", 8, "--kv-heads", 4,
                             "--head-dim", 96, "--rotary-dims", 72, "--ffn", 512, "--rope-scaling", "longrope",
                             "--untied"],
    "phi3, window": ["--architecture", "phi3", "--type", "f16", "--dim", 96, "--heads", 3, "--kv-heads", 3,
                     "--window", 25],
    "smollm3": ["--architecture", "smollm3", "--type", "f32", "--dim", 96, "--heads", 6, "--kv-heads", 2, "--layers", 5],
    "granite": ["--architecture", "granite", "--type", "f32", "--dim", 96, "--heads", 5, "--kv-heads", 1,
                "--head-dim", 80],
    "granite, k-quants": ["--architecture", "granite", "--type", "q4_k", "--dim", 256, "--heads", 4, "--kv-heads", 2,
                          "--ffn", 512, "--untied"],
    "mistral3": ["--architecture", "mistral3", "--type", "f32", "--dim", 96, "--heads", 6, "--kv-heads", 2,
                 "--head-dim", 32, "--rope-scaling", "yarn"],
    "granite, two sets of factors": ["--architecture", "granite", "--type", "q8_0", "--dim", 96, "--heads", 3,
                                     "--kv-heads", 1, "--rope-scaling", "longrope"],
    "olmo2": ["--architecture", "olmo2", "--type", "f32", "--dim", 96, "--heads", 5, "--kv-heads", 1, "--head-dim", 80,
              "--untied"],
    "olmo2, windows": ["--architecture", "olmo2", "--type", "f16", "--dim", 96, "--heads", 6, "--kv-heads", 2, "--layers", 5,
                       "--window", 21, "--rope-scaling", "yarn", "--untied"],
    "olmo2, q1_0 under q6_k": ["--architecture", "olmo2", "--type", "q1_0", "--output-type", "q6_k", "--dim", 256,
                               "--heads", 6, "--kv-heads", 3, "--head-dim", 256, "--ffn", 384, "--untied"],
    "q1_0 under q6_k": ["--type", "q1_0", "--output-type", "q6_k", "--dim", 256, "--heads", 5, "--kv-heads", 1,
                        "--head-dim", 80, "--ffn", 384, "--untied"],
    "gpt-oss, 6 of 60": ["--architecture", "gpt-oss", "--type", "mxfp4", "--dim", 96, "--heads", 7, "--kv-heads", 7,
                         "--head-dim", 96, "--experts", 60, "--experts-used", 6, "--ffn", 96, "--window", 300],
    "gemma2, one head": ["--architecture", "gemma2", "--type", "q8_0", "--heads", 1, "--kv-heads", 1, "--head-dim", 256,
                         "--ffn", 96, "--window", 1],
    "olmo2, with OLMo 3's keys": ["--architecture", "olmo2", "--type", "f32", "--dim", 96, "--heads", 3, "--kv-heads", 3,
                                  "--layers", 4, "--window", 30, "--rope-scaling", "yarn", "--untied", *keys(
                                      "olmo2.rope.scaling.yarn_attn_factor=f32:0.9",
                                      "olmo2.rope.freq_base_swa=f32:500",
                                      "olmo2.attention.sliding_window_pattern=flags:1110")],
    "gemma3, windows by layer": ["--architecture", "gemma3", "--type", "f32", "--dim", 96, "--layers", 4, "--window", 20,
                                 *keys("gemma3.attention.sliding_window_pattern=flags:1001",
                                       "gemma3.rope.freq_base_swa=f32:500")],
    "gemma2, two bases": ["--architecture", "gemma2", "--type", "f32", "--dim", 96, "--layers", 4, "--window", 20,
                          "--rope-scaling", "linear",
                          *keys("gemma2.rope.freq_base_swa=f32:500", "gemma2.attention.sliding_window_pattern=u32:3")],
    "gpt-oss, two bases": ["--architecture", "gpt-oss", "--type", "f32", "--dim", 96, "--layers", 4, "--window", 20,
                           "--experts", 4, "--ffn", 64, "--rope-scaling", "yarn",
                           *keys("gpt-oss.rope.freq_base_swa=f32:500",
                                 "gpt-oss.attention.sliding_window_pattern=flags:0110")],
    "granite 4 without state spaces": ["--architecture", "granite", "--type", "f32", "--dim", 96, *keys(
        "granite.expert_count=u32:0", "granite.expert_used_count=u32:0", "granite.expert_shared_feed_forward_length=u32:160",
        "granite.ssm.conv_kernel=u32:4", "granite.ssm.state_size=u32:256", "granite.rope.scaling.finetuned=bool:1")],
    "granite without positions": ["--architecture", "granite", "--type", "f32", "--dim", 96,
                                  *keys("granite.rope.scaling.finetuned=bool:0")],
    "experts of a softmax": ["--architecture", "qwen3moe", "--type", "f32", "--dim", 96, "--experts", 4,
                             "--ffn", 64, *keys("qwen3moe.expert_gating_func=u32:1")],
    "a yarn that shrinks": ["--type", "f32", "--rope-scaling", "yarn", *keys("llama.rope.scaling.factor=f32:0.5")],
    "linear rope": ["--type", "f32", "--rope-scaling", "linear"],
    "yarn": ["--type", "f32", "--rope-scaling", "yarn"],
    "llama 3 rope": ["--type", "f32", "--rope-scaling", "llama3"],
}
FORMATS = ["f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "iq4_nl",
           "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_xs", "tq1_0", "tq2_0", "mxfp4", "q1_0", "q2_0",
           "iq2_xxs", "iq2_xs", "iq3_xxs", "iq1_s", "iq3_s", "iq2_s", "iq1_m"]


class TinyModels(pillar.WithFolder):
    def ids(self, n=70):
        return [int(i) for i in np.random.default_rng(7).integers(3, 300, n)]

    def test_reference_kernels_agree_with_exact_arithmetic(self):
        """The first model of an architecture on all these numbers of ranks, others on some of them."""
        seen = set()
        for i, (name, flags) in enumerate(SHAPES.items()):
            with self.subTest(name):
                model = pillar.tiny_model(self.folder, "shape", *flags)
                exact = numpy_llama.Model(model).logits(self.ids())
                kind = (flags[1] if "--architecture" in flags else "llama", "--experts" in flags)
                few = ((1, 3), (2, 5), (8,))[i % 3]
                for ranks in few if kind in seen else (1, 2, 3, 5, 8):
                    ours = pillar.logits(ranks, model, self.ids(), "--kernels", "reference", "--cache-type", "f32",
                                         "-t", 1)
                    self.assertLess(numpy_llama.nmse(ours.astype(np.float64), exact).max(), 1e-9)
                seen.add(kind)

    def test_exact_arithmetic_is_another_engine_s(self):
        with open(pillar.DATA / "architectures" / "logits.jsonl", encoding="utf-8") as file:
            for line in map(json.loads, file):
                with self.subTest(line["name"]):
                    model = pillar.tiny_model(self.folder, "other_engine", *line["flags"])
                    exact = numpy_llama.Model(model, n_context=line["context"]).logits(self.ids(line["ids"]))
                    rows = exact[line["positions"]][:, :len(line["logits"][0])]
                    self.assertLess(numpy_llama.nmse(np.array(line["logits"]), rows).max(), 1e-6)

    def test_integer_kernels_stay_close_in_every_format(self):
        for name in FORMATS:
            with self.subTest(name):
                model = pillar.tiny_model(self.folder, "format", "--type", name, "--dim", 256, "--heads", 4,
                                          "--kv-heads", 2, "--head-dim", 64, "--ffn", 512)
                exact = numpy_llama.Model(model).logits(self.ids())
                ours = pillar.logits(None, model, self.ids(), "-t", 1).astype(np.float64)
                limit = 1e-5 if name in ("f16", "bf16") else 2e-3
                self.assertLess(numpy_llama.nmse(ours, exact).mean(), limit)

    def test_long_contexts_cross_pages(self):
        model = pillar.tiny_model(self.folder, "long", "--type", "f32", "--context", 1024)
        ids = self.ids(600)  # three pages of 256 positions
        exact = numpy_llama.Model(model).logits(ids)
        ours = pillar.logits(2, model, ids, "--kernels", "reference", "--cache-type", "f32", "-t", 1)
        self.assertLess(numpy_llama.nmse(ours.astype(np.float64), exact).max(), 1e-9)

    def test_rotary_factors_follow_the_context_of_the_run(self):
        model = pillar.tiny_model(self.folder, "long_rope", "--architecture", "phi3", "--type", "f32", "--context", 512,
                                  "--rope-scaling", "longrope")
        ids, found = self.ids(40), []
        for context in (128, 129, 512):  # the original context is a quarter of the model's
            exact = numpy_llama.Model(model, n_context=context).logits(ids)
            ours = pillar.logits(2, model, ids, "--kernels", "reference", "--cache-type", "f32", "-t", 1, "-c", context)
            self.assertLess(numpy_llama.nmse(ours.astype(np.float64), exact).max(), 1e-9)
            found.append(pillar.digest(ours))
        self.assertNotEqual(found[0], found[1])
        self.assertEqual(found[1], found[2])

    def test_windows_move_over_pages(self):
        for window in (1, 100, 256, 300):
            with self.subTest(window=window):
                model = pillar.tiny_model(self.folder, "window", "--architecture", "gemma3", "--type", "f32", "--context",
                                          2048, "--window", window, "--window-pattern", 2, "--layers", 3)
                ids = self.ids(900)
                exact = numpy_llama.Model(model).logits(ids)
                ours = pillar.logits(2, model, ids, "--kernels", "reference", "--cache-type", "f32", "-t", 1, "-b", 70)
                self.assertLess(numpy_llama.nmse(ours.astype(np.float64), exact).max(), 1e-9)


if __name__ == "__main__":
    unittest.main()
