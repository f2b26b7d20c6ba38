"""Every class of malformed file through the whole program: its verdict, one line, its exit code, in time and memory."""

import collections
import json
import os
import resource
import shutil
import subprocess
import unittest

import numpy_llama
import pillar


def cpu_time_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def limited():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class BadFiles(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run([os.environ["PILLAR_MAKE_MALFORMED"], cls.folder], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(cls.folder, "index.json"), encoding="utf-8") as file:
            everything = json.load(file)
        # Two of a class are enough here: the unit tests of each module see them all.
        seen = collections.Counter()
        cls.cases = []
        for case in everything:
            seen[case["class"]] += 1
            if seen[case["class"]] <= 2:
                cls.cases.append(case)

    def test_every_case_has_its_verdict(self):
        self.assertGreaterEqual(len(self.cases), 83)
        for case in self.cases:
            with self.subTest(case["name"]):
                begin = cpu_time_of_children()
                checked = case["verdict"] == "refuse when checked"
                result = subprocess.run([pillar.BINARY, "run", "-m", os.path.join(self.folder, case["file"]), "-p", "a",
                                         "-n", "1", "-t", "1", "-c", "64", *(["--check-tensors"] if checked else [])],
                                        env=pillar.ENVIRONMENT, capture_output=True, timeout=60,
                                        stdin=subprocess.DEVNULL, preexec_fn=limited, check=False)
                errors = result.stderr.decode(errors="replace")
                self.assertGreaterEqual(result.returncode, 0, f"died of signal\n{errors}")
                self.assertNotIn("MPI_ABORT", errors)
                if not case["verdict"].startswith("refuse") and case["owner"] in ("model", "tokenizer"):
                    self.assertEqual(result.returncode, 0, errors)
                if case["verdict"].startswith("refuse"):
                    self.assertEqual(result.returncode, case["expected_exit_code"] or 65, errors)
                    lines = [line for line in errors.splitlines() if "[pillar] error" in line]
                    self.assertEqual(len(lines), 1, errors)
                    self.assertTrue(any(name in lines[0] for name in case["expected_field"].split("|")), lines[0])
                    self.assertLess(cpu_time_of_children() - begin, 1.0)

    def test_all_ranks_tell_it_once(self):
        refused = [c for c in self.cases if c["verdict"] == "refuse"][::9]
        for case in refused:
            with self.subTest(case["name"]):
                result = pillar.run(2, ["run", "-m", os.path.join(self.folder, case["file"]), "-p", "a", "-n", "1",
                                        "-t", "1"])
                self.assertEqual(result.returncode, case["expected_exit_code"])
                self.assertEqual(result.stderr.count(b"[pillar] error"), 1, result.stderr)
                self.assertNotIn(b"MPI_ABORT", result.stderr)

    def test_tensors_are_refused_in_one_sentence_on_any_number_of_ranks(self):
        classes = ("missing-of-each-kind", "extra-tensor", "other-dimensions", "heads-that-do-not-match")
        for name in classes:
            case = next(c for c in self.cases if c["class"] == name)
            path = os.path.join(self.folder, case["file"])
            sentences = set()
            for ranks in (None, 1, 2, 3):
                with self.subTest(name=name, ranks=ranks):
                    result = pillar.run(ranks, ["run", "-m", path, "-p", "a", "-n", "1", "-t", "1"])
                    self.assertEqual(result.returncode, 65, result.stderr)
                    errors = [line for line in result.stderr.splitlines() if b"error" in line]
                    self.assertEqual(len(errors), 1, result.stderr)
                    self.assertNotIn(b"MPI_ABORT", result.stderr)
                    self.assertIn(case["expected_field"].encode(), errors[0])
                    sentences.add(errors[0])
            plan = pillar.run(None, ["plan", "-m", path])
            self.assertEqual(plan.returncode, 65, plan.stderr)
            self.assertEqual(len(sentences), 1)
            self.assertIn(case["expected_field"].encode(), plan.stderr)

    def test_what_is_no_model_says_what_it_is(self):
        for case in (c for c in self.cases if c["class"] == "no-model"):
            path = os.path.join(self.folder, case["file"])
            for arguments in (["run", "-m", path, "-p", "a", "-n", "1"], ["plan", "-m", path],
                              ["tokenize", "-m", path, "-p", "a"]):
                with self.subTest(case["name"], command=arguments[0]):
                    result = pillar.run(None, arguments)
                    self.assertEqual(result.returncode, 65, result.stderr)
                    self.assertIn(case["expected_field"].encode(), result.stderr)
                    self.assertIn(b"the file is", result.stderr)


class Scales(pillar.WithFolder):
    def test_the_exponent_of_mxfp4_that_is_no_number_is_refused_when_checked(self):
        path = pillar.tiny_model(self.folder, "mxfp4", "--type", "mxfp4")
        _, _, offset, _ = numpy_llama.Gguf(path).tensors["blk.0.ffn_up.weight"]
        run = ["run", "-m", path, "-p", "a", "-n", "1", "-t", "1", "--check-tensors"]
        pillar.check(pillar.run(None, run))
        with open(path, "r+b") as file:
            file.seek(offset + 3 * 17)
            file.write(b"\xff")
        result = pillar.run(None, run)
        self.assertEqual(result.returncode, 65, result.stderr)
        self.assertIn(b"infinite or not a number", result.stderr)
        self.assertIn(f"{offset + 3 * 17}".encode(), result.stderr)


class Downloads(pillar.WithFolder):
    def test_a_file_that_is_zeros_to_its_end_is_told_of_once(self):
        whole = pillar.tiny_model(self.folder, "whole", "--layers", 2)
        with open(whole, "rb") as file:
            data = file.read()
        stopped = os.path.join(self.folder, "stopped.gguf")
        with open(stopped, "wb") as file:
            file.write(data[:len(data) * 3 // 4] + bytes(len(data) - len(data) * 3 // 4))
        for ranks in (None, 2):
            result = pillar.run(ranks, ["run", "-m", stopped, "-p", "a", "-n", "1", "-t", "1"])
            told = [line for line in result.stderr.splitlines() if b"download it again" in line]
            self.assertEqual(len(told), 1, result.stderr)
            self.assertRegex(told[0], rb'warning: .*stopped.gguf: tensor "blk\.\d\.[a-z_.]+" .* from byte \d+')
        result = pillar.run(None, ["run", "-m", whole, "-p", "a", "-n", "1", "-t", "1"])
        self.assertNotIn(b"download", result.stderr)

    def test_a_model_that_is_overwritten_during_a_run_ends_it(self):
        first = pillar.tiny_model(self.folder, "first", "--seed", 1, "--context", 8192)
        second = pillar.tiny_model(self.folder, "second", "--seed", 2, "--context", 8192)
        with open(second, "rb") as file:
            data = file.read()
        for ranks in (None, 2):
            path = os.path.join(self.folder, "changing.gguf")
            shutil.copy(first, path)
            process = pillar.start(ranks, ["run", "-m", path, "-p", "a", "-n", "8000", "-t", "1", "--ignore-eos",
                                           "--temp", "0"], self.folder)
            with open(path, "r+b") as file:
                file.write(data)
            try:
                _, errors = process.communicate(timeout=120)
            finally:
                process.kill()
            self.assertEqual(process.returncode, 74, errors)
            told = [line for line in errors.splitlines() if b"was changed" in line]
            self.assertEqual(len(told), 1, errors)

    def test_a_newline_in_a_path_is_escaped(self):
        path = pillar.tiny_model(self.folder, "two\nlines")
        result = pillar.run(None, ["inspect", "-m", path, "--no-tensors"])
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(rb"two\x0Alines.gguf (GGUF", result.stdout)
        self.assertNotIn(b"two\n", result.stdout)


if __name__ == "__main__":
    unittest.main()
