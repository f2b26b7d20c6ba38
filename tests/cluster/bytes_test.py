"""What a run sends: the counters say what the plan predicts, to the byte; the cables carry it and the protocol's headers.

Differences between tests of several lengths, so that starting, loading and stopping fall out.
"""

import json

import virtual_cluster
from virtual_cluster import Job, OnCluster

SHAPE = "smollm2-135m:q4_0"
BATCH = 80
# Ethernet, IPv4 and TCP with its stamps; Open MPI's own header; as much again for an acknowledgement of each packet.
PACKET_HEADERS, MPI_HEADER, PACKET_PAYLOAD = 14 + 20 + 32, 64, 1448
# Daemons and what the system itself says meanwhile.
CHATTER = 20_000


def protocol_overhead(n_bytes, n_messages):
    """The most that so many messages bring with them."""
    n_packets = n_bytes / PACKET_PAYLOAD + n_messages
    return 2 * PACKET_HEADERS * n_packets + MPI_HEADER * (n_messages + n_bytes / 65536) + CHATTER


class Bytes(OnCluster):
    def json_of(self, *words, nodes=None):
        job = Job(self.cluster, [*words, "--synthetic", SHAPE, "-b", BATCH, "-o", "json"], nodes=nodes)
        code, _ = job.end(timeout=90)
        self.assertEqual(code, 0, job.errors())
        return json.loads(job.output())

    def bench(self, how, n_prompt=0, n_gen=0, warm_up="--warmup"):
        return self.json_of("bench", "-p", n_prompt, "-n", n_gen, "-r", 1, "-t", 1, warm_up, *how)

    def plan(self, how, n_prompt):
        row, = self.json_of("plan", "--ranks", 2, "-p", n_prompt, *how, nodes=1)
        return row

    def test_counters_say_what_the_plan_does(self):
        for wire, algorithm in (("f32", "recursive-doubling"), ("f32", "two-step"), ("f16", "direct"), ("q8", "two-step")):
            with self.subTest(wire=wire, algorithm=algorithm):
                how = ["--wire", wire, "--allreduce", algorithm]
                *prompts, token, tokens = self.bench(how, n_prompt="40,104", n_gen="2,7")
                self.assertEqual([prompts[0]["test"], tokens["test"]], ["pp40", "tg7"])
                plans = [self.plan(how, n_prompt) for n_prompt in (40, 104)]
                for counted, a_token, a_prompt in (("bytes_sent", "sent_bytes_per_token", "sent_bytes_per_prompt"),
                                                   ("messages_sent", "messages_per_token", "messages_per_prompt")):
                    self.assertEqual(tokens[counted] - token[counted], 5 * plans[0][a_token])
                    self.assertEqual(prompts[1][counted] - prompts[0][counted], plans[1][a_prompt] - plans[0][a_prompt])
                    self.assertGreater(plans[1][a_prompt], plans[0][a_prompt])

    def carried_by(self, *arguments):
        """Record of a test, and the bytes that the cables of the nodes carried while it ran."""
        before = [self.cluster.carried(node) for node in self.cluster.nodes]
        record, = self.bench(*arguments, warm_up="--no-warmup")
        return record, sum(self.cluster.carried(node) for node in self.cluster.nodes) - sum(before)

    def test_cables_carry_that_and_headers(self):
        how = ["--allreduce", "recursive-doubling"]
        for tests in (((how, 0, 4), (how, 0, 64)), ((how, 32, 0), (how, 480, 0))):
            with self.subTest(tests=tests):
                (short, few), (long, many) = (self.carried_by(*test) for test in tests)
                n_bytes = long["bytes_sent"] - short["bytes_sent"]
                n_messages = long["messages_sent"] - short["messages_sent"]
                self.assertGreater(n_bytes, 8e6)
                self.assertGreaterEqual(many - few + CHATTER, n_bytes)
                self.assertLessEqual(many - few, n_bytes + protocol_overhead(n_bytes, n_messages))


if __name__ == "__main__":
    virtual_cluster.main()
