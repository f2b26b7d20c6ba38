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
        """Llama-3.2-1B Q4_0, α 50 µs, 3.66 GB/s of which decoding reaches 0.97: by hand."""
        rows = plan("--synthetic", "llama-3.2-1b:q4_0", "--ranks", "1,2,4", "--allreduce", "recursive-doubling")
        layers, dim = 16, 2048
        for row in rows:
            n = row["ranks"]
            # 973 M weights in the layers at 4.5 bits, 263 M of the vocabulary at 6.5625
            self.assertAlmostEqual(row["read_bytes_per_token"] / ((973.1e6 * 4.5 + 262.7e6 * 6.5625) / 8 / n), 1, delta=0.01)
            self.assertAlmostEqual(row["decode"]["matrices_s"] / (row["read_bytes_per_token"] / (0.97 * 3.66e9)), 1,
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
            file.write('{ "name": "fast", "base": "pi4", // twice a Pi 4\n "memory": { "read_gb_per_s": 7.32 } }')
        flags = ["--synthetic", "llama-3.2-1b:q4_0", "--ranks", "1"]
        slow, fast = plan(*flags)[0], plan(*flags, "--profile", path)[0]
        self.assertAlmostEqual(fast["decode"]["matrices_s"], slow["decode"]["matrices_s"] / 2, places=9)
        shipped = plan(*flags, "--profile", pillar.SOURCE / "hostfiles/pi4.json")[0]
        self.assertEqual({**shipped, "profile": ""}, {**slow, "profile": ""})

    def test_a_profile_has_every_number_and_none_that_is_absurd(self):
        text = "".join(line for line in open(pillar.SOURCE / "hostfiles/pi4.json") if not line.lstrip().startswith("//"))
        complete = json.loads("\n".join(line.split(" // ")[0] for line in text.splitlines()))
        path = os.path.join(self.folder, "some.json")

        def sentence(profile):
            with open(path, "w") as file:
                json.dump(profile, file)
            result = pillar.run(None, ["plan", "--synthetic", "smollm2-135m:q4_0", "--ranks", "1", "--profile", path])
            self.assertEqual(len(result.stderr.splitlines()), 0 if result.returncode == 0 else 1, result.stderr)
            return result.returncode, result.stderr.decode()

        self.assertEqual(sentence(complete)[0], 0)
        n_fields = 0
        for section, numbers in complete.items():
            if section in ("name", "price"):
                continue
            for key in numbers if isinstance(numbers, dict) else [None]:
                field = section if key is None else f"{section}.{key}"
                optional = field == "arithmetic.grid_gmac_per_s"
                without = json.loads(json.dumps(complete))
                if key is None:
                    del without[section]
                else:
                    del without[section][key]
                with self.subTest(field):
                    n_fields += 1
                    code, message = sentence(without)
                    self.assertEqual(code, 0 if optional else 65, message)
                    self.assertTrue(optional or f"{field}: is missing" in message, message)
                    for absurd in (-1, 1e300):
                        wrong = json.loads(json.dumps(complete))
                        wrong[section] = {**wrong[section], key: absurd} if key else absurd
                        code, message = sentence(wrong)
                        self.assertEqual(code, 65, (absurd, message))
                        self.assertIn(field + ": is ", message)
        self.assertGreater(n_fields, 20)

    def test_intervals_hold_the_value_and_come_from_the_ranges(self):
        flags = ["--synthetic", "llama-3.2-1b:q4_0", "--ranks", "1,8"]
        for row in plan(*flags):
            for what in ("decode_tokens_per_s", "prompt_tokens_per_s", "joules_per_token"):
                self.assertLess(row[what + "_low"], row[what])
                self.assertLess(row[what], row[what + "_high"])
        path = os.path.join(self.folder, "certain.json")
        with open(path, "w") as file:
            json.dump({"base": "pi4", "name": "certain but for one",
                       "memory": {"read_gb_per_s": {"value": 4, "low": 2, "high": 8}, "efficiency": 1},
                       "arithmetic": {"int8_gmac_per_s": 1e5, "barrier_us": 0, "f32_gmac_per_s": 1e5}}, file)
        row, = plan("--synthetic", "llama-3.2-1b:q4_0", "--ranks", "1", "--profile", path)
        self.assertAlmostEqual(row["decode_tokens_per_s_low"] / row["decode_tokens_per_s"], 0.5, places=3)
        self.assertAlmostEqual(row["decode_tokens_per_s_high"] / row["decode_tokens_per_s"], 2, places=3)

    def test_each_number_of_ranks_names_its_limit_and_the_best_is_told(self):
        rows = plan("--synthetic", "smollm2-135m:q8_0", "--ranks", "1..64")
        self.assertEqual([row["ranks"] for row in rows], list(range(1, 65)))
        limits = [row["limit"]["binding"] for row in rows]
        self.assertEqual(limits[0], "memory")
        self.assertEqual(limits[-1], "latency")
        for row in rows:
            parts = sum(value for key, value in row["limit"].items() if key != "binding")
            self.assertAlmostEqual(parts, row["decode"]["total_s"], delta=1e-9)
        best = max((row for row in rows if row["fits"]), key=lambda row: row["decode_tokens_per_s"])
        self.assertLess(best["ranks"], 64)
        text = pillar.check(pillar.run(None, ["plan", "--synthetic", "smollm2-135m:q8_0", "--ranks", "1..64"])).stdout.decode()
        self.assertIn(f"Most tokens per second: {best['decode_tokens_per_s']:.2f} on {best['ranks']} node", text)

    def test_experts_of_768_columns_are_uneven_on_16_ranks(self):
        """24 units of 32 columns: two ranks in three have one, the third has two; experts are not all that is read."""
        row, = plan("--synthetic", "qwen3-30b-a3b:q4_0", "--ranks", "16")
        self.assertGreater(row["read_imbalance"], 1.1)
        self.assertGreater(row["limit"]["imbalance_s"], 0.1 * row["limit"]["memory_s"])
        text = pillar.check(pillar.run(None, ["plan", "--synthetic", "qwen3-30b-a3b:q4_0", "--ranks", "16"])).stdout.decode()
        self.assertIn(f"{row['read_imbalance']:.2f} on 16 nodes", text)

    def test_nodes_that_are_not_alike_split_by_their_speed(self):
        flags = ["--synthetic", "llama-3.2-3b:q4_0", "--nodes", "pi5,pi4"]
        even, = plan(*flags)
        auto, = plan(*flags, "--split", "auto")
        by_hand, = plan(*flags, "--split", "0.77,0.23")
        self.assertEqual(even["split"], "even")
        share = 12.2 * 0.95 / (12.2 * 0.95 + 3.66 * 0.97)
        self.assertAlmostEqual(float(auto["split"].split(",")[0]), share, delta=0.001)
        self.assertGreater(auto["decode_tokens_per_s"], 1.5 * even["decode_tokens_per_s"])
        self.assertAlmostEqual(by_hand["decode_tokens_per_s"] / auto["decode_tokens_per_s"], 1, delta=0.05)
        self.assertAlmostEqual(even["joules_per_token"], 18 * even["decode"]["total_s"], places=6)

    def test_sequences_that_decode_together_share_the_reading(self):
        one, = plan("--synthetic", "llama-3.2-1b:q4_0", "--ranks", "1")
        four, = plan("--synthetic", "llama-3.2-1b:q4_0", "--ranks", "1", "--parallel", "4")
        self.assertGreater(four["decode_tokens_per_s"], 3.5 * one["decode_tokens_per_s"])
        self.assertEqual(four["kv_cache_bytes"], 4 * one["kv_cache_bytes"])

    def test_proposals_pay_up_to_what_the_units_multiply_meanwhile(self):
        """Q4_0 on a Pi 4: 28.8 GMAC/s over 3.55 GB/s · 1.78 weights a byte are 4.6 rows."""
        row, = plan("--synthetic", "llama-3.1-8b:q4_0", "--ranks", "1", "--draft", "ngram", "--accept", "0.7")
        draft = row["draft"]
        self.assertIn(draft["length"], (3, 4))
        self.assertLess(draft["step_cost"], 1.15)
        self.assertAlmostEqual(draft["tokens_per_step"], sum(0.7 ** i for i in range(draft["length"] + 1)), places=9)
        self.assertAlmostEqual(draft["gain"], draft["tokens_per_step"] / draft["step_cost"], places=9)
        self.assertAlmostEqual(draft["tokens_per_s"], row["decode_tokens_per_s"] * draft["gain"], places=6)
        none, = plan("--synthetic", "llama-3.1-8b:q4_0", "--ranks", "1", "--draft", "ngram", "--accept", "0")
        self.assertEqual((none["draft"]["length"], none["draft"]["gain"]), (0, 1))
        # A second model proposes one after another: worth less than the text itself, and it needs memory.
        second, = plan("--synthetic", "llama-3.1-8b:q4_0", "--ranks", "1", "--draft", "llama-3.2-1b", "--accept", "0.7")
        self.assertLess(second["draft"]["gain"], draft["gain"])
        self.assertGreater(second["weights_bytes"], row["weights_bytes"] + 7e8)
        capped, = plan("--synthetic", "llama-3.1-8b:q4_0", "--ranks", "1", "--draft", "ngram:2", "--accept", "0.9")
        self.assertEqual(capped["draft"]["length"], 2)

    def test_a_grid_has_every_model_format_board_and_number_once(self):
        rows = plan("--grid", "--models", "llama-3.2-1b,llama-2-13b", "--formats", "q4_0,q8_0", "--profile", "pi4,n100",
                    "--ranks", "1,4")
        keys = [(row["model"], row["format"], row["profile"], row["ranks"]) for row in rows]
        self.assertEqual((len(keys), len(set(keys))), (16, 16))
        alone, = plan("--synthetic", "llama-2-13b:q8_0", "--ranks", "4")
        same, = [row for row in rows if row["model"] == "Llama-2-13B" and row["format"] == "Q8_0" and row["ranks"] == 4
                 and "Pi 4" in row["profile"]]
        for key in ("decode_tokens_per_s", "decode_tokens_per_s_low", "prompt_tokens_per_s", "joules_per_token", "fits"):
            self.assertEqual(same[key], alone[key])
        self.assertEqual((same["price"], [row["price"] for row in rows if "N100" in row["profile"]]), (300, [None] * 8))
        text = pillar.check(pillar.run(None, ["plan", "--grid", "--ranks", "1"])).stdout.decode()
        self.assertRegex(text, r"Bonsai-8B +\| Q1_0")
        for word in ("gpt-oss-20B", "MXFP4", "Q4_K_M", "NO"):
            self.assertIn(word, text)

    def test_what_is_wrong_has_its_code(self):
        path = os.path.join(self.folder, "bad.json")
        with open(path, "w") as file:
            file.write('{ "base": "pi4", "memory": { "read_gb_per_s": "fast" } }')
        for flags, code, sentence in [
                (["--synthetic", "llama-3.2-1b:q4_0", "--profile", path], 65, b"memory.read_gb_per_s"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--profile", "nowhere.json"], 66, b"nowhere.json"),
                (["-m", "nowhere.gguf"], 66, b"nowhere.gguf"),
                ([], 64, b"no model"), (["--synthetic", "llama-9:q4_0"], 64, b"llama-9"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--ranks", "0"], 64, b"--ranks"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--profile", "pi9"], 66, b"pi9"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--profile", "pi4,pi5"], 64, b"--nodes"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--network", "token-ring"], 66, b"2.5-gigabit"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--nodes", "pi4,,pi5"], 64, b"--nodes"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--nodes", "pi4,pi5", "--ranks", "3"], 64, b"2 nodes"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--split", "1,2", "--ranks", "3"], 64, b"2 shares for 3 ranks"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--split", "run.h5"], 64, b"--split"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--draft", "sorcery"], 64, b"--draft"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--draft", "ngram", "--accept", "1.5"], 64, b"--accept"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--accept", "0.5"], 64, b"--draft"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--draft", "qwen3-0.6b"], 65, b"vocabulary"),
                (["--synthetic", "llama-3.2-1b:q4_0", "--models", "llama-3.2-1b"], 64, b"--grid"),
                (["--grid", "--models", "llama-9"], 64, b"llama-9"), (["--grid", "--formats", "q9"], 64, b"q9"),
                (["--grid", "--draft", "ngram"], 64, b"--draft")]:
            result = pillar.run(None, ["plan", *flags])
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertIn(sentence, result.stderr)


if __name__ == "__main__":
    unittest.main()
