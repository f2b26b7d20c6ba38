"""What the tests of the scripts share: a copy of jobs/ in a folder with a space in its name, with stand-ins for the
programs that the scripts start. A stand-in notes how it was called and does what the test asks of it."""

import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import textwrap
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77  # tells ctest that nothing could be tried

# A dpkg-query that knows every package.
ALL_INSTALLED = """
    for package in sys.argv[3:]:
        print("installed", package)
    """


# An srun that knows PMIx and becomes the program it is to start.
SRUN_WITH_PMIX = """
    if "--mpi=list" in sys.argv:
        print("MPI plugin types are...\\n\\tpmix")
        sys.exit()
    program = next(i for i, word in enumerate(sys.argv) if word.endswith("/pillar"))
    os.execv(sys.argv[program], sys.argv[program:])
    """


class Clone(unittest.TestCase):
    """A test with self.root, a clone's folder with jobs/ and hostfiles/, and self.bin, which comes first in PATH."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pillar jobs "))
        self.addCleanup(shutil.rmtree, self.folder)
        self.root = self.folder / "a clone"
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        for name in ("jobs", "hostfiles"):
            shutil.copytree(ROOT / name, self.root / name)
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(("OMPI_", "PMIX_", "PRTE_", "SLURM_", "PILLAR_", "OMP_", "BASH_ENV"))}
        self.env["PATH"] = f"{self.bin}:{self.env['PATH']}"
        self.env["CALLS"] = str(self.folder / "calls")

    def stand_in(self, name, body="", folder=None):
        """Put a Python program in place of `name`; before `body` it notes argv and its environment in $CALLS. An mpirun asked for
        its version, it is $OPEN_MPI (4.1.4) and does nothing else."""
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent("""\
            #!/usr/bin/python3
            import json, os, signal, sys, time
            if os.path.basename(sys.argv[0]) == "mpirun" and sys.argv[1:] == ["--version"]:
                print("mpirun (Open MPI)", os.environ.get("OPEN_MPI", "4.1.4"))
                sys.exit()
            with open(os.environ["CALLS"], "a") as calls:
                call = {"program": os.path.basename(sys.argv[0]), "argv": sys.argv[1:], "env": dict(os.environ),
                        "session": os.getsid(0)}
                calls.write(json.dumps(call) + "\\n")
            """) + textwrap.dedent(body))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def tell_every(self, seconds):
        """Have the clone's scripts tell how far they are more often."""
        path = self.root / "jobs/lib/env.sh"
        path.write_text(path.read_text().replace("tell_every=10", f"tell_every={seconds}"))

    def calls(self, program=None):
        path = pathlib.Path(self.env["CALLS"])
        calls = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [call for call in calls if program in (None, call["program"])]

    def run_job(self, script, *arguments, env=None, **options):
        """Run a script of the clone's jobs/ to its end."""
        return subprocess.run([self.root / "jobs" / script, *map(str, arguments)], env={**self.env, **(env or {})},
                              capture_output=True, text=True, timeout=60, **options)


def main():
    """Run the tests of the calling file; exit with SKIPPED when every one of them was skipped."""
    program = unittest.main(module="__main__", exit=False, argv=[sys.argv[0]], verbosity=1)
    result = program.result
    none_ran = bool(result.skipped) and len(result.skipped) >= result.testsRun  # a class that is skipped counts no tests
    if not result.wasSuccessful() or (result.testsRun == 0 and not none_ran):
        sys.exit(1)
    if none_ran:
        print(result.skipped[0][1])
        sys.exit(SKIPPED)
