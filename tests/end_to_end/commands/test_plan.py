"""`plan`: its figures against arithmetic of its own and against what a run counts."""

import csv
import io
import json
import os
import unittest

import h5py
import numpy as np
import pillar


def plan(*flags):
    return json.loads(pillar.check(pillar.run(None, ["plan", "-o", "json", *flags])).stdout)


class Plan(pillar.WithFolder):
    def test_a_1b_model_on_pi_4_boards(self):
        """Llama-3.2-1B Q4_0, α 50 µs, 4.4 GB/s of which decoding reaches 0.85: by hand."""
        rows = plan("--synthetic", "llama-3.2-1b:q4_0", "--ranks", "1,2,4", "--allreduce", "recursive-doubling")
        layers, dim = 16, 2048
        for row in rows:
            n = row["ranks"]
            # 973 M weights in the layers at 4.5 bits, 263 M of the vocabulary at 6.5625
            self.assertAlmostEqual(row["read_bytes_per_token"] / ((973.1e6 * 4.5 + 262.7e6 * 6.5625) / 8 / n), 1, delta=0.01)
            self.assertAlmostEqual(row["decode"]["matrices_s"] / (row["read_bytes_per_token"] / (0.85 * 4.4e9)), 1,
                                   delta=0.01)
            log2 = n.bit_length() - 1
            self.assertEqual(row["messages_per_token"], 2 * layers * n * log2 + 2 * (n - 1))
            self.assertAlmostEqual(row["sent_bytes_per_token"] / max(2 * layers * n * log2 * dim * 4, 1), n > 1, delta=0.01)
            levels = 2 * log2 * 50e-6
            self.assertAlmostEqual(row["decode"]["latency_s"], 2 * layers * (log2 * 50e-6 + 20e-6) + levels if n > 1 else 0,
                                   delta=1e-9)
            self.assertAlmostEqual(row["decode_tokens_per_s"], 1 / row["decode"]["total_s"], places=6)
            self.assertTrue(row["fits"])
        self.assertGreater(rows[1]["decode_tokens_per_s"] / rows[0]["decode_tokens_per_s"], 1.8)
        self.assertTrue(rows[0]["prompt"]["arithmetic_bound"])
        self.assertFalse(rows[0]["decode"]["arithmetic_bound"])

    def test_speed_up_is_over_one_node_also_where_it_is_not_in_the_list(self):
        for model, ranks in (("llama-3.2-1b:q4_0", "2,4"), ("llama-3.2-1b:q4_0", "10"), ("llama-3.2-1b:q4_0", "8,1")):
            one, = plan("--synthetic", model, "--ranks", "1")
            for row in plan("--synthetic", model, "--ranks", ranks):
                self.assertEqual(row["base_ranks"], 1)
                self.assertAlmostEqual(row["speed_up"], row["decode_tokens_per_s"] / one["decode_tokens_per_s"], places=9)
            text = pillar.check(pillar.run(None, ["plan", "--synthetic", model, "--ranks", ranks])).stdout.decode()
            self.assertIn("Speed-up: t/s over that of one node. Joules a token: energy", text)

    def test_where_one_node_is_too_small_the_fewest_that_fit_are_the_base(self):
        many = plan("--synthetic", "llama-2-13b:q4_0", "--ranks", "1,2,3,4")
        n_base = next(row["ranks"] for row in many if row["fits"])
        base = many[n_base - 1]["decode_tokens_per_s"]
        self.assertGreater(n_base, 1)
        for ranks in ("4,8", "1,2,4"):
            for row in plan("--synthetic", "llama-2-13b:q4_0", "--ranks", ranks):
                self.assertEqual(row["base_ranks"], n_base)
                self.assertAlmostEqual(row["speed_up"], row["decode_tokens_per_s"] / base, places=9)
        text = pillar.check(pillar.run(None, ["plan", "--synthetic", "llama-2-13b:q4_0", "--ranks", "4,8"])).stdout.decode()
        self.assertIn(f"t/s over that of {n_base} nodes, the fewest on which the model fits.", text)
        text = pillar.check(pillar.run(None, ["plan", "--synthetic", "llama-2-13b:q4_0", "--ranks", "1"])).stdout.decode()
        self.assertIn("one node, on which it does not fit", text)

    def test_what_does_not_fit_is_said(self):
        rows = plan("--synthetic", "llama-2-13b:q4_0", "--ranks", "1,4")
        self.assertEqual([row["fits"] for row in rows], [False, True])
        table = pillar.check(pillar.run(None, ["plan", "--synthetic", "llama-2-13b:q4_0", "--ranks", "1"])).stdout
        self.assertRegex(table, rb"\| NO +\|")

    def test_bytes_and_messages_are_those_that_a_run_counts(self):
        model = pillar.tiny_model(self.folder, "tiny")
        for n in (2, 3):
            trace = os.path.join(self.folder, f"{n}.h5")
            pillar.check(pillar.run(n, ["run", "-m", model, "-p", "go", "-n", 6, "--ignore-eos", "-t", 1,
                                        "--allreduce", "recursive-doubling", "--trace", trace]))
            row, = plan("-m", model, "--ranks", n, "--allreduce", "recursive-doubling")
            with h5py.File(trace) as file:
                decode = np.flatnonzero(file["steps/n_rows"][:] == 1)[1:]  # the last prompt row may be alone too
                messages = file["ranks/messages_sent"][:].sum(axis=1)[decode]
                sent = file["ranks/bytes_sent"][:].sum(axis=1)[decode]
            self.assertGreater(len(decode), 2)
            self.assertEqual(set(messages), {row["messages_per_token"]})
            self.assertEqual(set(sent), {row["sent_bytes_per_token"]})

    def test_formats_agree_and_ranks_print_once(self):
        flags = ["--synthetic", "llama-3.2-1b:q4_0", "--ranks", "1,8"]
        rows = plan(*flags)
        table = pillar.check(pillar.run(2, ["plan", "-o", "csv", *flags])).stdout.decode()
        parsed = list(csv.DictReader(io.StringIO(table)))
        self.assertEqual([int(row["ranks"]) for row in parsed], [1, 8])
        self.assertAlmostEqual(float(parsed[1]["decode_latency_s"]), rows[1]["decode"]["latency_s"], places=9)
        markdown = pillar.check(pillar.run(None, ["plan", *flags])).stdout.decode()
        self.assertRegex(markdown, rf"\| +{rows[1]['decode_tokens_per_s']:.2f} \|")

    def test_formats_without_fast_kernels_are_told_of_in_plan_and_log(self):
        model = pillar.tiny_model(self.folder, "grids", "--type", "iq3_s", "--dim", 256, "--heads", 4, "--kv-heads", 2,
                                  "--head-dim", 64, "--ffn", 512)
        sentence = b"of weights are in iq3_s, which plain kernels compute with, slowly"
        self.assertIn(sentence, pillar.check(pillar.run(None, ["plan", "-m", model, "--ranks", "1"])).stdout)
        log = pillar.check(pillar.run(2, ["run", "-m", model, "-p", "a", "-n", 1, "-t", 1])).stderr
        self.assertEqual(log.count(sentence), 1)
        other = pillar.tiny_model(self.folder, "other")
        text = pillar.check(pillar.run(None, ["plan", "-m", other, "--ranks", "1"])).stdout
        self.assertNotIn(b"plain kernels", text)

    def test_a_profile_changes_the_figures(self):
        path = os.path.join(self.folder, "fast.json")
        with open(path, "w") as file:
            file.write('{ "name": "fast", // twice a Pi 4\n "memory": { "read_gb_per_s": 8.8 } }')
        flags = ["--synthetic", "llama-3.2-1b:q4_0", "--ranks", "1"]
        slow, fast = plan(*flags)[0], plan(*flags, "--profile", path)[0]
        self.assertAlmostEqual(fast["decode"]["matrices_s"], slow["decode"]["matrices_s"] / 2, places=9)
        shipped = plan(*flags, "--profile", pillar.SOURCE / "hostfiles/pi4.json")[0]
        self.assertEqual({**shipped, "profile": ""}, {**slow, "profile": ""})

    def test_what_is_wrong_has_its_code(self):
        path = os.path.join(self.folder, "bad.json")
        with open(path, "w") as file:
            file.write('{ "memory": { "read_gb_per_s": "fast" } }')
        for flags, code, sentence in [
                (["--synthetic", "llama-3.2-1b:q4_0", "--profile", path], 65, b"memory.read_gb_per_s"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--profile", "nowhere.json"], 66, b"nowhere.json"),
                (["-m", "nowhere.gguf"], 66, b"nowhere.gguf"),
                ([], 64, b"no model"), (["--synthetic", "llama-9:q4_0"], 64, b"llama-9"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--ranks", "0"], 64, b"--ranks")]:
            result = pillar.run(None, ["plan", *flags])
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertIn(sentence, result.stderr)


if __name__ == "__main__":
    unittest.main()
