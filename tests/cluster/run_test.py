"""tests/cluster/run.sh as people use it: the commands of docs/cluster/virtual_cluster.md, standard input, a stop, nothing left behind.

usage: run_test.py
"""

import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

import virtual_cluster
from virtual_cluster import HERE, PILLAR, ROOT

sys.path.insert(0, str(ROOT / "tests/jobs"))
import documents  # noqa: E402

MODEL = ROOT / "models/SmolLM2-135M-Instruct.Q4_1.gguf"
ENVIRONMENT = {**os.environ, "PILLAR_BINARY": PILLAR}


def clusters():
    return {path.name for path in pathlib.Path("/run/netns").glob("pillar*")}


@unittest.skipUnless(MODEL.exists(), "the demo model is not there (jobs/get_model.sh gets it)")
class Run(unittest.TestCase):
    def setUp(self):
        self.before = clusters()

    def tearDown(self):
        self.assertEqual(clusters() - self.before, set())

    def command(self, *words):
        return [HERE / "run.sh", "-n", "2", "--", "run", "-m", MODEL, "--temp", "0", *words]

    def test_documented_commands(self):
        texts = [text for need, text in documents.shell_blocks(ROOT / "docs/cluster/virtual_cluster.md") if need == "root"]
        self.assertGreater(len(texts), 0)
        for text in texts:
            result = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=ROOT, env=ENVIRONMENT, timeout=120,
                                    capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_text_of_standard_input(self):
        words = ["-n", "8"]
        outputs = [subprocess.run(start + ["-f", "-", *words], input=b"The sea is", env=ENVIRONMENT, timeout=60,
                                  capture_output=True, check=True).stdout
                   for start in (self.command(), [PILLAR, *self.command()[4:]])]
        self.assertGreater(len(outputs[0]), 8)
        self.assertEqual(outputs[0], outputs[1])

    def test_a_stop_ends_with_75(self):
        process = subprocess.Popen(self.command("-p", "go", "--ignore-eos", "-n", "-1"), env=ENVIRONMENT,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        process.stdout.read(20)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 75)


if __name__ == "__main__":
    virtual_cluster.main()
