"""The memory that the pre-flight reckons with: beside what a rank then has resident, and within a control group."""

import os
import pathlib
import re
import resource
import subprocess
import tempfile
import time
import unittest

import pillar

MIB = 1 << 20
UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}
LINE = re.compile(r"memory +rank 0 takes ([\d.]+) (\w+) beside ([\d.]+) (\w+) in use")


def told(errors):
    """(to come, in use) in bytes, as the program says them."""
    match = LINE.search(errors)
    assert match, errors
    return (float(match[1]) * UNITS[match[2]], float(match[3]) * UNITS[match[4]])


def rank_0_of(process):
    """Process id of rank 0 of a run that was started as `process`, with or without mpirun."""
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if not entry.name.isdigit() or os.readlink(entry / "exe") != os.path.realpath(pillar.BINARY):
                continue
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if process.pid == int(entry.name):
                return process.pid
            rank = b"OMPI_COMM_WORLD_RANK=0\0" in (entry / "environ").read_bytes()
            if parent == process.pid and rank:
                return int(entry.name)
        except OSError:
            continue
    return None


def peak_of(process_id):
    """The most that was ever resident; 0 when it has gone."""
    try:
        status = pathlib.Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return 0
    match = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.M)
    return int(match[1]) * 1024 if match else 0


class Resident(unittest.TestCase):
    def check(self, ranks, *arguments):
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(pillar.command(ranks, arguments), env=pillar.ENVIRONMENT, stderr=errors,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            peak, rank_0 = 0, None
            while process.poll() is None:
                rank_0 = rank_0 or rank_0_of(process)
                peak = max(peak, peak_of(rank_0) if rank_0 else 0)
                time.sleep(0.005)
            errors.seek(0)
            text = errors.read()
        self.assertEqual(process.returncode, 0, text)
        to_come, in_use = told(text)
        print(f"ranks: {ranks or 1}; {to_come / MIB:.0f} MiB to come and {in_use / MIB:.0f} in use were told, "
              f"{peak / MIB:.0f} were resident", flush=True)
        self.assertLess(abs(peak - to_come - in_use), max(0.05 * peak, 48 * MIB))

    def test_a_large_model_on_one_and_two_ranks(self):
        for ranks in (None, 2):
            self.check(ranks, "bench", "--synthetic", "llama-3.2-1b:q4_0", "-p", "32", "-n", "2", "-r", "1", "-t", "1")

    @pillar.needs_model
    def test_a_context_that_is_full(self):
        self.check(None, "run", "-m", pillar.MODEL, "-p", "the sea " * 1900, "-n", "-1", "-c", "4096", "--ignore-eos",
                   "--cache-type", "f32")

    @pillar.needs_model
    def test_whole_rows_of_logits(self):
        with tempfile.TemporaryDirectory() as folder:
            ids = ",".join(str(id) for id in range(300, 400))
            self.check(2, "logits", "-m", pillar.MODEL, "--ids", ids, "-c", "256", "-o", os.path.join(folder, "logits.h5"))


class ControlGroup:
    """A memory limit for the processes that enter it."""

    def __init__(self):
        self.is_v2 = False
        places = [pathlib.Path("/sys/fs/cgroup/memory"), pathlib.Path("/sys/fs/cgroup")]
        for place in places:
            folder = place / f"pillar_test_{os.getpid()}"
            try:
                folder.mkdir()
            except OSError:
                continue
            self.folder = folder
            self.is_v2 = (folder / "memory.max").exists()
            if self.is_v2 or (folder / "memory.limit_in_bytes").exists():
                return
            folder.rmdir()
        raise unittest.SkipTest("needs to make a control group for memory: root, and /sys/fs/cgroup writable")

    def limit(self, n_bytes):
        (self.folder / ("memory.max" if self.is_v2 else "memory.limit_in_bytes")).write_text(str(int(n_bytes)))

    def enter(self):
        (self.folder / "cgroup.procs").write_text("0")

    def remove(self):
        for _ in range(100):  # its processes may just be going
            try:
                return self.folder.rmdir()
            except OSError:
                time.sleep(0.05)


class Limited(unittest.TestCase):
    """A limit a little above the need suffices to the last position, one a little below is refused."""

    MARGIN = 48 * MIB

    def setUp(self):
        self.group = ControlGroup()
        self.addCleanup(self.group.remove)

    def run_within(self, n_bytes, ranks, *arguments):
        self.group.limit(n_bytes)
        return subprocess.run(pillar.command(ranks, arguments), env=pillar.ENVIRONMENT, preexec_fn=self.group.enter,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, check=False)

    def check(self, ranks):
        arguments = ["bench", "--synthetic", "llama-3.2-1b:q4_0", "-p", "32", "-n", "2", "-r", "1", "-t", "1"]
        n_ranks = ranks or 1
        free = self.run_within(1 << 40, ranks, *arguments)
        self.assertEqual(free.returncode, 0, free.stderr)
        to_come, in_use = told(free.stderr)
        need = n_ranks * to_come  # what the ranks and mpirun have in use is charged to the group as well

        enough = self.run_within(need + n_ranks * in_use + self.MARGIN, ranks, *arguments)
        self.assertEqual(enough.returncode, 0, enough.stderr)
        too_little = self.run_within(need - self.MARGIN, ranks, *arguments)
        self.assertEqual(too_little.returncode, 77, too_little.stderr)
        self.assertRegex(too_little.stderr, rf"needs .* for {n_ranks} rank.*control group {self.group.folder}")

    def test_one_rank(self):
        self.check(None)

    def test_two_ranks_share_it(self):
        self.check(2)


class Advice(unittest.TestCase):
    """Under an address-space limit: what the refusal advises is enough, and `check` says the same."""

    def within(self, limit, ranks, *arguments):
        def enter():
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

        return subprocess.run(pillar.command(ranks, arguments), env=pillar.ENVIRONMENT, preexec_fn=enter,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False)

    @pillar.needs_model
    def test_what_is_advised_fits(self):
        run = ["run", "-m", pillar.MODEL, "-p", "Hi", "-n", "1", "--temp", "0", "-t", "1"]
        wide = 1 << 31
        free = self.within(wide, None, *run)
        self.assertEqual(free.returncode, 0, free.stderr)
        need = told(free.stderr)[0]
        mapped = wide - self.left(free.stderr)
        advised = {"context": 0, "ranks": 0}
        for share in (0.9, 0.7, 0.5):
            limit = int(mapped + share * need)
            refused = self.within(limit, None, *run)
            self.assertEqual(refused.returncode, 77, refused.stderr)
            context = re.search(r"--ctx-size (\d+) fits", refused.stderr)
            ranks = re.search(r"(\d+) ranks on as many such hosts fit", refused.stderr)
            self.assertTrue(context or ranks, refused.stderr)
            if context:
                advised["context"] += 1
                followed = self.within(limit, None, *run, "-c", context[1])
                self.assertEqual(followed.returncode, 0, refused.stderr + followed.stderr)
            if ranks:
                advised["ranks"] += 1
                followed = self.within(limit, int(ranks[1]), *run)
                self.assertEqual(followed.returncode, 0, refused.stderr + followed.stderr)
        self.assertTrue(advised["context"] and advised["ranks"], advised)

        check = self.within(int(mapped + 0.7 * need), None, "check", "-m", pillar.MODEL, "-t", "1")
        self.assertEqual(check.returncode, 77, check.stdout + check.stderr)
        self.assertRegex(check.stdout, r"BAD +memory .* needs .* for 1 rank .*address-space limit")

    def left(self, errors):
        match = re.search(r"there is ([\d.]+) (\w+) \((.*)\)$", errors, re.M)
        self.assertIn("address-space", match[3], errors)
        return float(match[1]) * UNITS[match[2]]


if __name__ == "__main__":
    unittest.main()
