"""`run` on a pseudo-terminal: the prompt before the answer, nothing between them, Ctrl-C, and names that a shell must be able to read."""

import fcntl
import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import termios
import time

import pillar

LAUNCH = str(pillar.SOURCE / "jobs" / "launch.sh")
PROMPT = "Once upon a time"


class Terminal:
    """A command with all three descriptors on a terminal of its own, and what it has written there."""

    def __init__(self, command, **environment):
        self.ours, theirs = pty.openpty()
        self.text = b""
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                                        env={**pillar.ENVIRONMENT, "PILLAR_BINARY": pillar.BINARY, **environment},
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)

    def read(self, until=None, timeout=90):
        """Until the pattern has come, or the end."""
        deadline = time.monotonic() + timeout
        while until is None or not re.search(until, self.text):
            if not select.select([self.ours], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"{until} has not come: {self.text}")
            try:
                piece = os.read(self.ours, 65536)
            except OSError:  # the last writer has gone
                piece = b""
            if not piece:
                if until is not None:
                    raise AssertionError(f"{until} has not come: {self.text}")
                break
            self.text += piece.replace(b"\r\n", b"\n")
        return self.text

    def type(self, keys):
        os.write(self.ours, keys)

    def end(self, timeout=90):
        self.read(timeout=timeout)
        code = self.process.wait(timeout)
        os.close(self.ours)
        return code


def takes_interrupts(process):
    """Once its main thread blocks them, another one waits for them."""
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
        blocked = re.search(r"^SigBlk:\s*([0-9a-f]+)$", file.read(), re.M)
    return int(blocked[1], 16) >> (signal.SIGINT - 1) & 1


class OnATerminal(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model, cls.slow = pillar.tiny_and_slow_model(cls.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def arguments(self, *more, model=None, n=8):
        return ["run", "-m", model or self.model, "-p", PROMPT, "-n", str(n), "--temp", "0", "--ignore-eos", "-t", "1", *more]

    def starts(self):
        yield "alone", [pillar.BINARY]
        yield "launched", ["bash", LAUNCH, "-n", "2", "--"]

    def test_the_prompt_stands_before_the_answer_and_nothing_between(self):
        answer = pillar.check(pillar.run(None, self.arguments())).stdout.decode().rstrip("\n")
        for name, start in self.starts():
            with self.subTest(name):
                terminal = Terminal([*start, *self.arguments()])
                self.assertEqual(terminal.end(), 0, terminal.text)
                text = terminal.text.decode(errors="replace")
                self.assertIn("\n" + PROMPT + answer + "\n", text)
                self.assertNotIn("[pillar]", text.split(PROMPT)[1].split("\n")[0])

    def test_the_prompt_is_not_shown_where_nobody_asked_or_watches(self):
        terminal = Terminal([pillar.BINARY, *self.arguments("--no-display-prompt")])
        self.assertEqual(terminal.end(), 0)
        self.assertNotIn(PROMPT.encode(), terminal.text)
        for environment in ({"PILLAR_TTY": "0"},):
            terminal = Terminal([pillar.BINARY, *self.arguments()], **environment)
            self.assertEqual(terminal.end(), 0)
            self.assertNotIn(PROMPT.encode(), terminal.text)
        mpirun = os.environ.get("MPIEXEC") or "mpirun"  # whose ranks have no terminal
        terminal = Terminal([mpirun, "-n", "2", pillar.BINARY, *self.arguments()])
        self.assertEqual(terminal.end(), 0)
        self.assertNotIn(PROMPT.encode(), terminal.text)

    def endless(self, trace):
        return self.arguments("--trace", trace, "-c", "32768", model=self.slow, n=-1)

    def test_the_first_control_c_finishes_the_step(self):
        for name, start in self.starts():
            with self.subTest(name):
                trace = self.path(f"{name} stopped.h5")
                terminal = Terminal([*start, *self.endless(trace)])
                terminal.read(re.escape(PROMPT.encode()) + b"[^\n]{20}")
                terminal.type(b"\x03")
                self.assertEqual(terminal.end(), 75, terminal.text)
                text = terminal.text.decode(errors="replace")
                self.assertRegex(text, r"\n\[pillar\] +eval time")
                self.assertNotIn("orwarding signal", text)
                self.assertTrue(os.path.exists(trace))
                self.assertFalse(os.path.exists(trace + ".journal"))
                self.assertIn(b"1 ", pillar.check(pillar.run(None, ["report", trace])).stdout)

    def test_the_second_control_c_ends_at_once(self):
        trace = self.path("twice.h5")
        arguments = self.endless(trace)
        arguments[arguments.index("-p"):arguments.index("-p") + 2] = ["-f", self.long_prompt()]
        terminal = Terminal([pillar.BINARY, *arguments, "-b", "4096"])
        terminal.read(rb"hello world")  # echoed before the prompt's only step
        time.sleep(0.5)
        terminal.type(b"\x03")
        time.sleep(0.2)
        self.assertIsNone(terminal.process.poll(), terminal.text)
        terminal.type(b"\x03")
        self.assertEqual(terminal.end(timeout=30), 75, terminal.text)

    def long_prompt(self):
        with open(self.path("long.txt"), "w", encoding="utf-8") as file:
            file.write("hello world " * 1500)
        return self.path("long.txt")

    def test_control_c_before_the_first_step_ends_at_once(self):
        terminal = Terminal([pillar.BINARY, "run", "-m", self.model, "-f", "-"])
        deadline = time.monotonic() + 60
        while not takes_interrupts(terminal.process):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        time.sleep(0.5)  # it waits for what is typed
        terminal.type(b"\x03")
        self.assertEqual(terminal.end(timeout=30), 75, terminal.text)

    def test_progress_is_shown(self):
        """The bench's: a model that takes two seconds to load is no quick test."""
        terminal = Terminal([pillar.BINARY, "bench", "-m", self.model, "-p", "2", "-n", "2", "-r", "2", "-t", "1"])
        self.assertEqual(terminal.end(), 0, terminal.text)
        self.assertIn(b"\x1b[K", terminal.text)

    def test_control_c_leaves_a_bench_that_can_be_read(self):
        output = open(self.path("bench.json"), "w+b")
        self.addCleanup(output.close)
        process = subprocess.Popen([pillar.BINARY, "bench", "-m", self.slow, "-p", "0", "-n", "1,20000", "-r", "1", "-t", "1", "-o", "json"],
                                   stdout=output, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=pillar.ENVIRONMENT)
        deadline = time.monotonic() + 60
        while os.path.getsize(output.name) < 100:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 75)
        output.seek(0)
        self.assertEqual(len(json.load(output)), 1)

    def test_what_is_shown_to_be_copied_is_quoted(self):
        for name in ("my trace.h5", "it's.h5", "plain.h5"):
            trace = self.path(name)
            result = pillar.check(pillar.run(None, self.arguments("--trace", trace)))
            shown = re.search(r"\((pillar report .*)\)", result.stderr.decode()).group(1)
            self.assertEqual(shlex.split(shown), ["pillar", "report", trace])
        open(self.path("left behind.h5.journal"), "w", encoding="utf-8").close()
        result = pillar.run(None, self.arguments("--trace", self.path("left behind.h5")))
        self.assertEqual(result.returncode, 73)
        shown = re.search(r"`(pillar report .*)`", result.stderr.decode()).group(1)
        self.assertEqual(shlex.split(shown), ["pillar", "report", "--recover", self.path("left behind.h5.journal")])


class Names(pillar.WithFolder):
    """A path that is no UTF-8 is written with U+FFFD."""

    def test_in_every_form(self):
        model = pillar.tiny_model(self.folder, "tiny", "--context", 64)
        odd = os.path.join(os.fsencode(self.folder), b"caf\xe9.gguf")
        os.rename(model, odd)
        odd = os.fsdecode(odd)
        trace = os.path.join(os.fsencode(self.folder), b"tr\xe9.h5").decode(errors="surrogateescape")
        profile = os.path.join(os.fsencode(self.folder), b"pr\xe9.json").decode(errors="surrogateescape")
        commands = [["bench", "-m", odd, "-p", "2", "-n", "1", "-r", "1", "-t", "1", "-o", form] for form in ("md", "csv", "json", "jsonl")]
        commands += [["run", "-m", odd, "-p", "hi", "-n", "2", "-t", "1", "--trace", trace], ["check", "-m", odd, "--json", "-o", profile],
                     ["check", "-m", odd], ["inspect", "-m", odd], ["tokenize", "-m", odd, "-p", "hi"]]
        commands += [["plan", "-m", odd, "--profile", profile, "-o", form] for form in ("md", "csv", "json")]
        commands += [["report", trace, "-o", form] for form in ("md", "csv", "json")]
        for arguments in commands:
            with self.subTest(arguments):
                result = pillar.check(pillar.run(None, [os.fsencode(str(a)) if isinstance(a, str) else a for a in arguments]))
                result.stdout.decode()  # is UTF-8
                if arguments[0] == "bench" and arguments[-1] != "md":
                    self.assertIn("caf\ufffd.gguf", result.stdout.decode())


class Profiles(pillar.WithFolder):
    def test_a_bad_profile_is_told_in_our_words(self):
        model = pillar.tiny_model(self.folder, "tiny", "--context", 64)
        profile = os.path.join(self.folder, "mine.json")
        for text, place in (("", "line 1"), ('{\n "threads": 4\n "memory": {}\n}', "line 3"), ("[]", "profile"), ('{"threads": "4"}', "threads"),
                            ('{"threads": 1e999}', "too large"), ('{"memory": {"speed": 1}}', "memory.speed"), ("{", "line 1"), ("nul", "line 1")):
            with self.subTest(text):
                with open(profile, "w", encoding="utf-8") as file:
                    file.write(text)
                result = pillar.run(None, ["plan", "-m", model, "--profile", profile])
                self.assertEqual(result.returncode, 65, result.stderr)
                error = result.stderr.decode()
                self.assertIn("mine.json", error)
                self.assertIn(place, error)
                self.assertNotIn("json.exception", error)
                self.assertEqual(error.count("\n"), 1)
