"""jobs/launch.sh with the real mpirun, the program and a tiny model: text, standard input, signals, a killed rank.

usage: launch_real_test.py PILLAR MAKE_TINY_MODEL
"""

import fcntl
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest

import documents
import support

sys.path.insert(0, str(support.ROOT / "tests/support/python"))
import deadline  # noqa: E402
import open_mpi  # noqa: E402

PILLAR, MAKE_TINY_MODEL = sys.argv[1:3]
LAUNCH = documents.ROOT / "jobs/launch.sh"
ENDLESS = ["--ignore-eos", "-n", "-1", "-c", "200000"]


def control_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def ranks_of(mark):
    """Process ids of the ranks of the job with this mark in its environment."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            executable = os.readlink(entry / "exe")
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if executable == os.path.realpath(PILLAR) and f"JOB_OF_TEST={mark}".encode() in environment:
            found.append(int(entry.name))
    return sorted(found)


def parent_of(process):
    return int(pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


class Launch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="pillar launch "))
        cls.model = cls.folder / "tiny model.gguf"
        subprocess.run([MAKE_TINY_MODEL, "--output", cls.model, "--context", "200000"], check=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def command(self, n_ranks, *arguments):
        return [LAUNCH, "-n", str(n_ranks), "--", "run", "-m", self.model, "--temp", "0", *map(str, arguments)]

    def environment(self, mark=""):
        return {**os.environ, "PILLAR_BINARY": PILLAR, "JOB_OF_TEST": mark}

    def text(self, n_ranks, *arguments, **options):
        result = subprocess.run(self.command(n_ranks, *arguments), env=self.environment(), capture_output=True,
                                timeout=120, check=False, **options)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result.stdout

    def start(self, mark, *arguments, **options):
        """An endless run on two ranks; returns once text has come."""
        trace = self.folder / f"{mark}.h5"
        self.output = open(self.folder / f"{mark}.txt", "w+b")
        self.addCleanup(self.output.close)
        options = {"stdin": subprocess.DEVNULL, "stdout": self.output, "stderr": subprocess.PIPE, **options}
        process = subprocess.Popen(self.command(2, "-p", "go", *ENDLESS, "--trace", trace, *arguments),
                                   env=self.environment(mark), **options)
        if process.stderr:
            self.addCleanup(process.stderr.close)
        deadline = time.monotonic() + 60
        while os.path.getsize(self.output.name) < 2000:  # several exchanges of records
            self.assertLess(time.monotonic(), deadline, "no text has come")
            self.assertIsNone(process.poll(), "the run has ended")
            time.sleep(0.05)
        return process, trace

    def read_trace(self, path, more_than=10):
        try:
            import h5py
        except ImportError:
            self.assertTrue(path.exists())
            return
        with h5py.File(path) as file:
            self.assertGreater(file["tokens/id"].shape[0], more_than)
            self.assertEqual(file["ranks/compute_s"].shape[1], 2)

    def test_the_text_is_that_of_one_rank_also_through_standard_input(self):
        alone = subprocess.run([PILLAR, *self.command(1, "-p", "once upon", "-n", 24)[4:]], capture_output=True,
                               check=True, stdin=subprocess.DEVNULL).stdout
        self.assertGreater(len(alone), 10)
        self.assertEqual(self.text(2, "-p", "once upon", "-n", 24), alone)
        self.assertEqual(self.text(2, "-f", "-", "-n", 24, input=b"once upon"), alone)

    def test_a_reader_that_leaves_ends_the_run_quietly_with_a_whole_trace(self):
        for redirection in ("", "2>&1"):
            trace = self.folder / f"reader{len(redirection)}.h5"
            command = self.command(2, "-p", "go", *ENDLESS, "--trace", trace)
            result = subprocess.run(["bash", "-c", f'"$@" {redirection} | head -c 100 >/dev/null; exit "${{PIPESTATUS[0]}}"', "-",
                                     *command], env=self.environment(), capture_output=True, timeout=60, check=False)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual([line for line in result.stderr.splitlines() if not line.startswith(b"[pillar]")], [])
            self.read_trace(trace, more_than=1)  # with 2>&1 the log alone is enough for the reader

    def test_hostfiles_are_read_as_mpirun_reads_them(self):
        hostfile = self.folder / "hosts"
        for text in ("localhost", "localhost slots=2", " localhost\tslots = 2 # x\n", "// x\nlocalhost cpu=2 max-slots=2",
                     "localhost slots=2\nlocalhost\n", "localhost\nlocalhost\n\r\n# x\r\n", "localhost count=02 username=x",
                     "localhost slots=2\r\n", "localhost slots=2 # x", "localhost slots=1\nlocalhost slots=1\n",
                     "localhost\nLOCALHOST slots=1\n", "localhost:2", "localhost slots", "localhost slots=x", "localhost SLOTS=2",
                     "localhost slots=2.5", "localhost slots=2 max_slots=1", "localhost x=2", "localhost slots==2", "localhost,",
                     "[::1]", "::1", "localhost slots=2;", "/* x */ localhost", "localhost = 2", "'localhost'", ""):
            hostfile.write_text(text, newline="")
            options = ["-n", "1", "--hostfile", hostfile]
            dry = subprocess.run([LAUNCH, *options, "--dry-run", "--", "--version"], env=self.environment(),
                                 capture_output=True, timeout=60, check=False)
            self.assertIn(dry.returncode, (0, 65))
            real = subprocess.run(["bash", "-c", f"source '{LAUNCH.parent}/lib/env.sh'; exec mpirun --oversubscribe \"$@\"", "-",
                                   *options, PILLAR, "--version"], env=self.environment(), capture_output=True, timeout=60,
                                  check=False)
            if dry.returncode == 0:
                self.assertEqual(real.returncode, 0, (text, real.stderr))
            elif text not in ("/* x */ localhost",):  # a comment that this script does not know
                self.assertNotEqual(real.returncode, 0, text)

    def test_a_killed_script_leaves_no_rank(self):
        process, _ = self.start("orphans")
        process.kill()
        process.wait()
        deadline = time.monotonic() + 20
        while ranks_of("orphans") and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(ranks_of("orphans"), [])

    def test_term_leaves_a_whole_trace_and_75(self):
        process, trace = self.start("term")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 75, process.stderr.read())
        self.read_trace(trace)

    def test_control_c_on_a_terminal_leaves_a_whole_trace_and_75(self):
        ours, theirs = pty.openpty()
        process, trace = self.start("control-c", stdin=theirs, stderr=theirs, start_new_session=True,
                                    preexec_fn=control_terminal)
        os.write(ours, b"\x03")
        self.assertEqual(process.wait(30), 75)
        self.read_trace(trace)
        os.close(ours)
        os.close(theirs)

    def test_a_second_control_c_ends_ranks_that_cannot_finish_their_step(self):
        process, trace = self.start("impatient")
        stopped = ranks_of("impatient")[-1]
        os.kill(stopped, signal.SIGSTOP)  # hangs: it can finish no step
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 75, process.stderr.read())
        self.assertTrue(trace.exists() or pathlib.Path(f"{trace}.journal").exists())
        self.assertEqual(ranks_of("impatient"), [])

    def test_a_third_one_kills_and_the_journal_becomes_a_trace(self):
        process, trace = self.start("killing")
        ranks = ranks_of("killing")
        for hanging in [parent_of(ranks[0]), *ranks]:  # mpirun first: it would wake them
            os.kill(hanging, signal.SIGSTOP)
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        self.assertEqual(process.wait(30), 75)
        time.sleep(0.2)
        self.assertEqual(ranks_of("killing"), [])
        subprocess.run([PILLAR, "report", "--recover", f"{trace}.journal"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        self.read_trace(trace)

    def kill_a_rank(self):
        process, _ = self.start("killed")
        os.kill(ranks_of("killed")[-1], signal.SIGKILL)
        start = time.monotonic()
        self.assertEqual(process.wait(30), 69)
        seconds = time.monotonic() - start
        # Open MPI 5 ends the job with the first rank that sees a connection close, and may not say whose
        named = "rank [01].*on signal 9" if open_mpi.major() < 5 else "launch: a rank was (lost|killed)"
        self.assertRegex(process.stderr.read().decode(), named)
        self.assertEqual(ranks_of("killed"), [])
        return seconds

    def test_a_killed_rank_ends_the_job_within_3_s(self):
        deadline.hold(self, 3.0, self.kill_a_rank)

    def test_a_bad_file_ends_with_its_own_code(self):
        result = subprocess.run([LAUNCH, "-n", "2", "--", "run", "-m", self.folder / "nothing.gguf", "-p", "x"],
                                env=self.environment(), capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 66)
        self.assertIn("nothing.gguf", result.stderr)


if __name__ == "__main__":
    support.main()
