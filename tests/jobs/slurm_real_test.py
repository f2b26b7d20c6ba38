"""Jobs in a Slurm of two nodes on this machine: what scancel, the time limit and an array make of a run, and how a batch
comes back until all its requests are answered.

usage: slurm_real_test.py PILLAR MAKE_TINY_MODEL
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import support

PILLAR, MAKE_TINY_MODEL = (os.path.abspath(path) for path in sys.argv[1:3])
TWO_NODES = support.ROOT / "tests/slurm/two_nodes.sh"

# $1: a folder. Leaves the jobs' output and what Slurm knows of them there.
TOOLS = r"""
submit() { sbatch --parsable --output="$1/$2.out" "${@:3}"; }
until_() { for ((i = 0; i < 300; i++)); do ! "$@" || return 0; sleep 0.2; done; return 1; } # a minute
has_text() { [[ $(stat -c %s "$1" 2>/dev/null || echo 0) -gt 1500 ]]; }
is_over() { [[ -z $(squeue --noheader --job "$1" 2>/dev/null) ]]; }
came_back() { scontrol show job "$1" | grep -q Restarts=1; }
"""

RUNS = TOOLS + r"""
endless=(run -m "$1/tiny.gguf" -p go -n -1 -c 200000 --ignore-eos --temp 0)
cancelled=$(submit "$1" cancelled --nodes=2 jobs/slurm_run.sh "${endless[@]}" --trace "$1/cancelled-%j.h5")
until_ has_text "$1/cancelled.out" && sleep 1 && scancel "$cancelled"
until_ is_over "$cancelled"
sleep 1
scontrol show job "$cancelled" >"$1/cancelled.job"
timed=$(submit "$1" timed --nodes=1 --time=1 --signal=B:USR1@50 jobs/slurm_run.sh "${endless[@]}" --trace "$1/timed.h5")
until_ came_back "$timed"
scontrol show job "$timed" >"$1/timed.job"
scancel "$timed"
until_ is_over "$timed"
array=$(submit "$1" array-%a --array=1-2 --nodes=1 jobs/slurm_run.sh run -m "$1/tiny.gguf" -p "%a" -n 4 --trace "$1/array-%a.h5")
until_ is_over "$array"
(cd "$1" && elsewhere=$(submit "$1" elsewhere "$2/jobs/slurm_run.sh" run) && until_ is_over "$elsewhere")
sleep 1
"""

# The second task of the array is told that its time is nearly over. Submitted with --no-requeue: the job asks for itself.
BATCH = TOOLS + r"""
has_results() { [[ $(wc -l 2>/dev/null <"$1" || echo 0) -ge 3 ]]; }
array=$(submit "$1" batch-%a --array=0-1 --nodes=1 --no-requeue jobs/slurm_batch.sh -m "$1/tiny.gguf" -i "$1/in.jsonl" \
    -o "$1/out-%a.jsonl" -t 1 -c 2048 --parallel 2)
until_ has_results "$1/out-1.jsonl" && scancel --batch --signal=USR1 "${array}_1"
until_ came_back "${array}_1"
until_ is_over "$array" || until_ is_over "$array"
scontrol show job "${array}_1" >"$1/batch.job"
"$2/jobs/merge_shards.sh" -i "$1/in.jsonl" -o "$1/merged.jsonl" "$1"/out-*.jsonl
"""
N_REQUESTS, N_TOKENS = 300, 1900


class OnTwoNodes(unittest.TestCase):
    JOBS = None

    @classmethod
    def prepare(cls):
        """Files that the jobs read."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="pillar slurm "))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        subprocess.run([MAKE_TINY_MODEL, "--output", cls.folder / "tiny.gguf", "--context", "200000"], check=True)
        cls.prepare()
        environment = {**os.environ, "PILLAR_BINARY": PILLAR, "PILLAR_LAUNCHER": "mpirun",
                       "PILLAR_SLURM_PORT": str(17100 + os.getpid() % 1000 * 3)}
        result = subprocess.run([TWO_NODES, "bash", "-c", cls.JOBS, "-", cls.folder, support.ROOT], cwd=support.ROOT,
                                env=environment, capture_output=True, text=True, timeout=400, check=False)
        if result.returncode == 77:
            raise unittest.SkipTest(result.stderr.strip().splitlines()[-1])
        if result.returncode != 0:
            raise AssertionError(result.stdout + result.stderr)

    def text(self, name):
        return (self.folder / name).read_text(errors="replace")


class Runs(OnTwoNodes):
    JOBS = RUNS

    def test_a_cancelled_job_stays_cancelled_and_has_a_whole_trace(self):
        self.assertNotIn("back to the queue", self.text("cancelled.out"))
        self.assertRegex(self.text("cancelled.job"), r"JobState=CANCELLED\b[\s\S]*Restarts=0")
        traces = list(self.folder.glob("cancelled-*.h5"))
        self.assertEqual(len(traces), 1, self.text("cancelled.out"))
        report = subprocess.run([PILLAR, "report", *traces], capture_output=True, text=True, check=True).stdout
        self.assertIn("| 2 × ", report)
        self.assertEqual(list(self.folder.glob("*.journal")), [])

    def test_the_time_limit_puts_a_job_back(self):
        self.assertIn("back to the queue", self.text("timed.out"))
        self.assertRegex(self.text("timed.job"), r"Restarts=1")

    def test_an_array_has_its_ids(self):
        for task in (1, 2):
            self.assertIn(f", task {task} of array ", self.text(f"array-{task}.out"))
            self.assertTrue((self.folder / f"array-{task}.h5").exists())

    def test_from_another_folder_it_says_what_to_set(self):
        self.assertEqual(len(self.text("elsewhere.out").splitlines()), 1)
        self.assertIn("PILLAR_ROOT", self.text("elsewhere.out"))


class Batch(OnTwoNodes):
    JOBS = BATCH

    @classmethod
    def prepare(cls):
        bodies = [{"prompt": f"{i} sheep", "max_tokens": N_TOKENS, "ignore_eos": True}
                  for i in range(N_REQUESTS)]
        lines = [json.dumps({"custom_id": f"r{i}", "method": "POST", "url": "/v1/completions", "body": body})
                 for i, body in enumerate(bodies)]
        (cls.folder / "in.jsonl").write_text("\n".join(lines) + "\n")

    def test_comes_back_and_answers_each_request_once(self):
        self.assertRegex(self.text("batch-1.out"), "results? more; back to the queue for what is left")
        self.assertNotIn("REQUEUE", self.text("batch-0.out"))  # the other task is left alone
        self.assertRegex(self.text("batch.job"), r"Restarts=1\b")
        self.assertRegex(self.text("batch.job"), r"JobState=COMPLETED\b[\s\S]*ExitCode=0:0")
        merged = [json.loads(line) for line in self.text("merged.jsonl").splitlines()]
        self.assertEqual([result["custom_id"] for result in merged], [f"r{i}" for i in range(N_REQUESTS)])
        self.assertEqual({result["response"]["body"]["usage"]["completion_tokens"] for result in merged}, {N_TOKENS})


if __name__ == "__main__":
    support.main()
