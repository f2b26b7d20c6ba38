"""The scripts behind jobs/develop/a72_cycles.sh, on loops whose cycles are known and on tables that exceed a limit."""

import contextlib
import io
import pathlib
import shutil
import sys
import tempfile
import unittest
from unittest import mock

import support

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "jobs" / "lib"))
import cycle_table  # noqa: E402
import loop_cycles  # noqa: E402

PRODUCT = "\tsmull\tv{0}.8h, v30.8b, v31.8b"
SIXTEEN = [PRODUCT.format(i) for i in range(16)]  # a block of 32 of 4 rows and a column
CHOSEN = [f"\tsad{kind}p\tv{i}.8h, v{i}.16b" for i in range(4) for kind in ("dl", "al")]  # the same of Q1_0


def loop(label, body):
    return [f"{label}:", *body, "\tsubs\tx0, x0, #1", f"\tb.ne\t{label}"]


class Loops(unittest.TestCase):
    def test_the_smallest_loop_comes_first_and_branches_forward_are_none(self):
        lines = [".L1:", "\tcbz\tx0, .L3", *loop(".L2", SIXTEEN), "\tb.ne\t.L1", ".L3:", "\tret"]
        self.assertEqual([(lines[a], lines[b]) for a, b in loop_cycles.loops(lines)],
                         [(".L2:", "\tb.ne\t.L2"), (".L1:", "\tb.ne\t.L1")])

    def test_a_loop_over_blocks_is_simulated_as_it_stands(self):
        text, n_blocks = loop_cycles.simulated("f", loop(".L1", SIXTEEN), 1)
        self.assertEqual((len(text), n_blocks), (18, 1))

    def test_columns_and_blocks_a_step_are_told_by_the_products(self):
        self.assertEqual(loop_cycles.simulated("f", loop(".L1", 4 * SIXTEEN), 4)[1], 1)
        self.assertEqual(loop_cycles.simulated("f", loop(".L1", 2 * SIXTEEN), 1)[1], 2)

    def test_a_super_block_has_eight_blocks_and_what_is_around_them(self):
        lines = loop(".L1", ["\tfmov\ts0, s1", *loop(".L2", 2 * SIXTEEN), "\tfmov\ts2, s3"])
        text, n_blocks = loop_cycles.simulated("f", lines, 1)
        self.assertEqual(n_blocks, 8)
        self.assertEqual(sum("smull" in line for line in text), 8 * 16)
        self.assertEqual(sum("fmov" in line for line in text), 2)

    def test_chosen_bytes_are_told_by_their_sums_and_the_file_says_how_many_blocks_it_has(self):
        lines = loop(".L1", ["\tfmov\ts0, s1", *loop(".L2", 4 * CHOSEN), "\tfmov\ts2, s3"])
        text, n_blocks = loop_cycles.simulated("f", lines, 2, 4)
        self.assertEqual(n_blocks, 4)
        self.assertEqual(sum("8h" in line for line in text), 4 * 2 * 8)
        self.assertEqual(sum("fmov" in line for line in text), 2)

    def test_what_cannot_be_measured_is_refused(self):
        for lines in (SIXTEEN, loop(".L1", SIXTEEN[:9]), loop(".L1", [*SIXTEEN, "\tbl\tdot"])):
            with self.assertRaises(SystemExit):
                loop_cycles.simulated("f", lines, 1)

    @unittest.skipUnless(shutil.which("llvm-mca-14"), "needs llvm-mca-14 (Debian 12's package llvm-14)")
    def test_sixteen_products_take_sixteen_cycles(self):
        self.assertEqual(loop_cycles.cycles("llvm-mca-14", "cortex-a72", SIXTEEN), 16)


class Table(unittest.TestCase):
    def table(self, changes):
        cycles = {(name, c): 3.5 for name in cycle_table.FORMATS for c in range(1, 5)} | changes
        with tempfile.NamedTemporaryFile("w") as file, contextlib.redirect_stdout(io.StringIO()) as printed:
            file.write("".join(f"{name} {c} {value}\n" for (name, c), value in cycles.items() if value))
            file.flush()
            with mock.patch.object(sys, "argv", ["cycle_table.py", file.name, file.name]):
                return cycle_table.main(), printed.getvalue().strip().split("\n")[-1]

    def test_limits_that_hold(self):
        code, summary = self.table({})
        self.assertEqual(code, 0)
        self.assertTrue(summary.startswith("20 of 20 limits hold: Q4_0 3.50 / 3.50"), summary)

    def test_a_loop_that_is_too_slow_fails_and_is_named(self):
        code, summary = self.table({("Q4_K", 4): 5.4, ("Q2_K", 1): 20.0})  # Q2_K has no limit
        self.assertEqual(code, 1)
        self.assertTrue(summary.startswith("19 of 20 limits hold"), summary)
        self.assertIn("Too slow: Q4_K with 4 takes 5.40, not 5.3", summary)

    def test_a_loop_that_was_not_found_is_no_success(self):
        with self.assertRaisesRegex(SystemExit, "missing: Q6_K with 2"):
            self.table({("Q6_K", 2): None})


if __name__ == "__main__":
    support.main()
