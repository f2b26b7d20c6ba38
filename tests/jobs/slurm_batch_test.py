"""A batch under Slurm, which comes back until all is answered, and its shards, which become one file."""

import json
import os
import signal
import subprocess
import time

from support import SRUN_WITH_PMIX, Clone, main

# Answers a line of its three a run, then waits for the signal; ends when all are there.
PILLAR = """
    if "--version" in sys.argv:
        print("pillar 0.1.0")
        sys.exit()
    signal.signal(signal.SIGUSR1, lambda *_: os._exit(75))
    output = sys.argv[sys.argv.index("-o") + 1]
    with open(output, "a+") as file:
        file.seek(0)
        n = len(file.readlines())
        if n < 3 and "IDLE" not in os.environ:
            file.write("line\\n")
    if n >= 2:
        sys.exit(int(os.environ.get("CODE", 0)))
    open(os.environ["CALLS"] + ".ready", "w").close()
    time.sleep(30)
    """


class SlurmBatch(Clone):
    def setUp(self):
        super().setUp()
        self.stand_in("pillar", PILLAR, folder=self.root / "build/release")
        self.stand_in("srun", SRUN_WITH_PMIX)
        self.stand_in("scontrol")
        self.env.update(SLURM_JOB_ID="42", SLURM_JOB_NUM_NODES="2", SLURM_NTASKS="2", SLURM_CPUS_ON_NODE="4",
                        SLURM_SUBMIT_DIR=str(self.root))
        self.script = self.folder / "slurm_script"  # Slurm runs a copy from its own folder
        self.script.write_bytes((self.root / "jobs/slurm_batch.sh").read_bytes())

    def submit(self, *words, signals=(), **env):
        ready = self.env["CALLS"] + ".ready"
        if os.path.exists(ready):
            os.unlink(ready)
        process = subprocess.Popen(["bash", self.script, *words], env={**self.env, **env}, cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 20
        while signals and not os.path.exists(ready) and time.monotonic() < deadline:
            time.sleep(0.02)
        for number in signals:
            process.send_signal(number)
        out, error = process.communicate(timeout=30)
        return process.returncode, out, error

    def requeues(self):
        return [call["argv"] for call in self.calls("scontrol") if call["argv"][0] == "requeue"]

    def test_comes_back_until_all_is_answered(self):
        words = ["-m", "x.gguf", "-i", "in.jsonl", "-o", "out.jsonl"]
        for restart in (None, "1"):
            env = {} if restart is None else {"SLURM_RESTART_COUNT": restart}
            code, out, _ = self.submit(*words, signals=[signal.SIGUSR1], **env)
            self.assertEqual(code, 75)
            self.assertIn("1 result more; back to the queue", out)
        self.assertEqual(self.requeues(), [["requeue", "42"]] * 2)
        self.assertEqual(self.calls("scontrol")[0]["argv"], ["update", "JobId=42", "Requeue=1"])  # where it is off
        code, _, error = self.submit(*words, SLURM_RESTART_COUNT="2")
        self.assertEqual((code, error), (0, ""))
        self.assertEqual(len(self.requeues()), 2)
        self.assertEqual(len((self.root / "out.jsonl").read_text().splitlines()), 3)
        started = [call["argv"] for call in self.calls("srun") if "--mpi=list" not in call["argv"]]
        self.assertEqual(started[0][-7:], ["batch", *words])

    def test_not_for_ever_and_not_what_is_cancelled(self):
        words = ["-i", "in.jsonl", "-o", "out.jsonl"]
        code, _, error = self.submit(*words, signals=[signal.SIGUSR1], IDLE="yes")
        self.assertEqual((code, len(error.splitlines())), (75, 1), error)
        self.assertIn("nothing was answered", error)
        code, _, error = self.submit(*words, signals=[signal.SIGUSR1], SLURM_RESTART_COUNT="5", PILLAR_REQUEUES="5")
        self.assertEqual(code, 75)
        self.assertIn("5 times back in the queue already", error)
        self.assertEqual(self.submit(*words, signals=[signal.SIGTERM])[0], 75)
        self.assertEqual(self.submit(*words, CODE="65")[0], 65)
        self.assertEqual(self.calls("scontrol"), [])

    def test_where_slurm_does_not_take_it_back(self):
        self.stand_in("scontrol", "sys.exit(1)")
        code, _, error = self.submit("-i", "in.jsonl", "-o", "out.jsonl", signals=[signal.SIGUSR1])
        self.assertEqual(code, 75)
        self.assertIn("submit the same command again", error)

    def test_an_array_writes_an_output_each(self):
        array = {"SLURM_ARRAY_JOB_ID": "40", "SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_COUNT": "3"}
        code, _, error = self.submit("-i", "in.jsonl", "-o", "out.jsonl", **array)
        self.assertEqual((code, len(error.splitlines())), (64, 1), error)
        self.submit("batch", "-i", "in.jsonl", "--output=x", "-o", "out-%a.jsonl", signals=[signal.SIGUSR1], **array)
        self.assertTrue((self.root / "out-7.jsonl").exists())
        self.assertEqual(self.requeues(), [["requeue", "40_7"]])  # 42 would be all of it, were this its last task

    def test_what_cannot_come_back_is_refused(self):
        for words in ([], ["-i", "in"], ["-i", "-", "-o", "out"], ["-i", "in", "-o", "-"], ["--input=-", "--output=x"]):
            code, _, error = self.submit(*words)
            self.assertEqual((code, len(error.splitlines())), (64, 1), (words, error))
        self.assertEqual(self.submit("-i", "in", "-o", "out", SLURM_SUBMIT_DIR=str(self.folder))[0], 66)
        self.assertEqual(self.submit("-i", "in", "-o", "out", SLURM_JOB_ID="")[0], 64)
        self.assertRegex(self.submit("--help")[1], r"(?m)^  sbatch --nodes")
        head = (self.root / "jobs/slurm_batch.sh").read_text()
        for option in ("--signal=B:USR1@120", "--open-mode=append", "--requeue", "--exclusive"):
            self.assertIn(f"#SBATCH {option}", head)


class MergeShards(Clone):
    def setUp(self):
        super().setUp()
        self.whole = [json.dumps({"id": f"batch_req_{n}", "custom_id": f"c\t{n} é", "response": None, "error": {"n": n}},
                                 separators=(",", ":"), ensure_ascii=False) for n in range(120) if n != 5]
        self.write("in.jsonl", ["" if n == 5 else "{}" for n in range(120)])
        self.shards = [self.write(f"shard {s}.jsonl", reversed([line for line in self.whole if self.number(line) % 3 == s]))
                       for s in range(3)]

    @staticmethod
    def number(line):
        return int(json.loads(line)["id"].removeprefix("batch_req_"))

    def write(self, name, lines):
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def merge(self, *arguments):
        return self.run_job("merge_shards.sh", "-o", "all.jsonl", *arguments, cwd=self.folder)

    def refused(self, code, sentence, *arguments):
        result = self.merge(*arguments)
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (code, 1), result.stderr)
        self.assertIn(sentence, result.stderr)
        self.assertEqual([path.name for path in self.folder.glob("all.jsonl*")], [])

    def test_all_results_in_the_order_of_the_input(self):
        result = self.merge("-i", "in.jsonl", *self.shards)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual((self.folder / "all.jsonl").read_text().splitlines(), self.whole)
        self.assertEqual(self.merge(*self.shards).returncode, 73)  # it is there
        self.assertEqual(self.merge("--force", self.shards[0]).returncode, 0)
        self.assertEqual(len((self.folder / "all.jsonl").read_text().splitlines()), 40)

    def test_what_is_missing_twice_torn_or_of_something_else(self):
        self.refused(75, "line 2 of in.jsonl has no result yet", "-i", "in.jsonl", self.shards[0], self.shards[2])
        self.refused(65, "two results", *self.shards, self.shards[1])
        torn = self.folder / "torn.jsonl"
        torn.write_text(self.whole[0] + "\n" + self.whole[1][:-3])
        self.refused(65, "torn", torn)
        self.refused(65, "line 2 is no result", self.write("notes.jsonl", [self.whole[0], "a note"]))
        self.refused(65, "no such line", "-i", self.write("short.jsonl", ["{}"] * 5), *self.shards)
        self.refused(66, "no such file", "nowhere.jsonl")
        self.refused(64, "usage")
        self.refused(64, "no option", "--fast", self.shards[0])


if __name__ == "__main__":
    main()
