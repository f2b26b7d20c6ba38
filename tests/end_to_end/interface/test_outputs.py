"""Where outputs may go: what cannot be written is found out before the work, nothing but the output is changed, and what fails leaves nothing."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import time
import unittest

import pillar


class Outputs(pillar.WithFolder):
    """Every command that writes a file, with a model of its own."""

    def setUp(self):
        self.model = pillar.tiny_model(self.folder, "tiny", "--type", "q8_0", "--dim", 64, "--heads", 4, "--kv-heads", 2,
                                       "--ffn", 160, "--context", 512)

    def tearDown(self):
        for name in os.listdir(self.folder):
            path = self.path(name)
            (shutil.rmtree if os.path.isdir(path) and not os.path.islink(path) else os.remove)(path)

    def path(self, name):
        return os.path.join(self.folder, name)

    def writers(self, output, *more):
        """(name, command line) of each command, writing to `output`."""
        yield "trace", ["run", "-m", self.model, "-p", "hi", "-n", "2", "-t", "1", "--trace", output, *more]
        yield "logits", ["logits", "-m", self.model, "-p", "hi", "-t", "1", "-o", output, *more]
        yield "write", ["bench", "--synthetic", "smollm2-135m:q4_0", "--write", output, *more]
        yield "check", ["check", "-m", self.model, "-o", output, *more]

    def names(self):
        return sorted(os.listdir(self.folder))

    def refused(self, arguments, code, ranks=None):
        """Before anything was loaded or measured, with nothing changed."""
        before = self.names()
        result = pillar.run(ranks, arguments, timeout=60)
        self.assertEqual(result.returncode, code, (arguments, result.stderr))
        self.assertEqual(result.stderr.count(b"[pillar] error"), 1, result.stderr)
        self.assertNotIn(b"context  ", result.stderr)
        self.assertEqual(result.stdout, b"")
        self.assertEqual(self.names(), before)
        return result.stderr.decode()

    def test_what_is_no_regular_file_is_refused_and_stays(self):
        os.mkfifo(self.path("fifo"))
        os.mkdir(self.path("directory"))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("socket"))
        os.symlink("fifo", self.path("link"))
        kinds = {"fifo": stat.S_ISFIFO, "directory": stat.S_ISDIR, "socket": stat.S_ISSOCK, "link": stat.S_ISLNK}
        if os.getuid() == 0:
            os.mknod(self.path("device"), 0o666 | stat.S_IFCHR, os.makedev(1, 5))
            kinds["device"] = stat.S_ISCHR
        for name, is_kind in kinds.items():
            for force in (["--force"],) if name != "fifo" else ([], ["--force"]):
                for what, arguments in self.writers(self.path(name), *force):
                    with self.subTest(f"{what} {name} {force}"):
                        self.assertIn(self.path(name), self.refused(arguments, 73))
                        self.assertTrue(is_kind(os.lstat(self.path(name)).st_mode))

    def test_dev_null_takes_everything_and_stays(self):
        null = self.path("node")
        if os.getuid() == 0:  # never the machine's own, which root could lose here
            os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        else:
            null = "/dev/null"
        os.symlink(null, self.path("null"))
        for output, forces in ((null, ([], ["--force"])), (self.path("null"), (["--force"],))):
            for force in forces:
                for what, arguments in self.writers(output, *force):
                    with self.subTest(f"{what} {output} {force}"):
                        before = self.names()
                        pillar.check(pillar.run(None, arguments))
                        self.assertTrue(stat.S_ISCHR(os.lstat(null).st_mode))
                        self.assertTrue(os.path.islink(self.path("null")))
                        self.assertEqual(self.names(), before)
        pillar.check(pillar.run(2, next(self.writers(null))[1]))

    def test_links_are_followed_and_stay(self):
        os.mkdir(self.path("data"))
        for what, arguments in self.writers(self.path("link"), "--force"):
            for target in ("existing", "to come"):
                with self.subTest(f"{what} {target}"):
                    real = os.path.join(self.path("data"), target)
                    os.symlink(os.path.join("data", target), self.path("link"))
                    if target == "existing":
                        with open(real, "w", encoding="utf-8") as file:
                            file.write("old")
                    pillar.check(pillar.run(None, arguments))
                    self.assertTrue(os.path.islink(self.path("link")))
                    self.assertGreater(os.path.getsize(real), 100)
                    self.assertEqual(os.listdir(self.path("data")), [target])
                    os.remove(real)
                    os.remove(self.path("link"))

    def test_what_is_read_is_never_written(self):
        with open(self.path("prompt.txt"), "w", encoding="utf-8") as file:
            file.write("hello world")
        os.link(self.model, self.path("twin.gguf"))
        os.symlink("tiny.gguf", self.path("link.gguf"))
        with open(self.model, "rb") as file:
            model = file.read()
        for name in ("tiny.gguf", "twin.gguf", "link.gguf", "./../" + os.path.basename(self.folder) + "/tiny.gguf"):
            for force in (["--force"],) if name != "tiny.gguf" else ([], ["--force"]):
                for what, arguments in self.writers(self.path(name), *force):
                    if what == "write":
                        continue
                    with self.subTest(f"{what} {name} {force}"):
                        self.assertIn("is being read", self.refused(arguments, 64))
        for what, arguments in self.writers(self.path("prompt.txt"), "--force"):
            if what in ("trace", "logits"):
                with self.subTest(f"{what} prompt"):
                    arguments[arguments.index("-p"):arguments.index("-p") + 2] = ["-f", self.path("prompt.txt")]
                    self.refused(arguments, 64)
        with open(self.path("prompt.txt"), "rb") as prompt:
            arguments = ["logits", "-m", self.model, "-f", "-", "-o", self.path("prompt.txt"), "--force"]
            self.assertEqual(pillar.run(None, arguments, stdin=prompt).returncode, 64)
        self.refused(["bench", "-m", self.model, "--synthetic", "smollm2-135m:q4_0", "--write", self.model, "--force"], 64)
        self.refused(next(self.writers(self.model, "--force"))[1], 64, ranks=2)
        with open(self.model, "rb") as file:
            self.assertEqual(file.read(), model)
        with open(self.path("prompt.txt"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "hello world")

    def test_all_parts_of_a_split_model_and_a_split_traces_file_are_read(self):
        part = self.path("m-00001-of-00002.gguf")
        os.rename(self.model, part)
        shutil.copy(part, self.path("m-00002-of-00002.gguf"))
        self.model = part
        for _, arguments in self.writers(self.path("m-00002-of-00002.gguf"), "--force"):
            if arguments[0] != "bench":
                self.refused(arguments, 64)
        os.rename(part, self.path("tiny.gguf"))
        self.model = self.path("tiny.gguf")
        trace = self.path("shares.h5")
        pillar.check(pillar.run(2, next(self.writers(trace))[1]))
        self.refused([*next(self.writers(trace, "--force"))[1], "--split", trace], 64, ranks=2)

    def test_the_text_and_the_trace_are_two_files(self):
        arguments = next(self.writers(self.path("answer.txt"), "--force"))[1]
        with open(self.path("answer.txt"), "wb") as text:
            result = subprocess.run(pillar.command(None, arguments), env=pillar.ENVIRONMENT, stdout=text,
                                    stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60, check=False)
        self.assertEqual(result.returncode, 64, result.stderr)

    def test_places_where_nothing_can_be_created_are_found_out_before(self):
        places = [self.path("nowhere/x"), self.path("tiny.gguf/x"), self.path("x/"), self.path("n" * 253)]
        os.symlink("nowhere/x", self.path("lost"))
        for place in [*places, self.path("lost")]:
            for what, arguments in self.writers(place, "--force"):
                with self.subTest(f"{what} {place}"):
                    self.assertIn(place, self.refused(arguments, 73))
        self.refused(next(self.writers(places[0]))[1], 73, ranks=2)

    def test_an_existing_file_needs_force(self):
        with open(self.path("old"), "w", encoding="utf-8") as file:
            file.write("old")
        for what, arguments in self.writers(self.path("old")):
            with self.subTest(what):
                self.assertIn("--force", self.refused(arguments, 73))
        for what, arguments in self.writers(self.path("old"), "--force"):
            with self.subTest(what):
                pillar.check(pillar.run(None, arguments))
                self.assertEqual(self.names(), ["old", "tiny.gguf"])

    def test_a_limit_on_file_sizes_leaves_nothing(self):
        arguments = dict(self.writers(self.path("x")))["write"]  # Open MPI writes files of its own for the others
        result = subprocess.run(["bash", "-c", 'ulimit -f 20000; exec "$P" "$@"', "bash", *arguments], capture_output=True,
                                env={**pillar.ENVIRONMENT, "P": pillar.BINARY}, stdin=subprocess.DEVNULL, timeout=120, check=False)
        self.assertEqual(result.returncode, 74, result.stderr)
        self.assertIn(b"File too large", result.stderr)
        self.assertEqual(self.names(), ["tiny.gguf"])

    @unittest.skipUnless(os.getuid() == 0, "mounting a small disk takes root")
    def test_a_full_disk_leaves_nothing(self):
        script = ('mount -t tmpfs -o size=16k none "$1" || exit 99; shift; cat /dev/zero >"$D/fill" 2>"$D/../fill.err"; '
                  '"$P" "$@"; code=$?; ls -A "$D" >&2; exit $code')
        os.mkdir(self.path("disk"))
        for what, arguments in self.writers(os.path.join(self.path("disk"), "x")):
            with self.subTest(what):
                result = subprocess.run(["unshare", "-m", "bash", "-c", script, "bash", self.path("disk"), *arguments],
                                        env={**pillar.ENVIRONMENT, "P": pillar.BINARY, "D": self.path("disk")},
                                        capture_output=True, timeout=120, stdin=subprocess.DEVNULL, check=False)
                if result.returncode in (1, 99):
                    self.skipTest("no mounts here")
                self.assertIn(result.returncode, (73, 74), result.stderr)
                self.assertTrue(result.stderr.endswith(b"No space left on device\nfill\n"), result.stderr)

    def test_control_c_leaves_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(pillar.command(None, ["bench", "--synthetic", "llama-3.2-1b:q4_0", "--write", self.path("x")]),
                                       env=pillar.ENVIRONMENT, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 60
            while not os.path.exists(self.path("x.part")) and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(number)
            self.assertEqual(process.wait(30), 75)
            self.assertEqual(self.names(), ["tiny.gguf"])
