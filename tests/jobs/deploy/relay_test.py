"""How jobs/deploy.sh sends: on from where it was cut, and from node to node."""

import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from nodes import WHOLE, Nodes  # noqa: E402
from support import main  # noqa: E402


class Resuming(Nodes):
    SIZE = 7000  # of the model

    def setUp(self):
        super().setUp()
        self.make_nodes(1)
        self.program_size = self.program.stat().st_size

    def cut_at(self, n):
        result = self.deploy(CUT=f"node1 {n}")
        self.assertEqual(result.returncode, 69)
        self.assertRegex(result.stderr, r"node1: .*a model.gguf.* 6\d %.*run it again")
        self.assertFalse(self.on("node1", self.model).exists())
        self.assertIn(["head", "node1", n], self.sent())

    def test_a_transfer_that_was_cut_goes_on_where_it_was(self):
        self.cut_at(4500)
        result = self.deploy()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("node1: a model.gguf goes on at 64 %", result.stdout)
        self.assertEqual(self.sent(), [["head", "node1", self.SIZE - 4500]])
        self.assert_everywhere(1)
        self.assertEqual(len(self.files()), 2)

    def test_what_arrived_of_another_file_of_that_name_is_thrown_away(self):
        self.cut_at(4500)
        self.model.write_bytes(b"other weights")
        result = self.deploy()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.sent(), [["head", "node1", len(b"other weights")]])
        self.assert_everywhere(1)
        self.assertEqual(len(self.files()), 2)

    def test_a_part_that_the_disk_lost_is_sent_anew(self):
        self.cut_at(4500)
        part, = [path for path in self.files() if ".part." in path.name]
        part.write_bytes(bytes(4500))
        result = self.deploy()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([n for _, _, n in self.sent()], [self.SIZE - 4500, self.SIZE])
        self.assert_everywhere(1)

    def test_a_part_that_is_whole_gets_its_name_and_nothing_is_sent(self):
        self.cut_at(4500)
        part, = [path for path in self.files() if ".part." in path.name]
        part.write_bytes(self.model.read_bytes())
        self.assertEqual(self.deploy().returncode, 0)
        self.assertEqual(self.sent(), [])
        self.assert_everywhere(1)


    def test_a_signal_ends_it_and_it_goes_on_later(self):
        slow = WHOLE.replace("n_sent += len(data)", "n_sent += len(data); time.sleep(3 * ('receive' in command))")
        self.stand_in("ssh", slow.replace("4096", "2000"))
        for signal_sent in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen([self.root / "jobs/deploy.sh", self.hostfile, self.model], env=self.env, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
            process.stdout.readline()
            while not any(".part." in path.name and path.stat().st_size for path in self.files()):
                self.assertIsNone(process.poll())
                time.sleep(0.05)
            process.send_signal(signal_sent)
            _, stderr = process.communicate(timeout=30)  # nothing of it is left that could write
            self.assertEqual(process.returncode, 75)
            self.assertEqual(stderr, "deploy: stopped; run it again, it goes on where it was\n")
        self.stand_in("ssh", WHOLE)
        result = self.deploy()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_everywhere(1)


class Passing(Nodes):
    def copies(self):
        """Who sent the model how often; the program is shorter."""
        senders = [sender for sender, _, n in self.sent() if n >= 7000]
        return {sender: senders.count(sender) for sender in sorted(set(senders))}

    def test_nodes_pass_on_what_they_have(self):
        self.make_nodes(7)
        self.stand_in("ssh", WHOLE.replace("n_sent = 0\n", "n_sent = 0; time.sleep(0.5 if 'receive' in command else 0)\n"))
        result = self.deploy()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_everywhere(7)
        copies = self.copies()
        self.assertEqual(sum(copies.values()), 7)
        self.assertLessEqual(copies["head"], 3, copies)  # doubling: 1, 2, 4, 8 machines have it
        self.assertRegex(result.stdout, r"node\d: a model.gguf sent by node\d")

    def test_a_node_that_has_it_passes_it_on(self):
        self.make_nodes(3)
        for path in (self.program, self.model):
            there = self.on("node3", path)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(path.read_bytes())
            there.chmod(0o755)
        result = self.deploy()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("node3: a model.gguf is there", result.stdout)
        self.assertIn("sent by node3", result.stdout)
        self.assertEqual(sum(self.copies().values()), 2)

    def test_nodes_that_reach_no_other_are_served_from_here(self):
        self.make_nodes(3)
        apart = " ".join(f"node{a}>node{b}" for a in (1, 2, 3) for b in (1, 2, 3))
        result = self.deploy(APART=apart)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_everywhere(3)
        self.assertEqual(self.copies(), {"head": 3})
        self.assertIn("node1: cannot reach node2 by ssh", result.stdout)
        self.assertIn("every copy is sent from here", result.stdout)

    def test_a_node_that_reaches_some_only_is_spared_and_said_so(self):
        self.make_nodes(3)
        result = self.deploy(APART="node1>node3 node2>node3 node3>node1 node2>node1")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_everywhere(3)
        self.assertNotIn("every copy", result.stdout)
        self.assertIn("node2: cannot reach node3 by ssh", result.stdout)
        self.assertEqual(sum(self.copies().values()), 3)

    def test_a_node_that_breaks_off_while_it_passes_on_is_replaced(self):
        self.make_nodes(2)
        # node2 is cut off while node1 sends, and not when this machine does
        broken = WHOLE.replace("cut = os", "cut = [] if sender == 'head' else os")
        self.stand_in("ssh", broken)
        result = self.deploy(CUT="node2 4500")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_everywhere(2)
        self.assertRegex(result.stdout, "node1: cannot pass .*on to node2")
        self.assertIn(["head", "node2", 2500], self.sent())


if __name__ == "__main__":
    main()
