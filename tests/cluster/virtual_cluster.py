"""Virtual clusters for the tests: Cluster makes one (tests/cluster/cluster.sh), Job is one run of jobs/launch.sh on it.

The tests get the program and a generator of small models: PILLAR_BINARY, PILLAR_MAKE_TINY_MODEL.
"""

import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SCRIPT = HERE / "cluster.sh"
sys.path.insert(0, str(ROOT / "tests/support/python"))
import deadline  # noqa: E402
import open_mpi  # noqa: E402

OPEN_MPI = open_mpi.major()
SKIPPED = 77  # tells ctest that nothing could be tried
PILLAR = os.environ["PILLAR_BINARY"]
MAKE_TINY_MODEL = os.environ["PILLAR_MAKE_TINY_MODEL"]


def why_not():
    """What keeps clusters from being made here; empty: nothing."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [program for program in ("ip", "tc", "nft", "unshare") if shutil.which(program) is None]
    if missing:
        return f"{', '.join(missing)} missing; jobs/lib/packages.sh test installs them"
    name = f"pillarprobe{os.getpid()}"
    tried = subprocess.run([SCRIPT, "make", name, "1"], capture_output=True, text=True, check=False)
    subprocess.run([SCRIPT, "remove", name], capture_output=True, check=False)
    return f"this system makes no network namespaces: {tried.stderr.strip()}" if tried.returncode != 0 else ""


class Cluster:
    """N nodes, from entering to leaving the context."""

    def __init__(self, n_nodes):
        self.name = f"pillartest{os.getpid()}"
        self.nodes = [f"node{i + 1}" for i in range(n_nodes)]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pillar cluster "))

    def __enter__(self):
        subprocess.run([SCRIPT, "make", self.name, str(len(self.nodes))], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run([SCRIPT, "remove", self.name], check=True)
        shutil.rmtree(self.folder)

    def call(self, *words, **options):
        return subprocess.run([SCRIPT, words[0], self.name, *map(str, words[1:])], check=True, **options)

    def cut(self, node):
        self.call("cut", node)

    def mend(self, node):
        self.call("mend", node)

    def processes(self, node):
        """Process ids of what runs on a node."""
        result = self.call("processes", node, capture_output=True, text=True)
        return [int(line) for line in result.stdout.split() if not is_dead(int(line))]

    def carried(self, node):
        """Bytes that the node's interface has sent, headers included."""
        path = "/sys/class/net/eth0/statistics/tx_bytes"
        return int(self.call("enter", node, "cat", path, capture_output=True, text=True).stdout)

    def environment(self):
        # By name and not by path: Open MPI cuts the value at spaces.
        agent = "rsh_agent.sh"
        path = f"{HERE}:{os.environ['PATH']}"
        settings = ("OMPI_", "PMIX_", "PRTE_", "PILLAR_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
        return {**kept, "PATH": path, "PILLAR_CLUSTER": self.name, "PILLAR_BINARY": PILLAR,
                "OMPI_MCA_plm_rsh_agent": agent, "PRTE_MCA_plm_ssh_agent": agent, "OMPI_MCA_mpi_yield_when_idle": "1"}


def is_dead(process):
    """Gone, or waiting for its parent to notice."""
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def name_of(process):
    try:
        return pathlib.Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return "one that has gone meanwhile"


class Job:
    """One run of launch.sh on node1, one rank a node (or on the first `nodes`); what it writes goes to files."""

    numbers = itertools.count()

    def __init__(self, cluster, arguments, nodes=None, launch_options=(), **environment):
        self.cluster = cluster
        number = next(Job.numbers)
        self.output_path = cluster.folder / f"output{number}"
        self.errors_path = cluster.folder / f"errors{number}"
        nodes = cluster.nodes[:nodes]
        hostfile = cluster.folder / f"hostfile{number}"  # mpirun puts a daemon on every node that it names
        hostfile.write_text("".join(f"{node}\n" for node in nodes))
        command = [SCRIPT, "enter", cluster.name, "node1", ROOT / "jobs/launch.sh", "-n", len(nodes), "--hostfile",
                   hostfile, *launch_options, "--", *arguments]
        with open(self.output_path, "wb") as output, open(self.errors_path, "wb") as errors:
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=errors, env={**cluster.environment(), **environment})

    def errors(self):
        return self.errors_path.read_text(errors="replace")

    def output(self):
        return self.output_path.read_bytes()

    def wait_for_text(self, n_bytes=500, timeout=60):
        """Until the answer is under way."""
        deadline = time.monotonic() + timeout
        while len(self.output()) < n_bytes:
            if self.process.poll() is not None:
                raise AssertionError(f"the run has ended: {self.errors()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"no text has come: {self.errors()}")
            time.sleep(0.02)

    def rank(self, number):
        """Process id of a rank."""
        for node in self.cluster.nodes:
            for process in self.cluster.processes(node):
                try:
                    is_pillar = os.path.samefile(f"/proc/{process}/exe", PILLAR)
                    environment = pathlib.Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
                except OSError:
                    continue
                if is_pillar and f"OMPI_COMM_WORLD_RANK={number}".encode() in environment:
                    return process
        raise AssertionError(f"no rank {number} is running")

    def mpirun(self):
        for process in self.cluster.processes("node1"):
            if re.search(r"mpirun|orterun|prte(run)?$", os.readlink(f"/proc/{process}/exe")):
                return process
        raise AssertionError("no mpirun is running")

    def signal(self, signal_number):
        """To launch.sh."""
        self.process.send_signal(signal_number)

    def end(self, timeout=60):
        """(exit code, seconds until then)."""
        begin = time.monotonic()
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"still running after {timeout} s: {self.errors()}") from None
        return code, time.monotonic() - begin


class OnCluster(unittest.TestCase):
    """A class of tests on one cluster with N_NODES nodes and a tiny model that never ends its answer."""

    N_NODES = 2

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(cls.N_NODES).__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.folder = cls.cluster.folder
        cls.model = cls.folder / "tiny.gguf"
        subprocess.run([MAKE_TINY_MODEL, "--output", cls.model, "--context", "200000"], check=True)

    def start(self, *flags, n_predict=-1, n_context=200000, n_bytes=500, **options):
        """An answer, without end unless n_predict says otherwise, under way."""
        job = Job(self.cluster, ["run", "-m", self.model, "-p", "go", "--temp", "0", "--ignore-eos", "-n", n_predict,
                                 "-c", n_context, *flags], **options)
        self.addCleanup(lambda: job.process.poll() is None and job.process.kill())
        job.wait_for_text(n_bytes)
        return job

    def expect_no_orphans(self, within=5.0):
        """Nothing runs on any node, at the latest after so many seconds; where others use the machine, after a minute."""
        begin = time.monotonic()
        while True:
            left = {node: self.cluster.processes(node) for node in self.cluster.nodes}
            if not any(left.values()):
                return
            waited = time.monotonic() - begin
            if waited > within and (waited > 60 or deadline.busy_share() < deadline.IDLE):
                names = {node: [name_of(process) for process in left[node]] for node in left}
                for process in sum(left.values(), []):
                    os.kill(process, signal.SIGKILL)
                self.fail(f"left behind: {names}")
            time.sleep(0.05)


def main():
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that clusters are removed
    names = [name for name in sys.argv[1:] if not name.startswith("-")]
    program = unittest.main(module="__main__", exit=False, argv=[sys.argv[0], *names], verbosity=2)
    if len(program.result.skipped) == program.result.testsRun > 0:
        print(f"skipped: {program.result.skipped[0][1]}")
        sys.exit(SKIPPED)
    sys.exit(0 if program.result.wasSuccessful() and program.result.testsRun > 0 else 1)
