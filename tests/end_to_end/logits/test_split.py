"""--split: uneven shares change the last bits and nothing else; they repeat, also from a trace; auto says what it does."""

import json
import re
import unittest

import h5py
import numpy as np
import numpy_llama
import pillar
import test_golden

EXACT = ("--kernels", "reference", "--cache-type", "f32")
SHAPES = {
    "odd heads": ["--type", "q4_0", "--dim", 160, "--heads", 5, "--kv-heads", 1, "--head-dim", 32, "--ffn", 352],
    "cut super-blocks": ["--types", "mixed", "--dim", 256, "--heads", 6, "--kv-heads", 2, "--head-dim", 128,
                         "--ffn", 1280, "--layers", 3, "--untied", "--vocab", 397],
}
LISTS = {2: ("0.3,0.7", "1,1000", "1000,1", "3,1"), 3: ("0.2,0.5,0.3", "1,1000,1"), 4: ("1,1,1,2",)}


def shares_of(file):
    shares = file["hosts/split_share"][:]
    return "even" if np.isnan(shares).all() else ",".join(f"{share:g}" for share in shares)


class Lists(pillar.WithFolder):
    def test_give_the_logits_of_the_even_split(self):
        """The reference family shows that nothing is lost or counted twice; a rank may own nothing at all."""
        ids = [int(i) for i in np.random.default_rng(11).integers(3, 300, 20)]
        for name, shape in SHAPES.items():
            model = pillar.tiny_model(self.folder, "shape", *shape)
            even = pillar.logits(None, model, ids, *EXACT).astype(float)
            for ranks, lists in LISTS.items():
                for split in lists:
                    with self.subTest(name, split=split):
                        ours = pillar.logits(ranks, model, ids, "-t", 1, "--split", split, *EXACT)
                        self.assertLess(numpy_llama.nmse(ours.astype(float), even).max(), 1e-9)

    def test_int8_kernels_stay_near_and_repeat(self):
        ids = [int(i) for i in np.random.default_rng(12).integers(3, 300, 20)]
        model = pillar.tiny_model(self.folder, "int8", *SHAPES["cut super-blocks"])
        even = pillar.logits(2, model, ids, "-t", 1).astype(float)
        first = pillar.logits(2, model, ids, "-t", 1, "--split", "0.3,0.7")
        self.assertLess(numpy_llama.nmse(first.astype(float), even).mean(), 1e-2)
        again = pillar.logits(2, model, ids, "-t", 2, "-b", 5, "--split", "3,7", "--allreduce", "direct")
        self.assertEqual(pillar.digest(again), pillar.digest(first))

    @pillar.needs_model
    def test_best_ids_on_the_demo_model(self):
        golden = test_golden.Golden("compare")
        golden.compare(2, test_golden.GREEDY[::4], "-t", 1, "--split", "0.3,0.7")
        golden.compare(3, test_golden.GREEDY[1::5], "-t", 1, "--split", "0.2,0.5,0.3")


class Repeated(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny", *SHAPES["odd heads"])

    def run_with(self, split, ranks=2, trace=None):
        flags = ["--trace", trace, "--force"] if trace else []
        return pillar.run(ranks, ["run", "-m", self.model, "-p", "hello", "-n", 8, "--ignore-eos", "--temp", 0, "-t", 1,
                                  "--split", split, *flags])

    def test_from_a_trace(self):
        ids = list(range(3, 20))
        for split, ranks in (("0.3,0.7", 2), ("0.1,0.6,0.3", 3), ("even", 2)):
            with self.subTest(split):
                trace = f"{self.folder}/{ranks}.h5"
                pillar.check(self.run_with(split, ranks, trace))
                with h5py.File(trace) as file:
                    self.assertEqual(shares_of(file), split)
                    self.assertTrue(np.isnan(file["hosts/split_bytes_per_s"][:]).all())
                digests = {pillar.digest(pillar.logits(ranks, self.model, ids, "-t", 1, "--split", how))
                           for how in (split, trace)}
                self.assertEqual(len(digests), 1)
                report = pillar.check(pillar.run(None, ["report", trace])).stdout.decode()
                self.assertEqual(f"shares of the model were {split}" in report, split != "even")

    def test_a_trace_of_version_1_divides_as_its_list_did(self):
        ids = list(range(3, 20))
        for name, shares in (("version_1", "0.198,0.802"), ("version_1_even", "even")):
            old = pillar.SOURCE / f"tests/data/trace/{name}.h5"
            again = f"{self.folder}/{name}.h5"
            pillar.check(self.run_with(old, 2, again))
            with h5py.File(again) as file:
                self.assertEqual(shares_of(file), shares)
            digests = {pillar.digest(pillar.logits(2, self.model, ids, "-t", 1, "--split", how)) for how in (shares, old)}
            self.assertEqual(len(digests), 1)

    def test_what_auto_measured_from_its_trace(self):
        trace, again = f"{self.folder}/auto.h5", f"{self.folder}/again.h5"
        result = pillar.check(self.run_with("auto", 2, trace))
        said = re.search(r"split +auto: (.*) \(speeds [\d.e+-]+, [\d.e+-]+ GB/s", result.stderr.decode())
        self.assertTrue(said, result.stderr)
        repeated = pillar.check(self.run_with(trace, 2, again))
        self.assertEqual(repeated.stdout, result.stdout)
        with h5py.File(trace) as first, h5py.File(again) as second:
            shares = shares_of(first)
            self.assertEqual(said[1] == "even", shares == "even")
            self.assertEqual(shares_of(second), shares)
            self.assertEqual(first["config"].attrs["split"], "auto")
            self.assertTrue((first["hosts/split_bytes_per_s"][:] > 0).all())
            np.testing.assert_array_equal(first["tokens/id"], second["tokens/id"])

    def test_auto_on_one_rank_is_silent_and_even(self):
        result = pillar.check(self.run_with("auto", None))
        self.assertNotIn(b"split ", result.stderr)
        self.assertEqual(result.stdout, pillar.check(self.run_with("even", None)).stdout)

    def test_bench_takes_it_and_tells_the_shares(self):
        records = json.loads(pillar.check(pillar.run(2, ["bench", "-m", self.model, "-p", 4, "-n", 2, "-r", 1, "-t", 1,
                                                         "-o", "json", "--split", "1,3"])).stdout)
        self.assertEqual({(r["split"], r["split_shares"]) for r in records}, {("1,3", "1,3")})


class Refused(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny")

    def expect(self, code, sentence, split, ranks=2):
        result = pillar.run(ranks, ["run", "-m", self.model, "-p", "a", "-n", 2, "--split", split])
        self.assertEqual(result.returncode, code, result.stderr)
        lines = [line for line in result.stderr.decode().splitlines() if "[pillar] error" in line]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertIn(sentence, lines[0])

    def test_with_a_sentence(self):
        self.expect(64, "--split 1,2,3 has 3 shares, but there are 2 ranks", "1,2,3")
        self.expect(64, "--split 0,1: give even, auto, one positive number a rank", "0,1")
        self.expect(64, "--split odd: give even", "odd")
        self.expect(66, "nowhere.h5", f"{self.folder}/nowhere.h5")
        not_hdf5 = f"{self.folder}/text.h5"
        with open(not_hdf5, "w", encoding="ascii") as file:
            file.write("no trace")
        self.expect(65, "text.h5", not_hdf5)

    def test_traces_of_other_runs(self):
        trace = f"{self.folder}/three.h5"
        pillar.check(pillar.run(3, ["run", "-m", self.model, "-p", "a", "-n", 2, "-t", 1, "--split", "1,1,2",
                                    "--trace", trace]))
        self.expect(64, "has 3 shares, but there are 2 ranks", trace)
        with h5py.File(trace, "r+") as file:
            file["hosts/split_share"][:] = [1, -1, 2]
        self.expect(65, "the ranks' shares: are 1,-1,2, which divides no model", trace, 3)


if __name__ == "__main__":
    unittest.main()
