"""The Open MPI that the tests run with: some of what its launcher says and does depends on it."""

import re
import subprocess


def major():
    """4, 5, ..."""
    told = subprocess.run(["mpirun", "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"Open MPI\) (\d+)", told)[1])
