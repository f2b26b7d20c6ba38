"""`--prompt-cache`: what a prompt has computed is kept, any number of ranks goes on from it, and no text changes."""

import hashlib
import json
import os
import re
import subprocess
import time
import unittest

import pillar

SHARED = "".join(chr(97 + (i * 7 + i // 5) % 24) for i in range(330))  # more than a page of positions
FIRST, SECOND = SHARED + " one.", SHARED + " two, and more."
SMALL = ["--type", "q8_0", "--dim", 64, "--heads", 4, "--kv-heads", 2, "--ffn", 160, "--context", 1024]


class PromptCache(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny", *SMALL)
        cls.windows = pillar.tiny_model(cls.folder, "windows", *SMALL, "--architecture", "gemma3", "--window", 40,
                                         "--window-pattern", 2, "--layers", 4)
        cls.large = pillar.tiny_model(cls.folder, "large", *SMALL, "--head-dim", 320, "--layers", 8)
        cls.other = pillar.tiny_model(cls.folder, "other", *SMALL, "--seed", 7)

    def setUp(self):
        self.cache = self.path("cache.kv")
        if os.path.exists(self.cache):
            os.remove(self.cache)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_it(self, prompt, *flags, ranks=None, model=None, cache=True, **options):
        more = ["--prompt-cache", self.cache] if cache else []
        return pillar.run(ranks, ["run", "-m", model or self.model, "-t", 1, "-n", 12, "--seed", 3, "--temp", 0.9,
                                  "--repeat-penalty", 1.2, "--ignore-eos", "-p", prompt, *more, *flags], **options)

    def text(self, prompt, *flags, **options):
        return pillar.check(self.run_it(prompt, *flags, **options)).stdout

    def n_found(self, result):
        found = re.search(r"cache +(\d+) tokens from", result.stderr.decode())
        return int(found.group(1)) if found else 0

    def on_full_disk(self, arguments):
        """Where files may have 5 MB: MPI's own need 4."""
        return subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 5000; exec "$@"', "bash", *pillar.command(None, [
            *arguments, "-m", self.large, "-t", 1, "--cache-type", "f32", "--prompt-cache", self.cache])],
                              env=pillar.ENVIRONMENT, capture_output=True, timeout=120, check=False)

    def refusal(self, result, code):
        self.assertEqual(result.returncode, code, result.stderr)
        lines = [line for line in result.stderr.decode().splitlines() if "error" in line]
        self.assertEqual(len(lines), 1, result.stderr)
        return lines[0]

    def digest(self):
        with open(self.cache, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def test_any_ranks_go_on_from_what_any_have_written(self):
        for model, flags in ((self.model, []), (self.windows, ["--cache-type", "q8_0"])):
            expected = self.text(SECOND, *flags, model=model, cache=False)
            written = set()
            for writer, readers in ((1, [4, 1]), (4, [2])):
                self.setUp()
                self.text(FIRST, *flags, model=model, ranks=writer)
                written.add(self.digest())
                for reader in readers:
                    result = pillar.check(self.run_it(SECOND, *flags, model=model, ranks=reader))
                    self.assertEqual(result.stdout, expected, (model, flags, writer, reader))
                    self.assertGreater(self.n_found(result), len(SHARED) - 5)
            self.assertEqual(len(written), 1, "the same file, whoever writes it")
            self.assertEqual(written, {self.digest()}, "found more than computed: it stays")

    def test_sums_of_other_ranks_are_computed_anew(self):
        expected = {ranks: self.text(SECOND, ranks=ranks, cache=False) for ranks in (1, 3)}
        for writer, reader in ((1, 3), (3, 1)):
            self.setUp()
            self.text(FIRST, ranks=writer)
            result = pillar.check(self.run_it(SECOND, ranks=reader))
            self.assertEqual(result.stdout, expected[reader], (writer, reader))
            self.assertEqual(self.n_found(result), 0)
            self.assertIn(b"computed anew", result.stderr)
            again = pillar.check(self.run_it(SECOND, ranks=reader))  # the file is this run's now
            self.assertEqual(again.stdout, expected[reader])
            self.assertGreater(self.n_found(again), 0)

    def test_the_same_prompt_computes_one_row(self):
        expected = self.text(FIRST)
        result = pillar.check(self.run_it(FIRST, ranks=2))
        self.assertEqual(result.stdout, expected)
        self.assertRegex(result.stderr.decode(), r"prompt eval time = +[\d.]+ ms / +1 tokens")
        shorter = FIRST[:200]
        self.assertEqual(self.text(shorter), self.text(shorter, cache=False))
        self.assertEqual(self.text("x"), self.text("x", cache=False))

    def test_the_bytes_are_those_of_the_documents(self):
        """Head, tokens, then by layer, KV head and position the key and the value, read without the program's help."""
        self.text(FIRST, "--cache-type", "f32")
        with open(self.cache, "rb") as file:
            data = file.read()
        self.assertEqual(data[:8], b"pillarKV")
        numbers = [int.from_bytes(data[at:at + 4], "little") for at in (8, 12, 16, 20)]
        self.assertEqual(numbers, [1, 0, 0, 16])  # format, f32, int8 activations, dimensions of a head
        n_layers, n_heads, n = (int.from_bytes(data[at:at + 8], "little") for at in (32, 40, 48))
        ids = json.loads(pillar.check(pillar.run(None, ["tokenize", "-m", self.model, "--ids", "-p", FIRST])).stdout)
        self.assertEqual(n, len(ids))
        self.assertEqual(pillar.np.frombuffer(data, "<i4", n, 184).tolist(), ids)
        rows = pillar.np.frombuffer(data, "<f4", n_layers * n_heads * n * 2 * 16, 184 + 4 * n)
        self.assertEqual(len(data), 184 + 4 * n + rows.nbytes + 8)
        rows = rows.reshape(n_layers, n_heads, n, 2, 16)
        self.assertTrue(pillar.np.isfinite(rows).all())
        # In the first layer a value depends on its token alone; a key is turned with its position.
        first, second = [p for p, token in enumerate(ids) if token == ids[5]][:2]
        self.assertTrue((rows[0, :, first, 1] == rows[0, :, second, 1]).all())
        self.assertFalse((rows[0, :, first, 0] == rows[0, :, second, 0]).all())
        pillar.np.testing.assert_allclose(pillar.np.linalg.norm(rows[0, :, first, 0], axis=-1),
                                          pillar.np.linalg.norm(rows[0, :, second, 0], axis=-1), rtol=1e-5)

    def test_what_is_another_models_is_refused_and_left(self):
        self.text(FIRST)
        before = self.digest()
        self.assertIn("is of another model", self.refusal(self.run_it(SECOND, model=self.other, ranks=2), 77))
        self.assertIn("cache type", self.refusal(self.run_it(SECOND, "--cache-type", "q8_0"), 77))
        self.assertIn("--kernels", self.refusal(self.run_it(SECOND, "--kernels", "reference"), 77))
        self.assertEqual(self.digest(), before)
        with open(self.cache, "rb") as file:
            whole = bytearray(file.read())

        def changed(at, value):
            data = bytearray(whole)
            data[at] ^= value
            with open(self.cache, "wb") as file:
                file.write(data)
            return self.run_it(SECOND, ranks=2)

        self.assertIn("format version", self.refusal(changed(8, 2), 77))
        self.assertIn("was made by version", self.refusal(changed(56, 1), 77))
        for at in (90, 184, 190, 5000, len(whole) - 1):
            self.assertIn("damaged", self.refusal(changed(at, 64), 65))
        for size in (0, 100, len(whole) - 9):
            with open(self.cache, "wb") as file:
                file.write(whole[:size])
            self.refusal(self.run_it(SECOND), 65)
        with open(self.cache, "w", encoding="utf-8") as file:
            file.write("a letter to a friend " * 20)
        self.assertIn("is no prompt cache", self.refusal(self.run_it(SECOND), 65))

    def test_a_full_disk_or_a_kill_leave_what_was_there(self):
        pillar.check(self.run_it("short", "--cache-type", "f32", model=self.large))
        before = self.digest()
        full = self.on_full_disk(["run", "-n", 2, "-p", FIRST])
        self.assertEqual(full.returncode, 74, full.stderr)
        self.assertIn(b"cache.kv", full.stderr)
        self.assertEqual(self.digest(), before)
        self.assertFalse(os.path.exists(self.cache + ".part"))
        for delay in (0.05, 0.2, 0.4):  # wherever it is then
            process = subprocess.Popen(pillar.command(None, ["run", "-m", self.large, "-t", 1, "-n", 2, "-p", FIRST,
                                                             "--cache-type", "f32", "--prompt-cache", self.cache]),
                                       env=pillar.ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            process.wait()
        large = {"model": self.large}
        self.assertEqual(self.text(SECOND, "--cache-type", "f32", **large),
                         self.text(SECOND, "--cache-type", "f32", cache=False, **large))
        self.refusal(self.run_it(FIRST, "--prompt-cache", "/nowhere/at/all", cache=False), 73)
        self.refusal(self.run_it(FIRST, "--prompt-cache", self.model, cache=False), 64)

    def test_a_batch_begins_with_it_and_makes_it(self):
        requests, results = self.path("in.jsonl"), self.path("out.jsonl")
        bodies = [{"prompt": SHARED + end, "max_tokens": 5, "temperature": 0} for end in (" a", " bc", " d?", " efg", " h")]
        with open(requests, "w", encoding="utf-8") as file:
            for i, body in enumerate(bodies):
                file.write(json.dumps({"custom_id": f"r{i}", "url": "/v1/completions", "body": body}) + "\n")

        def batch(*flags, model=None, ranks=2):
            if os.path.exists(results):
                os.remove(results)
            done = pillar.check(pillar.run(ranks, ["batch", "-m", model or self.model, "-t", 1, "-i", requests, "-o",
                                                   results, "--fsync", "never", "--parallel", 3, *flags]))
            with open(results, encoding="utf-8") as file:
                texts = {r["custom_id"]: r["response"]["body"]["choices"][0]["text"] for r in map(json.loads, file)}
            shared = int(re.search(r"(\d+) of them found computed", done.stderr.decode()).group(1))
            return texts, shared, done

        for model in (self.model, self.windows):
            self.setUp()
            plain, _, _ = batch(model=model)
            first, n_first, done = batch("--prompt-cache", self.cache, model=model)
            self.assertIn("kept in", done.stderr.decode())
            second, n_second, _ = batch("--prompt-cache", self.cache, model=model, ranks=4)
            self.assertEqual(first, plain)
            self.assertEqual(second, plain)
            self.assertGreaterEqual(n_second, 5 * 256)
            self.assertGreater(n_second, n_first)
            one = SHARED + " bc"  # and a run goes on from what the batch has kept
            self.assertGreater(self.n_found(self.run_it(one, model=model)), len(SHARED) - 5)
        # A batch matters more than the file.
        os.remove(self.cache)
        full = self.on_full_disk(["batch", "-i", requests, "-o", self.path("full.jsonl")])
        self.assertEqual(full.returncode, 0, full.stderr)
        self.assertIn(b"goes on without it", full.stderr)
        self.assertFalse(os.path.exists(self.cache))

    def test_a_chat_reads_its_system_message_once_for_ever(self):
        def chat(text, *flags, ranks=1, model=None):
            result = pillar.check(pillar.run(ranks, ["chat", "-m", model or self.model, "-t", 1, "--chat-template", "chatml",
                                                     "-n", 8, "--temp", 0, "--system", SHARED, *flags],
                                             input=text.encode(), stdin=None))
            read, kept = re.search(r"(\d+) tokens? read, (\d+) kept", result.stderr.decode()).groups()
            return result.stdout, int(read), int(kept)

        for model in (self.model, self.windows):
            self.setUp()
            expected, n_all, _ = chat("hello\nand so\n", model=model)
            text, n_read, _ = chat("hello\nand so\n", "--prompt-cache", self.cache, ranks=2, model=model)
            self.assertEqual((text, n_read), (expected, n_all))
            before = self.digest()
            text, n_read, n_kept = chat("hello\nand so\n", "--prompt-cache", self.cache, ranks=4, model=model)
            self.assertEqual(text, expected)
            self.assertLess(n_read, 60)  # of the first turn, and of the second behind it
            expected, _, _ = chat("other\n", model=model)
            text, n_read, n_kept = chat("other\n", "--prompt-cache", self.cache, model=model)
            self.assertEqual(text, expected)
            self.assertGreater(n_kept, len(SHARED) - 5)
            self.assertEqual(self.digest(), before)


if __name__ == "__main__":
    unittest.main()
