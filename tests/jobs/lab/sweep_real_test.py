"""jobs/sweep.sh with the program and the demo model: a small study ends in a table, figures and a page, and goes on.

usage: sweep_real_test.py PILLAR
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import support  # noqa: E402

PILLAR = os.path.abspath(sys.argv[1])
MODEL = support.ROOT / "models/SmolLM2-135M-Instruct.Q4_1.gguf"


@unittest.skipUnless(MODEL.exists(), "the demo model is not there (jobs/get_model.sh gets it)")
@unittest.skipUnless(shutil.which("gnuplot"), "needs gnuplot (jobs/lib/packages.sh test)")
class Studies(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pillar sweep "))
        self.addCleanup(shutil.rmtree, self.folder)

    def sweep(self, *words):
        result = subprocess.run([support.ROOT / "jobs/sweep.sh", *words], cwd=self.folder, text=True, capture_output=True,
                                env={**os.environ, "PILLAR_BINARY": PILLAR}, timeout=300, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_strong_scaling(self):
        words = ("strong", "--ranks", "1 2", "--repeat", "1", "--", "run", "-m", MODEL, "-p", "The sea is", "-n", "12",
                 "--temp", "0", "-t", "1", "--emulate-network", "50,8.5")
        self.assertRegex(self.sweep(*words), r"\| strong scaling \| +2 \|")
        folder = self.folder / "strong"
        times = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.h5")}
        self.assertEqual(sorted(times), ["ranks1-run1.h5", "ranks2-run1.h5"])
        # All ranks write the same text, and it is kept.
        texts = {path.read_text() for path in folder.glob("*.txt")}
        self.assertEqual(len(texts), 1)
        self.assertGreater(len(texts.pop()), 20)
        self.assertGreater((folder / "figures/speed-up.svg").stat().st_size, 1000)
        self.assertIn("data:image/svg+xml", (folder / "report.html").read_text())
        self.sweep(*words)
        self.assertEqual(times, {path.name: path.stat().st_mtime_ns for path in folder.glob("*.h5")})

    def test_message_sizes_are_one_trace(self):
        text = self.sweep("message-size", "--values", "1 4 16", "--repeat", "1", "--", "bench", "-m", MODEL, "-n", "0", "-r", "2",
                          "-t", "1", "--emulate-network", "50,8.5")
        for n_bytes in (2304, 4 * 2304, 16 * 2304):  # 576 floats a row
            self.assertRegex(text, rf"\| +{n_bytes} \|")
        self.assertEqual(len(list((self.folder / "message-size").glob("*.h5"))), 1)
        self.assertTrue((self.folder / "message-size/figures/all-reduce.svg").exists())


if __name__ == "__main__":
    support.main()
