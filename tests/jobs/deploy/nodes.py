"""A clone with nodes for jobs/deploy.sh: a stand-in for ssh, whose nodes are folders, NODES/<name>/<absolute path>."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import Clone  # noqa: E402

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
