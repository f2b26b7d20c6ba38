"""jobs/launch.sh with a stand-in for mpirun: the command line, the environment, the signals and the exit codes."""

import os
import pathlib
import pty
import signal
import subprocess
import time
import unittest

from support import Clone, main

# An mpirun that runs until it is told to stop, and tells how.
PATIENT = """
    def leave(code):
        return lambda *_: (os.write(2, b"code %d" % code), os._exit(code))
    signal.signal(signal.SIGUSR1, leave(75))
    signal.signal(signal.SIGTERM, leave(1))
    open(os.environ["CALLS"] + ".ready", "w").close()
    time.sleep(30)
    """
# One whose ranks hang: it hears SIGUSR1 and goes on.
HANGING = PATIENT.replace("signal.SIGUSR1, leave(75)", "signal.SIGUSR1, lambda *_: None")




def parents():
    """{process id: its parent's} of all processes that have not ended."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else ["Z"]
        except OSError:
            continue
        if fields[0] != "Z":
            found[int(entry.name)] = int(fields[1])
    return found


def command_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def name_of(pid):
    return command_of(pid).decode(errors="replace")


class Launch(Clone):
    def setUp(self):
        super().setUp()
        self.stand_in("pillar", folder=self.root / "build/release")
        self.stand_in("mpirun", "sys.exit(int(os.environ.get('CODE', 0)))")

    def command(self, *arguments, **options):
        """The arguments that mpirun is given."""
        result = self.run_job("launch.sh", *arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.calls("mpirun")[-1]["argv"]

    def start(self, body, **options):
        self.stand_in("mpirun", body)
        options.setdefault("stderr", subprocess.DEVNULL)
        process = subprocess.Popen([self.root / "jobs/launch.sh", "-n", "2", "--", "run"], env=self.env, **options)
        ready = self.env["CALLS"] + ".ready"
        deadline = time.monotonic() + 20
        while not os.path.exists(ready) and time.monotonic() < deadline:
            time.sleep(0.02)
        return process


class CommandLine(Launch):
    def test_arguments_reach_the_program_as_they_are(self):
        words = ["run", "-p", "two words", "", "it's \"quoted\" $HOME *", "--", "-n"]
        argv = self.command("-n", 2, "--", *words)
        self.assertEqual(argv[:2], ["-n", "2"])
        self.assertEqual(argv[argv.index(str(self.root / "build/release/pillar")) + 1:], words)

    def test_one_machine_is_shared_without_binding(self):
        argv = " ".join(self.command("-n", 5, "--", "run"))
        self.assertIn("--oversubscribe --bind-to none", argv)
        self.assertNotIn("--map-by", argv)

    def test_localhost_in_a_hostfile_is_one_machine(self):
        argv = " ".join(self.command("-n", 3, "--hostfile", self.root / "hostfiles/localhost", "--", "run"))
        self.assertIn("--oversubscribe --bind-to none", argv)

    def test_ranks_are_spread_over_the_nodes_of_a_hostfile_and_bound_to_their_part(self):
        for n_nodes, n_ranks, expected in [(2, 1, "ppr:1:node:pe=4"), (2, 2, "ppr:1:node:pe=4"),
                                           (4, 3, "ppr:1:node:pe=4"), (4, 8, "ppr:2:node:pe=2"),
                                           (4, 5, "ppr:2:node:pe=2"), (8, 32, "ppr:4:node:pe=1")]:
            argv = self.command("-n", n_ranks, "--hostfile", self.root / f"hostfiles/pi4x{n_nodes}", "--", "run")
            self.assertEqual(argv[argv.index("--map-by") + 1], expected)
            self.assertEqual(argv[argv.index("--bind-to") + 1], "core")
            self.assertIn("OMP_PROC_BIND", argv)

    def test_more_ranks_than_slots_are_allowed_and_told_not_to_spin(self):
        argv = " ".join(self.command("-n", 9, "--hostfile", self.root / "hostfiles/pi4x2", "--", "run"))
        self.assertIn("--map-by node --oversubscribe --bind-to none", argv)
        self.assertEqual(self.calls("mpirun")[-1]["env"]["OMP_WAIT_POLICY"], "passive")

    def test_hostfiles_with_comments_odd_spaces_and_missing_slots(self):
        hostfile = self.folder / "host file"
        hostfile.write_text("# all\n\n  a   slots = 4 # first\n// a remark\nme@b\tmax_slots=4 slots=02\n\r\nc username=x slots=3")
        argv = self.command("-n", 2, "--hostfile", hostfile, "--", "run")
        self.assertEqual(argv[argv.index("--map-by") + 1], "ppr:1:node:pe=2")
        self.assertEqual(argv[argv.index("--hostfile") + 1], str(hostfile))
        hostfile.write_text("a slots=2\na\nb slots=4\n")  # a further line is one more slot
        argv = self.command("-n", 2, f"--hostfile={hostfile}", "--", "run")
        self.assertEqual(argv[argv.index("--map-by") + 1], "ppr:1:node:pe=3")
        hostfile.write_text("a\nb slots=4\n")
        self.assertIn("--map-by node", " ".join(self.command("-n", 2, "--hostfile", hostfile, "--", "run")))

    def test_hostfiles_that_mpirun_cannot_read_are_refused_with_their_line(self):
        hostfile = self.folder / "hosts"
        for text, n_line, named in [
                ("a slots=4\r\nb slots=4\r\n", 1, "carriage return"), ("a slots=4\nb slots=4\r\n", 2, "carriage return"),
                ("\ufeffa slots=4\n", 1, "byte-order mark"), ("a:4\n", 1, "a slots=4"), ("# x\n\na : 4\n", 3, "':'"),
                ("a\nfe80::1 slots=4", 2, "IPv6"), ("a slots=4\nA slots=4\n", 2, "already"), ("a slots=four", 1, "four"),
                ("a slots=0", 1, "'0'"), ("a slots=-1", 1, "-1"), ("a slots=", 1, "slots"), ("a slots", 1, "slots"),
                ("a slots=99999999999", 1, "99999999999"), ("a slots=2 slots=2", 1, "twice"), ("a cores=2", 1, "cores"),
                ("a SLOTS=2", 1, "SLOTS"), ("a slots=2,max_slots=4", 1, "2,max_slots"), ("a, b\n", 1, "a,"), ("a b\n", 1, "'b'"),
                ("a slots=4 max_slots=2", 1, "less"), ("a\n^b\n", 2, "^b"), ("+n0", 1, "+n0"), ("-b", 1, "-b"),
                ("a slots=2 # the last line has no end", 1, "end"), ("a\nn\u00f6de slots=2", 2, "NODE"), ("a_b", 1, "_"),
                ("a slots=2;", 1, "2;"), ("\"a\" slots=2", 1, "NODE"), ("a@b@c", 1, "a@b@c")]:
            hostfile.write_text(text, newline="")
            result = self.run_job("launch.sh", "-n", 2, "--dry-run", "--hostfile", hostfile, "--", "run")
            self.assertEqual((result.returncode, len(result.stderr.splitlines())), (65, 1), (text, result.stderr))
            self.assertIn(f"launch: {hostfile}, line {n_line}: ", result.stderr)
            self.assertIn(named, result.stderr.partition(": ")[2])
        for text in ("", "\n", "# a\n"):
            hostfile.write_text(text)
            self.assertEqual(self.run_job("launch.sh", "-n", 2, "--hostfile", hostfile, "--", "run").returncode, 65)

    def test_the_number_of_ranks_in_every_spelling(self):
        for spelling in (["-n", "2"], ["-n2"], ["-np", "2"], ["-np2"], ["-n=2"], ["-np=2"], ["--np", "2"], ["--np=2"],
                         ["--n", "2"], ["--n=2"], ["-n", "3", "-n2"]):
            self.assertEqual(self.command(*spelling, "--", "run")[:2], ["-n", "2"], spelling)

    def test_own_mapping_replaces_ours(self):
        argv = self.command("-n", 2, "--map-by", "slot", "--tag-output", "--", "run")
        self.assertEqual(argv.count("--map-by"), 1)
        self.assertNotIn("--bind-to", argv)
        self.assertIn("--tag-output", argv)

    def test_dry_run_prints_the_line_and_starts_nothing(self):
        result = self.run_job("launch.sh", "-n", 2, "--dry-run", "--", "run", "-p", "a b")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, r"^\+ mpirun -n 2 .*/build/release/pillar run -p a\\ b\n$")
        self.assertEqual(self.calls(), [])

    def test_what_cannot_be_meant_is_refused_in_a_sentence(self):
        for arguments, code in [([], 64), (["-n", 2], 64), (["-n", 2, "--"], 64), (["-n", "x", "--", "run"], 64),
                                (["--", "run"], 64), (["-n", 0, "--", "run"], 64), (["-n", "--", "run"], 64),
                                (["-n2x", "--", "run"], 64), (["--np=", "--", "run"], 64), (["-n", "9" * 20, "--", "run"], 64),
                                (["-n", "010", "--", "run"], 64), (["-n", 2, "--hostfile", "--", "run"], 64),
                                (["-n", 2, "--hostfile", "nowhere", "--", "run"], 66)]:
            result = self.run_job("launch.sh", *arguments)
            self.assertEqual(result.returncode, code, arguments)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        (self.root / "build/release/pillar").unlink()
        self.assertEqual(self.run_job("launch.sh", "-n", 1, "--", "run").returncode, 66)


class Environment(Launch):
    def env_of(self, *arguments, **options):
        self.command(*arguments, **options)
        return self.calls("mpirun")[-1]["env"]

    def test_settings_for_open_mpi_come_from_the_file_unless_set(self):
        env = self.env_of("-n", 1, "--", "run", env={"OMPI_MCA_oob_tcp_keepalive_probes": "9"})
        self.assertEqual(env["OMPI_MCA_oob_tcp_keepalive_time"], "8")
        self.assertEqual(env["OMPI_MCA_oob_tcp_keepalive_intvl"], "2")
        self.assertEqual(env["OMPI_MCA_oob_tcp_keepalive_probes"], "9")
        self.assertNotIn("OMPI_MCA_btl_tcp_if_include", env)

    def test_open_mpi_5_has_names_of_its_own(self):
        env = self.env_of("-n", 1, "--", "run", env={"OPEN_MPI": "5.0.7", "PRTE_MCA_oob_tcp_keepalive_probes": "9"})
        self.assertEqual(env["PRTE_MCA_oob_tcp_keepalive_time"], "8")
        self.assertEqual(env["PRTE_MCA_oob_tcp_keepalive_probes"], "9")
        self.assertEqual(env["OMPI_MCA_pml"], "ob1")
        self.assertEqual(env["OMPI_MCA_btl_tcp_flags"], "send")
        self.assertEqual(env["PMIX_MCA_ptl_base_if_include"], "lo")
        self.assertEqual(env["OMPI_MCA_btl_tcp_disable_family"], "6")
        first, last = map(int, env["PRTE_MCA_oob_tcp_dynamic_ipv4_ports"].split("-"))
        self.assertTrue(21024 <= first and last <= 21087 and last - first == 3, (first, last))
        self.assertEqual([name for name in env if name.startswith("OMPI_MCA_oob")], [])

    def test_root_is_allowed_only_when_one_is_root(self):
        env = self.env_of("-n", 1, "--", "run")
        self.assertEqual("OMPI_ALLOW_RUN_AS_ROOT" in env, os.getuid() == 0)

    def test_the_ranks_learn_that_nobody_watches(self):
        self.assertEqual(self.env_of("-n", 1, "--", "run")["PILLAR_TTY"], "0")

    def test_a_full_disk_is_told_of(self):
        self.stand_in("mpirun", """
            with open(os.environ["PILLAR_TEXT_PIPE"], "w") as pipe:
                pipe.write("text")
            """)
        with open("/dev/full", "w") as full:
            result = subprocess.run([self.root / "jobs/launch.sh", "-n", "1", "--", "run"], env=self.env, stdout=full,
                                    stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(result.returncode, 74)
        self.assertRegex(result.stderr, r"^launch: standard output cannot be written: No space left on device\n$")

    def test_text_comes_through_a_pipe(self):
        self.stand_in("mpirun", """
            with open(os.environ["PILLAR_TEXT_PIPE"], "w") as pipe:
                pipe.write("half a line")
            """)
        for version in ("5.0.7", "4.1.4"):
            result = self.run_job("launch.sh", "-n", 1, "--", "run", env={"OPEN_MPI": version})
            self.assertEqual(result.stdout, "half a line")
        self.stand_in("mpirun", "print('rank 0 is elsewhere')")
        result = self.run_job("launch.sh", "-n", 1, "--", "run", env={"OPEN_MPI": "5.0.7"})
        self.assertEqual((result.returncode, result.stdout), (0, "rank 0 is elsewhere\n"))

    def test_open_mpi_5_that_ends_with_0_before_rank_0_has_lost_a_node(self):
        self.stand_in("mpirun", 'open(os.environ["PILLAR_TEXT_PIPE"] + ".open", "w").close()')
        result = self.run_job("launch.sh", "-n", 1, "--", "run", env={"OPEN_MPI": "5.0.7"})
        self.assertEqual(result.returncode, 69)
        self.assertIn("a node was lost", result.stderr)

    def test_standard_input_is_passed_on(self):
        self.stand_in("mpirun", "sys.stdout.write(sys.stdin.read())")
        self.assertEqual(self.run_job("launch.sh", "-n", 1, "--", "run", input="a prompt\n").stdout, "a prompt\n")


    def test_closed_descriptors_are_nobodys_files(self):
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            result = subprocess.run(["bash", "-c", f'"$0" -n 1 -- run {closed}', self.root / "jobs/launch.sh"], env=self.env,
                                    capture_output=True, text=True, timeout=60)
            self.assertEqual((result.returncode, result.stderr), (0, ""), closed)

    def test_variables_may_be_missing_or_empty(self):
        few = {name: self.env[name] for name in ("PATH", "CALLS")}
        empty = {name: "" for name in ("HOME", "TMPDIR", "PILLAR_LAUNCHER", "PILLAR_TTY", "PILLAR_BINARY", "SLURM_JOB_NUM_NODES",
                                       "SLURM_CPUS_ON_NODE", "OMP_PLACES", "OMP_PROC_BIND", "OMP_WAIT_POLICY",
                                       "HDF5_USE_FILE_LOCKING", "OMPI_MCA_btl", "OMPI_MCA_oob_tcp_dynamic_ipv4_ports")}
        for env in (few, few | empty):
            result = subprocess.run([self.root / "jobs/launch.sh", "-n", "1", "--", "run"], env=env, capture_output=True,
                                    text=True, timeout=60)
            self.assertEqual((result.returncode, result.stderr), (0, ""))


class Readers(Launch):
    """Who reads the text leaves before it has come to its end."""

    ENDLESS = """
        signal.signal(signal.SIGUSR1, lambda *_: (sys.stderr.write("asked\\n"), os._exit(75)))
        while True:
            os.write(1, b"text " * 100)
            os.write(2, b"log\\n")
            time.sleep(0.01)
        """

    def read_a_byte(self, pipe):
        self.stand_in("mpirun", self.ENDLESS)
        return subprocess.run(["bash", "-c", f'"$0" -n 2 -- run {pipe}; echo "${{PIPESTATUS[0]}}"', self.root / "jobs/launch.sh"],
                              env=self.env, capture_output=True, text=True, timeout=30)

    def test_the_ranks_are_asked_to_finish_and_nothing_is_said(self):
        result = self.read_a_byte("| head -c 1")
        self.assertEqual(result.stdout, "t0\n")
        self.assertEqual(set(result.stderr.splitlines()), {"log", "asked"})

    def test_also_with_standard_error_in_the_same_pipe(self):
        result = self.read_a_byte("2>&1 | head -c 1 >/dev/null")
        self.assertEqual((result.stdout, result.stderr), ("0\n", ""))

    def test_a_log_that_nobody_reads_ends_nothing(self):
        self.stand_in("mpirun", self.ENDLESS.replace("True", "time.time() < START + 1").replace("import", "")
                      .replace("while", "START = time.time()\n        while"))
        result = subprocess.run(["bash", "-c", '"$0" -n 2 -- run 2>&1 >text | head -c 1; echo "${PIPESTATUS[0]}"',
                                 self.root / "jobs/launch.sh"], env=self.env, cwd=self.folder, capture_output=True, text=True,
                                timeout=30)
        self.assertEqual(result.stdout, "l0\n")
        self.assertGreater((self.folder / "text").stat().st_size, 10000)

    def test_text_to_a_pipe_comes_whole_and_in_order(self):
        self.stand_in("mpirun", "for i in range(20000): os.write(i % 2 + 1, b'%d\\n' % i)")
        result = self.run_job("launch.sh", "-n", 1, "--", "run")
        self.assertEqual(result.stdout.split(), [str(i) for i in range(0, 20000, 2)])
        self.assertEqual(result.stderr.split(), [str(i) for i in range(1, 20000, 2)])
        result = subprocess.run(["bash", "-c", '"$0" -n 1 -- run 2>&1 | cat', self.root / "jobs/launch.sh"], env=self.env,
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.stdout.split(), [str(i) for i in range(20000)])


class ExitCodes(Launch):
    def test_codes_are_passed_on_or_mapped_with_a_sentence(self):
        for code, expected in [(0, 0), (64, 64), (65, 65), (66, 66), (69, 69), (70, 70), (75, 75), (77, 77), (78, 78),
                               (1, 69), (110, 75), (132, 66), (134, 70), (136, 70), (137, 69), (139, 70), (143, 75),
                               (205, 69), (79, 70)]:
            result = self.run_job("launch.sh", "-n", 1, "--", "run", env={"CODE": str(code)})
            self.assertEqual(result.returncode, expected, code)
            self.assertEqual(len(result.stderr.splitlines()), 0 if code == expected else 1, result.stderr)


class Signals(Launch):
    def test_the_launcher_has_a_session_of_its_own(self):
        self.command("-n", 1, "--", "run")
        self.assertNotEqual(self.calls("mpirun")[-1]["session"], os.getsid(0))

    def test_term_and_int_ask_the_ranks_to_finish(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            process = self.start(PATIENT)
            process.send_signal(number)
            self.assertEqual(process.wait(20), 75, number)
            os.unlink(self.env["CALLS"] + ".ready")

    def test_a_second_one_ends_them_at_once(self):
        process = self.start(HANGING)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 75)

    def test_control_c_on_a_terminal(self):
        ours, theirs = pty.openpty()
        process = self.start(PATIENT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                             preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0))
        self.assertEqual(self.calls("mpirun")[-1]["env"]["PILLAR_TTY"], "1")
        os.write(ours, b"\x03")
        self.assertEqual(process.wait(20), 75)
        os.close(ours)
        os.close(theirs)


    def test_a_killed_script_takes_its_launcher_along(self):
        process = self.start(PATIENT)
        launched = next(pid for pid, ppid in parents().items() if ppid == process.pid and "mpirun" in name_of(pid))
        process.kill()
        process.wait()
        deadline = time.monotonic() + 20
        while launched in parents() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertNotIn(launched, parents())

    def test_a_signal_before_anything_is_started_ends_with_75(self):
        asked = pathlib.Path(self.env["CALLS"] + ".version")
        self.bin.joinpath("mpirun").write_text(f"#!/bin/sh\ntouch '{asked}'\nsleep 0.3\n")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            process = subprocess.Popen([self.root / "jobs/launch.sh", "-n", "2", "--", "run"], env=self.env,
                                       stderr=subprocess.DEVNULL)
            while not asked.exists():
                time.sleep(0.01)
            process.send_signal(number)
            self.assertEqual(process.wait(20), 75)
            asked.unlink()


class Slurm(Launch):
    JOB = {"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "4", "SLURM_CPUS_ON_NODE": "4"}

    def test_srun_is_taken_where_it_has_pmix(self):
        self.stand_in("srun", "print('MPI plugin types are...\\n\\tpmix') if '--mpi=list' in sys.argv else None")
        self.assertEqual(self.run_job("launch.sh", "-n", 4, "--", "run", "x y", env=self.JOB).returncode, 0)
        argv = self.calls("srun")[-1]["argv"]
        for option in ("--mpi=pmix", "--nodes=4", "--ntasks=4", "--ntasks-per-node=1", "--cpus-per-task=4",
                       "--cpu-bind=cores", "--kill-on-bad-exit=1"):
            self.assertIn(option, argv)
        self.assertEqual(argv[-2:], ["run", "x y"])
        self.assertEqual(self.run_job("launch.sh", "-n", 2, "--", "run", env=self.JOB).returncode, 0)
        self.assertIn("--nodes=2", self.calls("srun")[-1]["argv"])

    def test_mpirun_is_taken_where_srun_lacks_it(self):
        self.stand_in("srun", "print('MPI plugin types are...\\n\\tnone')")
        argv = self.command("-n", 4, "--", "run", env=self.JOB)
        self.assertEqual(argv[argv.index("--map-by") + 1], "ppr:1:node:pe=4")


if __name__ == "__main__":
    main()
