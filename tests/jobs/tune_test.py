"""tune_node.sh on a planted machine: what it sets, what it says, and that it can be taken back."""

import re
import unittest

from support import Clone, main

# An ethtool whose driver's state is a file of "name value" lines; it refuses what is not there.
ETHTOOL = """
    import pathlib
    path = pathlib.Path(os.environ["DRIVER"])
    driver = dict(line.split() for line in path.read_text().splitlines())
    verb, _, *words = sys.argv[1:]
    if verb == "--show-eee":
        if "eee" not in driver:
            sys.exit(1)
        print("EEE settings for eth0:")
        print("\\tEEE status: " + ("enabled - active" if driver["eee"] == "on" else "disabled"))
    elif verb == "-c":
        print("Coalesce parameters for eth0:")
        print("Adaptive RX: " + driver.get("adaptive-rx", "n/a") + "  TX: n/a")
        for name in ("rx-usecs", "rx-frames", "tx-usecs", "tx-frames"):
            print(name + ":\\t" + driver.get(name, "n/a"))
    else:
        for name, value in zip(words[::2], words[1::2]):
            if name not in driver or os.environ.get("REFUSES") == name:
                sys.exit(1)
            driver[name] = value
        path.write_text("".join(f"{name} {value}\\n" for name, value in driver.items()))
    """


class Tune(Clone):
    def setUp(self):
        super().setUp()
        self.machine = self.folder / "machine"
        for cpu in range(2):
            self.plant(f"sys/devices/system/cpu/cpufreq/policy{cpu}/scaling_governor", "ondemand")
        self.plant("sys/devices/system/cpu/online", "0-3")
        self.plant("sys/class/net/eth0/operstate", "up")
        self.plant("sys/class/net/eth0/device/uevent", "")
        self.plant("sys/class/net/wlan0/operstate", "up")
        self.plant("sys/class/net/wlan0/device/uevent", "")
        self.plant("sys/class/net/wlan0/phy80211/name", "phy0")
        self.plant("sys/class/net/lo/operstate", "unknown")
        self.plant("proc/interrupts", "           CPU0  CPU1\n"
                   " 31:   12  0   GICv2 189 Level     eth0\n"
                   " 32:    7  0   GICv2 190 Level     eth0\n"
                   " 40:    7  0   GICv2 200 Level     eth01\n"
                   "IPI0:   3  4   Rescheduling interrupts")
        for number in (31, 32, 40):
            self.plant(f"proc/irq/{number}/smp_affinity_list", "0-3")
        self.driver = self.folder / "driver"
        self.driver.write_text("eee on\nrx-usecs 57\nrx-frames 1\ntx-frames 10\n")
        self.env.update(PILLAR_TUNE_ROOT=str(self.machine), DRIVER=str(self.driver))
        self.stand_in("ethtool", ETHTOOL)

    def plant(self, path, text):
        file = self.machine / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")

    def state(self):
        """All that the script may set."""
        files = [*self.machine.glob("sys/devices/system/cpu/cpufreq/*/*"), *self.machine.glob("proc/irq/*/*")]
        return {**{str(file.relative_to(self.machine)): file.read_text().strip() for file in files},
                **dict(line.split() for line in self.driver.read_text().splitlines())}

    def tune(self, *arguments, code=0, **env):
        result = self.run_job("tune_node.sh", *arguments, env=env)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def test_all_is_set_said_and_taken_back(self):
        before = self.state()
        said = self.tune()
        after = self.state()
        self.assertEqual(after["sys/devices/system/cpu/cpufreq/policy1/scaling_governor"], "performance")
        self.assertEqual((after["eee"], after["rx-usecs"], after["rx-frames"], after["tx-frames"]), ("off", "0", "1", "1"))
        self.assertEqual(after["proc/irq/31/smp_affinity_list"], "3")
        self.assertEqual(after["proc/irq/32/smp_affinity_list"], "3")
        self.assertEqual(after["proc/irq/40/smp_affinity_list"], "0-3")
        for line in ("policy0: performance (was ondemand)", "eth0: off (was on)", "rx-usecs: 0 (was 57)",
                     "rx-frames: 1 already", "adaptive-rx: not a setting of this driver",
                     "eth0, number 31: 3 (was 0-3)"):
            self.assertIn(line, said)
        self.tune("--undo")
        self.assertEqual(self.state(), before)
        self.assertIn("nothing to restore", self.tune("--undo"))

    def test_what_an_earlier_start_had_is_not_restored(self):
        self.plant("proc/sys/kernel/random/boot_id", "first")
        self.tune()
        self.assertIn("ondemand again", self.tune("--undo", "--dry-run").replace("would become ", ""))
        self.plant("proc/sys/kernel/random/boot_id", "second")
        for cpu in range(2):
            self.plant(f"sys/devices/system/cpu/cpufreq/policy{cpu}/scaling_governor", "schedutil")
        self.assertIn("has been started since", self.tune("--undo"))
        self.tune()
        self.tune("--undo")
        self.assertEqual(self.state()["sys/devices/system/cpu/cpufreq/policy0/scaling_governor"], "schedutil")
        self.tune()
        self.plant("proc/sys/kernel/random/boot_id", "third")
        self.plant("sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "powersave")
        self.tune()
        self.tune("--undo")
        self.assertEqual(self.state()["sys/devices/system/cpu/cpufreq/policy0/scaling_governor"], "powersave")

    def test_a_second_time_changes_nothing_and_undo_still_finds_the_first_state(self):
        before = self.state()
        self.tune()
        said = self.tune()
        self.assertNotIn("(was", said)
        self.assertIn("performance already", said)
        self.plant("sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "powersave")  # somebody else's
        self.tune()
        self.tune("--undo")
        self.assertEqual(self.state(), before)

    def test_a_dry_run_says_it_and_does_nothing(self):
        before = self.state()
        said = self.tune("--dry-run")
        self.assertEqual(self.state(), before)
        self.assertIn("policy0: would become performance (is ondemand)", said)
        self.assertIn("eth0: would be turned off", said)
        self.assertFalse((self.machine / "var").exists())
        self.tune()
        tuned = self.state()
        self.assertIn("would become 57 again", self.tune("--undo", "--dry-run"))
        self.assertEqual(self.state(), tuned)

    def test_without_ethtool_the_rest_is_done_and_it_is_said(self):
        (self.bin / "ethtool").unlink()
        for program in ("bash", "sed", "awk", "cat", "grep", "mkdir", "touch", "dirname", "basename", "rm", "tac"):
            (self.bin / program).symlink_to(f"/usr/bin/{program}")
        said = self.tune(code=77, PATH=str(self.bin))
        self.assertIn("no ethtool here", said)
        self.assertEqual(self.state()["sys/devices/system/cpu/cpufreq/policy0/scaling_governor"], "performance")
        self.assertEqual(self.state()["eee"], "on")

    def test_a_pc_without_these_things_is_told_so_and_is_no_failure(self):
        for folder in self.machine.glob("sys/devices/system/cpu/cpufreq/*"):
            (folder / "scaling_governor").unlink()
        self.driver.write_text("tx-frames 1\n")
        self.plant("proc/interrupts", "  1: 2 3 IO-APIC  i8042")
        said = self.tune()
        for line in ("no cpufreq", "eth0 has none", "rx-usecs: not a setting", "none are told of eth0"):
            self.assertIn(line, said)

    def test_what_the_driver_refuses_is_named(self):
        self.assertIn("rx-usecs: cannot be set to 0", self.tune(code=77, REFUSES="rx-usecs"))
        self.assertEqual(self.state()["tx-frames"], "1")
        said = self.tune("--undo", code=77, REFUSES="tx-frames")
        self.assertIn("eth0 tx-frames: cannot be set to 10 again", said)
        self.tune("--undo")
        self.assertEqual(self.state()["tx-frames"], "10")

    def test_the_interface_must_be_clear(self):
        self.plant("sys/class/net/eth1/operstate", "up")
        self.plant("sys/class/net/eth1/device/uevent", "")
        self.assertIn("eth0 eth1", self.tune(code=64))
        self.assertIn("eth0: off (was on)", self.tune("--interface", "eth0"))
        self.assertIn("no interface eth7", self.tune("--interface", "eth7", code=66))
        self.assertIn("no such option", self.tune("--all", code=64))

    def test_help_lists_what_is_set(self):
        said = self.tune("--help")
        for word in ("governor", "EEE", "coalescing", "interrupts"):
            self.assertTrue(re.search(f"^{word}", said, re.M), word)


if __name__ == "__main__":
    unittest.TestCase.maxDiff = None
    main()
