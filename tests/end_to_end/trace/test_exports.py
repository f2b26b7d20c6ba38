"""Traces of real runs: their parts add up, every command writes them, and other programs can read what is exported."""

import csv
import json
import os
import re
import shutil
import subprocess
import unittest
from collections import defaultdict

import h5py
import numpy
import pillar

RANKS, THREADS, EVERY = 2, 2, 3
TRACKS = ["steps", "compute", "waiting", "wire", "layers", "between steps"]
PARTS = [f"{block}_{part}s" for block in ("attention", "feed_forward") for part in ("", "wait_", "wire_")]


class Exports(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny")
        cls.trace = os.path.join(cls.folder, "trace.h5")
        pillar.check(pillar.run(RANKS, ["run", "-m", cls.model, "-p", "a b c d e f g h", "-n", 24, "--ignore-eos", "-b", 4, "-t",
                                        THREADS, "--emulate-network", "200,5", "--trace", cls.trace, "--trace-layers", EVERY]))
        cls.file = h5py.File(cls.trace)

    @classmethod
    def tearDownClass(cls):
        cls.file.close()
        super().tearDownClass()

    def column(self, path):
        return self.file[path][:]

    def export(self, *flags, **options):
        return pillar.run(None, ["report", self.trace, *flags], **options)

    def test_parts_add_up_to_the_step(self):
        duration = self.column("steps/duration_s")
        parts = sum(self.column(f"ranks/{part}_s") for part in ("compute", "wait", "wire"))
        numpy.testing.assert_array_less(abs(parts[:, 0] / duration - 1), 0.02)
        # Other ranks end when they have sent their reply, within the step unless they lost their core just then.
        self.assertLess(numpy.median(parts[:, 1] / duration), 1.02)

    def test_layers_add_up_to_what_was_computed_and_waited(self):
        n_layers = self.file["config"].attrs["n_layers"]
        steps = self.column("steps/step")
        sampled = [int(step) for step in steps if step % EVERY == 0]
        of_layers = {name: self.column(f"layers/{name}") for name in self.file["layers"]}
        self.assertEqual(len(of_layers["step"]), len(sampled) * RANKS * n_layers)
        off = []
        for step in sampled:
            row = int(numpy.flatnonzero(steps == step)[0])
            for rank in range(RANKS):
                mine = (of_layers["step"] == step) & (of_layers["rank"] == rank)
                self.assertEqual(list(of_layers["layer"][mine]), list(range(n_layers)))
                of_rank = {name: self.file[f"ranks/{name}"][row, rank]
                           for name in ("compute_s", "embed_s", "output_s", "wait_s", "wire_s")}
                blocks = (of_layers["attention_s"][mine] + of_layers["feed_forward_s"][mine]).sum()
                computed = blocks + of_rank["embed_s"] + of_rank["output_s"]
                self.assertLessEqual(computed, of_rank["compute_s"] + 1e-6)
                off.append(1 - computed / of_rank["compute_s"])
                for part in ("wait", "wire"):
                    in_layers = sum(of_layers[f"{block}_{part}_s"][mine].sum() for block in ("attention", "feed_forward"))
                    self.assertLessEqual(in_layers, of_rank[f"{part}_s"] + 1e-6)
                begins = of_layers["t_start_s"][mine]
                lengths = sum(of_layers[name][mine] for name in PARTS)
                numpy.testing.assert_allclose(begins[1:], (begins + lengths)[:-1], atol=1e-6)
        self.assertLess(numpy.median(off), 0.02)

    def test_threads_wait_no_longer_than_the_step(self):
        barrier = self.column("threads/barrier_s")
        self.assertEqual(barrier.shape, (len(self.column("steps/step")), RANKS * THREADS))
        self.assertTrue((barrier >= 0).all())
        self.assertTrue((barrier.max(axis=1) <= 1.02 * self.column("steps/duration_s") + 1e-3).all())
        self.assertGreater(barrier.max(), 0)

    def test_sampling_is_told_and_telemetry_has_both_ends(self):
        self.assertTrue((self.column("steps/sample_s") > 0).all())
        for rank in range(RANKS):
            self.assertGreaterEqual((self.column("telemetry/rank") == rank).sum(), 2)

    def test_chrome(self):
        path = os.path.join(self.folder, "trace.json")
        pillar.check(self.export("--export", "chrome", path))
        with open(path) as file:
            document = json.load(file)
        self.assertEqual(set(document), {"displayTimeUnit", "otherData", "traceEvents"})
        events = document["traceEvents"]
        spans, flows, computed = defaultdict(list), defaultdict(dict), defaultdict(float)
        for event in events:
            self.assertIn(event["pid"], range(RANKS))
            if event["ph"] != "C":  # Perfetto takes threads of one number for one, whatever their process
                self.assertEqual(event["tid"] // 1000, event["pid"] + 1)
                event["tid"] %= 1000
            if event["ph"] == "X":
                self.assertLessEqual({"name", "cat", "pid", "tid", "ts", "dur", "args"}, set(event))
                self.assertGreaterEqual(event["dur"], 0)
                begin = round(event["ts"] * 1000)
                spans[event["pid"], event["tid"]].append((begin, begin + round(event["dur"] * 1000)))
                if event["tid"] == TRACKS.index("compute"):
                    computed[event["pid"], event["args"]["step"]] += event["dur"] / 1e6
            elif event["ph"] in "sf":
                self.assertNotIn(event["ph"], flows[event["id"]])
                flows[event["id"]][event["ph"]] = event
            elif event["ph"] == "C":
                self.assertTrue(all(isinstance(value, (int, float)) for value in event["args"].values()), event)
            else:
                self.assertEqual(event["ph"], "M")
        for track, on_track in spans.items():  # one after another, or one within the other
            open_until = []
            for begin, end in sorted(on_track, key=lambda span: (span[0], -span[1])):
                while open_until and open_until[-1] <= begin:
                    open_until.pop()
                self.assertTrue(not open_until or end <= open_until[-1], (track, begin, end))
                open_until.append(end)
                self.assertTrue(len(open_until) == 1 or track[1] == TRACKS.index("layers"), track)
        names = {event["args"]["name"] for event in events if event["ph"] == "M" and event["name"] == "thread_name"}
        self.assertEqual(names, set(TRACKS))
        n_layers = self.file["config"].attrs["n_layers"]
        n_sampled = sum(step % EVERY == 0 for step in self.column("steps/step"))
        self.assertEqual(len(flows), 2 * n_layers * n_sampled * (RANKS - 1))
        clocks_off = 1e6 * self.column("hosts/clock_uncertainty_s").max() + 10  # µs
        for flow in flows.values():
            begin, end = flow["s"], flow["f"]
            self.assertEqual(end["bp"], "e")
            self.assertNotEqual(begin["pid"], end["pid"])
            self.assertLessEqual(begin["ts"], end["ts"] + clocks_off)
            for event in (begin, end):
                time = round(event["ts"] * 1000)
                self.assertTrue(any(first <= time < last for first, last in spans[event["pid"], event["tid"]]), event)
        for row, step in enumerate(self.column("steps/step")):
            for rank in range(RANKS):
                self.assertAlmostEqual(computed[rank, step] / self.file["ranks/compute_s"][row, rank], 1, delta=0.02)

    def test_csv(self):
        folder = os.path.join(self.folder, "csv")
        pillar.check(self.export("--export", "csv", folder))
        self.assertEqual({name[:-4] for name in os.listdir(folder)}, set(self.file) | {"trace"})

        def table(name):
            with open(os.path.join(folder, name + ".csv"), newline="") as file:
                return list(csv.DictReader(file))

        for group in sorted(set(self.file) - {"config"}):
            rows = table(group)
            for name, column in self.file[group].items():
                words = column.attrs.get("flag_meanings", "").split()
                values = column.asstr()[:] if h5py.check_string_dtype(column.dtype) else column[:]
                second = [data for data in self.file[group].values() if data.ndim == 2]
                if second and values.ndim == 1:  # along the rows, or across
                    along = name == "step"
                    values = numpy.repeat(values, second[0].shape[1]) if along else numpy.tile(values, second[0].shape[0])
                values = values.ravel()
                self.assertEqual(len(rows), len(values), (group, name))
                for row, value in zip(rows, values):
                    if words:
                        self.assertEqual(row[name], words[value])
                    elif isinstance(value, str):
                        self.assertEqual(row[name], value)
                    elif isinstance(value, numpy.floating) and numpy.isnan(value):
                        self.assertEqual(row[name], "")
                    else:
                        self.assertEqual(type(value)(row[name]), value, (group, name))
        self.assertEqual({row["name"]: row["value"] for row in table("config")}["n_ranks"], str(RANKS))
        again = self.export("--export", "csv", folder)
        self.assertEqual(again.returncode, 73, again.stderr)
        pillar.check(self.export("--export", "csv", folder, "--force"))

    def test_otf2(self):
        folder = os.path.join(self.folder, "otf2")
        result = self.export("--export", "otf2", folder)
        if result.returncode == 77:
            self.assertIn(b"libopen-trace-format2-dev", result.stderr)
            self.skipTest("built without OTF2")
        pillar.check(result)
        if shutil.which("otf2-print") is None:
            self.skipTest("needs otf2-print (otf2-tools)")
        archive = os.path.join(folder, "traces.otf2")
        printed = subprocess.run(["otf2-print", archive], check=True, capture_output=True, text=True)
        self.assertEqual(printed.stderr, "")
        lines = printed.stdout.splitlines()
        open_regions = defaultdict(list)
        last = defaultdict(int)
        for line in lines:
            found = re.match(r"(ENTER|LEAVE) +(\d+) +(\d+) +Region: \"([^\"]*)\"", line)
            if not found:
                continue
            what, location, time, region = found.groups()
            self.assertGreaterEqual(int(time), last[location])
            last[location] = int(time)
            if what == "ENTER":
                open_regions[location].append(region)
            else:
                self.assertEqual(open_regions[location].pop(), region)
        self.assertEqual(set(map(len, open_regions.values())), {0})
        self.assertEqual(set(open_regions), {str(2 * rank) for rank in range(RANKS)})
        n_decode = int((self.column("steps/phase") == 1).sum())
        self.assertEqual(sum(line.startswith("ENTER") and '"decode step"' in line for line in lines), RANKS * n_decode)
        n_layers = self.file["config"].attrs["n_layers"]
        n_sampled = sum(step % EVERY == 0 for step in self.column("steps/step"))
        n_allreduces = sum(line.startswith("MPI_COLLECTIVE_END") and "ALLREDUCE" in line for line in lines)
        self.assertEqual(n_allreduces, 2 * n_layers * n_sampled * RANKS)
        definitions = subprocess.run(["otf2-print", "-G", archive], check=True, capture_output=True, text=True).stdout
        for name in ("rank 0", "rank 1", "attention", "feed-forward", "all-reduce 1", "temperature"):
            self.assertIn(f'"{name}"', definitions)
        self.assertEqual(self.export("--export", "otf2", folder).returncode, 73)
        pillar.check(self.export("--export", "otf2", folder, "--force"))

    def test_what_cannot_be_exported_is_refused(self):
        there = os.path.join(self.folder, "there.json")
        with open(there, "w") as file:
            file.write("precious")
        for code, flags in ((64, ["--export", "chrome"]), (64, ["--export", "svg", "x"]), (64, ["--export", "csv", ""]),
                            (64, [self.trace, "--export", "chrome", there, "--force"]),
                            (64, ["--export", "chrome", self.trace, "--force"]), (73, ["--export", "chrome", there]),
                            (73, ["--export", "csv", there]), (73, ["--export", "otf2", there])):
            result = self.export(*flags)
            if result.returncode == 77 and "otf2" in flags:
                continue
            self.assertEqual(result.returncode, code, (flags, result.stderr))
            self.assertEqual(result.stderr.strip().count(b"\n"), 0, result.stderr)
        with open(there) as file:
            self.assertEqual(file.read(), "precious")
        for content in (b"", b"no trace", open(self.trace, "rb").read()[:5000]):
            bad = os.path.join(self.folder, "bad.h5")
            with open(bad, "wb") as file:
                file.write(content)
            for flags in (["chrome", "new.json"], ["csv", "new_csv"], ["otf2", "new_otf2"]):
                path = os.path.join(self.folder, flags[1])
                result = pillar.run(None, ["report", bad, "--export", flags[0], path])
                if result.returncode == 77 and flags[0] == "otf2":
                    continue
                self.assertIn(result.returncode, (65, 74), (flags, result.stderr))
                self.assertFalse(os.path.exists(path), flags)


class EveryCommand(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny")

    def traced(self, arguments, stdin=os.devnull):
        path = os.path.join(self.folder, arguments[0] + ".h5")
        flags = ["-m", self.model, "-t", 1, "--trace", path, "--trace-layers", 1]
        with open(stdin) as turns:
            pillar.check(pillar.run(2, [*arguments, *flags], stdin=turns))
        file = h5py.File(path)
        self.addCleanup(file.close)
        self.assertEqual(file.attrs["trace_complete"], 1)
        self.assertEqual(file.attrs["title"], "pillar " + arguments[0])
        self.assertEqual(file["config"].attrs["trace_layers"], 1)
        n_layers = file["config"].attrs["n_layers"]
        self.assertEqual(len(file["layers/step"]), 2 * n_layers * len(file["steps/step"]))
        again = pillar.run(2, [*arguments, *flags])
        self.assertEqual(again.returncode, 73, again.stderr)
        return file

    def test_bench_records_the_repetitions(self):
        file = self.traced(["bench", "-p", 16, "-b", 8, "-n", 5, "-r", 2])
        self.assertEqual(list(file["steps/n_rows"]), [8, 8] * 2 + [1] * 5 * 2)
        self.assertEqual(len(file["tokens/id"]), 0)

    def test_chat_records_each_answer(self):
        turns = os.path.join(self.folder, "turns")
        with open(turns, "w") as file:
            file.write("hello\nmore\n")
        file = self.traced(["chat", "-n", 3, "-c", 256, "--chat-template", "chatml"], turns)
        self.assertEqual(list(file["sequences/sequence"]), [0, 1])
        self.assertEqual(int((file["tokens/phase"][:] == 1).sum()), int(file["sequences/n_generated"][:].sum()) - 2)

    def test_batch(self):
        requests = os.path.join(self.folder, "requests.jsonl")
        with open(requests, "w") as file:
            for i in range(3):
                file.write(json.dumps({"custom_id": str(i), "method": "POST", "url": "/v1/completions",
                                       "body": {"prompt": "go", "max_tokens": 4}}) + "\n")
        file = self.traced(["batch", "-i", requests, "-o", os.path.join(self.folder, "results.jsonl"), "-c", 256])
        self.assertEqual(len(file["sequences/sequence"]), 3)

    def test_flags_that_do_not_go_together(self):
        for arguments in (["run", "-m", self.model, "-p", "x", "--trace-layers", 2],
                          ["run", "-m", self.model, "-p", "x", "--trace", "x.h5", "--trace-layers", -1],
                          ["bench", "-m", f"{self.model},{self.model}", "--trace", "x.h5"],
                          ["bench", "--allreduce", "--trace", "x.h5"]):
            self.assertEqual(pillar.run(None, arguments).returncode, 64, arguments)


if __name__ == "__main__":
    unittest.main()
