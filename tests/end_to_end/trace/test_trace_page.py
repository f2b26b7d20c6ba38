"""docs/trace_format.md against the traces of real runs: every attribute and column that is there, and no other."""

import json
import os
import re
import subprocess
import sys
import unittest

import h5py
import pillar

PAGE = (pillar.SOURCE / "docs/trace_format.md").read_text()
JOB = {"SLURM_JOB_ID": "12", "SLURM_ARRAY_JOB_ID": "10", "SLURM_ARRAY_TASK_ID": "2"}


def documented(heading):
    """{name: type} of the table under a heading; several names may share a row."""
    section = re.split(rf"^## {heading}\b.*$", PAGE, flags=re.M)[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| ")]
    return {name.strip(): row[1] for row in rows[1:] for name in row[0].rstrip(" *").split(",")}


def type_of(value):
    return "text" if isinstance(value, str) else str(value.dtype)


class TracePage(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny")

    def config(self, ranks, *flags, **environment):
        path = os.path.join(self.folder, "trace.h5")
        pillar.check(pillar.run(ranks, ["run", "-m", self.model, "-p", "go", "-n", 3, "--trace", path, "--force", *flags],
                                env={**pillar.ENVIRONMENT, **environment}))
        with h5py.File(path) as file:
            self.assertEqual({name: type_of(value) for name, value in file.attrs.items()}, documented("Root attributes"))
            for group in set(file) - {"config"}:
                self.assertLessEqual(set(file[group]), set(documented("/" + group)), group)
            return {name: type_of(value) for name, value in file["config"].attrs.items()}

    def test_every_option_of_a_run_is_documented_and_the_other_way_round(self):
        page = documented("/config")
        self.assertGreater(len(page), 30)
        slurm = {name for name in page if name.startswith("slurm_")}
        self.assertEqual(self.config(None, **JOB), page)
        for ranks, flags in ((1, []), (2, ["--split", "0.4,0.6", "--top-k", "0"]), (2, ["--kernels", "reference"])):
            self.assertEqual(self.config(ranks, *flags), {name: page[name] for name in set(page) - slurm}, flags)

    def test_another_program_is_told_of(self):
        """One that computes as long as the run does; on any number of CPUs it has its share."""
        path = os.path.join(self.folder, "beside.h5")
        other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            pillar.check(pillar.run(2, ["run", "-m", self.model, "-p", "go", "-n", 500, "-c", 4096, "--ignore-eos", "-t", 1,
                                        "--emulate-network", "150,1", "--trace", path]))
            bench = pillar.check(pillar.run(1, ["bench", "-m", self.model, "-p", 0, "-n", 3000, "-r", 1, "-t", 1, "-o", "json"]))
        finally:
            other.kill()
            other.wait()
        with h5py.File(path) as file:
            others = file["hosts/other_cpus"][:]
        self.assertAlmostEqual(others[0], others[1], delta=0.1)  # one node
        self.assertGreater(others[0], 0.1)
        self.assertLessEqual(others[0], os.cpu_count())
        record, = json.loads(bench.stdout)
        if sum(record["samples_ns"]) > 0.5e9:  # shorter, the kernel's ticks do not tell
            self.assertGreater(record["other_cpus"], 0.1)
            self.assertLessEqual(record["other_cpus"], os.cpu_count())


if __name__ == "__main__":
    unittest.main()
