"""build.sh with a stand-in for cmake, and count_tests.py."""

import pathlib
import shlex
import subprocess
import sys
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import Clone, main  # noqa: E402


class Build(Clone):
    """build.sh's progress, with a stand-in for cmake that says what ninja says."""

    NINJA = """
        def status(finished, all):
            form = os.environ["NINJA_STATUS"]
            print(form.replace("%f", str(finished)).replace("%t", str(all)) + "Building CXX object x.o", flush=True)
        """

    def build(self, body, **options):
        self.stand_in("cmake", textwrap.dedent(self.NINJA) + textwrap.dedent(body))
        script = f"set -euo pipefail; source '{self.root}/jobs/lib/env.sh'; source '{self.root}/jobs/lib/build.sh'; build --target pillar"
        return subprocess.run(["bash", "-c", script], env=self.env, text=True, capture_output=True, timeout=60, **options)

    def test_it_tells_how_far_it_is_also_while_nothing_is_finished(self):
        self.tell_every(1)
        result = self.build("""
            status(1, 40)
            time.sleep(1.5)
            status(20, 40)
            time.sleep(2.5)
            status(40, 40)
            """)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        lines = result.stdout.splitlines()
        self.assertEqual(lines[0], "build: 1 of 40 (2 %)")  # too early to say more
        self.assertRegex("\n".join(lines), r"build: 20 of 40 \(50 %\), about [1-5] s left")
        self.assertRegex(lines[-1], r"build: 40 of 40 in [45] s")
        self.assertNotIn("Building", result.stdout)
        self.assertLessEqual(len(lines), 6)

    def test_warnings_and_errors_stay(self):
        result = self.build("""
            status(1, 2)
            print("x.cpp:1: warning: unused")
            print("FAILED: y.o")
            sys.exit(1)
            """)
        self.assertEqual(result.returncode, 70)
        self.assertEqual(result.stdout.splitlines()[:2], ["x.cpp:1: warning: unused", "FAILED: y.o"])
        self.assertIn("the build failed", result.stderr)

    def test_a_terminal_has_ninja_s_own_line(self):
        self.stand_in("cmake", "print('status is', os.environ['NINJA_STATUS'], sys.stdout.isatty())")
        script = f"source '{self.root}/jobs/lib/env.sh'; source '{self.root}/jobs/lib/build.sh'; build"
        result = subprocess.run(["script", "-qec", "bash -c " + shlex.quote(script), "/dev/null"], env=self.env, text=True,
                                capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertRegex(result.stdout, r"status is build: %f of %t .* True")


class Count(Clone):
    CASES = """<testsuite>
        <testcase name="good" status="run"/>
        <testcase name="bad" status="fail"><failure message=""/></testcase>
        <testcase name="gone" status="notrun"><skipped message="Unable to find executable"/></testcase>
        <testcase name="later" status="notrun"><skipped message="Fixture dependency failed"/></testcase>
        <testcase name="off" status="disabled"/>
        <testcase name="skipped by code" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>
            <system-out>line\nno demo model\n</system-out></testcase>
        <testcase name="skipped by gtest" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
            <system-out>[ RUN ]\nx.cpp:12: Skipped\nno demo model\n\n[  SKIPPED ] x\n</system-out></testcase>
        </testsuite>"""

    def count(self, text):
        path = self.folder / "tests.xml"
        path.write_text(text)
        return subprocess.run(["/usr/bin/python3", self.root / "jobs/lib/count_tests.py", path], capture_output=True, text=True)

    def test_what_could_not_run_has_failed_and_reasons_are_told(self):
        result = self.count(self.CASES)
        self.assertEqual(result.returncode, 1)
        lines = result.stdout.splitlines()
        self.assertEqual(lines[-1], "1 passed, 3 failed, 3 skipped")
        self.assertIn("skipped 2: no demo model", lines)
        self.assertIn("failed: gone", lines)

    def test_no_test_at_all_is_a_failure(self):
        self.assertEqual(self.count("<testsuite/>").returncode, 1)


if __name__ == "__main__":
    main()
