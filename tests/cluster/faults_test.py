"""What goes wrong on a cluster, and how a run ends then: in time, with the right code and a sentence that names the rank
and its host, with nothing left running on any node.

usage: faults_test.py [CLASS[.TEST] ...]
"""

import os
import re
import signal
import time

import virtual_cluster
from virtual_cluster import OnCluster


class KilledRank(OnCluster):
    def check(self, victim, host):
        job = self.start()
        os.kill(job.rank(victim), signal.SIGKILL)
        code, seconds = job.end()
        print(f"rank {victim} killed: ended with {code} after {seconds:.1f} s", flush=True)
        self.assertEqual(code, 69)
        self.assertLess(seconds, 3.0)
        self.assertRegex(job.errors(), rf"rank {victim} .*on node {host} exited on signal 9")
        self.expect_no_orphans()

    def test_elsewhere(self):
        self.check(1, "node2")

    def test_rank_0(self):
        self.check(0, "node1")


class FrozenRank(OnCluster):
    """A process that is stopped: it neither answers nor goes away."""

    N_NODES = 3

    def check(self, victim, host, *flags, within):
        job = self.start("--timeout", "2", *flags)
        os.kill(job.rank(victim), signal.SIGSTOP)
        code, seconds = job.end()
        print(f"rank {victim} stopped: ended with {code} after {seconds:.1f} s", flush=True)
        self.assertEqual(code, 69, job.errors())
        self.assertLess(seconds, within)
        self.expect_no_orphans()
        return job.errors()

    def check_named(self, victim, host):
        errors = self.check(victim, host, within=6)
        named = re.findall(r"error: (.*) has been silent for 4 s while (.*) waited (.*)\(--timeout 2\)", errors)
        self.assertEqual(len(named), 1, errors)  # one sentence, by one rank
        self.assertEqual(named[0][0], f"rank {victim} on {host}")
        self.assertRegex(named[0][2], "(in layer [01] of|before|at the end of) step [0-9]+")

    def test_is_named(self):
        self.check_named(2, "node3")

    def test_rank_0_is_named(self):
        self.check_named(0, "node1")

    def test_within_mpis_own_allreduce_the_others_leave(self):
        errors = self.check(1, "node2", "--allreduce", "mpi", within=14)
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

    def test_is_noticed_within_20_s(self):
        job = self.start()
        self.cluster.cut("node3")
        code, seconds = job.end()
        print(f"cable cut: ended with {code} after {seconds:.1f} s", flush=True)
        self.assertEqual(code, 69)
        self.assertLess(seconds, 20.0)
        self.assertRegex(job.errors(), "node3")
        self.expect_no_orphans(within=25)  # the node that is cut off notices by itself


if __name__ == "__main__":
    virtual_cluster.main()
