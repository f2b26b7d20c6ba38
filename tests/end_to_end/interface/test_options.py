"""Options as users give them: between ranks, from shell variables, from other programs' habits."""

import os
import re
import subprocess

import pillar

ERROR = rb"\[pillar\] error: (.*)"


class OfRanks(pillar.WithFolder):
    """mpirun A : B, where ranks were started differently."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny", "--type", "q8_0", "--seed", 5)

    def start(self, *programs):
        line = [os.environ.get("MPIEXEC") or "mpirun"]
        for i, arguments in enumerate(programs):
            line += [":"] * (i > 0) + ["-n", "1", pillar.BINARY, *map(str, arguments)]
        return subprocess.run(line, env=pillar.ENVIRONMENT, timeout=60, capture_output=True, stdin=subprocess.DEVNULL,
                              check=False)

    def run_with(self, *flags):
        return ["run", "-m", self.model, "-p", "hello", "-n", 4, "-t", 1, "--temp", 0, "--ignore-eos", *flags]

    def refuse(self, first, second, name, *values):
        result = self.start(first, second)
        self.assertEqual(result.returncode, 78, (name, result.stderr))
        sentences = re.findall(ERROR, result.stderr)
        self.assertEqual(len(sentences), 1, result.stderr)
        for word in (name, "rank 0 on", "rank 1 on", *values):
            self.assertIn(word, sentences[0].decode())
        self.assertEqual(result.stdout, b"")
        self.assertNotIn(b"MPI_ABORT", result.stderr)

    def test_options_that_must_be_the_same_are_compared_first(self):
        trace = os.path.join(self.folder, "one.h5")
        cases = [("--ctx-size", ["-c", 128], ["-c", 4], "128"), ("--batch-size", ["-b", 2], ["-b", 256], "256"),
                 ("--kernels", [], ["--kernels", "reference"], "auto"),
                 ("--split", ["--split", "0.3,0.7"], ["--split", "0.6,0.4"], "0.3,0.7"),
                 ("--split", [], ["--split", "auto"], "even"),
                 ("--cache-type", ["--cache-type", "f32"], ["--cache-type", "q8_0"], "q8_0"),
                 ("--wire", ["--allreduce", "direct"], ["--allreduce", "direct", "--wire", "f16"], "f32"),
                 ("--allreduce", ["--allreduce", "ring"], [], "auto"),
                 ("--emulate-network", [], ["--emulate-network", "50,8.5"], "50,8.5"),
                 ("--repeat-penalty", ["--repeat-penalty", 1.8], [], "1.8"), ("--temp", ["--temp", 1], [], "1"),
                 ("--top-k", ["--top-k", 100], [], "40"), ("--seed", ["-s", 1], ["-s", -1], "-1"),
                 ("--trace", ["--trace", trace], [], "one.h5")]
        for name, first, second, value in cases:
            with self.subTest(name=name, first=first, second=second):
                self.refuse(self.run_with(*first), self.run_with(*second), name, value)
        self.assertFalse(os.path.exists(trace))

    def test_subcommands_are_compared(self):
        bench = ["bench", "-m", self.model, "-p", 4, "-n", 2, "-r", 1]
        self.refuse(self.run_with(), bench, "the subcommand", "run", "bench")
        self.refuse(bench, ["bench", "--allreduce"], "--model", "none")
        self.refuse(bench, [*bench, "-d", "0,8"], "--n-depth", "0,8")
        self.refuse(["check"], ["check", "-c", "64"], "--ctx-size", "64")
        self.refuse(["bench", "--allreduce"], ["bench", "--allreduce", "--sizes", "8"], "--sizes", "4,16,64")

    def test_what_needs_no_ranks_does_not_keep_the_others_waiting(self):
        for programs in ((self.run_with(), ["inspect", "-m", self.model]), (["--version"], self.run_with())):
            result = self.start(*programs)
            self.assertEqual(result.returncode, 78, result.stderr)
            self.assertIn(b"needs no ranks", result.stderr)

    def test_all_reduces_are_measured_at_the_sizes_that_are_named(self):
        for sizes, fit in (("64,4096", r"[\d.e+-]+"), ("64", "")):
            result = pillar.check(pillar.run(2, ["bench", "--allreduce", "--sizes", sizes, "-o", "csv"]))
            head, *rows = [line.split(",") for line in result.stdout.decode().splitlines()]
            self.assertEqual({row[head.index("bytes")] for row in rows}, set(sizes.split(",")))
            self.assertEqual(len(rows), 9 * len(sizes.split(",")))  # five on f32, two on f16 and q8
            for row in rows:
                self.assertRegex(row[head.index("fit_latency_s")], rf"\A{fit}\Z")

    def test_a_mistake_of_another_program_is_told(self):
        result = self.start(self.run_with(), ["run", "-m", self.model, "--tmep", "1"])
        self.assertEqual(result.returncode, 64, result.stderr)
        self.assertIn(b"is --temp meant?", result.stderr)

    def test_the_others_may_differ(self):
        expected = self.start(self.run_with(), self.run_with()).stdout
        other_path = os.path.join(self.folder, ".", "tiny.gguf")
        result = self.start(self.run_with(),
                            ["run", "-m", other_path, "-n", 1, "-t", 2, "--temp", 0, "--ignore-eos", "--timeout", 50,
                             "-q", "--stop", "x", "-f", "/nowhere", "--force", "--no-display-prompt"])
        self.assertEqual(pillar.check(result).stdout, expected)


class OfUsers(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny", "--type", "q8_0", "--seed", 5)

    def run_with(self, *flags, **options):
        return pillar.run(None, ["run", "-m", self.model, "-t", 1, "--temp", 0, "--ignore-eos", *flags], **options)

    def text(self, *flags):
        return pillar.check(self.run_with(*flags)).stdout

    def refuse(self, code, words, *flags, **options):
        result = self.run_with(*flags, **options)
        self.assertEqual(result.returncode, code, result.stderr)
        sentences = re.findall(ERROR, result.stderr)
        self.assertEqual(len(sentences), 1, result.stderr)
        self.assertIn(words, sentences[0])
        self.assertNotIn(b"loading", result.stderr)
        self.assertNotIn(b"load ", result.stderr)

    def test_numbers_are_decimal(self):
        self.assertEqual(self.text("-p", "hi", "-n", "010"), self.text("-p", "hi", "-n", 10))
        self.refuse(64, b"-n 0x10", "-p", "hi", "-n", "0x10")
        self.refuse(64, b"-n has an empty value", "-p", "hi", "-n", "")

    def test_the_largest_seed_is_another_one(self):
        texts = {self.text("-p", "hi", "-n", 12, "--temp", 2, "-s", seed) for seed in (2**64 - 1, 2**63 - 1, 2**32 - 1)}
        self.assertEqual(len(texts), 3)

    def test_a_bad_prompt_is_told_before_anything_is_loaded(self):
        self.refuse(66, b"absent.txt", "-f", os.path.join(self.folder, "absent.txt"))
        self.refuse(64, b"the prompt has", "-p", "hello world", "-c", 4)
        self.refuse(64, b"more than", "-f", "/dev/zero", "-c", 16)

    def test_an_empty_prompt_waits_for_nobody(self):
        reading, writing = os.pipe()  # open and silent
        try:
            with_bos = pillar.check(self.run_with("-p", "", "-n", 4, stdin=reading, timeout=30))
            self.assertEqual(with_bos.stdout, self.text("-f", "/dev/null", "-n", 4))
            ids = pillar.run(None, ["tokenize", "-m", self.model, "-p", "", "--ids"], stdin=reading, timeout=30)
            self.assertEqual(pillar.check(ids).stdout.count(b","), 0)
        finally:
            os.close(reading)
            os.close(writing)

    def test_a_lone_file_is_the_model_and_the_last_flag_wins(self):
        expected = self.text("-p", "hi", "-n", 4)
        result = pillar.run(None, ["run", self.model, "-t", 1, "--temp", 1, "--ignore-eos", "-p", "no", "-n", 9, "-p", "hi",
                                   "-n", 4, "--temp", 0])
        self.assertEqual(pillar.check(result).stdout, expected)
        for arguments in (["inspect", self.model], ["tokenize", self.model, "-p", "hi"], ["plan", self.model]):
            pillar.check(pillar.run(None, arguments))

    def test_quiet_tells_one_line(self):
        result = pillar.check(self.run_with("-p", "hi", "-n", 4, "-q"))
        self.assertEqual(result.stdout, self.text("-p", "hi", "-n", 4))
        self.assertRegex(result.stderr, rb"\A\[pillar\] 4 tokens, [\d.]+ tokens per second\n\Z")

    def test_stop_ends_the_answer_before_the_text(self):
        answer = self.text("-p", "hi", "-n", 40).decode(errors="replace").rstrip("\n")
        words = [part for part in re.findall(r"[A-Za-z ]{2,6}", answer)] or [answer[10:13]]
        for stop in {words[0], words[-1], answer[5:9]}:
            shown = self.text("-p", "hi", "-n", 40, "--no-escape", "--stop", "never to come", "--stop", stop)
            self.assertEqual(shown.decode(errors="replace").rstrip("\n"), answer[:answer.index(stop)].rstrip("\n"))

    def test_bench_takes_a_name_with_a_comma(self):
        path = os.path.join(self.folder, "a,b.gguf")
        os.symlink(self.model, path)
        result = pillar.check(pillar.run(None, ["bench", "-m", path, "-p", "2-3", "-n", 0, "-r", 1, "-o", "csv"]))
        self.assertEqual(len(result.stdout.splitlines()), 3)

    def test_a_plan_of_a_very_long_prompt_comes_at_once(self):
        for prompt, batch in ((2147483647, 256), (100000000, 1)):
            result = pillar.run(None, ["plan", "-m", self.model, "-p", prompt, "-b", batch, "-o", "csv"], timeout=60)
            self.assertEqual(len(pillar.check(result).stdout.splitlines()), 5)
