"""`bench --dry-run-ranks`: what one process counts in the place of a rank is what that rank of a real run counts."""

import json
import os
import unittest

import h5py
import numpy as np
import pillar

RUN = ["-r", 1, "--no-warmup", "-t", 1, "--allreduce", "direct"]


def dry_run(ranks, *arguments):
    return json.loads(pillar.check(pillar.run(None, ["bench", "-o", "json", "--dry-run-ranks", ranks,
                                                     *arguments])).stdout)


class DryRun(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # 6 heads and 5 units of the feed-forward: uneven on 4 ranks
        cls.model = pillar.tiny_model(cls.folder, "tiny", "--type", "q8_0", "--dim", 96, "--heads", 6, "--kv-heads", 3,
                                      "--ffn", 160, "--context", 512)

    def of_real_run(self, model, ranks, *arguments):
        """Bytes read, multiplications, bytes and messages sent of every rank, from what a trace recorded of it."""
        path = os.path.join(self.folder, "real.h5")
        pillar.check(pillar.run(ranks, ["bench", "-m", model, "--trace", path, "--force", *arguments, *RUN]))
        with h5py.File(path) as trace:
            steps, hosts, of_ranks = trace["steps"], trace["hosts"], trace["ranks"]
            n_rows, n_logits, n_cached = (steps[name][:].astype(float) for name in ("n_rows", "n_logits", "n_cached"))
            column = lambda name: hosts[name][:].astype(float)
            # Each expert is as likely as another: of n experts, n (1 - (1 - k/n)^rows) are chosen by so many rows.
            n_experts, n_used = column("n_experts"), column("n_experts_used")
            n_chosen = [n * np.sum(1 - (1 - k / n) ** n_rows) if n else 0 for n, k in zip(n_experts, n_used)]
            read = (len(n_rows) * column("layer_bytes") + n_chosen * column("expert_bytes") + np.sum(n_cached) * column("kv_bytes")
                    + np.count_nonzero(n_logits) * column("output_bytes"))
            macs = np.sum(n_rows) * column("layer_macs") + np.sum(n_logits) * column("output_macs")
            sent = [np.sum(of_ranks[name][:], axis=0) for name in ("bytes_sent", "messages_sent")]
        return read, macs, *sent

    def expect_equal(self, ranks, *arguments, model=None):
        model = model or self.model
        read, macs, n_bytes, messages = self.of_real_run(model, ranks, *arguments)
        played = dry_run(ranks, "-m", model, *arguments, *RUN)
        for r in played:
            rank = r["played_rank"]
            self.assertEqual(r["dry_run_ranks"], ranks)
            self.assertAlmostEqual(r["counted_bytes_read"] / read[rank], 1, places=9)
            self.assertAlmostEqual(r["counted_macs"], macs[rank])
            self.assertEqual(r["counted_messages_sent"], messages[rank])
            self.assertEqual(r["counted_bytes_sent"], n_bytes[rank])
        return played

    def test_counts_what_a_rank_of_a_real_run_counts(self):
        for ranks in (2, 3, 4):
            for test in (["-p", 40, "-n", 0], ["-p", 0, "-n", 5], ["-p", 150, "-n", 0, "-b", 128]):
                with self.subTest(ranks=ranks, test=test):
                    self.expect_equal(ranks, *test)

    def test_counts_it_where_a_layer_has_a_third_sum_or_experts(self):
        for name, flags in (("olmo2", ["--architecture", "olmo2"]), ("experts", ["--experts", 8])):
            with self.subTest(model=name):
                model = pillar.tiny_model(self.folder, name, "--type", "q8_0", "--dim", 96, "--heads", 6, "--kv-heads",
                                          6 if name == "olmo2" else 3, "--ffn", 96, *flags)
                self.expect_equal(3, "-p", 0, "-n", 0, "--prompt-gen", "70,2", model=model)

    def test_counts_it_of_uneven_shares_and_another_wire(self):
        played = self.expect_equal(3, "-p", 24, "-n", 0, "--split", "0.5,0.2,0.3", "--wire", "f16")
        self.assertEqual([(r["part"], r["played_rank"]) for r in played],
                         [("slowest", 0), ("mean", 2), ("fastest", 1)])

    def test_ranks_that_are_alike_are_played_once(self):
        model = pillar.tiny_model(self.folder, "even", "--type", "q8_0", "--dim", 128, "--heads", 4, "--kv-heads", 4,
                                  "--ffn", 256, "--context", 256)
        played = dry_run(2, "-m", model, "-p", 8, "-n", 2, *RUN)
        self.assertEqual([(r["part"], r["test"]) for r in played], [("all alike", "pp8"), ("all alike", "tg2")])

    def test_adds_what_is_measured_and_what_is_predicted(self):
        for r in dry_run(8, "-m", self.model, "-p", 16, "-n", 4, "--profile", "pi5", "-r", 3, "-t", 1, "--wire", "q8"):
            n_tokens = r["n_prompt"] + r["n_gen"]
            self.assertAlmostEqual(r["measured_compute_s"], np.median(r["measured_samples_s"]))
            self.assertLess(r["predicted_messages_s_low"], r["predicted_messages_s"])
            self.assertLess(r["predicted_messages_s"], r["predicted_messages_s_high"])
            for end, other in (("", ""), ("_low", "_high"), ("_high", "_low")):
                whole = r["measured_compute_s"] + r["predicted_messages_s" + other]
                self.assertAlmostEqual(r["half_predicted_ts" + end] * whole / n_tokens, 1, places=9)

    def test_has_plans_figure_beside(self):
        common = ["-m", self.model, "--profile", "pi4", "--allreduce", "direct", "-o", "json"]
        planned = json.loads(pillar.check(pillar.run(None, ["plan", *common, "--ranks", 4, "--n-depth", 64])).stdout)[0]
        told = dry_run(4, "-p", 0, "-n", 1, "-d", 64, "-r", 1, "-t", 1, *common)[0]
        self.assertAlmostEqual(told["plan_ts"] / planned["decode_tokens_per_s"], 1, places=6)
        slower = dry_run(4, "-p", 0, "-n", 1, "-r", 1, "-t", 1, *common, "--network", "gigabit")[0]
        faster = dry_run(4, "-p", 0, "-n", 1, "-r", 1, "-t", 1, *common, "--network", "2.5-gigabit")[0]
        self.assertLess(faster["predicted_messages_s"], slower["predicted_messages_s"])

    def test_the_table_says_what_is_measured_and_what_is_not(self):
        result = pillar.check(pillar.run(None, ["bench", "-m", self.model, "--dry-run-ranks", 4, "-p", 8, "-n", 2, *RUN]))
        text = result.stdout.decode()
        for words in ("computed ms a token", "messages ms a token", "MEASURED", "PREDICTED", "made of both",
                      "what was computed means nothing"):
            self.assertIn(words, text)
        self.assertRegex(text, r"\| +3 of 4 \| slowest")
        self.assertIn("plays rank", result.stderr.decode())

    def test_refuses_what_does_not_go_together(self):
        base = ["bench", "-m", self.model, "-p", 8, "-n", 0, "-r", 1]
        for flags in (["--dry-run-ranks", 1], ["--profile", "pi4"], ["--network", "gigabit"],
                      ["--dry-run-ranks", 4, "--roofline"], ["--dry-run-ranks", 4, "--split", "auto"],
                      ["--dry-run-ranks", 4, "--split", "1,2"], ["--dry-run-ranks", 4, "--trace", "t.h5"],
                      ["--dry-run-ranks", 4, "--emulate-network", "50,8.5"]):
            with self.subTest(flags=flags):
                result = pillar.run(None, base + flags)
                self.assertEqual(result.returncode, 64, result.stderr)
                self.assertEqual(result.stdout, b"")
        several = pillar.run(2, [*base, "--dry-run-ranks", 4])
        self.assertEqual(several.returncode, 64, several.stderr)
        self.assertIn(b"without mpirun", several.stderr)
        nowhere = pillar.run(None, [*base, "--dry-run-ranks", 4, "--profile", "nowhere.json"])
        self.assertEqual(nowhere.returncode, 66, nowhere.stderr)


if __name__ == "__main__":
    unittest.main()
