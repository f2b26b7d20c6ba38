"""`chat` as its users meet it: lines in, answers out, each the text that `run` gives for the rendered conversation."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

import pillar

TEMPLATE = ["--chat-template", "chatml"]
ENDLESS = ["-n", "-1", "-c", "20000"]


def rendered(messages):
    return "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in messages) + "<|im_start|>assistant\n"


class Chat(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model, cls.slow = pillar.tiny_and_slow_model(cls.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def chat(self, text, *flags, ranks=None, model=None, **options):
        return pillar.run(ranks, ["chat", "-m", model or self.model, "-t", 1, *TEMPLATE, *flags],
                          input=text.encode() if isinstance(text, str) else text, stdin=None, **options)

    def said(self, text, *flags, ranks=None, model=None):
        """The conversation as /save writes it, and the log."""
        file = self.path(f"said{len(os.listdir(self.folder))}.json")
        result = pillar.check(self.chat(text + f"/save {file}\n", *flags, ranks=ranks, model=model))
        with open(file, encoding="utf-8") as saved:
            return [(m["role"], m["content"]) for m in json.load(saved)], result

    def alone(self, messages, *flags, model=None):
        """What `run` makes of the prompt; markers are no control tokens of the tiny model, so both see the same text."""
        result = pillar.check(pillar.run(None, ["run", "-m", model or self.model, "-t", 1, "--no-escape", "-p",
                                                rendered(messages), *flags]))
        return result.stdout.decode("utf-8", "replace").removesuffix("\n")

    def test_turns_are_those_that_run_gives_on_any_ranks(self):
        for flags in (["--temp", 0], ["--seed", 5, "--temp", 1.1]):
            flags += ["-n", 12, "-c", 512]
            first = None
            for ranks in (None, 1, 2, 4):
                with self.subTest(ranks=ranks, flags=flags):
                    messages, result = self.said("one\ntwo \\\nlines\n\nthree\n", "--system", "Be s.", *flags, ranks=ranks)
                    self.assertEqual([role for role, _ in messages], ["system"] + ["user", "assistant"] * 3)
                    self.assertEqual([text for role, text in messages if role != "assistant"],
                                     ["Be s.", "one", "two \nlines", "three"])
                    first = first or messages
                    self.assertEqual(messages, first)
                    for turn in (2, 4, 6):
                        self.assertEqual(self.alone(messages[:turn], *flags), messages[turn][1])
                    self.assertEqual(result.stdout.decode(),
                                     "".join(text if text.endswith("\n") else text + "\n"
                                             for role, text in messages if role == "assistant"))

    def test_nothing_is_read_twice(self):
        """Rows of prompts over all turns are the tokens of the last prompt that no answer has brought."""
        messages, result = self.said("one\ntwo\nthree\nfour\n", "-n", 6, "--temp", 0)
        read, kept, answered = map(int, re.search(r"chat +(\d+) tokens? read, (\d+) kept, (\d+) answered",
                                                  result.stderr.decode()).groups())
        prompts = [rendered(messages[:turn]) for turn in (1, 3, 5, 7)]
        count = [len(json.loads(pillar.check(pillar.run(None, ["tokenize", "-m", self.model, "--ids", "-f", self.write(
            prompt)])).stdout)) for prompt in prompts]
        self.assertEqual(read + kept, sum(count))
        self.assertEqual(answered, 4 * 6)
        # of each answer the last token was not fed; where bytes were put together anew, a few more
        self.assertLess(read, count[-1] - answered + 4 * 7)

    def write(self, text):
        path = self.path("text")
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return path

    def test_commands(self):
        flags = ["-n", 8, "--seed", 3, "--temp", 1.2]
        plain, _ = self.said("one\ntwo\n", *flags)
        undone, _ = self.said("one\nother\n/undo\ntwo\n", *flags)
        self.assertEqual(undone, plain)
        again, _ = self.said("one\ntwo\n/regen\n", *flags)
        self.assertEqual(again[:3], plain[:3])
        self.assertNotEqual(again[3], plain[3])
        self.assertEqual(again[3][1], self.alone(again[:3], *flags[:2], "--seed", 4, *flags[4:]))
        told, result = self.said("one\n/system  Be brief. \n/frob\n/regen\n/load /nowhere\n/help\n/stats\n", *flags)
        self.assertEqual(told[0], ("system", "Be brief."))
        self.assertEqual(told[2][1], self.alone(told[:2], *flags[:2], "--seed", 4, *flags[4:]))
        log = result.stderr.decode()
        self.assertIn("/frob is no command", log)
        self.assertIn("/nowhere", log)
        self.assertRegex(log, r"turns +1\n")
        nothing, result = self.said("/regen\n/undo\n/save\n/load\n", *flags)
        self.assertEqual(nothing, [])
        self.assertEqual(result.stdout, b"")

    def test_a_stop_ends_an_answer_and_is_not_kept(self):
        flags = ["-n", 24, "--seed", 3, "--temp", 1.2]
        plain, _ = self.said("one\n", *flags)
        whole = plain[1][1]
        stop = re.search("(?<=[0-9a-z])[0-9a-z ]{3}", whole)[0]  # broken UTF-8 is neither in it nor before it
        expected = whole[:whole.index(stop)]
        self.assertLess(len(expected), len(whole))
        for ranks in (None, 2):
            stopped, result = self.said("one\ntwo\n", *flags, "--stop", "never in it", "--stop", stop, ranks=ranks)
            self.assertEqual(stopped[1], ("assistant", expected))
            self.assertTrue(result.stdout.decode().startswith(expected))
            self.assertNotIn(stop, stopped[3][1])

    def test_save_and_load(self):
        flags = ["-n", 8, "--temp", 0]
        whole, _ = self.said("one\ntwo\nthree\n", *flags)
        file = self.path("kept.json")
        pillar.check(self.chat(f"one\ntwo\n/save {file}\n/save {file}\n", *flags))
        continued, _ = self.said(f"something else\n/load {file}\nthree\n", *flags)
        self.assertEqual(continued, whole)
        self.assertFalse(os.path.exists(file + ".part"))
        before = open(file, "rb").read()
        result = pillar.check(self.chat(f"one\n/save {file}\n/save {self.model}\n/quit\nnever\n", *flags))
        self.assertEqual(open(file, "rb").read(), before)
        self.assertEqual(result.stderr.count(b"warning"), 2, result.stderr)
        with open(file, "w", encoding="utf-8") as wanted:
            json.dump([{"role": "user", "content": "one"}], wanted)
        answered, _ = self.said(f"/load {file}\n", *flags)
        self.assertEqual(answered, whole[:2])
        # what tokenize makes of it is what was read
        tokens = json.loads(pillar.check(pillar.run(None, ["tokenize", "-m", self.model, "--messages", file, "--ids",
                                                           *TEMPLATE])).stdout)
        self.assertGreater(len(tokens), 10)

    def test_the_end_of_the_context(self):
        long = "x" * 30
        flags = ["-c", 512, "-n", 20, "--temp", 0, "--system", "Be s."]
        messages, result = self.said(f"{long}\n" * 8, *flags)
        log = result.stderr.decode()
        self.assertRegex(log, r"\d+ of 512 tokens of the context are used; /undo")
        self.assertRegex(log, r"the context is 512: it is not read; .*--context-shift")
        self.assertLess(len(messages), 1 + 2 * 8)
        messages, result = self.said(f"{long}\n" * 8, *flags, "--context-shift")
        self.assertIn("the oldest", result.stderr.decode())
        self.assertEqual(messages[0], ("system", "Be s."))
        self.assertEqual(messages[-2][1], long)
        self.assertEqual(messages[-1][1], self.alone(messages[:-1], *flags[:-2]))
        messages, result = self.said("y" * 600 + "\nshort\n", *flags, "--context-shift")
        self.assertEqual([text for role, text in messages if role == "user"], ["short"])
        messages, result = self.said("one\n", "-c", 64, "-n", -1, "--temp", 0)
        self.assertIn("the answer ends here", result.stderr.decode())

    def test_refusals_before_loading(self):
        for flags, words in ((["--chat-template", "nonsense"], "nonsense"),
                             (["--chat-template", "gemma", "--system", "x"], "system")):
            result = pillar.run(None, ["chat", "-m", self.model, *flags])
            self.assertEqual(result.returncode, 64, result.stderr)
            self.assertIn(words, result.stderr.decode())
            self.assertNotIn("load ", result.stderr.decode())
        self.assertEqual(pillar.run(None, ["chat", "-m", self.model]).returncode, 64)  # it has no template

    def test_any_bytes_may_be_typed(self):
        result = pillar.check(self.chat(b"\xff\xfe\x00\n" + b"a" * 100000 + b"\nshort", "-n", 3, "--temp", 0))
        self.assertIn(b"it is not read", result.stderr)

    def test_signals_end_an_answer_and_then_the_chat(self):
        for number in (signal.SIGINT, signal.SIGUSR1):
            with self.subTest(signal=number):
                process = subprocess.Popen(
                    pillar.command(None, ["chat", "-m", self.slow, "-t", 1, *TEMPLATE, *ENDLESS, "--seed", 1]),
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                for turn in (b"one\n", b"two\n"):
                    process.stdin.write(turn)
                    process.stdin.flush()
                    self.assertTrue(process.stdout.read(1))
                    process.send_signal(number)
                    time.sleep(1.5)
                    self.assertIsNone(process.poll())
                process.send_signal(number)
                self.assertEqual(process.wait(20), 0)
                log = process.stderr.read().decode()
                self.assertRegex(log, r"[1-9]\d* kept")  # of the first turn in the second one
                for pipe in (process.stdin, process.stdout, process.stderr):
                    pipe.close()

    def test_a_reader_that_leaves_ends_it_as_done(self):
        process = subprocess.Popen(pillar.command(None, ["chat", "-m", self.slow, "-t", 1, *TEMPLATE, *ENDLESS]),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(b"one\ntwo\n")
        process.stdin.flush()
        process.stdout.read(1)
        process.stdout.close()
        self.assertEqual(process.wait(60), 0, process.stderr.read())
        process.stdin.close()
        process.stderr.close()


class Script(pillar.WithFolder):
    """jobs/chat.sh at a terminal of 40 columns."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model, cls.slow = pillar.tiny_and_slow_model(cls.folder)

    def start(self, ranks, *flags, model=None):
        leader, follower = pty.openpty()
        fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
        environment = {**pillar.ENVIRONMENT, "PILLAR_CHAT_EDITED": "1"}  # without rlwrap, where it is installed
        process = subprocess.Popen(
            [pillar.SOURCE / "jobs/chat.sh", "-n", str(ranks), "--", "-m", model or self.model, "-t", "1", *TEMPLATE,
             *flags], stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(follower)
        self.addCleanup(os.close, leader)
        self.addCleanup(lambda: process.poll() is not None or os.killpg(process.pid, signal.SIGKILL))
        self.leader, self.text = leader, ""
        return process

    def until(self, pattern, timeout=60):
        """Reads until the text that has come since the last call matches."""
        end = time.monotonic() + timeout
        while not re.search(pattern, self.text):
            if not select.select([self.leader], [], [], max(0, end - time.monotonic()))[0]:
                self.fail(f"{pattern} has not come: {self.text!r}")
            try:
                self.text += os.read(self.leader, 4096).decode("utf-8", "replace")
            except OSError:
                self.fail(f"the chat has ended before {pattern}: {self.text!r}")
        seen, self.text = self.text, ""
        return seen

    def type(self, keys):
        os.write(self.leader, keys)

    def rest(self, process):
        with contextlib.suppress(OSError):  # the terminal is closed when all have left it
            while select.select([self.leader], [], [], 20)[0]:
                self.text += os.read(self.leader, 4096).decode("utf-8", "replace")
        return process.wait(20)

    def test_turns_and_the_end_of_input(self):
        for ranks in (1, 3):
            with self.subTest(ranks=ranks):
                process = self.start(ranks, "-n", "8", "--temp", "0")
                self.until("> $")
                self.type(b"one\n")
                self.until("one\r\n(?s:.+)\r\n> $")
                self.type(b"/help\n")
                help_text = self.until(r"(?s)/quit.*> $")
                self.assertLessEqual(max(map(len, help_text.splitlines())), 40, help_text)
                self.type(b"\x04")
                self.assertEqual(self.rest(process), 0, self.text)
                self.assertRegex(self.text, "chat +[0-9]+ tokens read")

    def test_ctrl_c_ends_an_answer_and_then_the_chat(self):
        for ranks in (1, 3):
            with self.subTest(ranks=ranks):
                process = self.start(ranks, *ENDLESS, "--temp", "0", model=self.slow)
                self.until("> $")
                self.type(b"one\n")
                self.until("one\r\n(?s:.{3})")
                self.type(b"\x03")
                self.until("\r\n> $")
                time.sleep(1.5)  # what comes sooner would be for all of it
                self.type(b"two\n")
                self.until("two\r\n(?s:.{3})")
                self.type(b"\x03")
                self.until("\r\n> $")
                time.sleep(1.5)
                self.type(b"\x03")
                self.assertEqual(self.rest(process), 0, self.text)

    def test_a_second_ctrl_c_at_once_ends_the_ranks(self):
        process = self.start(2, *ENDLESS, "--temp", "0", model=self.slow)
        self.until("> $")
        self.type(b"one\n")
        self.until("one\r\n(?s:.{3})")
        self.type(b"\x03")
        time.sleep(0.3)
        self.type(b"\x03")
        self.assertEqual(self.rest(process), 75, self.text)

    def test_from_a_pipe_there_are_answers_alone(self):
        for ranks in (1, 3):
            result = subprocess.run(
                [pillar.SOURCE / "jobs/chat.sh", "-n", str(ranks), "--", "-m", self.model, "-t", "1", *TEMPLATE, "-n",
                 "8", "--temp", "0"], input=b"one\n/frob\ntwo\n", capture_output=True, env=pillar.ENVIRONMENT,
                timeout=120, check=False)
            self.assertEqual(result.returncode, 0, result.stderr)
            alone = pillar.check(pillar.run(None, ["chat", "-m", self.model, "-t", "1", *TEMPLATE, "-n", "8", "--temp",
                                                   "0"], input=b"one\ntwo\n", stdin=None))
            self.assertEqual(result.stdout, alone.stdout)
            self.assertIn(b"/frob is no command", result.stderr)

    def test_usage(self):
        result = subprocess.run([pillar.SOURCE / "jobs/chat.sh", "-n", "2"], capture_output=True, check=False)
        self.assertEqual(result.returncode, 64)
        self.assertIn(b"usage", result.stderr)


@pillar.needs_model
class DemoModel(pillar.WithFolder):
    def test_a_conversation_is_the_same_on_one_and_three_ranks(self):
        texts = []
        for ranks in (None, 3):
            result = pillar.check(pillar.run(ranks, ["chat", "-m", pillar.MODEL, "-t", 1, "-n", 16, "--temp", 0,
                                                     "--system", "You answer in one word."],
                                             input=b"The capital of France?\nAnd of Italy?\n/stats\n", stdin=None))
            texts.append(result.stdout.decode())
            read, kept = map(int, re.search(r"(\d+) tokens read, (\d+) kept", result.stderr.decode()).groups())
            self.assertGreater(kept, 20)
            self.assertLess(read, 60)
        self.assertIn("Paris", texts[0])
        self.assertIn("Rome", texts[0])
        self.assertIn("Paris", texts[1])
        # by another number of ranks than 1, 2, 4, 8 bits differ; the words that matter do not
        self.assertIn("Rome", texts[1])


if __name__ == "__main__":
    unittest.main()
