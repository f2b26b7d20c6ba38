"""--allreduce, --wire and --emulate-network as a user meets them: what is printed, recorded and refused."""

import json
import os
import unittest

import h5py
import pillar

TREE = {"recursive-doubling", "direct", "two-step"}


class Recorded(pillar.WithFolder):
    def run_traced(self, ranks, *flags):
        model = pillar.tiny_model(self.folder, "tiny")
        trace = os.path.join(self.folder, "trace.h5")
        result = pillar.check(pillar.run(ranks, ["run", "-m", model, "-p", "abc abc abc abc", "-n", 4, "--temp", 0,
                                                 "-t", 1, "--trace", trace, "--force", *flags]))
        with h5py.File(trace) as file:
            return result.stderr.decode(), dict(file["config"].attrs), trace

    def test_the_choice_of_auto(self):
        stderr, config, _ = self.run_traced(2)
        self.assertEqual(config["allreduce"], "auto")
        self.assertIn(config["allreduce_decode"], TREE)
        self.assertIn(config["allreduce_prompt"], TREE)
        self.assertGreater(config["allreduce_border_bytes"], 0)
        self.assertIn(f"{config['allreduce_decode']} for a token", stderr)
        self.assertRegex(stderr, rf"{config['allreduce_prompt']} for \d+ rows of the prompt")

    def test_no_measurement_on_one_rank_or_with_a_name(self):
        for ranks, flags in ((None, ()), (2, ("--allreduce", "two-step"))):
            stderr, config, _ = self.run_traced(ranks, *flags)
            self.assertNotIn("for a token", stderr)
            self.assertEqual(config["allreduce_border_bytes"], 0)
        self.assertEqual(config["allreduce_decode"], "two-step")

    def test_an_emulated_network_is_in_trace_and_report(self):
        _, config, trace = self.run_traced(2, "--emulate-network", "50,8.5")
        self.assertEqual(config["emulate_network"], "50,8.5")
        for form in ("md", "csv", "json"):
            report = pillar.check(pillar.run(None, ["report", trace, "-o", form])).stdout.decode()
            self.assertIn("50,8.5", report, form)

    def test_the_same_text_on_an_emulated_network(self):
        model = pillar.tiny_model(self.folder, "same")
        ids = list(range(3, 20))
        self.assertEqual(pillar.digest(pillar.logits(2, model, ids, "-t", 1)),
                         pillar.digest(pillar.logits(2, model, ids, "-t", 1, "--emulate-network", "100,10")))


class Table(unittest.TestCase):
    def test_has_every_algorithm_wire_and_length(self):
        result = pillar.check(pillar.run(2, ["bench", "--allreduce", "-o", "json", "--emulate-network", "20,1"]))
        records = json.loads(result.stdout)
        self.assertEqual({(r["allreduce"], r["wire"]) for r in records},
                         {(name, "f32") for name in TREE | {"ring"}} |
                         {(name, wire) for name in ("direct", "two-step") for wire in ("f16", "q8")})
        for name in ("direct", "ring"):
            self.assertEqual([r["bytes"] for r in records if r["allreduce"] == name and r["wire"] == "f32"],
                             [4 * 4 ** k for k in range(10)])
        for record in records:
            self.assertGreaterEqual(record["calls"], 3)
            self.assertLessEqual(record["min_s"], record["median_s"])
            self.assertLessEqual(record["median_s"], record["max_s"])
            self.assertGreaterEqual(record["fit_latency_s"], 0)
            self.assertGreater(record["fit_s_per_byte"] + record["fit_latency_s"], 0)

    def test_shows_mpis_own_and_the_fits(self):
        text = pillar.check(pillar.run(2, ["bench", "--allreduce"])).stdout.decode()
        self.assertIn("| mpi ", text)
        self.assertIn("Fitted", text)


class Refused(unittest.TestCase):
    def refused(self, ranks, arguments, *parts):
        result = pillar.run(ranks, arguments)
        stderr = result.stderr.decode()
        self.assertEqual(result.returncode, 64, stderr)
        self.assertNotIn("MPI_ABORT", stderr)
        for part in parts:
            self.assertIn(part, stderr)

    def test_what_does_not_go_together(self):
        model = ["run", "-m", "model.gguf", "-p", "x"]
        self.refused(None, [*model, "--allreduce", "ring", "--wire", "q8"], "--wire q8", "--allreduce ring", "two-step")
        self.refused(None, [*model, "--emulate-network", "50"], "--emulate-network 50", "50,8.5")
        self.refused(None, [*model, "--emulate-network", "1,1", "--allreduce", "mpi"], "--allreduce mpi")
        self.refused(None, ["bench", "--allreduce"], "two ranks")


if __name__ == "__main__":
    unittest.main()
