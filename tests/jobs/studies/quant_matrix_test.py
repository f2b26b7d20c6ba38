"""jobs/quant_matrix.sh with the program and a tiny model: its table against numpy's reading of the tools' files.

usage: quant_matrix_test.py PILLAR MAKE_TINY_MODEL
"""

import csv
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import support  # noqa: E402

PILLAR, MAKE_TINY_MODEL = (os.path.abspath(path) for path in sys.argv[1:3])
SCRIPT = support.ROOT / "jobs/quant_matrix.sh"
WINDOW, CHUNKS = 64, 3
SETTINGS = ["-c", WINDOW, "--chunks", CHUNKS, "-p", 8, "-n", 4, "-d", 16, "-r", 1, "-t", 1]
ENVIRONMENT = {**os.environ, "PILLAR_BINARY": PILLAR, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def pillar(*arguments):
    return subprocess.run([PILLAR, *map(str, arguments)], env=ENVIRONMENT, check=True, capture_output=True).stdout


class QuantMatrix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="pillar quant "))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.model, cls.text, cls.out = (cls.folder / name for name in ("a model.gguf", "a text.txt", "an out"))
        subprocess.run([MAKE_TINY_MODEL, "--output", cls.model, "--type", "f16", "--dim", "64", "--context", "512"], check=True)
        words = random.Random(3).choices("the sea is a house of many doors and one was open in winter".split(), k=200)
        cls.text.write_text(" ".join(words))
        cls.result = cls.run_script("--formats", "q8_0,Q4_0", "--cache-types", "q8_0/q4_0")
        if cls.result.returncode != 0:
            raise AssertionError(cls.result.stderr)

    @classmethod
    def command(cls, *arguments, out=None, model=None):
        return [str(word) for word in (SCRIPT, "--text", cls.text, "--out", out or cls.out, *SETTINGS, *arguments,
                                       model or cls.model)]

    @classmethod
    def run_script(cls, *arguments, **options):
        return subprocess.run(cls.command(*arguments, **options), env=ENVIRONMENT, capture_output=True, text=True, timeout=120)

    def rows(self, out=None):
        with open((out or self.out) / "table.csv", encoding="utf-8") as file:
            return {row["row"]: row for row in csv.DictReader(file)}

    def scores(self, model, *flags):
        """What perplexity wrote of each token, by name."""
        base, of = self.folder / "base.h5", self.folder / "of.h5"
        shared = ["-c", WINDOW, "--chunks", CHUNKS, "-t", 1, "--force"]
        pillar("perplexity", "-m", self.model, "-f", self.text, "--save-logits", base, *shared)
        pillar("perplexity", "-m", model, "--kl-divergence-base", base, "-o", of, *shared, *flags)
        with h5py.File(of) as file:
            return {name: file[name][:] for name in ("nll", "nll_base", "kl_divergence", "same_best")}

    def check_quality(self, row, model, *flags):
        of = self.scores(model, *flags)
        self.assertAlmostEqual(float(row["ppl"]), np.exp(of["nll"].mean()), places=4)
        self.assertAlmostEqual(float(row["ppl_difference"]), np.exp(of["nll"].mean()) - np.exp(of["nll_base"].mean()), places=4)
        self.assertAlmostEqual(float(row["kl"]), of["kl_divergence"].mean(), places=5)
        self.assertAlmostEqual(float(row["same_best_percent"]), 100 * of["same_best"].mean(), places=2)
        n = of["nll"].size
        self.assertAlmostEqual(float(row["ppl_error"]), np.exp(of["nll"].mean()) * of["nll"].std(ddof=1) / np.sqrt(n), places=3)

    def check_plan(self, row, model, *flags):
        for plan in json.loads(pillar("plan", "-m", model, "--ranks", "1,2,4", "-o", "json", *flags)):
            name = f"plan_{plan['ranks']}_"
            self.assertEqual(row[name + "fits"], str(int(plan["fits"])))
            self.assertEqual(float(row[name + "decode_tok_per_s"]), plan["decode_tokens_per_s"])
            self.assertEqual(float(row[name + "prompt_tok_per_s"]), plan["prompt_tokens_per_s"])

    def test_rows_of_formats_say_what_the_tools_say(self):
        for name in ("Q8_0", "Q4_0"):
            with self.subTest(name):
                row, made = self.rows()[name], self.folder / "made.gguf"
                pillar("quantize", self.model, made, name, "--force")
                self.assertEqual(int(row["file_bytes"]), made.stat().st_size)
                self.check_quality(row, made)
                self.check_plan(row, made)
                self.assertGreater(float(row["decode_tok_per_s"]), 0)
                self.assertGreater(float(row["prompt_tok_per_s"]), 0)
        rows = self.rows()
        self.assertEqual(list(rows), ["source", "Q8_0", "Q4_0", "cache-q8_0-q4_0"])
        self.assertEqual(int(rows["source"]["file_bytes"]), self.model.stat().st_size)
        self.assertEqual(float(rows["source"]["kl"]), 0)

    def test_rows_of_caches_have_both_types(self):
        row = self.rows()["cache-q8_0-q4_0"]
        types = ["--cache-type-k", "q8_0", "--cache-type-v", "q4_0"]
        self.check_quality(row, self.model, *types)
        self.check_plan(row, self.model, *types, "-d", 16)
        self.assertEqual((row["cache_keys"], row["cache_values"], row["depth"]), ("q8_0", "q4_0", "16"))

    def test_bits_a_weight_are_those_of_blocks(self):
        """Matrices of 64 columns in blocks of 32 and 18 bytes, the embedding, which is the output too, in Q8_0."""
        embedding, norms, layer = 384 * 64, 5 * 64, 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 160
        n_bytes = embedding / 32 * 34 + 4 * norms + 2 * layer / 32 * 18
        self.assertAlmostEqual(float(self.rows()["Q4_0"]["bits_per_weight"]), 8 * n_bytes / (embedding + norms + 2 * layer))

    def test_table_of_text_has_the_numbers_of_the_csv(self):
        text = (self.out / "table.md").read_text(encoding="utf-8")
        self.assertEqual(self.result.stdout, text)
        for name, row in self.rows().items():
            if name.startswith("Q"):
                line, = (line for line in text.splitlines() if line.startswith(f"| {name} |"))
                for cell in (f"{float(row['ppl']):.3f} ± {float(row['ppl_error']):.3f}", f"{float(row['kl']):.5f}", "1, 2, 4",
                             f"{int(row['file_bytes']) / 1e6:.1f}", f"{float(row['bits_per_weight']):.2f}"):
                    self.assertIn(f"| {cell} |", line)
        self.assertIn("| q8_0 / q4_0 |", text)

    @unittest.skipUnless(shutil.which("gnuplot"), "needs gnuplot-nox (jobs/packages.sh test)")
    def test_plot_names_every_format(self):
        drawn = (self.out / "quality.svg").read_text(encoding="utf-8")
        for name in ("Q8_0", "Q4_0"):
            self.assertEqual(drawn.count(f">{name}<"), 2, "once against size, once against speed")
        self.assertEqual((self.out / "quality.png").read_bytes()[:4], b"\x89PNG")

    def test_stopped_goes_on_and_no_row_is_made_twice(self):
        out = self.folder / "stopped"
        words = self.command("--formats", "Q8_0 Q4_0", "--cache-types", "none", out=out)
        process = subprocess.Popen(words, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not (out / "rows/source").exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 75)
        before = {path: path.stat().st_mtime_ns for path in out.glob("rows/*/*")}
        self.assertEqual(self.run_script("--formats", "Q8_0,Q4_0", "--cache-types", "none", out=out).returncode, 0)
        for path, changed in before.items():
            self.assertEqual(path.stat().st_mtime_ns, changed, path)
        self.assertEqual(list(self.rows(out)), ["source", "Q8_0", "Q4_0"])
        other = self.run_script("--chunks", 1, "--formats", "Q8_0", "--cache-types", "none", out=out)
        self.assertEqual(other.returncode, 73)
        self.assertIn("--force removes them", other.stderr)
        for path, changed in before.items():
            self.assertEqual(path.stat().st_mtime_ns, changed, path)
        self.assertFalse((out / "scratch").exists(), "models and logits are left over")

    def test_quality_and_speed_may_be_made_apart(self):
        out, words = self.folder / "apart", ["--formats", "Q8_0", "--cache-types", "q8_0", "-d", "0,16", "--keep"]
        first = self.run_script("--only", "quality", *words, out=out)
        self.assertEqual((first.returncode, first.stdout), (0, ""), first.stderr)
        self.assertIn("no row has both", first.stderr)
        made = (out / "scratch/Q8_0.gguf").stat().st_ino
        before = {path: path.stat().st_mtime_ns for path in out.glob("rows/*/perplexity.txt")}
        self.assertEqual((len(before), list(out.glob("rows/*/bench.json"))), (3, []))
        second = self.run_script("--only", "speed", *words, out=out)
        self.assertEqual(second.returncode, 0, second.stderr)
        self.assertEqual((out / "scratch/Q8_0.gguf").stat().st_ino, made, "the model that was kept is not made again")
        self.assertEqual({path: path.stat().st_mtime_ns for path in before}, before)
        rows = self.rows(out)
        self.assertEqual(list(rows), ["source", "Q8_0", "cache-q8_0"])
        self.assertEqual(rows["Q8_0"]["ppl"], self.rows()["Q8_0"]["ppl"])
        self.assertEqual(rows["cache-q8_0"]["depth"], "0/16")
        self.assertIn("decode here @ 0 / 16", second.stdout)

    def test_what_is_wrong_is_said_before_any_work(self):
        out = self.folder / "refused"
        for arguments, code, sentence in ((["--formats", "q4_0,q9_9"], 64, "no type Q9_9"),
                                          (["--cache-types", "q8"], 64, "no type q8"),
                                          (["--chunks", "many"], 64, "--chunks"), (["--only", "half"], 64, "--only"), (["-d", "1,x"], 64, "--n-depth"),
                                          (["--colour"], 64, "--colour"),
                                          (["--text", "nowhere.txt"], 66, "nowhere.txt"),
                                          (["--profile", "pi9"], 66, "pi9")):
            with self.subTest(arguments):
                result = self.run_script(*arguments, out=out)
                self.assertEqual((result.returncode, len(result.stderr.splitlines())), (code, 1), result.stderr)
                self.assertIn(sentence, result.stderr)
                self.assertFalse(out.exists())
        self.assertEqual(self.run_script(out=out, model=self.folder / "none.gguf").returncode, 66)

    def test_a_quantised_source_wants_its_flag(self):
        source = self.folder / "quantised.gguf"
        pillar("quantize", self.model, source, "Q4_0", "--force")
        words = ["--formats", "Q8_0", "--cache-types", "none"]
        out = self.folder / "again"
        result = self.run_script(*words, out=out, model=source)
        self.assertEqual(result.returncode, 65)
        self.assertIn("--allow-requantize", result.stderr)
        self.assertEqual(self.run_script(*words, "--allow-requantize", out=out, model=source).returncode, 0)
        self.assertEqual(list(self.rows(out)), ["source", "Q8_0"])


if __name__ == "__main__":
    support.main()
