"""`report --profile`: the cost model on the steps of real traces, against their counters and against `plan`."""

import csv
import io
import json
import os
import shutil
import unittest

import h5py
import pillar

PROFILE = pillar.SOURCE / "hostfiles/pi4.json"
LONG_PROMPT = "go " * 60  # more rows than a step in halves needs


def report(traces, *flags):
    return pillar.check(pillar.run(None, ["report", *traces, *flags])).stdout.decode()


def rows(*traces):
    table, = json.loads(report(traces, "-o", "json", "--profile", PROFILE))["tables"]
    return table["rows"]


class Report(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny", "--context", 512)

    def trace(self, ranks, *flags, prompt="go", n=6):
        path = os.path.join(self.folder, "-".join(map(str, (self._testMethodName, ranks, *flags))) + ".h5")
        path = path.replace(",", "_")
        pillar.check(pillar.run(ranks, ["run", "-m", self.model, "-p", prompt, "-n", n, "--ignore-eos", "-t", 1,
                                        "--seed", 1, "--trace", path, *flags]))
        return path

    def test_counted_bytes_and_messages_are_those_predicted(self):
        for ranks in (1, 2, 3):
            for flags in (["--allreduce", "direct"], ["--allreduce", "two-step", "--wire", "f16"],
                          ["--allreduce", "ring"], ["--allreduce", "recursive-doubling", "--cache-type", "q8_0"], []):
                row, = rows(self.trace(ranks, *flags, prompt=LONG_PROMPT))
                for steps in ("decode", "prompt"):
                    part = row["prediction"][steps]
                    self.assertTrue(part["counts_agree"], (ranks, flags, part))
                    self.assertEqual(part["measured"]["bytes_sent"], part["predicted"]["bytes_sent"])
                    self.assertEqual(part["measured"]["bytes_sent"] > 0, ranks > 1)

    def test_an_uneven_split_is_counted_too_and_said(self):
        trace = self.trace(2, "--split", "0.25,0.75", "--allreduce", "direct")
        row, = rows(trace)
        self.assertTrue(row["prediction"]["decode"]["counts_agree"])
        self.assertIn("the split was uneven", " ".join(row["remarks"]))
        even, = rows(self.trace(2, "--allreduce", "direct"))
        uneven_s, even_s = (one["prediction"]["decode"]["predicted"]["matrices_s"] for one in (row, even))
        self.assertGreater(uneven_s / even_s, 1.2)

    def test_whole_rows_of_logits_are_predicted(self):
        row, = rows(self.trace(2, "--top-k", 0, "--allreduce", "direct"))
        self.assertTrue(row["prediction"]["decode"]["counts_agree"])

    def test_the_steps_of_a_trace_are_those_of_a_plan(self):
        """One decode step counts, at the depth of the prompt and one token."""
        trace = self.trace(2, "--allreduce", "direct", prompt=LONG_PROMPT, n=3)
        with h5py.File(trace) as file:
            n_prompt = int(file["sequences/n_prompt"][0])
            self.assertGreaterEqual(n_prompt, 64)
            self.assertEqual(list(file["steps/n_cached"][:]), [n_prompt, n_prompt + 1, n_prompt + 2])
            self.assertEqual(list(file["steps/n_attended"][:]),
                             [n_prompt * (n_prompt + 1) // 2, n_prompt + 1, n_prompt + 2])
        row, = rows(trace)
        planned, = json.loads(pillar.check(pillar.run(None, [
            "plan", "-m", self.model, "--ranks", 2, "--allreduce", "direct", "-o", "json", "--profile", PROFILE,
            "-p", n_prompt, "-d", n_prompt + 1])).stdout)
        for steps in ("decode", "prompt"):
            predicted = row["prediction"][steps]["predicted"]
            self.assertEqual(row["prediction"][steps]["steps"], 1)
            for part in ("matrices_s", "attention_s", "barriers_s", "latency_s", "bandwidth_s"):
                self.assertAlmostEqual(predicted[part] / planned[steps][part], 1, places=9, msg=(steps, part))
            self.assertAlmostEqual(predicted["step_s"] / planned[steps]["total_s"], 1, places=9)
        self.assertAlmostEqual(row["predicted_s_per_token"] / planned["decode"]["total_s"], 1, places=9)
        self.assertEqual(row["prediction"]["decode"]["predicted"]["bytes_sent"], planned["sent_bytes_per_token"])
        self.assertEqual(row["prediction"]["prompt"]["predicted"]["bytes_sent"], planned["sent_bytes_per_prompt"])

    def test_measured_parts_are_those_of_the_trace(self):
        trace = self.trace(2)
        row, = rows(trace)
        with h5py.File(trace) as file:
            decode = [i for i, phase in enumerate(file["steps/phase"][:]) if phase == 1][1:]
            duration = file["steps/duration_s"][:][decode].mean()
            computing = file["ranks/compute_s"][:][decode].mean(axis=0).max()
            messages = file["ranks/messages_sent"][:][decode].sum(axis=1).mean()
        measured = row["prediction"]["decode"]["measured"]
        self.assertAlmostEqual(measured["step_s"], duration, places=12)
        self.assertAlmostEqual(measured["computing_s"], computing, places=12)
        self.assertAlmostEqual(measured["messages_s"], duration - computing, places=12)
        self.assertEqual(measured["messages_sent"], messages)

    def test_forms_agree_and_without_a_profile_nothing_is_said(self):
        trace = self.trace(2)
        row, = rows(trace)
        line, = csv.DictReader(io.StringIO(report([trace], "-o", "csv", "--profile", PROFILE)))
        decode = row["prediction"]["decode"]
        self.assertAlmostEqual(float(line["decode_predicted_step_s"]), decode["predicted"]["step_s"], places=12)
        self.assertAlmostEqual(float(line["decode_messages_s"]), decode["measured"]["messages_s"], places=12)
        self.assertEqual(int(line["prompt_steps"]), row["prediction"]["prompt"]["steps"])
        text = report([trace], "--profile", PROFILE)
        self.assertIn("Beside the cost model", text)
        self.assertIn("exactly those predicted", text)
        self.assertIn("ranks shared nodes, 2 on 1", text)
        for form in ("md", "json"):
            self.assertNotIn("predict", report([trace], "-o", form))
        self.assertNotIn("decode_steps", report([trace], "-o", "csv"))

    def test_an_older_trace_is_told_apart(self):
        trace = self.trace(2)
        older = os.path.join(self.folder, "older.h5")
        shutil.copy(trace, older)
        with h5py.File(older, "r+") as file:
            for name in ("n_attended", "n_cached", "request_bytes", "reply_bytes"):
                del file["steps"][name]
        text = report([older], "--profile", PROFILE)
        self.assertIn("older.h5: no prediction", text)
        self.assertNotIn("Beside the cost model", text)
        self.assertIn("tok/s", report([older]))

    def test_options_of_a_newer_pillar_are_named(self):
        trace = self.trace(1)
        with h5py.File(trace, "r+") as file:
            file["config"].attrs["draft_model"] = "small.gguf"
        self.assertIn("a newer pillar has recorded draft_model in /config", report([trace]))

    def test_a_wrong_profile_has_its_code(self):
        trace = self.trace(1)
        absent = pillar.run(None, ["report", trace, "--profile", "nowhere.json"])
        self.assertEqual(absent.returncode, 66)
        self.assertIn(b"nowhere.json", absent.stderr)


if __name__ == "__main__":
    unittest.main()
