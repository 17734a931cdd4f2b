"""What `run.py` measured, as JSON, as a Markdown table of ratios, and as a plot.

    python benchmarks/report.py FOLDER

writes ``results.md`` and ``results.svg`` of ``results.json`` in a folder again.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import bars

MB = 1e6
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
Results = dict[tuple[str, str], dict[str, Any]]
NAMES = {
    "seed": "kerasglove's loop",
    "keras_io": "keras.io's loop",
    "gather": "a bare `M[rows]`",
    "copy": "one copy",
    "hashing": "hashing the words",
    "product": "the bare product",
    "weights": "`weights=[matrix]`",
    "keras": "`import keras`",
}


@dataclass(frozen=True)
class Target:
    """A ratio that is to be reached: at least so many times faster, or at most so many times the time."""

    step: str
    rival: str
    factor: float
    at_least: bool = True
    other_step: str | None = None


TARGETS = (
    Target("text to store", "seed", 8),
    Target("text to store", "keras_io", 6),
    Target("text to store", "gensim", 35),
    Target("member to store", "seed", 6),
    Target("vocabulary to matrix", "seed", 300),
    Target("vocabulary to matrix", "gensim", 3),
    Target("vocabulary to matrix", "gather", 3, at_least=False),
    Target(
        "vocabulary to matrix, 10 times the rows",
        "embedhub",
        1.5,
        at_least=False,
        other_step="vocabulary to matrix",
    ),
    Target("matrix to layer", "copy", 3, at_least=False),
    Target("import", "keras", 20),
    Target("most_similar", "product", 1.5, at_least=False),
)


class Verdict(NamedTuple):
    """A target as a line of a table."""

    step: str
    rival: str
    theirs: str
    ours: str
    measured: str
    asked: str
    reached: bool

    def __str__(self) -> str:
        return "| " + " | ".join([*self[:-1], "reached" if self.reached else "missed"]) + " |"


def verdicts(written: dict[str, Any]) -> list[Verdict]:
    """Return what became of each target."""
    results = by_way(written)
    found = [verdict(results, target) for target in TARGETS]
    whole, copy, hashing = (
        results["all words to matrix", way]["seconds"] for way in ("embedhub", "copy", "hashing")
    )
    copies = (whole - hashing) / copy
    found.append(
        Verdict(
            "all words to matrix, less the hashing", "one copy", f"{shown(copy)} s",
            f"{shown(whole)} s - {shown(hashing)} s", f"{copies:.3g}", "at most 3", copies <= 3,
        )
    )  # fmt: skip
    once = results["text to store", "embedhub"]["peak"] / MB
    longer = results["text to store, 4 times as long", "embedhub"]["peak"] / MB
    found += [
        Verdict("text to store, peak memory", "", "", f"{once:.0f} MB", "", "under 400 MB", once < 400),
        Verdict(
            "the same, 4 times as long", "the memory above", f"{once:.0f} MB", f"{longer:.0f} MB",
            f"{longer / once:.3g}", "the same", longer <= 1.05 * once,
        ),
    ]  # fmt: skip
    matrix = 4 * written["rows"] * written["dim"] / MB
    layer = results["matrix to layer", "embedhub"]["peak"] / MB
    found.append(
        Verdict(
            "matrix to layer, peak memory", "the matrix", f"{matrix:.0f} MB", f"{layer:.0f} MB",
            f"{layer / matrix:.3g}", "at most 2.2", layer <= 2.2 * matrix,
        )
    )  # fmt: skip
    return found


def verdict(results: Results, target: Target) -> Verdict:
    """Return what became of a target: how many times faster, or how many times the rival's time."""
    ours = results[target.step, "embedhub"]["seconds"]
    theirs = results[target.other_step or target.step, target.rival]["seconds"]
    measured = theirs / ours if target.at_least else ours / theirs
    return Verdict(
        target.step,
        name_of(target.rival) + (f", {target.other_step}" if target.other_step else ""),
        f"{shown(theirs)} s",
        f"{shown(ours)} s",
        f"{measured:.3g}",
        f"{'at least' if target.at_least else 'at most'} {target.factor:g}",
        measured >= target.factor if target.at_least else measured <= target.factor,
    )


def by_way(written: dict[str, Any]) -> Results:
    """Return the results by step and way."""
    return {(result["step"], result["way"]): result for result in written["results"]}


def name_of(way: str) -> str:
    """Return what a reader calls a way."""
    return NAMES.get(way, way)


def targets_table(written: dict[str, Any]) -> str:
    """Return what was measured where, and the table of the targets."""
    machine = written["machine"]
    lines = [
        f"{written['rows']:,} words, {written['dim']} dims; {machine['date']}, {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, "
        f"Python {machine['python']}, "
        + ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
        + ". Each variant runs in its own process; variants take turns; import time is excluded; medians.",
        "",
        "| step | compared with | its value | embedhub | ratio | target | |",
        "|---|---|---|---|---|---|---|",
        *map(str, verdicts(written)),
    ]
    return "\n".join(lines) + "\n"


def markdown(written: dict[str, Any]) -> str:
    """Return both tables: the targets, and all measurements."""
    lines = [
        targets_table(written),
        "| step | variant | seconds | runs | peak memory | bytes on disk | relative to embedhub |",
        "|---|---|---|---|---|---|---|",
    ]
    results = by_way(written)
    for (step, way), result in results.items():
        ours = results[step, "embedhub"]["seconds"]
        spread = f" ({shown(result['fastest'])} to {shown(result['slowest'])})" if result["runs"] > 1 else ""
        disk = f"{result['disk'] / MB:,.0f} MB" if result["disk"] else ""
        lines.append(
            f"| {step} | {name_of(way)} | {shown(result['seconds'])}{spread} | {result['runs']} | "
            f"{result['peak'] / MB:,.0f} MB | {disk} | {result['seconds'] / ours:.3g} |"
        )
    return "\n".join(lines) + "\n"


def shown(seconds: float) -> str:
    """Return seconds with three digits."""
    return f"{seconds:.3g}"


def highlights(written: dict[str, Any]) -> str:
    """Return the figures that the README shows, with what they were measured against."""
    results = by_way(written)

    def seconds(step: str, way: str) -> str:
        return f"{shown(results[step, way]['seconds'])} s"

    text, again = "text to store", "vocabulary to matrix"
    machine = written["machine"]
    return (
        f"- **Parse a text file once**, {written['rows']:,} words in {written['dim']} dimensions: "
        f"**{seconds(text, 'embedhub')}**; {seconds(text, 'polars')} for polars, "
        f"{seconds(text, 'keras_io')} for keras.io's loop, {seconds(text, 'gensim')} for gensim.\n"
        f"- **From then on**, a matrix for 20,000 words in a new process: **{seconds(again, 'embedhub')}**; "
        f"{seconds(again, 'gensim')} for vectors that gensim memory-maps, {seconds(again, 'seed')} for "
        f"a loop that parses the text again. Imports are not counted ({machine['date']}, "
        f"{machine['processor']}, {machine['cores']} cores).\n"
    )


def into_readme(written: dict[str, Any], readme: Path) -> None:
    """Put the figures into the README, between its marks."""
    before, _, rest = readme.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{highlights(written)}{END}{after}", "utf-8")


def write(written: dict[str, Any], folder: Path) -> None:
    """Write results as JSON, Markdown and a plot."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    (folder / "results.md").write_text(markdown(written), "utf-8")
    (folder / "results.svg").write_text(bars.picture(written), "utf-8")


if __name__ == "__main__":
    write(json.loads(Path(sys.argv[1], "results.json").read_text("utf-8")), Path(sys.argv[1]))
