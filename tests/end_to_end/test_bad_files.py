"""Every class of malformed file through the whole program: its verdict, one line, its exit code, in time and memory."""

import collections
import json
import os
import resource
import subprocess
import unittest

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
        # Two of a class are enough here: the unit tests of each room see them all.
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


if __name__ == "__main__":
    unittest.main()
