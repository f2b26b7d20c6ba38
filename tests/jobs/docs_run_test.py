"""Executes the shell blocks of the documents that need nothing but a built clone with the demo model, one document
after the other, each in an empty folder that looks like the clone.

usage: docs_run_test.py
"""

import os
import pathlib
import subprocess
import tempfile
import unittest

import documents
import support

ROOT = documents.ROOT
MODEL = ROOT / "models/SmolLM2-135M-Instruct.Q4_1.gguf"


@unittest.skipUnless(MODEL.exists(), "the demo model is not there (jobs/get_model.sh gets it)")
class Blocks(unittest.TestCase):
    def test_run_as_they_stand(self):
        for document in documents.documents():
            if document.name == "trace_format.md":  # a test of its own runs that one's
                continue
            texts = [text for need, text in documents.shell_blocks(document) if need == ""]
            if not texts:
                continue
            with self.subTest(document=document.name), tempfile.TemporaryDirectory() as folder:
                for name in ("build", "jobs", "hostfiles", "models", "tests", "docs", "CMakePresets.json"):
                    os.symlink(ROOT / name, pathlib.Path(folder) / name)
                for text in texts:
                    self.run_block(text, folder)

    def run_block(self, text, folder):
        # CMake's presets are found beside the sources alone.
        script = text.replace("cmake --build --preset release", f"cmake --build '{ROOT}/build/release'")
        script = script.replace("cmake --preset release", f"cmake -S '{ROOT}' --preset release")
        result = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True,
                                timeout=600, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, 0, f"{text}\n{result.stdout[-2000:]}\n{result.stderr[-2000:]}")


if __name__ == "__main__":
    support.main()
