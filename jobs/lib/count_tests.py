"""Counts the tests in ctest's JUnit files: python3 count_tests.py FILE.xml ...

Says why tests were skipped, one line a reason, and last `N passed, N failed, N skipped`. Exits with 1 when a test
failed, could not be run, or when there was none at all.
"""

import collections
import re
import sys
import xml.etree.ElementTree as ElementTree


def verdict(case):
    """passed, failed or skipped. A test whose program is missing has failed, whatever ctest calls it."""
    status = case.get("status")
    if status == "run":
        return "passed"
    skipped = case.find("skipped")
    if status == "disabled" or (skipped is not None and skipped.get("message", "").startswith("SKIP_")):
        return "skipped"
    return "failed"


def reason(case):
    """The sentence a skipped test leaves: GoogleTest's line after `Skipped`, else the last line of its output."""
    output = case.findtext("system-out") or ""
    after = re.search(r": Skipped\n(.+)", output)
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return after.group(1).strip() if after else lines[-1] if lines else "no reason given"


def main(paths):
    counts = collections.Counter()
    failures, reasons = [], collections.Counter()
    for path in paths:
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            kind = verdict(case)
            counts[kind] += 1
            if kind == "failed":
                failures.append(case.get("name"))
            elif kind == "skipped":
                reasons[reason(case)] += 1
    for text, n in sorted(reasons.items()):
        print(f"skipped {n}: {text}")
    for name in failures:
        print(f"failed: {name}")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 0 if counts["failed"] == 0 and counts["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
