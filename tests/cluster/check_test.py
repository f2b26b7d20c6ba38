"""`check` and the network of a virtual cluster: it sees the cables' 940 Mbit/s, who carries, and what is missing."""

import json

import virtual_cluster
from virtual_cluster import Job, OnCluster


class Check(OnCluster):
    N_NODES = 3

    def check(self, *flags, code=0, **environment):
        job = Job(self.cluster, ["check", "-t", "1", *flags], **environment)
        ended, _ = job.end()
        self.assertEqual(ended, code, job.errors())
        return job.output().decode()

    def test_the_cables_are_seen(self):
        told = json.loads(self.check("--json", "-m", self.model))
        pairs = told["facts"]["pairs"]
        self.assertEqual([(pair["a"], pair["b"]) for pair in pairs], [(0, 1), (0, 2), (1, 2)])
        for pair in pairs:
            # What else runs on this machine only makes a message late. Without the cable it is thousands of MB/s.
            self.assertGreater(pair["s_per_byte"], 1 / 400e6, "more than 400 MB/s over a cable of 117")
            self.assertGreaterEqual(pair["latency_s"], 0)
            self.assertEqual((pair["carrier_a"], pair["carrier_b"]), ("eth0", "eth0"))
        self.assertEqual([link["name"] for node in told["facts"]["nodes"] for link in node["links"]], ["eth0"] * 3)
        self.assertEqual([a["what"] for a in told["facts"]["allreduces"]], ["one token", "256 prompt tokens"])
        self.assertIn("3 pairs of nodes reach each other", json.dumps(told["verdicts"]))

    def test_nodes_and_pairs_are_named(self):
        text = self.check()
        self.assertRegex(text, r"us \\ MB/s +node1 +node2 +node3\n")
        self.assertRegex(text, r"(?m)^ok +path +3 pairs")

    def test_the_named_interface_is_the_one_that_carries(self):
        for named in ("eth0", "10.0.0.0/24"):
            self.assertNotIn("although", self.check(OMPI_MCA_btl_tcp_if_include=named))

    def test_a_node_whose_cable_is_cut_is_not_waited_for(self):
        job = Job(self.cluster, ["check", "-t", "1", "--timeout", "4"])
        self.cluster.cut("node3")
        self.addCleanup(self.cluster.mend, "node3")
        self.assertEqual(job.end(timeout=90)[0], 69, job.errors())
        self.expect_no_orphans()


if __name__ == "__main__":
    virtual_cluster.main()
