"""imatrix: against sums of squares in numpy, with the same bytes on any number of ranks, stopped and gone on with."""

import os
import signal

import numpy as np
import numpy_llama
import pillar
import texts

EXACT = ["--kernels", "reference", "--cache-type", "f32", "-t", 1]
C = 64
SHAPES = {
    "plain": ["--type", "f32", "--dim", 96, "--heads", 5, "--kv-heads", 1, "--head-dim", 24, "--ffn", 200],
    "untied": ["--type", "f16", "--untied"],
    "phi3": ["--architecture", "phi3", "--type", "f32", "--dim", 96, "--heads", 3, "--kv-heads", 1, "--ffn", 200],
    "mixtral": ["--type", "f32", "--dim", 96, "--heads", 6, "--kv-heads", 2, "--experts", 8, "--experts-used", 2,
                "--ffn", 160],
    "qwen3moe": ["--architecture", "qwen3moe", "--type", "f32", "--dim", 96, "--heads", 5, "--kv-heads", 1,
                 "--head-dim", 80, "--experts", 60, "--experts-used", 6, "--ffn", 96],
}


class Recording(numpy_llama.Model):
    """Sums what every matrix is multiplied with: name -> (matrices, columns), and how many rows that were."""

    def __init__(self, path):
        super().__init__(path)
        self.sums, self.counts = {}, {}

    def note(self, name, x, matrix=0, n_matrices=1):
        sums = self.sums.setdefault(name, np.zeros((n_matrices, x.shape[1])))
        sums[matrix] += (x * x).sum(axis=0)
        self.counts.setdefault(name, np.zeros(n_matrices))[matrix] += len(x)

    def linear(self, x, layer, name):
        self.note(f"blk.{layer}.{name}.weight", x)
        return super().linear(x, layer, name)

    def experts(self, x, layer):
        result = super().experts(x, layer)
        score = x @ self.weight(f"blk.{layer}.ffn_gate_inp.weight").T
        chosen = np.argsort(-score, axis=1, kind="stable")[:, :self.n_used]
        gate, up = (self.weight(f"blk.{layer}.ffn_{name}_exps.weight") for name in ("gate", "up"))
        for e in range(self.n_experts):
            rows = x[(chosen == e).any(axis=1)]
            g = rows @ gate[e].T
            hidden = g / (1 + np.exp(-g)) * (rows @ up[e].T)
            for name, of in (("gate", rows), ("up", rows), ("down", hidden)):
                self.note(f"blk.{layer}.ffn_{name}_exps.weight", of, e, self.n_experts)
        return result


def read(path):
    file = numpy_llama.Gguf(path)
    names = [name[:-len(".in_sum2")] for name in file.tensors if name.endswith(".in_sum2")]
    return file.metadata, {name: (file.tensor(name + ".in_sum2"), file.tensor(name + ".counts")) for name in names}


class Imatrix(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.text = texts.write_text(cls.folder, n_words=160)

    def file(self, name):
        return os.path.join(self.folder, name)

    def imatrix(self, model, output, *flags, ranks=None, text=None):
        return pillar.run(ranks, ["imatrix", "-m", model, "-f", text or self.text, "-c", C, "-o", output, *flags])

    def test_sums_are_those_of_numpy(self):
        for name, flags in SHAPES.items():
            with self.subTest(name):
                model = pillar.tiny_model(self.folder, "shape", *flags)
                exact = Recording(model)
                ids = texts.token_ids(model, self.text)
                n = min(2, len(ids) // C)
                for window in texts.windows(ids, C, C, n):
                    exact.logits(window)
                for ranks in (None, 3):
                    pillar.check(self.imatrix(model, self.file("sums_of_shape.gguf"), "--chunks", n, "--force", *EXACT,
                                              ranks=ranks))
                    metadata, found = read(self.file("sums_of_shape.gguf"))
                    self.assertEqual(metadata["general.type"], "imatrix")
                    self.assertEqual((metadata["imatrix.chunk_count"], metadata["imatrix.chunk_size"]), (n, C))
                    self.assertEqual(set(found), set(exact.sums))
                    for tensor, (sums, counts) in found.items():
                        np.testing.assert_array_equal(counts.ravel(), exact.counts[tensor], tensor)
                        np.testing.assert_allclose(sums.reshape(exact.sums[tensor].shape), exact.sums[tensor],
                                                   rtol=1e-3, err_msg=tensor,
                                                   atol=1e-5 * exact.sums[tensor].mean())

    def test_the_output_matrix_when_asked(self):
        model = pillar.tiny_model(self.folder, "untied", *SHAPES["untied"])
        for flags in ([], ["--no-ppl"]):
            pillar.check(self.imatrix(model, self.file("output.gguf"), "--process-output", "--force", *flags))
            _, found = read(self.file("output.gguf"))
            n = len(texts.token_ids(model, self.text)) // C
            self.assertEqual(found["output.weight"][1].item(), n * C)

    def test_the_same_bytes_on_any_number_of_ranks(self):
        for name in ("plain", "qwen3moe"):
            with self.subTest(name):
                model = pillar.tiny_model(self.folder, "bits", *SHAPES[name])
                files = set()
                for ranks, flags in ((None, ["-t", 2]), (1, ["-t", 1, "-b", 7]), (2, ["-b", 64, "--no-ppl"]),
                                     (4, ["-t", 1, "-b", 3]), (8, ["-t", 1, "--process-output"])):
                    pillar.check(self.imatrix(model, self.file("sums_of_bits.gguf"), "--chunks", 2, "--force", *flags,
                                              ranks=ranks))
                    _, found = read(self.file("sums_of_bits.gguf"))
                    files.add(tuple((tensor, pillar.digest(sums), pillar.digest(counts))
                                    for tensor, (sums, counts) in sorted(found.items())
                                    if tensor.startswith("blk.")))
                self.assertEqual(len(files), 1)

    def test_goes_on_where_it_was_stopped(self):
        model = pillar.tiny_model(self.folder, "slow", "--type", "q8_0", "--dim", 512, "--heads", 8, "--layers", 8,
                                  "--ffn", 1536, "--context", 512)
        whole, parts = self.file("whole.gguf"), self.file("parts.gguf")
        pillar.check(self.imatrix(model, whole))
        arguments = ["imatrix", "-m", model, "-f", self.text, "-c", C, "-o", parts, "--output-frequency", 1]
        process = pillar.start(None, arguments, self.folder)
        process.send_signal(signal.SIGUSR1)
        process.communicate()
        self.assertEqual(process.returncode, 75)
        self.assertGreater(read(whole)[0]["imatrix.chunk_count"], read(parts)[0]["imatrix.chunk_count"])
        result = pillar.check(self.imatrix(model, parts, ranks=2))
        self.assertIn(b"already", result.stderr)
        with open(whole, "rb") as a, open(parts, "rb") as b:
            self.assertEqual(a.read(), b.read())

    def test_refused_by_name(self):
        model = pillar.tiny_model(self.folder, "one", *SHAPES["plain"])
        output = self.file("sums_of_one.gguf")
        pillar.check(self.imatrix(model, output, "--chunks", 1))
        with open(model, "rb") as source, open(model + ".copy", "wb") as copy:
            copy.write(source.read())
        other = pillar.tiny_model(self.folder, "another", "--type", "f32", "--dim", 64)
        for sentence, result in (
                ("another model", self.imatrix(other, output)),
                ("another model", self.imatrix(pillar.tiny_model(self.folder, "experts", *SHAPES["mixtral"]), output)),
                ("imatrix.datasets", self.imatrix(model, output, text=texts.write_text(self.folder, "b.txt"))),
                ("imatrix.chunk_size", self.imatrix(model, output, "-c", 32)),
                ("no importance matrix", self.imatrix(model, model + ".copy")),
                ("too few for one window", self.imatrix(model, self.file("new.gguf"),
                                                        text=texts.write_text(self.folder, "short.txt", 5)))):
            self.assertEqual(result.returncode, 65, result.stderr.decode())
            self.assertIn(sentence, result.stderr.decode())
        self.assertEqual(self.imatrix(model, model).returncode, 64)
