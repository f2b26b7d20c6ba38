"""What goes wrong on a cluster, and how a run ends then: in time, with the right code and a sentence that names the rank
and its host, with nothing left running on any node.

usage: faults_test.py [CLASS[.TEST] ...]
"""

import os
import re
import shutil
import signal
import subprocess
import time

import h5py
import virtual_cluster
import deadline
from virtual_cluster import OnCluster


class KilledRank(OnCluster):
    def kill(self, victim, host):
        job = self.start()
        os.kill(job.rank(victim), signal.SIGKILL)
        code, seconds = job.end()
        print(f"rank {victim} killed: ended with {code} after {seconds:.1f} s", flush=True)
        self.assertEqual(code, 69)
        if virtual_cluster.OPEN_MPI < 5:
            self.assertRegex(job.errors(), rf"rank {victim} .*on node {host} exited on signal 9")
        else:  # it ends the job with the first rank that sees a connection close, and may not say whose
            self.assertRegex(job.errors(), "launch: a rank was (lost|killed)")
        self.expect_no_orphans()
        return seconds

    def check(self, victim, host):
        deadline.hold(self, 3.0, lambda: self.kill(victim, host))

    def test_elsewhere(self):
        self.check(1, "node2")

    def test_rank_0(self):
        self.check(0, "node1")


class SilentRank(OnCluster):
    """A process that is stopped: it neither answers nor goes away."""

    N_NODES = 3

    def check(self, victim, host, *flags):
        job = self.start("--timeout", "2", *flags)
        os.kill(job.rank(victim), signal.SIGSTOP)
        code, seconds = job.end()
        print(f"rank {victim} stopped: ended with {code} after {seconds:.1f} s", flush=True)
        self.assertEqual(code, 69, job.errors())
        self.expect_no_orphans()
        return job.errors(), seconds

    def check_named(self, victim, host):
        deadline.hold(self, 6.0, lambda: self.stop(victim, host))

    def stop(self, victim, host):
        errors, seconds = self.check(victim, host)
        named = re.findall(r"error: (.*) has been silent for ([0-9]+) s while (.*) waited for (?:it|rank [012]) (.*):",
                           errors)
        self.assertEqual(len(named), 1, errors)  # one sentence, by one rank
        self.assertEqual(named[0][0], f"rank {victim} on {host}")
        self.assertGreaterEqual(int(named[0][1]), 4)  # 2 s of patience and 2 s for the answer
        self.assertRegex(named[0][3], "(in layer [01] of|before|at the end of) step [0-9]+")
        return seconds

    def test_is_named(self):
        self.check_named(2, "node3")

    def test_rank_0_is_named(self):
        self.check_named(0, "node1")

    def test_within_mpis_own_allreduce_the_others_leave(self):
        errors, _ = self.check(1, "node2", "--allreduce", "mpi")
        self.assertRegex(errors, "rank [02] on node[13] (waits inside MPI .* does not come back|waited)|silent")

    def test_that_goes_on_in_time_spoils_nothing(self):
        undisturbed = self.start(n_predict=2000, n_context=4096)
        self.assertEqual(undisturbed.end()[0], 0, undisturbed.errors())
        whole = undisturbed.output()
        job = self.start("--timeout", "4", n_predict=2000, n_context=4096)
        stopped = job.rank(1)
        os.kill(stopped, signal.SIGSTOP)
        time.sleep(2)
        os.kill(stopped, signal.SIGCONT)
        self.assertEqual(job.end()[0], 0, job.errors())
        self.assertEqual(job.output(), whole)


class CutCable(OnCluster):
    N_NODES = 3

    def test_that_is_mended_in_time_spoils_nothing(self):
        undisturbed = self.start(n_predict=2000, n_context=4096)
        self.assertEqual(undisturbed.end()[0], 0, undisturbed.errors())
        whole = undisturbed.output()
        job = self.start(n_predict=2000, n_context=4096)
        self.cluster.cut("node2")
        time.sleep(2)
        self.cluster.mend("node2")
        code, seconds = job.end()
        print(f"cable cut for 2 s: ended with {code} {seconds:.1f} s after that", flush=True)
        self.assertEqual(code, 0, job.errors())
        self.assertEqual(job.output(), whole)

    def cut(self):
        job = self.start()
        self.addCleanup(self.cluster.mend, "node3")
        self.cluster.cut("node3")
        code, seconds = job.end(timeout=120)
        print(f"cable cut: ended with {code} after {seconds:.1f} s", flush=True)
        self.assertEqual(code, 69)
        # mpirun does not always say which node; the ranks do, before it ends them
        self.assertRegex(job.errors(), "rank 2 on node3 has been silent for ([7-9]|[1-9][0-9]) s while rank 0 on node1 "
                                       "waited for it")
        begin = time.monotonic()
        self.expect_no_orphans(within=20)  # the node that is cut off notices by itself
        print(f"the cut-off node was empty {seconds + time.monotonic() - begin:.1f} s after the cut", flush=True)
        self.cluster.mend("node3")
        return seconds

    def test_is_noticed_within_20_s(self):
        deadline.hold(self, 20.0, self.cut, attempts=2)


class LostDaemon(OnCluster):
    """The launcher's daemon on a node is killed: nobody there could start or end a rank any more."""

    N_NODES = 3

    def kill(self):
        job = self.start()
        daemons = [process for process in self.cluster.processes("node3")
                   if virtual_cluster.name_of(process) in ("orted", "prted")]
        self.assertGreater(len(daemons), 0)
        for daemon in daemons:
            os.kill(daemon, signal.SIGKILL)
        code, seconds = job.end()
        print(f"daemon killed: ended with {code} after {seconds:.1f} s", flush=True)
        self.assertEqual(code, 69, job.errors())
        self.expect_no_orphans()
        return seconds

    def test_ends_the_job(self):
        deadline.hold(self, 5.0, self.kill)


class UnnoticedCut(OnCluster):
    """mpirun does not notice: a message of its own is under way, and TCP asks for life signs on idle connections only."""

    N_NODES = 3

    def cut(self):
        never = {"OMPI_MCA_oob_tcp_keepalive_time": "3000", "PRTE_MCA_oob_tcp_keepalive_time": "3000"}
        job = self.start(**never)
        self.addCleanup(self.cluster.mend, "node3")
        self.cluster.cut("node3")
        code, seconds = job.end(timeout=120)
        print(f"cable cut and not noticed: ended with {code} after {seconds:.1f} s", flush=True)
        self.assertEqual(code, 69, job.errors())
        self.assertRegex(job.errors(), "error: rank 2 on node3 has been silent for (1[0-9]|2[0-9]) s")  # not 33
        for node in ("node1", "node2"):
            self.assertEqual(self.cluster.processes(node), [])
        self.cluster.mend("node3")
        return seconds

    def test_ends_within_20_s_all_the_same(self):
        deadline.hold(self, 20.0, self.cut, attempts=2)


class Signals(OnCluster):
    """A request to stop: the step is finished, text and trace are whole, the code is 75."""

    def check(self, ask):
        trace = self.folder / "trace.h5"
        job = self.start("--trace", trace, "--force")
        ask(job)
        code, seconds = job.end()
        print(f"asked to stop: ended with {code} after {seconds:.1f} s", flush=True)
        self.assertEqual(code, 75, job.errors())
        self.assertTrue(job.output().endswith(b"\n"))
        with h5py.File(trace) as file:
            n_tokens = file["tokens/id"].shape[0]
            self.assertEqual(file["ranks/compute_s"].shape[1], self.N_NODES)
            self.assertEqual(file["sequences/n_generated"][0] + file["sequences/n_prompt"][0], n_tokens)
            self.assertEqual(file["sequences/completion"].asstr()[0].encode(), job.output()[:-1])
        self.assertFalse(trace.with_name("trace.h5.journal").exists())
        self.expect_no_orphans()

    def test_usr1_to_mpirun(self):
        self.check(lambda job: os.kill(job.mpirun(), signal.SIGUSR1))

    def test_usr1_to_a_rank_elsewhere(self):
        self.check(lambda job: os.kill(job.rank(1), signal.SIGUSR1))

    def test_term_to_launch(self):
        self.check(lambda job: job.signal(signal.SIGTERM))

    def test_int_to_launch(self):
        self.check(lambda job: job.signal(signal.SIGINT))

    def test_term_to_mpirun_itself_leaves_a_journal_of_what_was_recorded(self):
        trace = self.folder / "terminated.h5"
        # A step takes 30 ms and more, so the ranks have not gathered anything yet: 64 steps or 5 s.
        job = self.start("--trace", trace, "--force", "--emulate-network", "5000,0",
                         "--allreduce", "recursive-doubling", n_bytes=1)
        os.kill(job.mpirun(), signal.SIGTERM)
        code, seconds = job.end()
        print(f"mpirun terminated: ended with {code} after {seconds:.1f} s", flush=True)
        self.assertNotEqual(code, 0)
        self.expect_no_orphans()
        subprocess.run([virtual_cluster.PILLAR, "report", "--recover", f"{trace}.journal"], check=True,
                       capture_output=True)
        with h5py.File(trace) as file:
            self.assertGreater(file["steps/step"].shape[0], 0)


class FullDisk(OnCluster):
    def test_ends_the_trace_and_not_the_run(self):
        small = self.folder / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", small], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", small], check=True)
        job = self.start("--trace", small / "trace.h5")
        deadline = time.monotonic() + 60
        while "No space left on device" not in job.errors():
            self.assertIsNone(job.process.poll(), job.errors())
            self.assertLess(time.monotonic(), deadline, "the disk has not become full")
            time.sleep(0.05)
        before = len(job.output())
        job.wait_for_text(before + 2000)
        job.signal(signal.SIGTERM)
        self.assertEqual(job.end()[0], 75, job.errors())
        warning = r"\[pillar\] warning: .*trace.h5.journal: No space left on device; the trace ends here, the run goes on"
        self.assertEqual(len(re.findall(warning, job.errors())), 1, job.errors())
        self.expect_no_orphans()
        # what fitted is not lost
        self.assertEqual([path.name for path in small.iterdir()], ["trace.h5.journal"])
        journal = shutil.copy(small / "trace.h5.journal", self.folder / "saved.h5.journal")
        subprocess.run([virtual_cluster.PILLAR, "report", "--recover", journal], check=True, capture_output=True)
        with h5py.File(self.folder / "saved.h5") as file:
            self.assertGreater(file["tokens/id"].shape[0], 10)


if __name__ == "__main__":
    virtual_cluster.main()
