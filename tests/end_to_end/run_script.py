"""Run one unittest module (or Class, or method) of this folder; leave with 77 when everything in it was skipped."""

import pathlib
import sys
import unittest

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent / "support")]
sys.dont_write_bytecode = True
try:
    import h5py  # noqa: F401
    import numpy  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}; install python3-numpy and python3-h5py")
    sys.exit(77)

result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(
    unittest.defaultTestLoader.loadTestsFromName(sys.argv[1]))
if not result.wasSuccessful():
    sys.exit(1)
none_ran = bool(result.skipped) and len(result.skipped) >= result.testsRun  # a class that is skipped counts no tests
if result.testsRun == 0 and not none_ran:
    sys.exit("no test was found")
if none_ran:
    print(f"skipped: {result.skipped[0][1]}")  # last: what jobs/lib/count_tests.py shows
    sys.exit(77)
