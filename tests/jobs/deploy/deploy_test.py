"""What jobs/deploy.sh does with nodes, whoever sends: what is there, what arrives, disks, sentences and exit codes."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from nodes import SSH, WHOLE, Nodes  # noqa: E402
from support import main  # noqa: E402


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
