"""Standard input, output and error that are closed, full or no longer read: what is lost is told, and no other file is read or written instead."""

import os
import pathlib
import re
import subprocess

import pillar

LAUNCH = str(pillar.SOURCE / "jobs" / "launch.sh")


def shell(line, *arguments, timeout=120, **more):
    """`line` in bash, the binary as $P and `arguments` as "$@"; its standard input is empty unless it says otherwise."""
    environment = {**pillar.ENVIRONMENT, "P": pillar.BINARY, "PILLAR_BINARY": pillar.BINARY, "LAUNCH": LAUNCH, **more}
    return subprocess.run(["bash", "-c", line, "bash", *map(str, arguments)], env=environment, timeout=timeout,
                          capture_output=True, stdin=subprocess.DEVNULL, check=False)


class WithCommands(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny", "--type", "q8_0", "--dim", 64, "--heads", 4, "--kv-heads", 2,
                                      "--ffn", 160, "--context", 512)
        cls.trace = os.path.join(cls.folder, "kept.h5")
        pillar.check(pillar.run(None, ["run", "-m", cls.model, "-p", "hi", "-n", 2, "-t", 1, "--trace", cls.trace]))

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_arguments(self, *more):
        return ["run", "-m", self.model, "-p", "hi", "-n", "4", "--temp", "0", "--ignore-eos", "-t", "1", *more]

    def printing(self):
        """Every form of what goes to standard output."""
        model, bench = ["-m", self.model], ["bench", "-m", self.model, "-p", "1", "-n", "0", "-r", "1", "-t", "1"]
        yield from (["--help"], ["--version"], ["run", "--help"], [])
        yield from (["inspect", *model], ["inspect", *model, "--no-tensors"])
        yield from (["tokenize", *model, "-p", "hi", *more] for more in ([], ["--ids"], ["--show-count"]))
        yield from (["plan", *model, "-o", form] for form in ("md", "csv", "json"))
        yield from (["report", self.trace, "-o", form] for form in ("md", "csv", "json"))
        yield from ([*bench, "-o", form] for form in ("md", "csv", "json", "jsonl"))
        yield self.run_arguments()

    def assert_told(self, result, name):
        self.assertEqual(result.returncode, 74, (name, result.stderr))
        self.assertEqual(len(re.findall(rb"\[pillar\] error: (rank 0 on \S+: )?standard output: ", result.stderr)), 1, (name, result.stderr))
        self.assertNotIn(b"internal error", result.stderr)


class Closed(WithCommands):
    def test_closed_output_is_told_by_every_command_that_has_something_to_say(self):
        for arguments in self.printing():
            with self.subTest(arguments):
                self.assert_told(shell('"$P" "$@" >&-', *arguments), arguments)

    def test_closed_output_is_noticed_before_the_model_is_loaded(self):
        for arguments in (self.run_arguments(), ["bench", "-m", self.model]):
            self.assertNotIn(b"context", shell('"$P" "$@" >&-', *arguments).stderr)

    def test_commands_that_say_nothing_there_need_no_output(self):
        for number, arguments in enumerate((["logits", "-m", self.model, "-p", "hi", "-t", 1],
                                            ["bench", "--synthetic", "smollm2-135m:q4_0"])):
            output = self.path(f"quiet{number}.out")
            result = shell('"$P" "$@" >&- <&-', *arguments, "-o" if number == 0 else "--write", output)
            self.assertEqual(result.returncode, 0, result.stderr)
            with open(output, "rb") as file:
                self.assertEqual(file.read(4), b"GGUF" if number else b"\x89HDF")
            os.remove(output)

    def test_a_trace_holds_nothing_else_when_descriptors_are_closed(self):
        for closed in (">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
            trace = self.path("closed.h5")
            result = shell(f'"$P" "$@" {closed}', *self.run_arguments("--trace", trace, "--force"))
            self.assertEqual(result.returncode, 74 if ">&- " in closed + " " and closed != "2>&-" else 0, closed)
            for left in pathlib.Path(self.folder).glob("closed.h5*"):
                content = left.read_bytes()
                self.assertNotIn(b"[pillar]", content, left)
                left.unlink()

    def test_closed_input_is_no_prompt(self):
        size = os.path.getsize(self.model)
        for arguments in (["tokenize", "-m", self.model, "--show-count"], ["run", "-m", self.model, "-n", "4"],
                          ["run", "-m", self.model, "-f", "-"], ["logits", "-m", self.model, "-o", self.path("no.h5")]):
            result = shell('"$P" "$@" <&-', *arguments)
            self.assertEqual(result.returncode, 74, (arguments, result.stderr))
            self.assertIn(b"standard input", result.stderr)
        self.assertEqual(os.path.getsize(self.model), size)

    def test_closed_error_leaves_the_text_alone(self):
        open_text = shell('"$P" "$@"', *self.run_arguments())
        for closed in ("2>&-", "2>&- <&-", "2>/dev/full"):
            result = shell(f'"$P" "$@" {closed}', *self.run_arguments())
            self.assertEqual((result.returncode, result.stdout), (0, open_text.stdout), closed)
        for arguments in (["inspect", "-m", self.model], ["plan", "-m", self.model], ["report", self.trace]):
            self.assertEqual(shell('"$P" "$@" 2>/dev/full', *arguments).returncode, 0, arguments)

    def test_ranks_end_too(self):
        for start in ('"$MPIEXEC" -n 2 "$P"', 'bash "$LAUNCH" -n 2 --'):
            for closed in (">&-", "<&-", "2>&-", "<&- >&- 2>&-"):
                with self.subTest(start + closed):
                    result = shell(f'{start} "$@" {closed}', *self.run_arguments(), timeout=60,
                                   MPIEXEC=os.environ.get("MPIEXEC") or "mpirun")
                    self.assertIn(result.returncode, (0, 74), result.stderr)


class Full(WithCommands):
    def test_a_full_disk_is_told_by_every_command(self):
        for arguments in self.printing():
            with self.subTest(arguments):
                self.assert_told(shell('"$P" "$@" >/dev/full', *arguments), arguments)

    def test_check_and_ranks_tell_it(self):
        for ranks, arguments in ((1, ["check"]), (1, ["check", "--json"]), (2, ["bench", "--allreduce"]),
                                 (2, self.run_arguments()), (2, ["inspect", "-m", self.model])):
            with self.subTest(arguments):
                line = 'exec "$P" "$@" >/dev/full' if ranks == 1 else 'exec "$MPIEXEC" -n 2 bash -c \'exec "$P" "$@" >/dev/full\' bash "$@"'
                self.assert_told(shell(line, *arguments, MPIEXEC=os.environ.get("MPIEXEC") or "mpirun"), arguments)

    def test_a_full_disk_behind_the_launcher(self):
        result = shell('bash "$LAUNCH" -n 2 -- "$@" >/dev/full', *self.run_arguments())
        self.assertEqual(result.returncode, 74, result.stderr)
        self.assertIn(b"No space left on device", result.stderr)

    def test_a_limit_on_file_sizes_is_a_full_disk(self):
        with open(self.path("long.txt"), "w", encoding="utf-8") as file:
            file.write("hello world " * 4000)
        result = shell('ulimit -f 8; "$P" "$@" >"$OUT"', "tokenize", "-m", self.model, "-f", self.path("long.txt"),
                       OUT=self.path("limited.txt"))
        self.assert_told(result, "tokenize")


class ReaderLeaves(WithCommands):
    """A reader that has seen enough ends the command quietly, whatever SIGPIPE does there."""

    def leaves(self, start, arguments, reader="head -c 1 >/dev/null", timeout=120):
        line = f'{{ {start} "$@" 2>"$ERR"; echo $? >"$CODE"; }} | {reader}'
        result = shell(line, *arguments, ERR=self.path("err"), CODE=self.path("code"), timeout=timeout,
                       MPIEXEC=os.environ.get("MPIEXEC") or "mpirun")
        self.assertEqual(result.returncode, 0)
        with open(self.path("err"), "rb") as err, open(self.path("code"), encoding="utf-8") as code:
            return int(code.read()), err.read()

    def test_every_command(self):
        for ignored in ("", "trap '' PIPE; "):
            for arguments in self.printing():
                with self.subTest(ignored + str(arguments)):
                    code, err = self.leaves(f'{ignored}sleep 0.1; "$P"', arguments, "true")
                    self.assertEqual(code, 0, err)
                    for word in (b"error", b"roken pipe"):
                        self.assertNotIn(word, err)

    def test_a_run_that_goes_on_ends_and_keeps_its_trace(self):
        trace = self.path("left.h5")
        arguments = ["run", "-m", self.model, "-p", "hi", "-n", "-1", "--ignore-eos", "-t", "1", "-c", "512", "--trace", trace]
        code, err = self.leaves('"$P"', arguments)
        self.assertEqual(code, 0, err)
        self.assertNotIn(b"error", err)
        self.assertTrue(os.path.exists(trace))
        self.assertFalse(os.path.exists(trace + ".journal"))
        self.assertEqual(pillar.run(None, ["report", trace]).returncode, 0)

    def test_ranks(self):
        for arguments in (["run", "-m", self.model, "-p", "hi", "-n", "400", "--ignore-eos", "-t", "1"],
                          ["bench", "-m", self.model, "-p", "1,2,3", "-n", "1", "-r", "2", "-t", "1"]):
            with self.subTest(arguments):
                code, err = self.leaves('bash "$LAUNCH" -n 2 --', arguments)
                self.assertEqual(code, 0, err)
                self.assertNotIn(b"error", err)
                self.assertNotIn(b"launch:", err)

    def test_output_that_does_not_wait_is_waited_for(self):
        """A pipe may have been made non-blocking by whoever shares it."""
        with open(self.path("words.txt"), "w", encoding="utf-8") as file:
            file.write("hello world " * 8000)
        read, write = os.pipe()
        os.set_blocking(write, False)
        process = subprocess.Popen([pillar.BINARY, "tokenize", "-m", self.model, "-f", self.path("words.txt")], stdout=write,
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=pillar.ENVIRONMENT)
        os.close(write)
        with open(read, "rb") as stream:
            text = stream.read()
        self.assertEqual(process.wait(timeout=60), 0, process.stderr.read())
        process.stderr.close()
        self.assertGreater(len(text), 1 << 17)


