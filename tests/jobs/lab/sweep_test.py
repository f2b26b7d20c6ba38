"""jobs/sweep.sh and jobs/slurm_sweep.sh with stand-ins: which runs are made, in which order, and how they go on."""

import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import Clone, main  # noqa: E402

# In place of launch.sh, which has tests of its own.
LAUNCH = """
    os.execv(os.path.dirname(sys.argv[0]) + "/../build/release/pillar", ["pillar", *sys.argv[sys.argv.index("--") + 1:]])
    """
# A run that writes its trace; a report that says of how many, and an export whose telemetry is $TELEMETRY.
PROGRAM = """
    def behind(flag):
        return sys.argv[sys.argv.index(flag) + 1]
    if "--version" in sys.argv:
        print("pillar 0.1.0")
    elif "--export" in sys.argv:
        folder = sys.argv[sys.argv.index("csv") + 1]
        os.makedirs(folder)
        open(folder + "/telemetry.csv", "w").write(os.environ.get("TELEMETRY", "rank,throttled\\n0,0\\n"))
    elif sys.argv[1] == "report":
        print("report of", sum(word.endswith(".h5") for word in sys.argv))
    else:
        signal.signal(signal.SIGUSR1, lambda *_: os._exit(75))
        if "SLOW" in os.environ and os.environ["SLOW"] in sys.argv:
            open(os.environ["CALLS"] + ".ready", "w").close()
            time.sleep(30)
        if "-i" in sys.argv:
            requests = sys.argv[len(sys.argv) - sys.argv[::-1].index("-i")]
            open(os.environ["CALLS"] + ".requests", "a").write(open(requests).read() + "--\\n")
        open(behind("--trace"), "w").write("trace")
    """


class Sweep(Clone):
    def setUp(self):
        super().setUp()
        self.stand_in("pillar", PROGRAM, folder=self.root / "build/release")
        self.stand_in("launch.sh", LAUNCH, folder=self.root / "jobs")
        self.stand_in("gnuplot")
        self.stand_in("vcgencmd", """
            bits = os.environ.get("BITS", "0x0").split()
            n = sum(1 for line in open(os.environ["CALLS"]) if '"vcgencmd"' in line)
            print("throttled=" + bits[min(n, len(bits)) - 1])
            """)
        self.stand_in("sleep")
        self.rewrite("thermal_zones=/sys/class/thermal", f"thermal_zones='{self.folder}'")

    def rewrite(self, old, new):
        path = self.root / "jobs/lib/cooling.sh"
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new))

    def sweep(self, *words, code=0, env=None):
        result = self.run_job("sweep.sh", *words, cwd=self.folder, env=env)
        self.assertEqual(result.returncode, code, result.stderr)
        return result

    def runs(self):
        """Ranks and the command's words of every run, without the sweep's own at their end."""
        calls = [call["argv"] for call in self.calls("launch.sh")]
        return [(int(argv[1]), argv[argv.index("--") + 1:argv.index("--trace")]) for argv in calls]

    def traces(self, folder):
        return sorted(path.name for path in (self.folder / folder).glob("*.h5"))


class Studies(Sweep):
    def test_what_each_changes(self):
        requests = self.folder / "requests"
        requests.write_text("".join(f"{i}\n" for i in range(20)))
        for study, command, options, expected in (
                ("strong", ["run"], [], [(n, []) for n in (1, 2, 4)]),
                ("threads", ["run"], ["--values", "1,2"], [(n, ["-t", t]) for n in (1, 2) for t in "12"]),
                ("context", ["bench"], ["--values", "0 64"], [(1, ["-d", v]) for v in ("0", "64")]),
                ("context", ["run"], ["--values", "64"], [(1, ["-c", "64"])]),
                ("batch", ["run"], ["--ranks", "1 2", "--values", "8"], [(n, ["-b", "8"]) for n in (1, 2)]),
                ("batch", ["batch", "-i", str(requests)], ["--values", "8"], [(1, ["--parallel", "8"])]),
                ("wire", ["run"], [], [(2, ["--wire", v]) for v in ("f32", "f16", "q8")]),
                ("message-size", ["bench"], ["--ranks=3"], [(3, ["-p", "1,4,16,64"])]),
                ("split", ["bench"], ["--values", "even 0.3,0.7"], [(2, ["--split", v]) for v in ("even", "0.3,0.7")]),
                ("weak", ["batch", "-i", str(requests)], ["--ranks", "1 3"],
                 [(n, ["--parallel", str(4 * n)]) for n in (1, 3)])):
            n_before = len(self.runs())
            result = self.sweep(study, "--repeat", 1, "--order", "given", "--force", *options, "--", *command, "-m", "x y")
            runs = [(n, words[len(command) + 2:]) for n, words in self.runs()[n_before:]]
            self.assertEqual(runs, expected, study)
            self.assertEqual(result.stdout, f"report of {len(expected)}\n")
        # of weak scaling each number of ranks has its own requests
        given = pathlib.Path(self.env["CALLS"] + ".requests").read_text().split("--\n")
        self.assertEqual([len(text.splitlines()) for text in given[-3:-1]], [4, 12])

    def test_the_report_has_figures_and_a_page_where_gnuplot_is(self):
        self.sweep("wire", "--repeat", 1, "--profile", "pi5", "--", "run")
        argv = self.calls("pillar")[-1]["argv"]
        self.assertEqual(argv[4:], ["--profile", "pi5", "--plots", "wire/figures", "--html", "wire/report.html", "--force"])
        (self.bin / "gnuplot").unlink()
        for name in ("awk", "bash", "basename", "cat", "cksum", "cut", "dirname", "env", "id", "mkdir", "mv", "nproc", "rm", "sed",
                     "setpriv", "sort"):
            (self.bin / name).symlink_to(shutil.which(name))
        result = self.sweep("wire", "--repeat", 1, "--", "run", env={"PATH": str(self.bin)})
        self.assertIn("no gnuplot", result.stderr)
        self.assertNotIn("--plots", self.calls("pillar")[-1]["argv"])

    def test_every_round_has_every_run_once_in_an_order_of_its_own(self):
        words = ("threads", "--values", "1 2 3 4", "--ranks", "1 2", "--repeat", 3, "--seed", 5, "--force", "--", "run")
        self.sweep(*words)
        rounds = [self.runs()[i:i + 8] for i in (0, 8, 16)]
        everything = sorted((n, ["run", "-t", t]) for n in (1, 2) for t in "1234")
        for one in rounds:
            self.assertEqual(sorted(one), everything)
        self.assertNotEqual(rounds[0], rounds[1])
        self.sweep(*words)  # the same seed, the same order
        self.assertEqual(self.runs()[24:], sum(rounds, []))

    def test_what_cannot_be_meant_is_refused_in_a_sentence(self):
        requests = self.folder / "requests"
        requests.write_text("one\ntwo\n")
        for words, code in ((["none", "--", "run"], 64), ([], 64), (["wire"], 64), (["wire", "--", "plan"], 64),
                            (["weak", "--", "run"], 64), (["message-size", "--", "run"], 64),
                            (["wire", "--", "run", "--wire=q8"], 64), (["threads", "--", "bench", "-t4"], 64),
                            (["wire", "--", "run", "--trace", "x.h5"], 64), (["batch", "--", "batch", "-o", "x"], 64),
                            (["wire", "-n", "2", "--", "run"], 64), (["wire", "--ranks", "0", "--", "run"], 64),
                            (["wire", "--repeat", "two", "--", "run"], 64), (["threads", "--values", "x", "--", "run"], 64),
                            (["wire", "--order", "alphabet", "--", "run"], 64), (["wire", "--seed", "-1", "--", "run"], 64),
                            (["wire", "--cool", "hot", "--", "run"], 64), (["wire", "--share", "2/2", "--", "run"], 64),
                            (["weak", "--", "batch"], 64), (["weak", "--", "batch", "-i", "nowhere"], 66),
                            (["weak", "--", "batch", "-i", requests], 65), (["strong", "--values", "1", "--", "run"], 64)):
            result = self.sweep(*words, code=code)
            self.assertEqual(len(result.stderr.splitlines()), 1, (words, result.stderr))
        self.assertEqual(self.runs(), [])


class GoingOn(Sweep):
    def test_a_finished_run_is_not_made_again(self):
        words = ("wire", "--repeat", 1, "--", "run", "-p", "two words")
        self.sweep(*words)
        self.assertEqual(self.traces("wire"), ["ranks2-wire-f16-run1.h5", "ranks2-wire-f32-run1.h5", "ranks2-wire-q8-run1.h5"])
        self.sweep(*words)
        self.assertEqual(len(self.runs()), 3)
        (self.folder / "wire/ranks2-wire-f16-run1.h5").unlink()
        self.sweep("wire", "--repeat", 2, "--", "run", "-p", "two words")
        self.assertEqual(len(self.runs()), 3 + 1 + 3)
        self.assertIn("--force", self.sweep("wire", "--", "run", "-p", "other", code=73).stderr)
        self.assertEqual(len(self.runs()), 7)

    def test_a_signal_stops_it_and_the_same_command_goes_on(self):
        words = ["wire", "--repeat", "1", "--order", "given", "--", "run"]
        process = subprocess.Popen([self.root / "jobs/sweep.sh", *words], cwd=self.folder, env={**self.env, "SLOW": "f16"},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not pathlib.Path(self.env["CALLS"] + ".ready").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 75)
        self.assertEqual(self.traces("wire"), ["ranks2-wire-f32-run1.h5"])
        n_before = len(self.runs())
        self.assertEqual(self.sweep(*words).stdout, "report of 3\n")
        self.assertEqual([words for _, words in self.runs()[n_before:]], [["run", "--wire", v] for v in ("f16", "q8")])

    def test_a_failed_run_ends_it_with_its_code(self):
        self.stand_in("pillar", "sys.exit(65)", folder=self.root / "build/release")
        self.sweep("wire", "--", "run", code=65)
        self.assertEqual((len(self.runs()), self.traces("wire")), (1, []))


class Heat(Sweep):
    def pauses(self):
        return [call["argv"][0] for call in self.calls("sleep")]

    def test_no_run_begins_on_a_throttled_board(self):
        result = self.sweep("strong", "--ranks", 1, "--repeat", 1, "--", "run", env={"BITS": "0xe0008 0x40000 0x40000"})
        self.assertRegex(result.stderr, r"^sweep: a pause: this board is throttled \(bits 0xe0008\)\n")
        self.assertEqual(self.pauses(), [])  # cold at the second look
        self.sweep("strong", "--force", "--ranks", 1, "--repeat", 1, "--", "run", env={"BITS": "0x0 " * 99})
        pathlib.Path(self.env["CALLS"]).unlink()
        self.sweep("strong", "--force", "--ranks", 1, "--repeat", 1, "--", "run", env={"BITS": "0x4 0x4 0x2 0x0"})
        self.assertEqual(self.pauses(), ["5", "5"])

    def test_nor_on_a_hot_machine_but_not_for_ever(self):
        zone = self.folder / "thermal_zone0"
        zone.mkdir()
        (zone / "temp").write_text("80000\n")
        self.stand_in("sleep", f"open('{zone}/temp', 'w').write('64000')")
        result = self.sweep("strong", "--ranks", 1, "--repeat", 1, "--", "run")
        self.assertIn("sweep: a pause: this machine is at 80 degrees\n", result.stderr)
        self.assertEqual(self.pauses(), ["5"])
        (zone / "temp").write_text("80000\n")
        self.stand_in("sleep", "")
        self.rewrite("cool_most=600", "cool_most=1")
        self.rewrite("cool_step=5 ", "cool_step=0.3 ")
        result = self.sweep("strong", "--force", "--ranks", 1, "--repeat", 2, "--", "run")
        self.assertEqual(result.stderr.count("going on without pauses"), 1)
        self.sweep("strong", "--force", "--ranks", 1, "--cool", 0, "--", "run")
        self.assertEqual(len(self.runs()), 1 + 2 + 3)

    def test_what_a_trace_tells_of_other_boards(self):
        telemetry = "sample,rank,t_s,throttled\n0,0,0,0\n1,1,0,4\n2,1,1,0\n3,2,1,1\n"
        result = self.sweep("wire", "--repeat", 1, "--", "run", env={"TELEMETRY": telemetry})
        self.assertEqual(result.stderr.count("a pause: boards were throttled in the last run, of ranks 1\n"), 2)
        self.assertEqual(self.pauses(), ["60", "60"])

    def test_a_weak_supply_is_told_once_and_no_reason_to_wait(self):
        result = self.sweep("wire", "--repeat", 1, "--", "run", env={"BITS": "0x50001"})
        self.assertEqual((result.stderr.count("supply of this board is weak"), self.pauses()), (1, []))


class Slurm(Sweep):
    def setUp(self):
        super().setUp()
        self.stand_in("scontrol")
        self.env.update(SLURM_JOB_ID="42", SLURM_JOB_NUM_NODES="4", SLURM_NTASKS="4", SLURM_CPUS_ON_NODE="4",
                        SLURM_CPUS_PER_TASK="4", SLURM_SUBMIT_DIR=str(self.root), SLURM_JOB_NODELIST="node[1-4]")
        (self.folder / "copy.sh").write_bytes((self.root / "jobs/slurm_sweep.sh").read_bytes())

    def submit(self, *words, **env):
        result = subprocess.run(["bash", self.folder / "copy.sh", *words], env={**self.env, **env}, cwd=self.folder,
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def names(self, folder):
        return sorted(path.name for path in (self.root / folder).glob("*.h5"))

    def test_one_job_makes_all_runs(self):
        self.assertIn("report of 3", self.submit("strong", "--repeat", "1", "--", "run"))
        self.assertEqual(self.names("strong-42"), [f"ranks{n}-run1.h5" for n in (1, 2, 4)])
        self.submit("wire", "--repeat", "1", "--", "run")
        self.assertEqual({n for n, _ in self.runs()[3:]}, {4})
        self.submit("wire", "--ranks", "2", "--out", "mine", "--repeat", "1", "--", "run")
        self.assertEqual(self.names("mine"), [f"ranks2-wire-{v}-run1.h5" for v in ("f16", "f32", "q8")])

    def test_tasks_of_an_array_share_the_runs_and_the_last_reports(self):
        array = {"SLURM_ARRAY_JOB_ID": "40", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MIN": "2",
                 "SLURM_ARRAY_TASK_STEP": "2"}
        for task, n_there in (("2", 3), ("6", 6)):
            said = self.submit("strong", "--", "run", SLURM_ARRAY_TASK_ID=task, **array)
            self.assertNotIn("report", said)
            self.assertEqual(len(self.names("strong-40")), n_there)
        self.assertIn("report of 9", self.submit("strong", "--", "run", SLURM_ARRAY_TASK_ID="4", **array))
        self.assertEqual(sorted(n for n, _ in self.runs()), [1] * 3 + [2] * 3 + [4] * 3)


if __name__ == "__main__":
    main()
