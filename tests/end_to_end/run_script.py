"""Run one unittest module (or Class, or method) of a folder beside this file; leave with 77 when all of it was skipped.

    run_script.py FOLDER/MODULE[.Class[.method]]
"""

import pathlib
import sys
import unittest

here = pathlib.Path(__file__).resolve().parent
folder, target = sys.argv[1].split("/")
sys.path[:0] = [str(here / folder), str(here), str(here.parent / "support" / "python")]
sys.dont_write_bytecode = True
try:
    import h5py  # noqa: F401
    import numpy  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}; install python3-numpy and python3-h5py")
    sys.exit(77)

result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(
    unittest.defaultTestLoader.loadTestsFromName(target))
if not result.wasSuccessful():
    sys.exit(1)
none_ran = bool(result.skipped) and len(result.skipped) >= result.testsRun  # a class that is skipped counts no tests
if result.testsRun == 0 and not none_ran:
    sys.exit("no test was found")
if none_ran:
    print(f"skipped: {result.skipped[0][1]}")  # last: what jobs/lib/count_tests.py shows
    sys.exit(77)
