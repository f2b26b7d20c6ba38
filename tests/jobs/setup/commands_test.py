"""demo.sh and test.sh as a whole, with stand-ins for apt, cmake, ctest and mpirun."""

import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from demo_model import MODEL, WithModel  # noqa: E402
from support import ALL_INSTALLED, main  # noqa: E402


class Commands(WithModel):
    def setUp(self):
        super().setUp()
        self.stand_in("apt-get")
        self.stand_in("dpkg-query", ALL_INSTALLED)
        self.stand_in("cmake")
        self.model.parent.mkdir()
        self.model.write_bytes(self.weights)
        self.stand_in("mpirun", """
            program = next(i for i, word in enumerate(sys.argv) if word.endswith("/pillar"))
            os.execv(sys.argv[program], sys.argv[program:])
            """)
        self.stand_in("pillar", """
            if sys.argv[1] == "run":
                print("A cluster is")
                open(sys.argv[sys.argv.index("--trace") + 1], "x").write("trace")
            else:
                print("report of", open(sys.argv[2]).read())
            """, folder=self.root / "build/release")
        self.stand_in("ctest", """
            name = sys.argv[sys.argv.index("--output-junit") + 1]
            cases = os.environ.get("CASES", '<testcase name="a" status="run"/>')
            open("build/release/" + name, "w").write("<testsuite>" + cases + "</testsuite>")
            sys.exit("fail" in cases)
            """)

    def test_demo_answers_with_a_trace_and_a_report_also_when_repeated(self):
        for _ in range(2):
            result = self.run_job("demo.sh", cwd=self.folder, stdin=subprocess.DEVNULL)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("A cluster is", result.stdout)
            self.assertIn("report of trace", result.stdout)
            self.assertIn("+ mpirun -n 2 ", result.stderr)
        argv = self.calls("mpirun")[-1]["argv"]
        self.assertEqual(argv[argv.index("-m") + 1], f"models/{MODEL}")
        self.assertTrue(argv[argv.index("-p") + 1].startswith("<|im_start|>user\\n"))
        self.assertEqual(self.calls("apt-get"), [])

    def test_demo_says_what_it_will_do_and_how_far_it_is(self):
        shutil.copy(self.root / "build/release/pillar", self.bin)
        (self.root / "build/release/pillar").unlink()
        self.stand_in("nproc", "print(4)")
        self.stand_in("dpkg-query", "print('installed cmake')")
        self.stand_in("cmake", f"import shutil; shutil.copy({str(self.bin / 'pillar')!r}, 'build/release/pillar')")
        result = self.run_job("demo.sh")
        self.assertEqual(result.returncode, 0, result.stderr)
        plan = result.stdout.partition("step 1 of 5")[0]
        self.assertRegex(plan, r"five steps on this .* with 4 cores")
        self.assertRegex(plan, r"1\. install packages +\d+ packages of Debian, some minutes")
        self.assertRegex(plan, r"2\. build pillar +about \d+ (s|min), with all cores")
        self.assertRegex(plan, r"3\. get a small model +there")
        for step in range(1, 6):
            self.assertRegex(result.stdout, f"demo: step {step} of 5: [a-z]")
            self.assertRegex(result.stdout, rf"demo: step {step} took \d+ s")
        plan = self.run_job("demo.sh").stdout.partition("step 1 of 5")[0]
        self.assertRegex(plan, r"2\. build pillar +what has changed")

    def test_the_first_build_leaves_tests_out_and_later_ones_keep_what_is(self):
        self.run_job("demo.sh")
        self.assertIn("-DPILLAR_TESTS=OFF", self.calls("cmake")[0]["argv"])
        cache = self.root / "build/release/CMakeCache.txt"
        cache.write_text(f"CMAKE_HOME_DIRECTORY:INTERNAL={self.root}\n")
        self.run_job("demo.sh")
        self.assertEqual(self.calls("cmake")[-2]["argv"], ["--preset", "release"])
        cache.write_text("CMAKE_HOME_DIRECTORY:INTERNAL=/where/it/was\n")
        self.run_job("demo.sh")
        self.assertIn("--fresh", self.calls("cmake")[-2]["argv"])

    def test_a_failed_step_ends_the_demo_with_its_code(self):
        self.stand_in("mpirun", "sys.exit(77)")
        self.assertEqual(self.run_job("demo.sh").returncode, 77)
        self.stand_in("cmake", "print('no compiler'); sys.exit(1)")
        result = self.run_job("demo.sh")
        self.assertEqual(result.returncode, 70)
        self.assertIn("no compiler", result.stderr)

    def last_line(self, *arguments, **options):
        result = self.run_job("test.sh", *arguments, cwd=self.folder, **options)
        return result.returncode, result.stdout.splitlines()[-1]

    def test_the_suite_ends_with_the_count(self):
        self.assertEqual(self.last_line(), (0, "1 passed, 0 failed, 0 skipped"))
        self.assertIn("-LE", self.calls("ctest")[-1]["argv"])
        self.assertIn("-DPython3_EXECUTABLE=/usr/bin/python3", self.calls("cmake")[0]["argv"])
        cases = '<testcase name="a" status="fail"><failure/></testcase><testcase name="b" status="run"/>'
        self.assertEqual(self.last_line(env={"CASES": cases}), (1, "1 passed, 1 failed, 0 skipped"))

    def test_parts_of_the_longer_tests_are_added_by_label(self):
        self.assertEqual(self.last_line("--also", "cross", "--also", "fuzz", "-V"), (0, "3 passed, 0 failed, 0 skipped"))
        for call, label in zip(self.calls("ctest")[1:], ("cross", "fuzz")):
            argv = " ".join(call["argv"])
            self.assertIn(f"-L ^all$ -L ^{label}$", argv)
            self.assertIn("-V", call["argv"])
        self.assertEqual(self.last_line("--all"), (0, "1 passed, 0 failed, 0 skipped"))
        self.assertNotIn("-LE", self.calls("ctest")[-1]["argv"])
        self.last_line("--label", "fast")
        self.assertIn("-L ^fast$", " ".join(self.calls("ctest")[-1]["argv"]))

    def test_the_suite_goes_on_without_the_model(self):
        self.model.write_bytes(b"cut")
        result = self.run_job("test.sh")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("going on without the demo model", result.stdout)


if __name__ == "__main__":
    main()
