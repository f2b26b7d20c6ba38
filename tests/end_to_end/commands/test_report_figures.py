"""`report --plots`, `--html` and `--power` on real traces, and what it refuses."""

import json
import os
import re
import shutil
import unittest
import xml.etree.ElementTree
from datetime import datetime, timedelta, timezone

import h5py
import pillar

KINDS = {"speed-up", "efficiency", "shares", "latency", "token-over-ranks", "waiting", "all-reduce", "roofline", "watts"}


class Figures(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny", "--context", 512)
        cls.traces = []
        for ranks in (1, 2):
            path = os.path.join(cls.folder, f"{ranks}.h5")
            pillar.check(pillar.run(ranks, ["run", "-m", cls.model, "-p", "go " * 12, "-n", 24, "--ignore-eos",
                                            "-t", 1, "--seed", 1, "--trace", path]))
            cls.traces.append(path)

    def path(self, name):
        return os.path.join(self.folder, self._testMethodName + "-" + name)

    def report(self, *flags, env=None):
        return pillar.run(None, ["report", *flags], **({"env": env} if env else {}))

    def meter(self, zone="+00:00", shift_h=0, gap=False, columns=2):
        """5 W a node and 1 W more each, every 50 ms around all runs."""
        path = self.path("meter.csv")
        begins, ends = [], []
        for trace in self.traces:
            with h5py.File(trace) as file:
                begin = datetime.fromisoformat(file.attrs["created"].replace("Z", "+00:00"))
                begins.append(begin)
                ends.append(begin + timedelta(seconds=float(file["steps/t_start_s"][-1]) + 5))
        with open(path, "w", encoding="utf-8") as file:
            print("time", *(f"pi{n + 1}_w" for n in range(columns)), sep=",", file=file)
            now = min(begins) - timedelta(seconds=2)
            while now < max(ends):
                text = (now + timedelta(hours=shift_h)).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
                print(text + zone, *("" if gap else 5 + n for n in range(columns)), sep=",", file=file)
                now += timedelta(milliseconds=50)
        return path

    @unittest.skipUnless(shutil.which("gnuplot"), "needs gnuplot-nox (jobs/lib/packages.sh test)")
    def test_all_kinds_are_drawn_once_and_for_all(self):
        folder, page = self.path("figures"), self.path("page.html")
        flags = [*self.traces, "--plots", folder, "--html", page, "--power", self.meter(),
                 "--profile", pillar.SOURCE / "hostfiles/pi4.json"]
        pillar.check(self.report(*flags))
        names = {name.rsplit(".", 1)[0] for name in os.listdir(folder)}
        self.assertLessEqual(KINDS, names)
        for name in names:
            svg = xml.etree.ElementTree.parse(os.path.join(folder, name + ".svg")).getroot()
            self.assertTrue(svg.tag.endswith("svg"))
            with open(os.path.join(folder, name + ".png"), "rb") as file:
                self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")
            self.assertTrue(os.path.exists(os.path.join(folder, name + ".gnuplot")))
        with open(page, encoding="utf-8") as file:
            html = file.read()
        self.assertEqual(html.count("<figure>"), len(names))
        self.assertIn("<h3>Who waited for whom</h3>", html)
        for reference in re.findall(r'(?:src|href)="([^"]*)"', html):
            self.assertTrue(reference.startswith("data:image/svg+xml;base64,"), reference[:40])
        again = self.report(*flags)
        self.assertEqual(again.returncode, 73)
        self.assertIn(b"--force", again.stderr)
        pillar.check(self.report(*flags, "--force"))
        self.assertEqual([name for name in os.listdir(folder) if name.startswith(".")], [])

    def test_without_gnuplot_the_package_is_named(self):
        folder = self.path("figures")
        refused = self.report(self.traces[0], "--plots", folder, env={**pillar.ENVIRONMENT, "PATH": "/nonexistent"})
        self.assertEqual(refused.returncode, 77)
        self.assertIn(b"gnuplot-nox", refused.stderr)
        self.assertEqual(os.listdir(folder), [])

    def test_joules_are_watts_times_seconds(self):
        table, = json.loads(pillar.check(self.report(*self.traces, "--power", self.meter(), "-o", "json")).stdout)["tables"]
        for row in table["rows"]:
            for phase in ("prompt", "decode"):
                energy = row["energy"][phase]
                self.assertAlmostEqual(energy["watts"], 11, places=6)
                self.assertEqual(energy["steps_in_gaps"], 0)
            s_per_token = 1 / row["mean_decode_tok_per_s"]
            self.assertAlmostEqual(row["energy"]["decode"]["j_per_token"], 11 * s_per_token, places=6)
            self.assertEqual([node["name"] for node in row["energy"]["nodes"]], ["pi1", "pi2"])
            self.assertAlmostEqual(row["energy"]["nodes"][1]["decode"]["watts"], 6, places=6)

    def test_other_zones_are_known_or_refused_by_name(self):
        pillar.check(self.report(*self.traces, "--power", self.meter("+02:00", 2)))
        refused = self.report(*self.traces, "--power", self.meter("", 2))
        self.assertEqual(refused.returncode, 65)
        self.assertIn(b"--power-zone +02:00", refused.stderr)
        pillar.check(self.report(*self.traces, "--power", self.meter("", 2), "--power-zone", "+02:00"))
        self.assertEqual(self.report(*self.traces, "--power-zone", "+02:00").returncode, 64)
        self.assertEqual(self.report(*self.traces, "--power", self.meter(), "--power-zone", "CET").returncode, 64)
        self.assertEqual(self.report(*self.traces, "--power", self.meter(gap=True)).returncode, 65)
        self.assertEqual(self.report(*self.traces, "--power", "nowhere.csv").returncode, 66)

    def test_what_is_no_trace_is_refused_in_one_line(self):
        foreign, cut, newer = self.path("foreign.h5"), self.path("cut.h5"), self.path("newer.h5")
        with h5py.File(foreign, "w") as file:
            file["steps/duration_s"] = [1.0]
        shutil.copy(self.traces[1], cut)
        os.truncate(cut, os.path.getsize(cut) // 2)
        shutil.copy(self.traces[1], newer)
        with h5py.File(newer, "r+") as file:
            file.attrs["format_version"] = 3
        for path in (foreign, cut, newer):
            page = self.path("page.html")
            refused = self.report(path, "--html", page)
            self.assertEqual(refused.returncode, 65, refused.stderr)
            self.assertEqual(refused.stderr.count(b"\n"), 1, refused.stderr)
            self.assertIn(os.path.basename(path).encode(), refused.stderr)
            self.assertFalse(os.path.exists(page))

    def test_who_waited_for_whom_is_recorded(self):
        with h5py.File(self.traces[1]) as file:
            waits = file["waiting"]
            whole = sum(waits["wait_s"][:][waits["phase"][:] == 1])
            decode = file["steps/phase"][:] == 1
            self.assertAlmostEqual(whole, file["ranks/wait_s"][:][decode].sum(), places=9)
            self.assertTrue((waits["rank"][:] != waits["cause"][:]).all())


if __name__ == "__main__":
    unittest.main()
