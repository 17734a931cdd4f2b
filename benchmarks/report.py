"""What `run.py` measured, as JSON, as a Markdown table of ratios, and as a plot."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MB = 1e6
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


def ratio(results: Results, target: Target) -> float:
    """Return how many times faster embedhub is, or how many times the rival's time it takes."""
    ours = results[target.step, "embedhub"]["seconds"]
    theirs = results[target.other_step or target.step, target.rival]["seconds"]
    return float(theirs / ours if target.at_least else ours / theirs)


def verdicts(written: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """Return for each target what it says, what is asked, what was measured, and whether that is reached."""
    results = by_way(written)
    rows = []
    for target in TARGETS:
        measured = ratio(results, target)
        asked = f"{'at least' if target.at_least else 'at most'} {target.factor:g}"
        rival = f"{name_of(target.rival)}{f', {target.other_step}' if target.other_step else ''}"
        reached = measured >= target.factor if target.at_least else measured <= target.factor
        rows.append((f"{target.step}: {rival}", asked, f"{measured:.3g}", reached))
    whole = results["all words to matrix", "embedhub"]["seconds"]
    copy = results["all words to matrix", "copy"]["seconds"]
    hashing = results["all words to matrix", "hashing"]["seconds"]
    copies = (whole - hashing) / copy
    rows.append(("all words to matrix: copies, besides hashing", "at most 3", f"{copies:.3g}", copies <= 3))
    once = results["text to store", "embedhub"]["peak"]
    longer = results["text to store, 4 times as long", "embedhub"]["peak"]
    rows.append(("text to store: peak memory", "under 400 MB", f"{once / MB:.0f} MB", once < 400 * MB))
    rows.append(("the same, 4 times as long", "the same", f"{longer / MB:.0f} MB", longer <= 1.05 * once))
    matrix = 4 * written["rows"] * written["dim"]
    matrices = results["matrix to layer", "embedhub"]["peak"] / matrix
    rows.append(
        ("matrix to layer: peak memory, in matrices", "at most 2.2", f"{matrices:.3g}", matrices <= 2.2)
    )
    return rows


def by_way(written: dict[str, Any]) -> Results:
    """Return the results by step and way."""
    return {(result["step"], result["way"]): result for result in written["results"]}


def name_of(way: str) -> str:
    """Return what a reader calls a way."""
    return NAMES.get(way, way)


def markdown(written: dict[str, Any]) -> str:
    """Return both tables: the targets, and all measurements."""
    machine = written["machine"]
    lines = [
        f"{written['rows']:,} x {written['dim']}, measured on {machine['date']}: {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, "
        f"Python {machine['python']}, "
        + ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
        + ". Each way in a process of its own, in turn; medians, and the fastest and slowest run.",
        "",
        "| step and rival | target | measured | |",
        "|---|---|---|---|",
        *(
            f"| {what} | {asked} | {measured} | {'reached' if reached else 'missed'} |"
            for what, asked, measured, reached in verdicts(written)
        ),
        "",
        "| step | way | seconds | runs | peak memory | bytes on disk | times embedhub's time |",
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


def plot(written: dict[str, Any], path: Path) -> None:
    """Draw the time from text to something usable against the rows of the corpus, a line for each way."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "embedhub"  # the same figures give the same file
    import matplotlib.pyplot as plt

    points: dict[str, list[tuple[float, float]]] = {}
    for result in written["results"]:
        rows = rows_of(result["step"], written["rows"])
        if rows:
            points.setdefault(result["way"], []).append((rows, result["seconds"]))
    figure, axes = plt.subplots(figsize=(7, 4.5))
    for way, line in points.items():
        axes.plot(*zip(*sorted(line), strict=True), marker="o", label=name_of(way))
    again = by_way(written)["vocabulary to matrix", "embedhub"]["seconds"]
    axes.axhline(again, linestyle="--", color="grey", label="embedhub, ever after (20,000 words)")
    axes.set(
        xscale="log", yscale="log", xlabel=f"words in the corpus, {written['dim']} dims", ylabel="seconds",
        title="From text to vectors",
    )  # fmt: skip
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


def rows_of(step: str, rows: int) -> int | None:
    """Return how many rows a step of the curve reads, None if it is none."""
    if step == "text to store":
        return rows
    if step.endswith(" of the rows"):
        return int(float(step.split()[3]) * rows)
    return None


def write(written: dict[str, Any], folder: Path) -> None:
    """Write JSON, Markdown and plot."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    (folder / "results.md").write_text(markdown(written), "utf-8")
    plot(written, folder / "time.svg")
