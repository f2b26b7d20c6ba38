"""What goes wrong on a cluster, and how a run ends then: in time, with the right code and a sentence that names the rank
and its host, with nothing left running on any node.

usage: faults_test.py [CLASS[.TEST] ...]
"""

import os
import signal
import unittest

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
