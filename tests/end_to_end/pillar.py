"""Starts pillar as a user would, with and without mpirun, and reads what it writes."""

import hashlib
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import unittest

import h5py
import numpy as np
import open_mpi

BINARY = os.environ["PILLAR_BINARY"]
SOURCE = pathlib.Path(os.environ["PILLAR_SOURCE"])
MODEL = pathlib.Path(os.environ["PILLAR_MODEL"])
GOLDEN = SOURCE.parent / "shared" / "golden"
DATA = SOURCE / "tests" / "data"

# More ranks than cores on a test machine: they must give way to each other, and none may be bound to a core of its own.
ENVIRONMENT = {
    **os.environ,
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1", "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMPI_MCA_hwloc_base_binding_policy": "none", "PRTE_MCA_hwloc_default_binding_policy": "none",
    "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
}


def needs_model(test):
    return unittest.skipUnless(MODEL.exists(), f"the demo model is not at {MODEL}; jobs/demo.sh fetches it")(test)


def command(ranks, arguments):
    start = [] if ranks is None else [os.environ.get("MPIEXEC") or "mpirun", "-n", str(ranks)]
    return start + [BINARY] + [argument if isinstance(argument, bytes) else str(argument) for argument in arguments]


def start(ranks, arguments, folder, timeout=60):
    """A run that has written its first byte, which is read. From Open MPI 5 on mpirun passes on whole lines only; there
    stdout is a pipe beside it, as jobs/launch.sh makes one."""
    options = {"env": ENVIRONMENT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    pipe = None
    if ranks is not None and open_mpi.major() >= 5:
        path = os.path.join(folder, "text")
        os.mkfifo(path)
        pipe = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0)
        options |= {"env": {**ENVIRONMENT, "PILLAR_TEXT_PIPE": path}, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(command(ranks, arguments), **options)
    if pipe:
        process.stdout = pipe
        select.select([pipe], [], [], timeout)  # until rank 0 has opened it, there is nothing to read
        os.set_blocking(pipe.fileno(), True)
        os.remove(path)
    if len(process.stdout.read(1)) != 1:
        process.kill()
        raise AssertionError(f"no text has come: {process.stderr.read().decode(errors='replace')}")
    return process


def run(ranks, arguments, timeout=300, **options):
    """ranks None: without mpirun."""
    return subprocess.run(command(ranks, arguments), env=options.pop("env", ENVIRONMENT), timeout=timeout,
                          capture_output=True, stdin=options.pop("stdin", subprocess.DEVNULL), check=False, **options)


def check(result):
    if result.returncode != 0:
        raise AssertionError(f"exit code {result.returncode}\n{result.stderr.decode(errors='replace')}")
    return result


def logits(ranks, model, ids, *flags, timeout=600):
    """The logits after every id, (T, vocabulary) float32."""
    folder = tempfile.mkdtemp()
    try:
        output = os.path.join(folder, "logits.h5")
        check(run(ranks, ["logits", "-m", model, "--ids", ",".join(map(str, ids)), "-o", output, *flags], timeout))
        with h5py.File(output) as file:
            assert list(file["ids"][:]) == list(ids)
            return file["logits"][:]
    finally:
        shutil.rmtree(folder)


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def tiny_model(folder, name, *flags):
    path = os.path.join(folder, name + ".gguf")
    subprocess.run([os.environ["PILLAR_MAKE_TINY_MODEL"], "--output", path, *map(str, flags)], check=True)
    return path


def tiny_and_slow_model(folder):
    """One that answers at once, and one whose endless answer is long enough to be interrupted."""
    return (tiny_model(folder, "tiny", "--type", "q8_0", "--dim", 64, "--heads", 4, "--kv-heads", 2, "--ffn", 160,
                       "--context", 512),
            tiny_model(folder, "slow", "--type", "q8_0", "--dim", 512, "--heads", 8, "--kv-heads", 4, "--ffn", 1536,
                       "--layers", 12, "--context", 32768))


class WithFolder(unittest.TestCase):
    """A temporary folder for the class."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)
