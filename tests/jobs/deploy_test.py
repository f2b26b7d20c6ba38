"""jobs/deploy.sh with a stand-in for ssh, whose nodes are folders: NODES/<name>/<absolute path>."""

import pathlib
import unittest

from support import Clone, main

# Runs the command here, with the node's folder in front of every absolute path that it names.
SSH = """
    import pathlib, re, subprocess
    node, command = sys.argv[1], sys.argv[2]
    folder = pathlib.Path(os.environ["NODES"]) / node
    if not folder.is_dir():
        sys.exit(255)
    clone = os.environ["CLONE"].replace(" ", "\\\\ ")
    command = command.replace(clone, str(folder).replace(" ", "\\\\ ") + clone)
    sys.exit(subprocess.run(["sh", "-c", command]).returncode)
    """


class Deploy(Clone):
    def setUp(self):
        super().setUp()
        self.nodes = self.folder / "nodes"
        self.env.update(NODES=str(self.nodes), CLONE=str(self.folder), PILLAR_SSH=str(self.bin / "ssh"))
        # The path of the stand-in holds a space; as PILLAR_SSH is a command line, it is found through PATH.
        self.env["PILLAR_SSH"] = "ssh"
        self.stand_in("ssh", SSH)
        self.program = self.root / "build/release/pillar"
        self.program.parent.mkdir(parents=True)
        self.program.write_text("#!/bin/sh\necho pillar 0.1.0\n")
        self.program.chmod(0o755)
        self.model = self.root / "models" / "a model.gguf"
        self.model.parent.mkdir()
        self.model.write_bytes(b"weights" * 1000)
        for node in ("node1", "node2"):
            (self.nodes / node).mkdir(parents=True)
        self.hostfile = self.folder / "hosts"
        self.hostfile.write_text("# boards\nnode1 slots=4\nnode2 slots=4 # the second\nlocalhost slots=4\n")

    def deploy(self, *arguments):
        return self.run_job("deploy.sh", *(arguments or (self.hostfile, self.model)))

    def on(self, node, path):
        return pathlib.Path(f"{self.nodes / node}{path}")

    def test_program_and_model_arrive_on_every_node_but_this(self):
        result = self.deploy()
        self.assertEqual(result.returncode, 0, result.stderr)
        for node in ("node1", "node2"):
            self.assertEqual(self.on(node, self.model).read_bytes(), self.model.read_bytes())
            self.assertEqual(self.on(node, self.program).stat().st_mode & 0o777, 0o755)
            self.assertIn(f"{node}: a model.gguf sent", result.stdout)
            self.assertIn(f"{node}: pillar 0.1.0", result.stdout)
        self.assertNotIn("localhost", result.stdout)

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
        self.assertTrue(self.on("node1", self.model).exists())

    def test_what_arrives_damaged_gets_no_name(self):
        self.stand_in("ssh", SSH.replace('["sh", "-c", command]).returncode',
                                         '["sh", "-c", command], input=sys.stdin.buffer.read()[:-1]).returncode'))
        result = self.deploy()
        self.assertEqual(result.returncode, 69)
        self.assertIn("did not arrive whole", result.stderr)
        self.assertFalse(self.on("node1", self.program).exists())
        self.assertEqual([path for path in self.nodes.rglob("*") if path.is_file()], [])

    def test_nodes_that_share_a_disk_do_not_mix_what_they_write(self):
        slow = SSH.replace("sys.exit(subprocess.run", "time.sleep(0.2 if 'cat' in command else 0)\n    sys.exit(subprocess.run")
        self.stand_in("ssh", slow)
        (self.nodes / "node2").rmdir()
        (self.nodes / "node2").symlink_to(self.nodes / "node1")
        for _ in range(2):
            self.assertEqual(self.deploy().returncode, 0)
        parts = {part for call in self.calls("ssh") for part in call["argv"][1].split() if ".part." in part}
        self.assertEqual({part.rpartition(".")[2].rstrip("';") for part in parts}, {"node1", "node2"})

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


if __name__ == "__main__":
    main()
