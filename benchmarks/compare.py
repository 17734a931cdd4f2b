"""Two results of `run.py` side by side: ``python benchmarks/compare.py BEFORE.json AFTER.json``.

Machines are noisy: a change is marked only where the runs of one do not reach into those of the other. What
holds across machines are the ratios to the rivals, so those are compared too.
"""

import json
import sys
from pathlib import Path
from typing import Any

import report


def comparison(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Return a Markdown table of embedhub's own times and its targets."""
    old, new = report.by_way(before), report.by_way(after)
    lines = [
        " -> ".join(f"{run['machine']['date']}, {run['rows']:,} rows" for run in (before, after)),
        "",
        "| step | before | after | ratio | |",
        "|---|---|---|---|---|",
    ]
    for (step, way), result in new.items():
        if way != "embedhub" or (step, way) not in old:
            continue
        past = old[step, way]
        verdict = ""
        if result["slowest"] < past["fastest"]:
            verdict = "faster"
        elif result["fastest"] > past["slowest"]:
            verdict = "slower"
        lines.append(
            f"| {step} | {report.shown(past['seconds'])} s | {report.shown(result['seconds'])} s | "
            f"{result['seconds'] / past['seconds']:.2f} | {verdict} |"
        )
    lines += ["", "| target | asked | before | after |", "|---|---|---|---|"]
    earlier_targets = {(target.step, target.rival): target for target in report.verdicts(before)}
    for target in report.verdicts(after):
        earlier = earlier_targets.get((target.step, target.rival))
        lines.append(
            f"| {target.step}: {target.rival} | {target.asked} | "
            f"{earlier.measured or earlier.ours if earlier else ''} | {target.measured or target.ours} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Compare."""
    before, after = (json.loads(Path(path).read_text("utf-8")) for path in sys.argv[1:])
    print(comparison(before, after))


if __name__ == "__main__":
    main()
