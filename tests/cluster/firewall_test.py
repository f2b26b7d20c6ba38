"""What strangers reach: the ports that mca-params.conf (mca-params-5.conf) of jobs/config fixes, and none with its
firewall.nft.

usage: firewall_test.py
"""

import signal
import subprocess
import sys

import virtual_cluster
from virtual_cluster import HERE, OPEN_MPI, ROOT, OnCluster

RULES = ROOT / "jobs/config/firewall.nft"


def fixed_ports():
    """As the file for this Open MPI names them."""
    settings = {}
    file = ROOT / "jobs/config" / ("mca-params.conf" if OPEN_MPI < 5 else "mca-params-5.conf")
    for line in file.read_text().splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith("#"):
            settings[name.strip().removeprefix("PRTE_MCA_")] = value.strip()
    ports = set()
    for family in ("v4", "v6"):
        first = int(settings[f"btl_tcp_port_min_{family}"])
        begin, end = map(int, settings[f"oob_tcp_dynamic_ip{family}_ports"].split("-"))
        ports |= {*range(first, first + int(settings[f"btl_tcp_port_range_{family}"])), *range(begin, end + 1)}
    return ports


class Firewall(OnCluster):
    N_NODES = 3

    def open_to_a_stranger(self, node):
        """Ports of a node that node3, where no rank runs, can reach."""
        address = f"10.0.0.{node.removeprefix('node')}"
        result = self.cluster.call("enter", "node3", sys.executable, "-B", HERE / "open_ports.py", address,
                                   capture_output=True, text=True)
        return {int(line) for line in result.stdout.split()}

    def load_rules(self, node, cluster):
        text = RULES.read_text()
        self.assertEqual(text.count("define cluster = { 192.168.1.0/24 }"), 1)
        text = text.replace("192.168.1.0/24", cluster)
        self.cluster.call("enter", node, "nft", "-f", "-", input=text, text=True)

    def end(self, job):
        job.signal(signal.SIGTERM)
        self.assertEqual(job.end()[0], 75, job.errors())

    def test_rules_are_understood(self):
        for _ in range(2):  # loading them again replaces them
            self.cluster.call("enter", "node3", "nft", "--check", "-f", RULES)

    def test_two_jobs_share_their_nodes(self):
        first, second = self.start(nodes=2), self.start(nodes=2)
        for job in (first, second):
            self.end(job)

    def test_without_it_only_the_fixed_ports_are_open_with_it_none(self):
        job = self.start(nodes=2)
        for node in ("node1", "node2"):
            found = self.open_to_a_stranger(node)
            self.assertGreaterEqual(len(found), 2)  # a rank's and a daemon's
            self.assertEqual(found - fixed_ports(), set())
        self.end(job)

        for node in ("node1", "node2"):
            self.load_rules(node, "10.0.0.1, 10.0.0.2")
        job = self.start(nodes=2)
        for node in ("node1", "node2"):
            self.assertEqual(self.open_to_a_stranger(node), set())
        before = len(job.output())
        job.wait_for_text(before + 500)  # the cluster itself goes on
        self.end(job)


if __name__ == "__main__":
    virtual_cluster.main()
