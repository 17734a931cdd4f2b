"""Show how much of each module the tests have run, and fail if it is too little of one.

    python tools/check_coverage.py coverage.json [--only MODULE ...] [--but MODULE ...] [-- PART ...]

PART is what pytest was asked to run: where it was part of the tests, nothing is too little. The file is what
`coverage json` writes; a share counts lines and branches together, as `coverage report` does.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

FLOOR = 90.0
"""Percent, of each module."""


def shares(report: dict[str, Any]) -> dict[str, tuple[float, str]]:
    """Return for each module of the package its share in percent, and the lines that were not run.

    Args:
        report: What `coverage json` writes.
    """
    found = {}
    for name, facts in sorted(report["files"].items()):
        # Modules are named from the folder of embedhub, those of the other packages with their package.
        module = re.split(r"(?:^|/)(?:embedhub/|(?=embedhub_))", name.replace("\\", "/"))[-1]
        branches = sorted(f"{a}->{b}" for a, b in facts.get("missing_branches", []) if a > 0 and b > 0)
        missed = [str(line) for line in facts["missing_lines"]]
        found[module] = (facts["summary"]["percent_covered"], " ".join(missed + branches))
    return found


def main() -> int:
    """Print the table; return 1 if a module is under the floor, or one that is asked for is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("report", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="modules to look at, such as layers/keras.py")
    parser.add_argument("--but", nargs="*", default=[], help="modules that other runs answer for")
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    arguments, part = parser.parse_args(sys.argv[1:end]), sys.argv[end + 1 :]
    report = json.loads(arguments.report.read_text("utf-8"))
    found = shares(report)
    asked = set(arguments.only) or set(found) - set(arguments.but)
    absent = (set(arguments.only) | set(arguments.but)) - set(found)
    for module, (share, missed) in found.items():
        if module in asked:
            print(f"{share:6.1f} %  {module:32}  {missed[:60]}")
    totals = report["totals"]
    print(f"{totals['percent_covered']:6.1f} %  in all")
    print(f"lines: {totals['covered_lines']:,} of {totals['num_statements']:,}")
    print(f"branches: {totals['covered_branches']:,} of {totals['num_branches']:,}")
    if part:
        return 0
    low = [module for module in sorted(asked - absent) if found[module][0] < FLOOR]
    for module in low:
        print(
            f"{module}: {found[module][0]:.1f} % of its lines and branches; expected {FLOOR:.0f} % or more."
        )
    for module in sorted(absent):
        print(f"{module}: no such module was measured.")
    return int(bool(low or absent))


if __name__ == "__main__":
    sys.exit(main())
