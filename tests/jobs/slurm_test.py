"""The Slurm scripts and the sweep, with stand-ins for srun and scontrol and a program that writes what it was asked."""

import os
import signal
import subprocess
import time
import unittest

from support import Clone, main

PMIX = """
    if "--mpi=list" in sys.argv:
        print("MPI plugin types are...\\n\\tpmix")
        sys.exit()
    program = next(i for i, word in enumerate(sys.argv) if word.endswith("/pillar"))
    os.execv(sys.argv[program], sys.argv[program:])
    """
# A run that writes its trace; the SLOW one waits for the signal to stop.
PROGRAM = """
    if "--version" in sys.argv:
        print("pillar 0.1.0")
    elif sys.argv[1] == "report":
        print("table of", len(sys.argv) - 2)
    else:
        signal.signal(signal.SIGUSR1, lambda *_: os._exit(75))
        if "SLOW" in sys.argv:
            open(os.environ["CALLS"] + ".ready", "w").close()
            time.sleep(30)
        if "--trace" in sys.argv:
            open(sys.argv[sys.argv.index("--trace") + 1], "w").write("trace")
    """


class Job(Clone):
    def setUp(self):
        super().setUp()
        self.stand_in("pillar", PROGRAM, folder=self.root / "build/release")
        self.stand_in("srun", PMIX)
        self.stand_in("scontrol")
        self.env.update(SLURM_JOB_ID="42", SLURM_JOB_NUM_NODES="4", SLURM_NTASKS="4", SLURM_CPUS_ON_NODE="4",
                        SLURM_CPUS_PER_TASK="4", SLURM_SUBMIT_DIR=str(self.root), SLURM_JOB_NODELIST="node[1-4]")
        # Slurm runs a copy of the script from its own folder.
        for name in ("slurm_run.sh", "slurm_strong_scaling.sh"):
            (self.folder / name).write_bytes((self.root / "jobs" / name).read_bytes())

    def submit(self, name, *arguments, **env):
        return subprocess.run(["bash", self.folder / name, *arguments], env={**self.env, **env}, cwd=self.folder,
                              capture_output=True, text=True, timeout=60)

    def submit_and_signal(self, name, *arguments, **env):
        process = subprocess.Popen(["bash", self.folder / name, *arguments], env={**self.env, **env},
                                   cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not os.path.exists(self.env["CALLS"] + ".ready") and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGUSR1)
        return process.wait(20)


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

    def test_not_for_ever(self):
        self.assertEqual(self.submit_and_signal("slurm_run.sh", "run", "SLOW", SLURM_RESTART_COUNT="3"), 75)
        self.assertEqual(self.calls("scontrol"), [])

    def test_heads_of_the_scripts(self):
        for name in ("slurm_run.sh", "slurm_strong_scaling.sh"):
            head = (self.root / "jobs" / name).read_text()
            for option in ("--signal=B:USR1@120", "--open-mode=append", "--requeue", "--cpus-per-task=4"):
                self.assertIn(f"#SBATCH {option}", head)
            for site in ("--partition", "--account"):
                self.assertNotIn(f"#SBATCH {site}", head)


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
        folder.mkdir()
        for name in ("ranks1-run1.h5", "ranks2-run1.h5"):
            (folder / name).write_text("trace")
        self.assertEqual(self.submit_and_signal("slurm_strong_scaling.sh", "SLOW", PILLAR_REPEAT="1"), 75)
        self.assertFalse((folder / "ranks4-run1.h5").exists())
        self.assertEqual(self.calls("scontrol")[-1]["argv"], ["requeue", "42"])
        n_before = len(self.calls("srun"))
        self.assertEqual(self.submit("slurm_strong_scaling.sh", PILLAR_REPEAT="1").returncode, 0)
        runs = [call for call in self.calls("srun")[n_before:] if "--mpi=list" not in call["argv"]]
        self.assertEqual([word for call in runs for word in call["argv"] if word.startswith("--ntasks=")], ["--ntasks=4"])

    def test_without_slurm_the_sweep_runs_here(self):
        self.stand_in("mpirun", PMIX)
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

    def test_a_failed_run_ends_the_sweep_with_its_code(self):
        self.stand_in("pillar", "sys.exit(65)", folder=self.root / "build/release")
        self.stand_in("mpirun", PMIX)
        result = self.run_job("strong_scaling.sh", "--", "run", env={"PILLAR_LAUNCHER": "mpirun"}, cwd=self.folder)
        self.assertEqual(result.returncode, 65)


if __name__ == "__main__":
    main()
