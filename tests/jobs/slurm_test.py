"""The Slurm scripts and the sweep, with stand-ins for srun and scontrol and a program that writes what it was asked."""

import functools
import os
import signal
import subprocess
import time
import unittest

from support import SRUN_WITH_PMIX, Clone, main

# A run that writes its trace; the SLOW one waits for the signal to stop.
PROGRAM = """
    if "--version" in sys.argv:
        print("pillar 0.1.0")
    elif sys.argv[1] == "report":
        print("table of", len(sys.argv) - 2)
    else:
        signal.signal(signal.SIGUSR1, lambda *_: os._exit(75))
        if "FLUSHING" in sys.argv:  # as a rank that TERM of all processes reaches
            open(sys.argv[sys.argv.index("--trace") + 1] + ".journal", "w").write("journal")
        if "CODE" in sys.argv:
            sys.exit(int(sys.argv[sys.argv.index("CODE") + 1]))
        if "SLOW" in sys.argv or "SLOW" in os.environ:
            open(os.environ["CALLS"] + ".ready", "w").close()
            time.sleep(30)
        if "--trace" in sys.argv:
            open(sys.argv[sys.argv.index("--trace") + 1], "w").write("trace")
    """


class Job(Clone):
    def setUp(self):
        super().setUp()
        self.stand_in("pillar", PROGRAM, folder=self.root / "build/release")
        self.stand_in("srun", SRUN_WITH_PMIX)
        self.stand_in("scontrol")
        self.env.update(SLURM_JOB_ID="42", SLURM_JOB_NUM_NODES="4", SLURM_NTASKS="4", SLURM_CPUS_ON_NODE="4",
                        SLURM_CPUS_PER_TASK="4", SLURM_SUBMIT_DIR=str(self.root), SLURM_JOB_NODELIST="node[1-4]")
        # Slurm runs a copy of the script from its own folder.
        for name in ("slurm_run.sh", "slurm_strong_scaling.sh"):
            (self.folder / name).write_bytes((self.root / "jobs" / name).read_bytes())

    def submit(self, name, *arguments, **env):
        return subprocess.run(["bash", self.folder / name, *arguments], env={**self.env, **env}, cwd=self.folder,
                              capture_output=True, text=True, timeout=60)

    def submit_and_signal(self, name, *arguments, signals=(signal.SIGUSR1,), **env):
        with open(self.folder / "said", "w") as said:
            process = subprocess.Popen(["bash", self.folder / name, *arguments], env={**self.env, **env},
                                       cwd=self.folder, stdout=subprocess.DEVNULL, stderr=said)
        deadline = time.monotonic() + 20
        while not os.path.exists(self.env["CALLS"] + ".ready") and time.monotonic() < deadline:
            time.sleep(0.02)
        for number in signals:
            process.send_signal(number)
        code = process.wait(60)
        self.said = (self.folder / "said").read_text()
        os.unlink(self.env["CALLS"] + ".ready")
        return code


class Run(Job):
    def test_one_rank_a_node_with_all_its_cores(self):
        result = self.submit("slurm_run.sh", "run", "-p", "two words")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("# job 42, nodes node[1-4], pillar 0.1.0", result.stdout)
        call = self.calls("srun")[-1]
        self.assertIn("--ntasks=4", call["argv"])
        self.assertEqual(call["argv"][-3:], ["run", "-p", "two words"])
        self.assertEqual(call["env"]["SRUN_CPUS_PER_TASK"], "4")
        self.assertEqual(self.calls("scontrol"), [])

    def test_the_warning_reaches_the_ranks_and_the_job_goes_back_to_the_queue(self):
        self.assertEqual(self.submit_and_signal("slurm_run.sh", "run", "SLOW"), 75)
        self.assertEqual(self.calls("scontrol")[-1]["argv"], ["requeue", "42"])

    def test_what_is_cancelled_does_not_come_back(self):
        for signals in ([signal.SIGTERM], [signal.SIGUSR1, signal.SIGTERM], [signal.SIGTERM, signal.SIGUSR1]):
            self.assertEqual(self.submit_and_signal("slurm_run.sh", "run", "SLOW", signals=signals), 75, self.said)
        self.assertEqual(self.submit_and_signal("slurm_strong_scaling.sh", "SLOW", signals=[signal.SIGTERM]), 75)
        self.assertEqual(self.calls("scontrol"), [])

    def test_only_the_warning_puts_a_job_back(self):
        self.assertEqual(self.submit("slurm_run.sh", "run", "CODE", "75").returncode, 75)
        self.assertEqual(self.calls("scontrol"), [])

    def test_a_journal_that_term_left_becomes_a_trace(self):
        for arguments, expected in ((["--trace", "x y.h5"], []), (["--trace=x y.h5", "--trace", "x y.h5", "--force"], ["--force"])):
            self.submit_and_signal("slurm_run.sh", "run", "SLOW", "FLUSHING", *arguments, signals=[signal.SIGTERM])
            self.assertEqual(self.calls("pillar")[-1]["argv"], ["report", "--recover", "x y.h5.journal", *expected])
        n_before = len(self.calls("pillar"))
        os.utime(self.root / "x y.h5.journal", (1, 1))  # an older run's
        self.submit_and_signal("slurm_run.sh", "run", "SLOW", "--trace", "x y.h5", signals=[signal.SIGTERM])
        self.assertNotIn("report", [call["argv"][0] for call in self.calls("pillar")[n_before:]])

    def test_not_for_ever(self):
        self.assertEqual(self.submit_and_signal("slurm_run.sh", "run", "SLOW", SLURM_RESTART_COUNT="3"), 75)
        self.assertEqual(self.calls("scontrol"), [])

    def test_heads_of_the_scripts(self):
        for name in ("slurm_run.sh", "slurm_strong_scaling.sh"):
            head = (self.root / "jobs" / name).read_text()
            for option in ("--signal=B:USR1@120", "--open-mode=append", "--requeue", "--exclusive"):
                self.assertIn(f"#SBATCH {option}", head)
            for site in ("--partition", "--account", "--cpus-per-task"):
                self.assertNotIn(f"#SBATCH {site}", head)


    def test_all_cores_of_the_smallest_node_or_as_many_as_the_job_asks_for(self):
        for env, expected in (({"SLURM_CPUS_PER_TASK": "", "SLURM_CPUS_ON_NODE": "2"}, 2),
                              ({"SLURM_CPUS_PER_TASK": "", "SLURM_JOB_CPUS_PER_NODE": "8(x3),3"}, 3),
                              ({"SLURM_CPUS_PER_TASK": "2"}, 2), ({"SLURM_CPUS_PER_TASK": "8"}, 4)):
            self.assertEqual(self.submit("slurm_run.sh", "run", **env).returncode, 0)
            self.assertIn(f"--cpus-per-task={expected}", self.calls("srun")[-1]["argv"], env)

    def test_an_array_fills_in_its_ids(self):
        words = ["run", "-f", "prompt-%a.txt", "--trace=%A/%j-%a.h5", "100%% sure%", "%x %"]
        self.assertEqual(self.submit("slurm_run.sh", *words, SLURM_ARRAY_JOB_ID="40", SLURM_ARRAY_TASK_ID="7").returncode, 0)
        self.assertEqual(self.calls("srun")[-1]["argv"][-6:],
                         ["run", "-f", "prompt-7.txt", "--trace=40/42-7.h5", "100% sure%", "%x %"])
        self.assertEqual(self.submit("slurm_run.sh", "run", "%j-%a-%A").returncode, 0)
        self.assertEqual(self.calls("srun")[-1]["argv"][-1], "42-%a-%A")

    def test_from_another_folder_one_sentence_says_what_to_do(self):
        for name in ("slurm_run.sh", "slurm_strong_scaling.sh"):
            for env in ({"SLURM_SUBMIT_DIR": str(self.folder)}, {"PILLAR_ROOT": "/nowhere at all"}):
                result = self.submit(name, "run", **env)
                self.assertEqual(result.returncode, 66)
                self.assertRegex(result.stderr, r"^slurm_\w+: \S.* is not the folder of pillar: .*PILLAR_ROOT.*\n$")
            self.assertEqual(self.submit(name, "run", PILLAR_ROOT=str(self.root), SLURM_SUBMIT_DIR="/").returncode, 0)

    def test_outside_slurm_one_sentence_or_help(self):
        env = {name: value for name, value in self.env.items() if not name.startswith("SLURM_")}
        for name in ("slurm_run.sh", "slurm_strong_scaling.sh"):
            run = functools.partial(subprocess.run, env=env, cwd=self.folder, capture_output=True, text=True, timeout=60)
            result = run([self.root / "jobs" / name, "run"])
            self.assertEqual((result.returncode, len(result.stderr.splitlines())), (64, 1), result.stderr)
            self.assertIn("sbatch", result.stderr)
            self.assertRegex(run([self.root / "jobs" / name, "--help"]).stdout, r"(?m)^  sbatch --nodes")

    def test_variables_that_are_missing_empty_or_no_numbers(self):
        few = {name: "" for name in self.env if name.startswith("SLURM_")}
        few |= {"SLURM_JOB_ID": "42", "SLURM_SUBMIT_DIR": str(self.root), "PILLAR_LAUNCHER": "srun"}
        result = self.submit("slurm_run.sh", "run", **few)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("--ntasks=1", self.calls("srun")[-1]["argv"])
        result = self.submit("slurm_run.sh", "run", PILLAR_REQUEUES="few")
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (64, 1), result.stderr)


class Sweep(Job):
    def test_all_powers_of_two_up_to_the_nodes_then_the_report(self):
        result = self.submit("slurm_strong_scaling.sh", "-m", "x.gguf", PILLAR_REPEAT="2")
        self.assertEqual(result.returncode, 0, result.stderr)
        folder = self.root / "scaling-42"
        self.assertEqual(sorted(path.name for path in folder.glob("*.h5")),
                         [f"ranks{n}-run{i}.h5" for n in (1, 2, 4) for i in (1, 2)])
        self.assertIn("table of 6", result.stdout)

    def test_a_cut_sweep_goes_on_where_it_stopped(self):
        folder = self.root / "scaling-42"
        env = {"PILLAR_REPEAT": "1"}
        self.assertEqual(self.submit("slurm_strong_scaling.sh", "x", **env, SLURM_NTASKS="2").returncode, 0)
        self.assertEqual(self.submit_and_signal("slurm_strong_scaling.sh", "x", **env, SLOW="yes"), 75)
        self.assertFalse((folder / "ranks4-run1.h5").exists())
        self.assertEqual(self.calls("scontrol")[-1]["argv"], ["requeue", "42"])
        n_before = len(self.calls("srun"))
        self.assertEqual(self.submit("slurm_strong_scaling.sh", "x", **env).returncode, 0)
        runs = [call for call in self.calls("srun")[n_before:] if "--mpi=list" not in call["argv"]]
        self.assertEqual([word for call in runs for word in call["argv"] if word.startswith("--ntasks=")], ["--ntasks=4"])

    def test_without_slurm_the_sweep_runs_here(self):
        self.stand_in("mpirun", SRUN_WITH_PMIX)
        env = {name: "" for name in self.env if name.startswith("SLURM_")}
        result = self.run_job("strong_scaling.sh", "--ranks", "1 2", "--repeat", 1, "--out", self.folder / "out here",
                              "--", "run", "-n", "8", env=env)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([call["argv"][1] for call in self.calls("mpirun")], ["1", "2"])
        self.assertIn("table of 2", result.stdout)

    def test_every_number_of_ranks_has_every_number_of_threads(self):
        result = self.submit("slurm_strong_scaling.sh", "-m", "x.gguf", PILLAR_REPEAT="1", PILLAR_THREADS="1 4")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(sorted(path.name for path in (self.root / "scaling-42").glob("*.h5")),
                         [f"ranks{n}-threads{t}-run1.h5" for n in (1, 2, 4) for t in (1, 4)])
        runs = [call["argv"] for call in self.calls("srun") if "--mpi=list" not in call["argv"]]
        self.assertEqual([argv[argv.index("-t") + 1] for argv in runs], ["1", "4"] * 3)

    def sweep(self, *words, options=()):
        self.stand_in("mpirun", SRUN_WITH_PMIX)
        env = {name: "" for name in self.env if name.startswith("SLURM_")}
        return self.run_job("strong_scaling.sh", "--ranks", "1,2", "--repeat", 1, "--out", self.folder / "out here", *options,
                            "--", *words, env=env)

    def test_another_command_does_not_show_the_runs_of_the_first(self):
        self.assertEqual(self.sweep("run", "-p", "two words").returncode, 0)
        for words, options in ((["run", "-p", "two", "words"], []), (["run", "-p", "two words", "-n", "8"], []),
                               (["run", "-p", "other"], []), (["run", "-p", "two words"], ["--map-by", "slot"])):
            result = self.sweep(*words, options=options)
            self.assertEqual((result.returncode, result.stdout), (73, ""), words)
            self.assertRegex(result.stderr, r"^strong_scaling: the runs in .*out here are of another command .*--force.*\n$")
        self.assertEqual(len(self.calls("mpirun")), 2)
        self.assertIn("table of 2", self.sweep("run", "-p", "two words").stdout)
        self.assertEqual(len(self.calls("mpirun")), 2)
        # further repetitions of the same
        self.assertIn("table of 4", self.sweep("run", "-p", "two words", options=["--repeat=2"]).stdout)
        self.assertEqual(len(self.calls("mpirun")), 4)
        # --force begins anew, and the old runs are gone
        result = self.sweep("run", "-p", "other", options=["--force"])
        self.assertEqual((result.returncode, len(self.calls("mpirun"))), (0, 6), result.stderr)
        self.assertEqual(len(list((self.folder / "out here").glob("*.h5"))), 2)
        self.assertEqual(self.sweep("run", "-p", "two words").returncode, 73)
        (self.folder / "out here/command").unlink()
        self.assertEqual(self.sweep("run", "-p", "other").returncode, 73)

    def test_what_cannot_be_meant_is_refused_in_a_sentence(self):
        for options, words in ((["--ranks", "1 x"], ["run"]), (["--ranks", ""], ["run"]), (["--repeat", "0"], ["run"]),
                               (["--repeat", "many"], ["run"]), (["--threads", "-1"], ["run"]), (["--out="], ["run"]),
                               (["--out"], ["run"]), ([], ["bench"]), ([], ["run", "--trace", "x.h5"])):
            result = self.sweep(*words, options=options)
            self.assertEqual((result.returncode, len(result.stderr.splitlines())), (64, 1), (options, result.stderr))
        self.assertEqual(self.calls(), [])

    def test_a_failed_run_ends_the_sweep_with_its_code(self):
        self.stand_in("pillar", "sys.exit(65)", folder=self.root / "build/release")
        self.stand_in("mpirun", SRUN_WITH_PMIX)
        result = self.run_job("strong_scaling.sh", "--", "run", env={"PILLAR_LAUNCHER": "mpirun"}, cwd=self.folder)
        self.assertEqual(result.returncode, 65)


if __name__ == "__main__":
    main()
