"""`--draft` as its users meet it: the texts of `run`, `chat` and `batch` stay the same, whoever proposes and on any ranks;
what is proposed is told; a draft model of another vocabulary is refused."""

import csv
import io
import json
import os
import unittest

import h5py
import pillar

PROMPT = ["-p", "ab ab ab ab ab ab ab", "-n", 70, "--ignore-eos", "-t", 1, "-c", 512]


def refused(result, code, *words):
    """One line of the log says so, and nothing came out."""
    log = [line for line in result.stderr.decode().splitlines() if line.startswith("[pillar]")]
    assert result.returncode == code, (result.returncode, log)
    assert result.stdout == b""
    assert all(word in log[-1] for word in words), log
    return log


class Draft(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model, _ = pillar.tiny_and_slow_model(cls.folder)
        # Other weights, sizes and heads, the same vocabulary: a rank more than it has KV heads is without any.
        cls.draft = pillar.tiny_model(cls.folder, "small", "--type", "q4_0", "--dim", 32, "--heads", 2, "--kv-heads", 2,
                                      "--head-dim", 16, "--layers", 1, "--ffn", 64, "--seed", 7, "--context", 256)
        cls.windows = pillar.tiny_model(cls.folder, "windows", "--architecture", "gemma3", "--type", "q8_0", "--layers", 3,
                                        "--window", 40, "--window-pattern", 2, "--context", 512)

    def path(self, name):
        return os.path.join(self.folder, name)

    def text(self, ranks, *flags, model=None):
        return pillar.check(pillar.run(ranks, ["run", "-m", model or self.model, *PROMPT, *flags])).stdout

    def test_texts_are_those_without(self):
        for flags in (["--temp", 0], ["--temp", "0.8", "--seed", 3, "--top-k", 0, "--frequency-penalty", "0.3"]):
            for ranks in (None, 2, 3, 4):
                plain = self.text(ranks, *flags)
                for draft in (self.draft, self.model + ":3"):
                    with self.subTest(ranks=ranks, draft=draft, flags=flags):
                        self.assertEqual(self.text(ranks, *flags, "--draft", draft), plain)

    def test_shares_of_a_split_and_layers_with_windows(self):
        split = ["--temp", 0, "--split", "0.3,0.7"]
        self.assertEqual(self.text(2, *split, "--draft", self.draft), self.text(2, *split))
        plain = self.text(None, "--temp", 1, "--seed", 2, model=self.windows)
        for draft in ("ngram:15", self.draft, self.windows):
            self.assertEqual(self.text(2, "--temp", 1, "--seed", 2, "--draft", draft, model=self.windows), plain)

    def test_refusals(self):
        def draft(name, *flags):
            return pillar.run(2, ["run", "-m", self.model, *PROMPT, "--draft", name, *flags])
        larger = pillar.tiny_model(self.folder, "larger", "--vocab", 400)
        bpe = pillar.tiny_model(self.folder, "bpe", "--bpe")
        for other in (larger, bpe):
            refused(draft(other), 65, "vocabulary", os.path.basename(other))
        refused(draft(self.path("nobody.gguf")), 66, "nobody.gguf")
        for words in ("ngrams", "ngram:16", "ngram:0", self.draft + ":16"):
            refused(draft(words), 64, "--draft")
        with open(self.path("broken.gguf"), "wb") as file:
            file.write(b"GGUF")
        refused(draft(self.path("broken.gguf")), 65, "broken.gguf")

    def test_the_trace_and_the_report_tell_what_was_proposed(self):
        trace = self.path("trace.h5")
        result = pillar.check(pillar.run(2, ["run", "-m", self.model, *PROMPT, "--temp", 0, "--draft", self.model + ":4",
                                             "--trace", trace]))
        with h5py.File(trace) as file:
            steps = {name: file["steps"][name][:] for name in file["steps"]}
            n_generated = int(file["sequences/n_generated"][0])
            of_draft = steps["is_draft"] == 1
            decode = (steps["phase"] == 1) & ~of_draft
            self.assertEqual(file["config"].attrs["draft"], self.model + ":4")
            # The first token is the prompt's.
            self.assertEqual(decode.sum() + steps["n_accepted"].sum(), n_generated - 1)
            self.assertTrue((steps["n_accepted"] <= steps["n_proposed"]).all())
            self.assertTrue((steps["n_rows"][decode] == 1 + steps["n_proposed"][decode]).all())
            self.assertGreater(steps["n_proposed"].sum(), 0)
            self.assertEqual(steps["n_proposed"].sum(), steps["n_accepted"].sum())  # it agrees with itself
            self.assertGreater(of_draft.sum(), 0)
            self.assertTrue((steps["n_sequences"] == 1).all() and (steps["n_pages"] == 1).all())
            proposed, accepted = int(steps["n_proposed"].sum()), int(steps["n_accepted"].sum())
        self.assertIn(f"{accepted} of {proposed} token", result.stderr.decode())
        report = pillar.check(pillar.run(None, ["report", trace])).stdout.decode()
        self.assertRegex(report, r"\d+ of \d+ proposed tokens accepted, \d\.\d\d tokens a step")
        row = next(csv.DictReader(io.StringIO(pillar.check(pillar.run(None, ["report", trace, "-o", "csv"])).stdout.decode())))
        self.assertGreater(float(row["tokens_per_step"]), 1)

    def test_a_chat(self):
        def said(*flags, ranks=None):
            result = pillar.run(ranks, ["chat", "-m", self.model, "-t", 1, "--chat-template", "chatml", "-c", 512, "-n", 30,
                                        "--temp", "0.7", "--seed", 4, *flags], input=b"one\ntwo\n/regen\n/stats\n", stdin=None)
            return pillar.check(result)
        plain = said()
        for ranks, draft in ((None, "ngram"), (None, self.draft), (3, self.model)):
            reference = plain if ranks is None else said(ranks=ranks)
            self.assertEqual(said("--draft", draft, ranks=ranks).stdout, reference.stdout)
        self.assertRegex(said("--draft", self.model).stderr.decode(), r"draft +\d+ of \d+ tokens? accepted")

    def test_a_batch(self):
        requests = self.path("in.jsonl")
        with open(requests, "w", encoding="utf-8") as file:
            for i in range(24):
                body = {"prompt": "abc " * (1 + 10 * (i % 4)), "max_tokens": 10 + i, "seed": i, "temperature": i % 2,
                        "top_k": [40, 0, 5][i % 3], "ignore_eos": True}
                file.write(json.dumps({"custom_id": f"r{i}", "method": "POST", "url": "/v1/completions", "body": body}) + "\n")

        def texts(name, ranks, *flags):
            out = self.path(name)
            log = pillar.check(pillar.run(ranks, ["batch", "-m", self.model, "-i", requests, "-o", out, "-t", 1, "-c", 512,
                                                  "--parallel", 4, *flags])).stderr.decode()
            with open(out, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file]
            return {line["custom_id"]: line["response"]["body"]["choices"][0]["text"] for line in lines}, log
        plain, _ = texts("plain.jsonl", None)
        self.assertEqual(len(plain), 24)
        for ranks, draft in ((None, "ngram:15"), (2, self.draft), (4, self.model + ":5")):
            trace = self.path(f"batch{ranks}.h5")
            with_draft, log = texts(f"draft{ranks}.jsonl", ranks, "--draft", draft, "--trace", trace)
            self.assertEqual(with_draft, plain)
            with h5py.File(trace) as file:
                steps = file["steps"]
                self.assertEqual(steps["n_sequences"][:].max(), 4)
                self.assertGreaterEqual(steps["n_pages"][:].max(), 4)
                if steps["n_proposed"][:].sum() > 0:
                    self.assertIn("tokens a step", log)


if __name__ == "__main__":
    unittest.main()
