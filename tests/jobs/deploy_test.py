"""jobs/deploy.sh with a stand-in for ssh, whose nodes are folders: NODES/<name>/<absolute path>."""

import json
import pathlib
import signal
import subprocess
import time
import unittest

from support import Clone, main

# Runs the command here, with the node's folder in front of every absolute path that it names, and notes in $SENT who
# sent how many bytes to whom. A path that one node hands to the next has that node's folder in front already; it goes.
# $APART names pairs of nodes "a>b" of which a cannot reach b; $CUT a node and the bytes after which a connection breaks.
SSH = """
    import pathlib, re, subprocess
    node, command = sys.argv[-2:]
    nodes, clone, sender = os.environ["NODES"], os.environ["CLONE"], os.environ.get("NODE", "head")
    if not os.path.isdir(nodes + "/" + node) or f"{sender}>{node}" in os.environ.get("APART", "").split():
        sys.exit(255)
    command = re.sub(re.escape(nodes) + "/[^/]+(?=" + re.escape(clone) + ")", "", command)
    command = command.replace(clone, nodes + "/" + node + clone)
    cut = os.environ.get("CUT", "").split()
    limit = int(cut[1]) if cut[:1] == [node] else 1 << 60
    shell = subprocess.Popen(["sh", "-c", command], stdin=subprocess.PIPE, env={**os.environ, "NODE": node})
    n_sent = 0
    while n_sent < limit and (data := os.read(0, min(4096, limit - n_sent))):
        n_sent += len(data)
        try:
            shell.stdin.write(DAMAGE(data))
            shell.stdin.flush()
        except BrokenPipeError:
            break
    try:
        shell.stdin.close()
    except BrokenPipeError:
        pass
    code = shell.wait()
    if n_sent > 0:
        with open(os.environ["SENT"], "a") as sent:
            sent.write(json.dumps([sender, node, n_sent]) + "\\n")
    sys.exit(255 if n_sent == limit else code)
    """
WHOLE = SSH.replace("DAMAGE", "")


class Nodes(Clone):
    """Nodes node1 and node2, a program and a model."""

    def setUp(self):
        super().setUp()
        self.nodes = self.folder / "nodes"
        self.env.update(NODES=str(self.nodes), CLONE=str(self.folder), SENT=str(self.folder / "sent"))
        # The path of the stand-in holds a space; as PILLAR_SSH is a command line, it is found through PATH.
        self.env["PILLAR_SSH"] = "ssh"
        self.stand_in("ssh", WHOLE)
        self.program = self.root / "build/release/pillar"
        self.program.parent.mkdir(parents=True)
        self.program.write_text("#!/bin/sh\necho pillar 0.1.0\n")
        self.program.chmod(0o755)
        self.model = self.root / "models" / "a model.gguf"
        self.model.parent.mkdir()
        self.model.write_bytes(b"weights" * 1000)
        self.hostfile = self.folder / "hosts"
        self.make_nodes(2)

    def make_nodes(self, n):
        for i in range(1, n + 1):
            (self.nodes / f"node{i}").mkdir(parents=True, exist_ok=True)
        lines = ["# boards", *(f"node{i} slots=4 # one more" for i in range(1, n + 1)), "localhost slots=4"]
        self.hostfile.write_text("\n".join(lines) + "\n")

    def deploy(self, *arguments, **env):
        return self.run_job("deploy.sh", *(arguments or (self.hostfile, self.model)), env=env)

    def on(self, node, path):
        return pathlib.Path(f"{self.nodes / node}{path}")

    def files(self):
        """Everything that lies on any node."""
        return [path for path in self.nodes.rglob("*") if path.is_file()]

    def sent(self):
        """[sender, receiver, bytes] of everything sent so far; forgotten then."""
        path = pathlib.Path(self.env["SENT"])
        sent = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        path.unlink(missing_ok=True)
        return sent

    def assert_everywhere(self, n):
        for i in range(1, n + 1):
            self.assertEqual(self.on(f"node{i}", self.model).read_bytes(), self.model.read_bytes())


class Deploy(Nodes):
    def test_program_and_model_arrive_on_every_node_but_this(self):
        result = self.deploy()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_everywhere(2)
        for node in ("node1", "node2"):
            self.assertEqual(self.on(node, self.program).stat().st_mode & 0o777, 0o755)
            self.assertIn(f"{node}: a model.gguf sent", result.stdout)
            self.assertIn(f"{node}: pillar 0.1.0", result.stdout)
        self.assertNotIn("localhost", result.stdout)
        self.assertEqual(len(self.files()), 4)

    def test_nothing_is_sent_twice(self):
        self.deploy()
        result = self.deploy()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("sent", result.stdout)
        self.model.write_bytes(b"other weights")
        result = self.deploy()
        self.assertEqual(result.stdout.count("sent"), 2)
        self.assertIn("node1: pillar is there", result.stdout)
        self.assertEqual(self.on("node2", self.model).read_bytes(), b"other weights")

    def test_a_node_that_does_not_answer_is_named_and_the_others_are_served(self):
        with self.hostfile.open("a") as file:
            file.write("node9 slots=4\n")
        result = self.deploy()
        self.assertEqual(result.returncode, 69)
        self.assertIn("node9: cannot be reached", result.stderr)
        self.assertIn("1 of 4 nodes not ready", result.stderr)
        self.assert_everywhere(2)

    def test_what_arrives_damaged_gets_no_name(self):
        self.stand_in("ssh", SSH.replace("DAMAGE(data)", "data.replace(b'e', b'X')"))
        result = self.deploy()
        self.assertEqual(result.returncode, 69)
        self.assertIn(f"node1: {self.program} did not arrive whole", result.stderr)
        self.assertEqual(self.files(), [])

    def test_a_node_that_got_it_meanwhile_on_a_shared_disk_is_sent_nothing(self):
        (self.nodes / "node2").rmdir()
        (self.nodes / "node2").symlink_to(self.nodes / "node1")
        result = self.deploy()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("node2: a model.gguf is there", result.stdout)
        self.assertEqual({node for _, node, _ in self.sent()}, {"node1"})

    def test_nodes_that_share_a_disk_do_not_mix_what_they_write(self):
        self.stand_in("ssh", WHOLE.replace("n_sent = 0\n", "n_sent = 0; time.sleep(0.3 if 'receive' in command else 0)\n"))
        (self.nodes / "node2").rmdir()
        (self.nodes / "node2").symlink_to(self.nodes / "node1")
        apart = "node1>node2 node2>node1"  # so both are served at the same time
        for _ in range(2):
            self.assertEqual(self.deploy(APART=apart).returncode, 0)
        self.assertEqual({node for _, node, _ in self.sent()}, {"node1", "node2"})
        self.assert_everywhere(2)
        self.assertEqual(len(self.files()), 2)

    def test_a_hostfile_that_mpirun_cannot_read_is_refused(self):
        self.hostfile.write_text("node1 slots=4\r\n", newline="")
        result = self.deploy()
        self.assertEqual(result.returncode, 65)
        self.assertIn("line 1", result.stderr)

    def test_a_node_that_lacks_libraries_is_named_with_what_mends_it(self):
        self.program.write_text("#!/bin/sh\nexit 127\n")
        result = self.deploy()
        self.assertEqual(result.returncode, 69)
        self.assertRegex(result.stderr, "node2: the program does not start there; .*apt-get install .*openmpi-bin")

    def test_all_parts_of_a_split_model_are_sent(self):
        for i in (1, 2, 3):
            (self.model.parent / f"split-0000{i}-of-00003.gguf").write_bytes(b"part %d" % i)
        self.deploy(self.hostfile, self.model.parent / "split-00002-of-00003.gguf")
        for i in (1, 2, 3):
            part = self.on("node1", self.model.parent) / f"split-0000{i}-of-00003.gguf"
            self.assertEqual(part.read_bytes(), b"part %d" % i)

    def test_what_is_not_there_is_refused_in_a_sentence(self):
        for arguments, code in [([self.hostfile], 64), ([self.hostfile, "nothing.gguf"], 66), (["nowhere", self.model], 66)]:
            result = self.deploy(*arguments)
            self.assertEqual((result.returncode, len(result.stderr.splitlines())), (code, 1))

    def test_quotes_in_a_path_are_taken_as_they_are(self):
        model = self.model.with_name("it's $(echo mine).gguf")
        self.model.rename(model)
        result = self.deploy(self.hostfile, model)
        self.assertEqual(result.returncode, 0, result.stderr)
        for node in ("node1", "node2"):
            self.assertEqual(self.on(node, model).read_bytes(), b"weights" * 1000)


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


class FullDisks(Nodes):
    def test_a_disk_without_room_is_told_before_anything_is_sent(self):
        self.stand_in("df", "print('Avail\\n 6500')")
        result = self.deploy()
        self.assertEqual(result.returncode, 69)
        self.assertRegex(result.stderr, "node1: no room for a model.gguf: .*7.0 kB.* 6.5 kB")
        self.assertFalse([sent for sent in self.sent() if sent[2] > 1000])

    def test_room_that_a_part_takes_already_counts(self):
        self.make_nodes(1)
        self.deploy(CUT="node1 4500")
        self.stand_in("df", "print('Avail\\n 2600')")
        self.assertEqual(self.deploy().returncode, 0)
        self.assert_everywhere(1)

    def test_a_disk_that_fills_up_is_told_and_left_free(self):
        self.make_nodes(3)
        self.deploy(CUT="node2 2000")  # by each of the others
        part, = self.on("node2", self.model.parent).iterdir()
        part.unlink()
        part.symlink_to("/dev/full")
        result = self.deploy()
        self.assertEqual(result.returncode, 69)
        self.assertRegex(result.stderr, "node2: a model.gguf could not be written: .*No space left on device")
        self.assertFalse(part.is_symlink())
        self.assertTrue(self.on("node3", self.model).exists())
        self.assertIn("1 of 4 nodes not ready", result.stderr)


if __name__ == "__main__":
    main()
