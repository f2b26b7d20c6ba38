"""`run` as its users meet it: the same text on any number of ranks, stop rules, exit codes, traces, signals."""

import os
import pathlib
import platform
import re
import signal
import subprocess
import time
import unittest

import deadline
import h5py
import numpy as np
import pillar

PROMPT = ["-p", "The capital of France is", "--temp", "0", "-n", "16"]


def text(result):
    return pillar.check(result).stdout.decode()


def lives(pid):
    """False for a process that is gone or waits only to be reaped."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def find_children(pid):
    """Process ids of the ranks below an mpirun."""
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        listing = pathlib.Path(f"/proc/{parent}/task/{parent}/children")
        children = [int(p) for p in listing.read_text().split()] if listing.exists() else []
        todo += children
        found += children
    return [p for p in found if os.path.basename(os.readlink(f"/proc/{p}/exe")) == "pillar"]


class TinyRuns(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model, cls.slow = pillar.tiny_and_slow_model(cls.folder)

    def arguments(self, *more):
        return ["run", "-m", self.model, "-p", "hello", "-n", 12, "--ignore-eos", "-t", 1, *more]

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_proposals_change_no_text(self):
        for flags in (["--temp", 0], ["--temp", "0.7", "--seed", 3, "--frequency-penalty", "0.3"]):
            arguments = ["run", "-m", self.model, "-p", "ab ab ab ab ab ab ab", "-n", 60, "--ignore-eos", "-t", 1, *flags]
            plain = text(pillar.run(None, arguments))
            for ranks, draft in ((1, "ngram"), (2, "ngram:15"), (4, "ngram:1"), (8, "ngram:4")):
                result = pillar.run(ranks, [*arguments, "--draft", draft])
                self.assertEqual(text(result), plain)
        self.assertIn("accepted", result.stderr.decode())
        bad = pillar.run(None, [*arguments, "--draft", "ngram:16"])
        self.assertEqual(bad.returncode, 64)
        self.assertIn("--draft", bad.stderr.decode())

    def test_same_text_with_the_same_seed_on_1_2_4_8_ranks(self):
        flags = ["--temp", "1.2", "--seed", "42", "--repeat-penalty", "1.1"]
        texts = {text(pillar.run(ranks, self.arguments(*flags))) for ranks in (None, 1, 2, 4, 8)}
        self.assertEqual(len(texts), 1)
        other = text(pillar.run(None, self.arguments("--temp", "1.2", "--seed", "43")))
        self.assertNotIn(other, texts)

    def test_whole_rows_give_the_same_text_on_any_ranks(self):
        flags = ["--temp", "1.0", "--seed", "7", "--top-k", "0"]
        self.assertEqual(text(pillar.run(None, self.arguments(*flags))), text(pillar.run(4, self.arguments(*flags))))

    def test_batch_size_does_not_change_the_text(self):
        long = ["run", "-m", self.model, "-p", "hello world " * 20, "-n", 8, "--temp", "0", "--ignore-eos", "-t", 1]
        self.assertEqual(text(pillar.run(None, [*long, "-b", 1])), text(pillar.run(2, [*long, "-b", 64])))

    def test_trace_adds_up_and_report_reads_it(self):
        trace = self.path("trace.h5")
        text(pillar.run(2, self.arguments("--temp", "0", "--trace", trace)))
        self.assertFalse(os.path.exists(trace + ".journal"))
        with h5py.File(trace) as file:
            self.assertEqual(file["tokens/id"].shape[0], file["sequences/n_prompt"][0] + 12)
            total = file["ranks/compute_s"][:] + file["ranks/wait_s"][:] + file["ranks/wire_s"][:]
            self.assertTrue((total > 0).all())
            self.assertEqual(set(file["sequences/n_generated"][:]), {12})
            logprob = file["tokens/logprob"][:]
            self.assertTrue((logprob[-12:] < 0).all())
            # two all-reduces a layer and one small message each way, on two ranks: one message a collective
            messages = file["ranks/messages_sent"][:]
            self.assertEqual(messages[1:, 0].tolist(), [2 * 2 + 1] * (len(messages) - 1))
            self.assertEqual(messages[1:, 1].tolist(), [2 * 2 + 1] * (len(messages) - 1))
        for form in ("md", "csv", "json"):
            self.assertIn(b"2", pillar.check(pillar.run(None, ["report", trace, "-o", form])).stdout)
        refused = pillar.run(2, self.arguments("--trace", trace))
        self.assertEqual(refused.returncode, 73)
        self.assertIn(b"--force", refused.stderr)

    def test_generated_text_alone_is_on_stdout(self):
        result = pillar.check(pillar.run(2, self.arguments("--temp", "0")))
        self.assertNotIn(b"[pillar]", result.stdout)
        self.assertNotIn(b"\r", result.stderr)
        self.assertIn(b"tokens per second", result.stderr)

    def test_exit_codes(self):
        self.assertEqual(pillar.run(None, ["run", "--nonsense"]).returncode, 64)
        self.assertEqual(pillar.run(None, ["run", "-m", self.path("absent.gguf"), "-p", "x"]).returncode, 66)
        self.assertEqual(pillar.run(None, ["run", "-m", self.folder, "-p", "x"]).returncode, 66)
        self.assertEqual(pillar.run(None, self.arguments("--kernels", "nonsense")).returncode, 64)
        self.assertEqual(pillar.run(None, self.arguments("--top-p", "1.5")).returncode, 64)
        self.assertEqual(pillar.run(None, self.arguments("-c", "4")).returncode, 64)
        self.assertEqual(pillar.run(None, ["--version"]).returncode, 0)
        self.assertIn(b"pillar run [OPTIONS]", pillar.check(pillar.run(None, ["run", "--help"])).stdout)

    def test_kernels_that_the_cpu_lacks_are_refused_with_those_it_has(self):
        foreign = "neon" if platform.machine() == "x86_64" else "avx2"
        result = pillar.run(None, self.arguments("--kernels", foreign))
        self.assertEqual(result.returncode, 64)
        sentence = result.stderr.decode()
        self.assertIn(f"--kernels {foreign}: this CPU has reference, integer", sentence)
        named = sentence.split("this CPU has ")[1].split(", ")
        for family in named:
            self.assertEqual(pillar.run(None, self.arguments("--kernels", family.strip())).returncode, 0, family)

    def test_errors_are_told_once_for_all_ranks(self):
        for arguments, code in ((["run", "-m", self.path("absent.gguf"), "-p", "x"], 66),
                                (["run", "--nonsense"], 64), (["inspect", "-m", self.path("absent.gguf")], 66)):
            result = pillar.run(3, arguments)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertEqual(len(re.findall(rb"\[pillar\] error", result.stderr)), 1, result.stderr)

    def test_one_ranks_missing_file_ends_all_with_its_rank_named(self):
        script = self.path("one_without.sh")
        with open(script, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nmodel="{self.model}"\n[ "$OMPI_COMM_WORLD_RANK" = 1 ] && model=/nowhere.gguf\n'
                       f'exec "{pillar.BINARY}" run -m "$model" -p x -n 1 -t 1\n')
        os.chmod(script, 0o755)
        result = subprocess.run([os.environ.get("MPIEXEC") or "mpirun", "-n", "2", script], env=pillar.ENVIRONMENT,
                                capture_output=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 66, result.stderr)
        self.assertIn(b"rank 1", result.stderr)
        self.assertIn(b"/nowhere.gguf", result.stderr)

    def test_another_model_on_one_rank_is_refused(self):
        other = pillar.tiny_model(self.folder, "other", "--type", "q8_0", "--seed", 9, "--layers", 3)
        script = self.path("another.sh")
        with open(script, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nmodel="{self.model}"\n[ "$OMPI_COMM_WORLD_RANK" = 1 ] && model="{other}"\n'
                       f'exec "{pillar.BINARY}" run -m "$model" -p x -n 1 -t 1\n')
        os.chmod(script, 0o755)
        result = subprocess.run([os.environ.get("MPIEXEC") or "mpirun", "-n", "2", script], env=pillar.ENVIRONMENT,
                                capture_output=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 78, result.stderr)

    def test_prompt_from_file_and_standard_input(self):
        with open(self.path("prompt.txt"), "w", encoding="utf-8") as file:
            file.write("hello")
        expected = text(pillar.run(None, self.arguments("--temp", "0")))
        rest = ["run", "-m", self.model, "-n", 12, "--ignore-eos", "-t", 1, "--temp", "0"]
        self.assertEqual(text(pillar.run(2, [*rest, "-f", self.path("prompt.txt")])), expected)
        with open(self.path("prompt.txt"), "rb") as prompt:
            self.assertEqual(text(pillar.run(2, rest, stdin=prompt)), expected)

    def start_slow(self, ranks, *more):
        process = pillar.start(ranks, ["run", "-m", self.slow, "-p", "hello", "-n", -1, "-c", 32768, "--ignore-eos",
                                       "--temp", "0", "-t", 1, *more], self.folder)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def kill_a_rank(self):
        process = self.start_slow(3)
        ranks = find_children(process.pid)
        self.assertEqual(len(ranks), 3)
        begin = time.monotonic()
        os.kill(ranks[1], signal.SIGKILL)
        _, errors = process.communicate(timeout=30)
        seconds = time.monotonic() - begin
        self.assertNotEqual(process.returncode, 0)
        self.assertIn(b"rank 1", errors)
        time.sleep(0.2)
        self.assertEqual([p for p in ranks if lives(p)], [])
        return seconds

    def test_a_killed_rank_ends_the_job_within_three_seconds(self):
        deadline.hold(self, 3.0, self.kill_a_rank)

    def test_sigusr1_finishes_the_step_and_keeps_everything(self):
        trace = self.path("stopped.h5")
        process = self.start_slow(2, "--trace", trace)
        process.send_signal(signal.SIGUSR1)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 75)
        with h5py.File(trace) as file:
            reasons = file["sequences/finish_reason"]
            meaning = dict(zip(reasons.attrs["flag_values"], str(reasons.attrs["flag_meanings"]).split()))
            self.assertEqual(meaning[reasons[0]], "signal")

    def test_sigterm_leaves_a_journal_that_can_be_recovered(self):
        trace = self.path("terminated.h5")
        process = self.start_slow(2, "--trace", trace)
        time.sleep(1.0)
        process.terminate()
        process.communicate(timeout=60)
        self.assertNotEqual(process.returncode, 0)
        pillar.check(pillar.run(None, ["report", "--recover", trace + ".journal"]))
        with h5py.File(trace) as file:
            self.assertGreater(file["steps/step"].shape[0], 0)
            self.assertEqual(file.attrs["trace_complete"], 0)

    def test_a_reader_that_goes_away_ends_the_run_quietly(self):
        process = self.start_slow(None)
        process.stdout.close()
        errors = process.stderr.read()
        self.assertEqual(process.wait(timeout=30), 0)
        self.assertNotIn(b"error", errors)
        under_mpirun = self.start_slow(2)  # there the launcher holds the pipe
        under_mpirun.stdout.close()
        self.assertNotEqual(under_mpirun.wait(timeout=30), 0)

    def test_memory_is_checked_before_loading(self):
        result = subprocess.run(["bash", "-c", 'ulimit -v 300000 && exec "$@"', "bash",
                                 *pillar.command(None, ["run", "-m", self.slow, "-p", "x", "-n", "1", "-c", 32768])],
                                env=pillar.ENVIRONMENT, capture_output=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 77, result.stderr)
        self.assertIn(b"needs", result.stderr)


@pillar.needs_model
class DemoModel(pillar.WithFolder):
    def test_same_text_on_1_2_4_8_ranks(self):
        texts = {text(pillar.run(ranks, ["run", "-m", pillar.MODEL, *PROMPT, "-t", 1])) for ranks in (None, 2, 4, 8)}
        self.assertEqual(len(texts), 1)
        self.assertTrue(texts.pop().startswith(" Paris."))

    def test_mpirun_5_gets_whole_lines(self):
        # it would write the beginning of one to stderr now and then
        environment = {**pillar.ENVIRONMENT, "PRTE_LAUNCHED": "1"}
        environment.pop("PILLAR_TEXT_PIPE", None)
        process = subprocess.Popen(pillar.command(None, ["run", "-m", pillar.MODEL, *PROMPT, "-t", 1]), env=environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        pieces = list(iter(lambda: os.read(process.stdout.fileno(), 65536), b""))
        process.stdout.close()
        self.assertEqual(process.wait(60), 0)
        self.assertGreater(len(pieces), 1)
        self.assertEqual([piece for piece in pieces if not piece.endswith(b"\n")], [])
        self.assertEqual(b"".join(pieces), pillar.check(pillar.run(None, ["run", "-m", pillar.MODEL, *PROMPT])).stdout)

    def test_sensible_text_on_3_5_7_ranks(self):
        for ranks in (3, 5, 7):
            self.assertTrue(text(pillar.run(ranks, ["run", "-m", pillar.MODEL, *PROMPT, "-t", 1])).startswith(" Paris"))

    def test_bytes_read_are_the_slices_alone(self):
        result = pillar.check(pillar.run(4, ["run", "-m", pillar.MODEL, *PROMPT, "-t", 1]))
        self.assertRegex(result.stderr.decode(), r"reads 2\d\.\d MB of weights per token")

    def test_probabilities_are_those_of_the_logits(self):
        folder = self.folder
        trace = os.path.join(folder, "p.h5")
        pillar.check(pillar.run(2, ["run", "-m", pillar.MODEL, *PROMPT, "-t", 1, "--trace", trace]))
        with h5py.File(trace) as file:
            ids, logprob = file["tokens/id"][:], file["tokens/logprob"][:]
        logits = pillar.logits(None, pillar.MODEL, ids[:-1]).astype(np.float64)
        n = int(np.isnan(logprob).sum())
        rows = logits[n - 1:]
        exact = rows[np.arange(len(rows)), ids[n:]] - np.log(np.exp(rows - rows.max(1, keepdims=True)).sum(1)) - rows.max(1)
        np.testing.assert_allclose(logprob[n:], exact, atol=1e-5)


if __name__ == "__main__":
    unittest.main()
