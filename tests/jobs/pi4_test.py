"""The Raspberry Pi's binary, cross-compiled and run under emulation on one rank, computes the bits that this machine
computes: on a Pi 4's processor with the neon kernels, on one with dot product instructions with the dotprod kernels.

usage: pi4_test.py PILLAR MAKE_TINY_MODEL
"""

import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

import documents
import support

PILLAR, MAKE_TINY_MODEL = sys.argv[1:3]
ROOT = documents.ROOT
MODEL = ROOT / "models/SmolLM2-135M-Instruct.Q4_1.gguf"
EMULATOR = "qemu-aarch64-static"
PROCESSORS = {"neon": "cortex-a72", "dotprod": "max"}  # kernel family → the emulator's processor that takes it by itself
# One process that needs no daemon and no network.
ALONE = {"OMPI_MCA_ess_singleton_isolated": "1", "OMPI_MCA_btl": "self", "OMPI_MCA_pml": "ob1"}


def quietly(*command):
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{command} ended with {result.returncode}\n{result.stdout[-3000:]}{result.stderr[-3000:]}")


@unittest.skipUnless(platform.machine() == "x86_64", "emulates a Pi: runs on x86-64 machines")
@unittest.skipUnless(shutil.which("aarch64-linux-gnu-g++") and shutil.which(EMULATOR),
                     "needs g++-aarch64-linux-gnu and qemu-user-static (jobs/lib/packages.sh test)")
class Pi4(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sysroot = subprocess.run([ROOT / "jobs/develop/sysroot.sh"], capture_output=True, text=True, check=False)
        if sysroot.returncode != 0:
            raise unittest.SkipTest("needs a network for jobs/develop/sysroot.sh: " + sysroot.stderr.strip().splitlines()[-1])
        quietly("cmake", "--preset", "pi4")
        quietly("cmake", "--build", "--preset", "pi4", "-j", str(min(os.cpu_count(), 2)))
        cls.folder = pathlib.Path(tempfile.mkdtemp())

    @staticmethod
    def program(family):
        return [EMULATOR, "-cpu", PROCESSORS[family], "-L", str(ROOT / "sysroot/aarch64"), str(ROOT / "build/pi4/pillar")]

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def run_with(self, program, *arguments):
        result = subprocess.run([*program, *map(str, arguments)], env={**os.environ, **ALONE}, capture_output=True,
                                text=True, timeout=900, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def logits(self, program, model, *arguments):
        path = self.folder / f"{pathlib.Path(program[0]).name}.h5"
        self.run_with(program, "logits", "-m", model, "-c", 512, "-o", path, "--force", *arguments)
        with h5py.File(path) as file:
            return file["logits"][:]

    def expect_same_bits(self, model, *arguments, families=PROCESSORS):
        here = self.logits([PILLAR], model, *arguments)
        self.assertTrue(numpy.isfinite(here).all())
        self.assertGreater(numpy.ptp(here), 0)
        for family in families:
            with self.subTest(family):
                there = self.logits(self.program(family), model, *arguments)
                numpy.testing.assert_array_equal(here.view(numpy.uint32), there.view(numpy.uint32))

    def tiny_model(self, name, *arguments):
        path = self.folder / f"{name}.gguf"
        subprocess.run([MAKE_TINY_MODEL, "--output", path, *arguments], check=True)
        return path

    def test_it_is_a_program_for_the_cortex_a72(self):
        header = (ROOT / "build/pi4/pillar").read_bytes()[:20]
        self.assertEqual(header[18], 183)  # EM_AARCH64

    def test_inspect_tells_the_same(self):
        model = self.tiny_model("inspected")
        self.assertEqual(self.run_with(self.program("neon"), "inspect", "-m", model),
                         self.run_with([PILLAR], "inspect", "-m", model))

    def test_logits_of_a_tiny_model_of_all_formats(self):
        model = self.tiny_model("mixed", "--type", "mixed", "--layers", "4", "--dim", "512", "--heads", "6",
                                "--kv-heads", "3", "--head-dim", "80", "--ffn", "768")
        ids = ",".join(str(300 - i) for i in range(20))
        self.expect_same_bits(model, "--ids", ids)
        self.expect_same_bits(model, "--ids", ids, "--cache-type", "q8_0", families=["neon"])
        self.expect_same_bits(model, "--ids", ids, "--kernels", "reference", "--cache-type", "f32", families=["neon"])

    def test_the_processor_decides_which_kernels_there_are(self):
        model = self.tiny_model("chosen")
        arguments = ["logits", "-m", str(model), "--ids", "1,2", "-o", str(self.folder / "chosen.h5"), "--force"]
        for family in PROCESSORS:
            self.run_with(self.program(family), *arguments, "--kernels", family)
        refused = subprocess.run([*self.program("neon"), *arguments, "--kernels", "dotprod"], env={**os.environ, **ALONE},
                                 capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(refused.returncode, 64, refused.stderr)
        self.assertIn("neon", refused.stderr)

    @unittest.skipUnless(MODEL.exists(), "the demo model is not there (jobs/get_model.sh gets it)")
    def test_logits_of_the_demo_model(self):
        self.expect_same_bits(MODEL, "-p", "A small computer")


if __name__ == "__main__":
    support.main()
