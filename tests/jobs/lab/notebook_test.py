"""The cells of docs/lab/traces.ipynb run one after another on fresh traces, and agree with the traces and with `report`.
Plain Python executes them: all that Jupyter would add is a hundred packages.

usage: notebook_test.py PILLAR
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import support  # noqa: E402

PILLAR = os.path.abspath(sys.argv[1])
NOTEBOOK = support.ROOT / "docs/lab/traces.ipynb"
MODEL = support.ROOT / "models/SmolLM2-135M-Instruct.Q4_1.gguf"
try:
    import h5py
    import matplotlib
    import xarray  # noqa: F401
    MISSING = ""
except ImportError as error:
    MISSING = error.name


@unittest.skipIf(MISSING, f"needs Python's {MISSING} (jobs/lib/packages.sh test)")
@unittest.skipUnless(MODEL.exists(), "the demo model is not there (jobs/get_model.sh gets it)")
class Notebook(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="pillar notebook ")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.cells = json.loads(NOTEBOOK.read_text())["cells"]
        for p in (1, 2):
            subprocess.run([support.ROOT / "jobs/launch.sh", "-n", str(p), "--", "run", "-m", MODEL, "-p", "The sea is", "-n", "12",
                            "--temp", "0", "-t", "1", "--trace-layers", "4", "--trace", f"ranks{p}.h5"], cwd=cls.folder,
                           env={**os.environ, "PILLAR_BINARY": PILLAR}, capture_output=True, timeout=120, check=True)
        matplotlib.use("Agg")
        before = os.getcwd()
        os.chdir(cls.folder)
        cls.addClassCleanup(os.chdir, before)
        cls.names = {}
        for cell in cls.cells:
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), str(NOTEBOOK), "exec"), cls.names)

    def test_it_is_kept_without_outputs(self):
        for cell in self.cells:
            self.assertIn(cell["cell_type"], ("markdown", "code"))
            self.assertFalse(cell.get("outputs"))
            self.assertIsNone(cell.get("execution_count"))

    def test_shares_are_those_of_the_trace(self):
        for name, shares in self.names["shares"].items():
            self.assertAlmostEqual(sum(shares.values()), 1)
            with h5py.File(self.folder / f"{name}.h5") as trace:
                decode = [i for i, phase in enumerate(trace["steps/phase"][:]) if phase == 1][1:]
                sums = {part: trace["ranks"][part][decode, :].sum() for part in shares}
            for part, share in shares.items():
                self.assertAlmostEqual(share, sums[part] / sum(sums.values()), msg=part)

    def test_medians_are_near_those_of_the_report(self):
        text = subprocess.run([PILLAR, "report", "ranks1.h5", "-o", "json"], cwd=self.folder, capture_output=True, text=True,
                              check=True).stdout
        median, low, high = self.names["times"][1]
        self.assertLessEqual(low, median)
        self.assertLessEqual(median, high)
        reported = json.loads(text)["tables"][0]["rows"][0]["s_per_token"]["median"]
        self.assertLess(abs(reported / median - 1), 0.5)  # from begin to begin there; the step alone here
        self.assertEqual(self.names["speed_ups"][1], 1)

    def test_the_chart_has_every_layer_on_every_rank(self):
        self.assertEqual(self.names["n_layers"], 30)
        bars = self.names["axes"].patches
        self.assertEqual(len(bars), 6 * 30 * 2)
        self.assertTrue(all(bar.get_width() >= 0 for bar in bars))


if __name__ == "__main__":
    support.main()
