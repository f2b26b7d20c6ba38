"""perplexity: against numpy in double precision, on any number of ranks, stopped and gone on with."""

import os
import re
import signal
import unittest

import h5py
import numpy as np
import numpy_llama
import pillar
import texts

EXACT = ["--kernels", "reference", "--cache-type", "f32", "-t", 1]
C = 64


def estimate(result):
    found = re.search(r"Final estimate: PPL = ([\d.]+) \+/- ([\d.]+)", result.stdout.decode())
    return float(found[1]), float(found[2])


def column(path, name):
    with h5py.File(path) as file:
        return file[name][:]


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def exact_scores(model, windows, first):
    """nll (windows, scored) and the logits they are of."""
    of = numpy_llama.Model(model)
    logits = np.array([of.logits(window, first)[:-1] for window in windows])
    labels = windows[:, first + 1:, None]
    return -np.take_along_axis(log_softmax(logits), labels, axis=2)[..., 0], logits


class WithModel(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.text = texts.write_text(cls.folder)
        cls.model = pillar.tiny_model(cls.folder, "model", "--type", "q8_0", "--dim", 96, "--heads", 5, "--kv-heads", 1,
                                      "--head-dim", 24, "--vocab", 397, "--context", 512)
        cls.ids = texts.token_ids(cls.model, cls.text)
        cls.n_windows = len(cls.ids) // C

    def file(self, name):
        return os.path.join(self.folder, name)

    def perplexity(self, *flags, ranks=None, model=None, text=None):
        return pillar.run(ranks, ["perplexity", "-m", model or self.model, "-f", text or self.text, "-c", C, *flags])


class Numbers(WithModel):
    def test_windows_side_by_side(self):
        result = pillar.check(self.perplexity("-o", self.file("plain.h5"), *EXACT))
        windows = texts.windows(self.ids, C, C, self.n_windows)
        np.testing.assert_array_equal(column(self.file("plain.h5"), "tokens"), windows)
        nll, _ = exact_scores(self.model, windows, C // 2)
        np.testing.assert_allclose(column(self.file("plain.h5"), "nll"), nll, atol=2e-5)
        ppl, error = estimate(result)
        self.assertAlmostEqual(ppl / np.exp(nll.mean()), 1, delta=1e-5)
        self.assertAlmostEqual(error, ppl * np.sqrt(nll.var() / (nll.size - 1)), delta=0.02)
        running = [float(value) for value in re.findall(r"\[\d+\]([\d.]+),", result.stdout.decode())]
        np.testing.assert_allclose(running, [np.exp(nll[:w + 1].mean()) for w in range(self.n_windows)], rtol=1e-5)

    def test_a_stride(self):
        """llama-perplexity's second form: windows are longer by half a stride, their last tokens count."""
        stride, length = 24, C + 12
        n = -(-(len(self.ids) - length) // stride)
        result = pillar.check(self.perplexity("--ppl-stride", stride, "-o", self.file("stride.h5"), *EXACT))
        windows = texts.windows(self.ids, length, stride, n)
        np.testing.assert_array_equal(column(self.file("stride.h5"), "tokens"), windows)
        nll, _ = exact_scores(self.model, windows, length - stride - 1)
        self.assertEqual(nll.shape[1], stride)
        self.assertAlmostEqual(estimate(result)[0] / np.exp(nll.mean()), 1, delta=1e-5)

    def test_chunks(self):
        all_windows = pillar.check(self.perplexity("-o", self.file("all.h5")))
        two = pillar.check(self.perplexity("--chunks", 2, "-o", self.file("two.h5")))
        np.testing.assert_array_equal(column(self.file("two.h5"), "nll"), column(self.file("all.h5"), "nll")[:2])
        self.assertTrue(all_windows.stdout.startswith(two.stdout.split(b"\n")[0]))

    def test_the_same_on_any_number_of_ranks(self):
        flags = ["--chunks", 2, "--force"]
        pillar.check(self.perplexity("--save-logits", self.file("base.h5"), *flags, "-t", 2))
        other = pillar.tiny_model(self.folder, "other", "--type", "q4_0", "--dim", 96, "--heads", 6, "--vocab", 397,
                                  "--context", 512)
        compare = ["--kl-divergence-base", self.file("base.h5"), "-o", self.file("kl.h5"), *flags]
        plain, compared, kept = set(), set(), set()
        for ranks, more in ((None, ["-t", 2, "-b", 7]), (2, ["-b", 64]), (4, ["-t", 1]), (8, ["-t", 1, "-b", 33])):
            plain.add(pillar.check(self.perplexity(*flags, *more, ranks=ranks, model=other)).stdout)
            compared.add(pillar.check(self.perplexity(*compare, *more, ranks=ranks, model=other)).stdout)
            kept.add(tuple(pillar.digest(column(self.file("kl.h5"), name))
                           for name in ("nll", "kl_divergence", "p_difference", "same_best")))
        self.assertEqual((len(plain), len(compared), len(kept)), (1, 1, 1))


class Divergence(WithModel):
    def test_against_another_model(self):
        other = pillar.tiny_model(self.folder, "other", "--type", "q8_0", "--dim", 96, "--heads", 6, "--vocab", 397,
                                  "--context", 512)
        base, scores = self.file("base.h5"), self.file("kl.h5")
        pillar.check(self.perplexity("--save-logits", base, *EXACT))
        result = pillar.check(pillar.run(None, ["perplexity", "-m", other, "-c", C, "--kl-divergence-base", base,
                                                "-o", scores, *EXACT]))  # the base's text
        windows = column(base, "tokens")
        nll_base, logits_base = exact_scores(self.model, windows, C // 2)
        nll, logits = exact_scores(other, windows, C // 2)
        np.testing.assert_allclose(column(base, "logits"), logits_base.reshape(-1, 397), atol=1e-4)
        kl = numpy_llama.kl_divergence(logits, logits_base)
        difference = np.exp(-nll) - np.exp(-nll_base)
        np.testing.assert_allclose(column(scores, "kl_divergence"), kl, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(column(scores, "p_difference"), difference, atol=1e-5)
        same = logits.argmax(-1) == logits_base.argmax(-1)
        np.testing.assert_array_equal(column(scores, "same_best"), same)
        text = result.stdout.decode()
        for name, value in (("Mean    KLD", kl.mean()), ("Maximum KLD", kl.max()), ("Median  KLD", np.median(kl)),
                            ("99.9%   KLD", np.quantile(kl, 0.999)), ("99.0%   KLD", np.quantile(kl, 0.99)),
                            ("95.0%   KLD", np.quantile(kl, 0.95)), ("90.0%   KLD", np.quantile(kl, 0.9)),
                            ("Mean PPL(Q)", np.exp(nll.mean())), ("Mean PPL(base)", np.exp(nll_base.mean())),
                            ("Mean ln(PPL(Q)/PPL(base))", nll.mean() - nll_base.mean()),
                            ("RMS Δp", 100 * np.sqrt((difference ** 2).mean())), ("Same top p", 100 * same.mean()),
                            ("Mean    Δp", 100 * difference.mean())):
            found = re.search(re.escape(name) + r"\s*: *(-?[\d.]+)", text)
            self.assertIsNotNone(found, name)
            self.assertAlmostEqual(float(found[1]), value, delta=1e-3 + 1e-4 * abs(value), msg=name)
        correlation = float(re.search(r"Cor\(.*: *([-\d.]+)%", text)[1])
        self.assertAlmostEqual(correlation, 100 * np.corrcoef(nll.ravel(), nll_base.ravel())[0, 1], delta=0.02)
        ratio_error = float(re.search(r"Mean ln\(.*± *([\d.]+)", text)[1])
        self.assertAlmostEqual(ratio_error, np.sqrt((nll - nll_base).var() / (nll.size - 1)), delta=1e-4)

    def test_with_itself_there_is_none(self):
        base = self.file("own.h5")
        pillar.check(self.perplexity("--save-logits", base, "--chunks", 2))
        result = pillar.check(self.perplexity("--kl-divergence-base", base, "-o", self.file("own_kl.h5")))
        self.assertFalse(column(self.file("own_kl.h5"), "kl_divergence").any())
        self.assertIn("Same top p: 100.000", result.stdout.decode())


class StoppedAndGoneOnWith(WithModel):
    def test_killed_and_signalled(self):
        slow = pillar.tiny_model(self.folder, "slow", "--type", "q8_0", "--dim", 512, "--heads", 8, "--layers", 8,
                                 "--ffn", 1536, "--vocab", 397, "--context", 512)
        whole, parts = self.file("whole.h5"), self.file("parts.h5")
        expected = pillar.check(self.perplexity("--save-logits", whole, model=slow, text=self.text)).stdout
        arguments = ["perplexity", "-m", slow, "-f", self.text, "-c", C, "--save-logits", parts]
        for number, code in ((signal.SIGKILL, -9), (signal.SIGUSR1, 75)):
            process = pillar.start(None, arguments, self.folder)  # one window is complete
            process.send_signal(number)
            process.communicate()
            self.assertEqual(process.returncode, code)
            self.assertFalse(os.path.exists(parts))
        other_text = texts.write_text(self.folder, "other.txt", seed=6)
        refused = self.perplexity("--save-logits", parts, model=slow, text=other_text)
        self.assertEqual(refused.returncode, 65)
        result = pillar.check(self.perplexity("--save-logits", parts, model=slow))
        self.assertIn(b"were there already", result.stderr)
        self.assertEqual(result.stdout, expected)
        for name in ("tokens", "nll", "log_sum_exp", "logits"):
            np.testing.assert_array_equal(column(parts, name), column(whole, name))
        self.assertEqual(self.perplexity("--save-logits", parts, model=slow).returncode, 73)


class BadInput(WithModel):
    def refused(self, code, sentence, result):
        lines = [line for line in result.stderr.decode().splitlines() if "error" in line or sentence in line]
        self.assertEqual(result.returncode, code, result.stderr.decode())
        self.assertTrue(any(sentence in line for line in lines), result.stderr.decode())

    def test_refused_by_name(self):
        short = texts.write_text(self.folder, "short.txt", 5)
        base = self.file("base.h5")
        pillar.check(self.perplexity("--save-logits", base, "--chunks", 2))
        self.refused(65, "too few for one window of 64", self.perplexity(text=short))
        self.refused(66, "none.txt", self.perplexity(text=self.file("none.txt")))
        self.refused(64, "is longer than the window", self.perplexity("--ppl-stride", 65))
        self.refused(64, "leave one out", self.perplexity("-o", "a.h5", "--save-logits", "b.h5"))
        self.refused(65, "was made with -c 64, not -c 32",
                     pillar.run(None, ["perplexity", "-m", self.model, "-c", 32, "--kl-divergence-base", base]))
        self.refused(65, "is another text", self.perplexity("--kl-divergence-base", base,
                                                            text=texts.write_text(self.folder, "else.txt", seed=9)))
        more = pillar.tiny_model(self.folder, "more", "--type", "q8_0", "--vocab", 400)
        self.refused(65, "one vocabulary", self.perplexity("--kl-divergence-base", base, model=more))
        pillar.check(self.perplexity("-o", self.file("no_logits.h5"), "--chunks", 1))
        self.refused(65, "--save-logits", self.perplexity("--kl-divergence-base", self.file("no_logits.h5")))
        self.refused(65, "is not an HDF5 file", self.perplexity("--kl-divergence-base", short))
        self.refused(64, "no text", pillar.run(None, ["perplexity", "-m", self.model]))


if __name__ == "__main__":
    unittest.main()
