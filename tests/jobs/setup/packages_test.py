"""packages.sh with stand-ins for apt, and what every script says of itself."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import ALL_INSTALLED, Clone, main  # noqa: E402


class Packages(Clone):
    def setUp(self):
        super().setUp()
        self.stand_in("apt-get")
        self.stand_in("dpkg-query", ALL_INSTALLED)

    def test_nothing_is_said_or_done_when_all_is_there(self):
        result = self.run_job("lib/packages.sh", "build", "test", "all", "run", "pip")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertEqual(self.calls("apt-get"), [])

    def test_only_what_is_missing_is_installed_and_nothing_is_asked(self):
        self.stand_in("dpkg-query", """
            for package in sys.argv[3:]:
                print("config-files" if package == "cmake" else "installed", package)
            """)
        result = self.run_job("lib/packages.sh", "build")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, "packages: installing 1 package (this may take some minutes): cmake\n")
        update, install = self.calls("apt-get")
        self.assertIn("update", update["argv"])
        self.assertEqual(install["argv"][-1], "cmake")
        self.assertIn("--yes", install["argv"])
        self.assertEqual(install["env"]["DEBIAN_FRONTEND"], "noninteractive")

    def test_without_root_sudo_does_it(self):
        self.stand_in("dpkg-query", "")
        self.stand_in("id", "print(1000)")
        self.stand_in("sudo", "os.execvp(sys.argv[1], sys.argv[1:])")
        self.assertEqual(self.run_job("lib/packages.sh", "pip").returncode, 0)
        self.assertEqual([call["argv"][-1] for call in self.calls("apt-get")], ["update", "python3-pip"])
        self.assertEqual(len(self.calls("sudo")), 2)

    def test_a_long_installation_tells_how_far_it_is(self):
        self.tell_every(0)
        self.stand_in("dpkg-query", "")
        self.stand_in("apt-get", """
            if "install" in sys.argv:
                assert "APT::Status-Fd=1" in sys.argv
                print("Unpacking python3-pip ...")
                print("dlstatus:1:33.3333:Retrieving file 1 of 3 (12s remaining)")
                print("pmstatus:python3-pip:all:62.5000:Unpacking python3-pip (all)")
            """)
        result = self.run_job("lib/packages.sh", "pip")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.splitlines()[1:], ["packages: downloaded 33 %", "packages: installed 62 %"])

    def test_what_is_missing_is_listed_and_not_installed(self):
        self.stand_in("dpkg-query", "print('installed cmake')")
        result = self.run_job("lib/packages.sh", "--missing", "build")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("ninja-build", result.stdout.splitlines())
        self.assertNotIn("cmake", result.stdout.splitlines())
        self.assertEqual(self.calls("apt-get"), [])

    def test_a_failed_installation_is_told(self):
        self.stand_in("dpkg-query", "")
        self.stand_in("apt-get", "sys.exit(100)")
        result = self.run_job("lib/packages.sh", "pip")
        self.assertEqual(result.returncode, 74)
        self.assertIn("could not install python3-pip", result.stderr)

    def test_an_unknown_group_is_refused(self):
        self.assertEqual(self.run_job("lib/packages.sh", "everything").returncode, 64)


class Help(Clone):
    def test_every_script_that_is_started_explains_itself_and_does_nothing(self):
        for program in ("apt-get", "cmake", "ctest", "mpirun", "ssh", "ethtool"):
            self.stand_in(program)
        scripts = [path for path in sorted((self.root / "jobs").glob("*.sh")) if os.access(path, os.X_OK)]
        self.assertGreater(len(scripts), 10)
        for script in scripts:
            for flag in ("--help", "-h"):
                result = self.run_job(script.name, flag, cwd=self.root)
                self.assertEqual((result.returncode, result.stderr), (0, ""), script.name)
                self.assertGreaterEqual(len(result.stdout.splitlines()), 2, script.name)
                self.assertNotRegex(result.stdout, "(?m)^(#|set )")
        self.assertEqual(self.calls(), [])


if __name__ == "__main__":
    main()
