"""What ranks do together when something is wrong, or only looks like it: one sentence, in time, and nobody is left."""

import os
import re
import signal
import subprocess
import time

import pillar


def limited(kilobytes, ranks, arguments, timeout=120):
    """Ranks that may map no more than so much memory each; mpirun itself has all it wants."""
    start = [] if ranks is None else [os.environ.get("MPIEXEC") or "mpirun", "-n", str(ranks)]
    command = [*start, "bash", "-c", f'ulimit -v {kilobytes} && exec "$@"', "bash", pillar.BINARY,
               *map(str, arguments)]
    return subprocess.run(command, env=pillar.ENVIRONMENT, capture_output=True, timeout=timeout, check=False,
                          stdin=subprocess.DEVNULL)


class BeforeTheFirstStep(pillar.WithFolder):
    """Whatever fails, rank 0 tells one sentence and no rank calls MPI_Abort."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny")

    def expect_one_sentence(self, result, code, words):
        lines = [line for line in result.stderr.decode(errors="replace").splitlines() if line.startswith("[pillar")]
        errors = [line for line in lines if " error: " in line or "] error: " in line]
        self.assertEqual(len(errors), 1, result.stderr.decode(errors="replace"))
        self.assertRegex(errors[0], words)
        self.assertNotIn(b"MPI_ABORT", result.stderr)
        self.assertNotIn(b"terminate called", result.stderr)
        self.assertNotIn(b"libgomp", result.stderr)
        self.assertEqual(result.returncode, code, result.stderr)

    def test_threads_that_cannot_be_started(self):
        for ranks in (None, 1, 4):
            with self.subTest(ranks=ranks):
                self.expect_one_sentence(
                    limited(1500000, ranks, ["run", "-m", self.model, "-p", "a", "-n", 1, "-t", 256]), 77,
                    "256 threads .*-t")

    def test_memory_that_is_not_there(self):
        for ranks in (None, 1, 4):
            with self.subTest(ranks=ranks):
                self.expect_one_sentence(
                    limited(1000000, ranks, ["run", "-m", self.model, "-p", "a", "-n", 1, "-t", 1, "-c", 2000000000]),
                    77, "needs|memory|allocate")

    def test_a_trace_that_cannot_be_created(self):
        for ranks in (None, 1, 4):
            with self.subTest(ranks=ranks):
                self.expect_one_sentence(
                    pillar.run(ranks, ["run", "-m", self.model, "-p", "a", "-n", 1, "--trace",
                                       os.path.join(self.folder, "nowhere", "t.h5")]), 73, "nowhere")

    def test_shares_for_another_number_of_ranks(self):
        self.expect_one_sentence(
            pillar.run(4, ["run", "-m", self.model, "-p", "a", "-n", 1, "--split", "0.5,0.5"]), 64, "2 shares")


class WhileComputing(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "wide", "--layers", 1, "--dim", 384, "--heads", 6, "--kv-heads", 2,
                                      "--ffn", 1536, "--context", 4096, "--type", "q8_0")

    def test_a_rank_that_computes_is_not_silent(self):
        prompt = os.path.join(self.folder, "prompt")
        with open(prompt, "w", encoding="utf-8") as file:
            file.write("a" * 4000)
        result = pillar.run(2, ["run", "-m", self.model, "-f", prompt, "-b", 4096, "-n", 2, "-t", 1,
                                "--kernels", "reference", "--split", "0.9,0.1", "--timeout", 1, "--ignore-eos"])
        self.assertNotIn(b"silent", result.stderr)
        pillar.check(result)


class Stopped(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "deep", "--layers", 30, "--dim", 256, "--heads", 4, "--kv-heads", 2,
                                      "--ffn", 768, "--context", 2048, "--type", "q8_0")

    def test_during_a_prompt_in_halves_is_named_with_a_layer_that_there_is(self):
        prompt = os.path.join(self.folder, "prompt")
        with open(prompt, "w", encoding="utf-8") as file:
            file.write("a" * 2000)
        command = pillar.command(2, ["run", "-m", self.model, "-f", prompt, "-b", 256, "-n", 2,
                                     "-t", 1, "--kernels", "reference", "--timeout", 1, "--allreduce", "direct"])
        with subprocess.Popen(command, env=pillar.ENVIRONMENT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stdin=subprocess.DEVNULL) as job:
            for line in job.stderr:
                if line.startswith(b"[pillar] load "):
                    break
            time.sleep(3)  # into the last layers of a chunk, of several seconds each
            victim = self.rank_of(job.pid, 1)
            os.kill(victim, signal.SIGSTOP)
            errors = job.stderr.read().decode(errors="replace")
            self.assertEqual(job.wait(timeout=60), 69, errors)
        self.assertRegex(errors, r"rank 1 on \S+ has been silent")
        for layer in re.findall(r"in layer (\d+) of step", errors):
            self.assertLess(int(layer), 30, errors)

    def rank_of(self, launcher, rank):
        """The process id of a rank that this launcher has started."""
        wanted = f"OMPI_COMM_WORLD_RANK={rank}".encode()
        parents = {launcher}
        for _ in range(3):
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                        parent = int(file.read().rpartition(")")[2].split()[1])
                    if parent not in parents:
                        continue
                    parents.add(int(pid))
                    with open(f"/proc/{pid}/environ", "rb") as file:
                        if wanted in file.read().split(b"\0"):
                            return int(pid)
                except OSError:
                    continue
        raise AssertionError(f"rank {rank} is not among the launcher's processes")
