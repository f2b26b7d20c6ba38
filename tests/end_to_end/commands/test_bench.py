"""`bench` as its users meet it: llama-bench's tests and fields on any number of ranks, models with and without a file."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import unittest

import pillar

SMALL = ["-p", 24, "-n", 3, "-r", 2, "-t", 1]
# Of llama-bench's results, what its readers use.
FIELDS = {"build_commit", "cpu_info", "backends", "model_filename", "model_type", "model_size", "model_n_params",
          "n_batch", "n_ubatch", "n_threads", "type_k", "type_v", "n_prompt", "n_gen", "n_depth", "test_time",
          "avg_ns", "stddev_ns", "avg_ts", "stddev_ts", "samples_ns", "samples_ts"}
OURS = {"ranks", "kernels", "allreduce", "wire", "split", "split_shares"}


def records(ranks, *arguments):
    return json.loads(pillar.check(pillar.run(ranks, ["bench", "-o", "json", *arguments])).stdout)


class TinyBench(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny", "--type", "q8_0", "--dim", 64, "--heads", 4, "--kv-heads", 2,
                                      "--ffn", 160, "--context", 512)

    def test_has_llama_benchs_fields_on_any_number_of_ranks(self):
        for ranks in (None, 1, 2, 3):
            with self.subTest(ranks=ranks):
                results = records(ranks, "-m", self.model, "-d", "0,40", *SMALL)
                self.assertEqual([r["test"] for r in results], ["pp24", "tg3", "pp24 @ d40", "tg3 @ d40"])
                for r in results:
                    self.assertLessEqual(FIELDS | OURS, set(r))
                    self.assertEqual(r["ranks"], ranks or 1)
                    self.assertEqual(r["model_filename"], self.model)
                    self.assertRegex(r["test_time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
                    self.assertEqual(len(r["samples_ns"]), 2)
                    n_tokens = r["n_prompt"] + r["n_gen"]
                    for ns, ts in zip(r["samples_ns"], r["samples_ts"]):
                        self.assertAlmostEqual(ts * ns / 1e9 / n_tokens, 1, places=4)
                    self.assertAlmostEqual(r["avg_ts"], sum(r["samples_ts"]) / 2, places=6)

    def test_multiplies_lists_and_repeats(self):
        results = records(None, "-m", self.model, "-p", "8,16", "-n", 0, "-b", "4,8", "-t", "1,2", "-r", 1,
                          "--prompt-gen", "4,2", "--no-warmup")
        self.assertEqual(len(results), 3 * 2 * 2)
        self.assertEqual({(r["n_batch"], r["n_threads"]) for r in results}, {(4, 1), (4, 2), (8, 1), (8, 2)})
        self.assertEqual({r["test"] for r in results}, {"pp8", "pp16", "pp4+tg2"})

    def test_several_models_come_one_after_the_other(self):
        results = records(2, "-m", f"{self.model},{self.model}", "--synthetic", "smollm2-135m:q4_0", "-p", 4, "-n", 0,
                          "-r", 1, "-t", 1)
        self.assertEqual([r["model_filename"] for r in results], [self.model, self.model, "smollm2-135m:q4_0"])

    def test_formats(self):
        arguments = ["bench", "-m", self.model, *SMALL, "-o"]
        lines = pillar.check(pillar.run(2, arguments + ["jsonl"])).stdout.splitlines()
        self.assertEqual([json.loads(line)["test"] for line in lines], ["pp24", "tg3"])
        rows = list(csv.DictReader(io.StringIO(pillar.check(pillar.run(2, arguments + ["csv"])).stdout.decode())))
        self.assertEqual([row["test"] for row in rows], ["pp24", "tg3"])
        self.assertGreater(float(rows[0]["avg_ts"]), 0)
        result = pillar.check(pillar.run(2, arguments + ["md"]))
        table = result.stdout.decode().splitlines()
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table[:4]]
        self.assertEqual(cells[0], ["model", "size", "params", "backend", "ranks", "threads", "test", "t/s"])
        self.assertEqual([row[6] for row in cells[2:]], ["pp24", "tg3"])
        for row in cells[2:]:
            self.assertRegex(row[7], r"^\d+\.\d\d ± \d+\.\d\d$")
        self.assertNotIn(b"\r", result.stderr)  # no progress where nobody looks

    def test_roofline_gives_shares_of_what_was_measured(self):
        for ranks, kernels in ((None, "auto"), (2, "auto"), (None, "integer")):
            with self.subTest(ranks=ranks, kernels=kernels):
                for r in records(ranks, "-m", self.model, "--roofline", "--kernels", kernels, *SMALL):
                    self.assertGreater(r["read_bandwidth"], 1e8)
                    self.assertGreater(r["bytes_per_s"], 0)
                    self.assertGreater(r["memory_share"], 0)
                    self.assertGreater(r["matrix_memory_share"], 0)
                    if kernels == "integer":  # has no loop to measure
                        self.assertIsNone(r["integer_share"])
                    elif r["kernels"] != "integer":
                        self.assertGreater(r["integer_rate"], 1e8)
                        self.assertGreater(r["integer_share"], 0)

    def test_what_cannot_be_measured_is_refused(self):
        for flags, word in ((["-m", self.model, "-p", "x"], "-p x"), (["-m", self.model, "-p", 0, "-n", 0], "no test"),
                            ([], "--synthetic"), (["--synthetic", "llama-9:q4_0"], "smollm2-135m"),
                            (["--synthetic", "llama-2-7b:q9"], "q4_k_m"), (["-m", self.model, "-o", "sql"], "sql"),
                            (["-m", self.model, "--write", "x.gguf"], "--synthetic")):
            with self.subTest(flags=flags):
                result = pillar.run(None, ["bench", *flags])
                self.assertEqual(result.returncode, 64)
                self.assertIn(word, result.stderr.decode())
        self.assertEqual(pillar.run(2, ["bench", "-m", "/nonexistent.gguf"]).returncode, 66)

    def test_a_signal_ends_it_with_results_that_can_be_read(self):
        flags = ["bench", "-m", self.model, "-o", "json", "-p", "4,400", "-n", 0, "-b", 4, "-r", "1,1000", "-t", 1]
        with subprocess.Popen(pillar.command(None, flags), env=pillar.ENVIRONMENT, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as process:
            text = process.stdout.readline()  # comes with the first result
            process.send_signal(signal.SIGUSR1)
            text += process.stdout.read()
        self.assertEqual(process.returncode, 75)
        results = json.loads(text)
        self.assertEqual(results[0]["test"], "pp4")
        self.assertLess(len(results), 4)

    def test_a_written_model_is_a_model(self):
        path = os.path.join(self.folder, "made.gguf")
        flags = ["bench", "--synthetic", "smollm2-135m:q2_k", "--write", path]
        for ranks in (None, 2):  # only one of them writes
            pillar.check(pillar.run(ranks, flags + (["--force"] if ranks else [])))
        refused = pillar.run(None, flags)
        self.assertEqual(refused.returncode, 73)
        self.assertIn("--force", refused.stderr.decode())
        table = pillar.check(pillar.run(None, ["inspect", "-m", path])).stdout.decode()
        self.assertTrue(re.search(r"blk\.0\.ffn_down\.weight\s+q3_K", table), table)
        self.assertTrue(re.search(r"token_embd\.weight\s+q8_0", table), table)
        pillar.check(pillar.run(2, ["run", "-m", path, "-p", "Hello, world", "-n", 4, "--temp", 0, "-t", 1]))
        (read, made) = records(None, "--synthetic", "smollm2-135m:q2_k", "-m", path, "-p", 2, "-n", 0, "-r", 1, "-t", 1)
        self.assertEqual(made["model_size"], read["model_size"])
        self.assertEqual(made["model_n_params"], read["model_n_params"])


if __name__ == "__main__":
    unittest.main()
