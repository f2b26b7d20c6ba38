"""`check` on this machine: what it says, the profile it writes, its exit codes."""

import json
import os
import re
import shutil
import subprocess
import unittest

import pillar


def uncommented(path):
    """JSON without the comments that nlohmann-json and pillar take."""
    return json.loads(re.sub(r"//.*", "", open(path).read()))


class Check(pillar.WithFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = pillar.tiny_model(cls.folder, "tiny")

    def test_two_ranks_of_one_machine_are_well(self):
        profile = os.path.join(self.folder, "here.json")
        result = pillar.check(pillar.run(2, ["check", "-m", self.model, "-t", 1, "-o", profile]))
        lines = result.stdout.decode()
        for line in ("^ok +program .*the same on 2 ranks", "^ok +MPI +Open MPI", "^ok +model .*the same on 2 ranks",
                     "^ok +memory ", "^(ok|slow) +governor ", "^(ok|note|slow) +throttling ", "^ok +bandwidth .*GB/s",
                     "^note +network +all ranks are on one machine", r"one token +.* us by .*, predicted +\d"):
            self.assertRegex(lines, re.compile(line, re.M))
        written = uncommented(profile)
        self.assertGreater(written["memory"]["read_gb_per_s"], 0.1)
        self.assertEqual(written["threads"], 1)
        self.assertLess(written["network"]["latency_us"], 1e5)
        # plan reads it
        planned = pillar.check(pillar.run(None, ["plan", "-m", self.model, "--profile", profile, "-o", "json",
                                                 "--ranks", 2]))
        self.assertGreater(json.loads(planned.stdout)[0]["decode_tokens_per_s"], 0)
        # and it is not overwritten
        again = pillar.run(1, ["check", "-o", profile])
        self.assertEqual(again.returncode, 73)
        self.assertIn(b"--force", again.stderr)
        pillar.check(pillar.run(None, ["check", "-t", 1, "-o", profile, "--force"]))

    def test_json_holds_verdicts_and_facts(self):
        result = pillar.check(pillar.run(2, ["check", "-t", 1, "--json"]))
        told = json.loads(result.stdout)
        self.assertEqual(told["exit_code"], 0)
        self.assertEqual(len(told["facts"]["nodes"]), 2)
        self.assertEqual([(p["a"], p["b"]) for p in told["facts"]["pairs"]], [(0, 1)])
        self.assertLessEqual({"network", "kernels"}, {v["about"] for v in told["verdicts"]})
        nodes = told["facts"]["nodes"]
        self.assertEqual(len({node["process"] for node in nodes}), 2)
        for node in nodes:  # ranks of the machine are no others
            self.assertIn(node["kernels"], node["families"])
            self.assertFalse({other["process"] for other in node["others"]} & {n["process"] for n in nodes})

    def test_the_model_that_is_in_memory_is_not_remarked_on(self):
        result = pillar.check(pillar.run(None, ["check", "-t", 1, "-m", self.model, "--json"]))
        told = json.loads(result.stdout)
        model = told["facts"]["models"][0]
        self.assertEqual(model["file_bytes"], os.path.getsize(self.model))
        self.assertEqual(model["cached_bytes"], model["file_bytes"])
        self.assertNotIn("cache", [v["about"] for v in told["verdicts"]])

    def test_an_absent_model_is_66_and_what_is_wrong_is_named(self):
        result = pillar.run(2, ["check", "-t", 1, "-m", "nowhere.gguf"])
        self.assertEqual(result.returncode, 66)
        self.assertRegex(result.stdout.decode(), "BAD +model .*no file nowhere.gguf: jobs/deploy.sh")

    def in_two_folders(self, first, second):
        """Rank 0 starts in the first folder and rank 1 in the second, each with its own m.gguf."""
        for number, model in enumerate((first, second)):
            folder = os.path.join(self.folder, str(number))
            os.makedirs(folder, exist_ok=True)
            path = os.path.join(folder, "m.gguf")
            if os.path.exists(path):
                os.remove(path)
            if model:
                shutil.copy(model, path)
        script = f'cd "{self.folder}/$OMPI_COMM_WORLD_RANK" && exec "$0" "$@"'
        command = [os.environ.get("MPIEXEC") or "mpirun", "-n", "2", "sh", "-c", script, pillar.BINARY, "check", "-t",
                   "1", "-m", "m.gguf"]
        return subprocess.run(command, env=pillar.ENVIRONMENT, capture_output=True, timeout=120, check=False)

    def test_another_model_on_a_rank_is_78_and_none_66(self):
        other = pillar.tiny_model(self.folder, "other", "--context", "300")
        result = self.in_two_folders(self.model, other)
        self.assertEqual(result.returncode, 78, result.stderr)
        self.assertRegex(result.stdout.decode(), "BAD +model .*not the same file everywhere")
        result = self.in_two_folders(self.model, None)
        self.assertEqual(result.returncode, 66, result.stderr)

    def test_another_program_on_a_rank_is_78_before_anything_is_measured(self):
        other = os.path.join(self.folder, "pillar")
        shutil.copy(pillar.BINARY, other)
        with open(other, "ab") as file:
            file.write(b"\0")
        script = '[ $OMPI_COMM_WORLD_RANK = 0 ] || shift; exec "$1" check -t 1'
        command = [os.environ.get("MPIEXEC") or "mpirun", "-n", "2", "sh", "-c", script, "sh", pillar.BINARY, other]
        result = subprocess.run(command, env=pillar.ENVIRONMENT, capture_output=True, timeout=120, check=False)
        self.assertEqual(result.returncode, 78, result.stderr)
        self.assertRegex(result.stdout.decode(), "BAD +program .*jobs/deploy.sh")
        self.assertNotIn("bandwidth", result.stdout.decode())

    def test_what_does_not_fit_is_77_as_for_a_run(self):
        result = pillar.run(None, ["check", "-t", 1, "--synthetic", "llama-2-13b:f32", "-c", "4096"])
        self.assertEqual(result.returncode, 77, result.stdout)
        self.assertRegex(result.stdout.decode(), "BAD +memory .* needs .* but has")


if __name__ == "__main__":
    unittest.main()
