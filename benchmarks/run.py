"""All measurements, each in a process of its own, all ways in turn: ``tox -e bench``.

    python benchmarks/run.py [--rows 400000] [--repeat 5] [--out docs/benchmarks] [--readme README.md]
        [--folder SCRATCH]

Prepares corpora in a scratch folder (15 GB at full size), measures, prints the table, and writes
``results.json``, ``results.md`` and ``results.svg``. The real GloVe 6B 50d is measured too where
``../shared/data`` has it.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import corpora
import report
import tasks

DIM = 300
REAL = Path(__file__).parents[2] / "shared" / "data" / "mirror" / "nlp.stanford.edu" / "data" / "glove.6B.zip"
READERS = ("embedhub", "seed", "keras_io", "gensim", "polars", "pandas")
MOST = {"gensim": 3}  # runs of a way that takes minutes
MORE_ROWS = 10
LONGER = 4
CURVE = (0.125, 0.25, 0.5)  # of the rows; the whole is measured anyway


@dataclass(frozen=True)
class Task:
    """One step and the ways to do it."""

    step: str
    task: str
    what: str
    ways: tuple[str, ...]
    repeat: int | None = None


def plan(*, real: bool) -> Iterator[Task]:
    """Give all measurements."""
    yield Task("text to store", "build", "corpus.txt", READERS)
    yield Task(f"text to store, {LONGER} times as long", "build", "longer.txt", ("embedhub",), 1)
    yield Task("member to store", "archive", f"mirror/{corpora.HOST}/corpus.zip", ("embedhub", "seed"))
    if real:
        yield Task("text to store, real 50d", "build", "real.txt", READERS)
        real_archive = f"mirror/{'/'.join(REAL.parts[-3:])}"
        yield Task("member to store, real 50d", "archive", real_archive, ("embedhub", "seed"))
    yield Task("vocabulary to matrix", "lookup", "bench", ("embedhub", "gather", "gensim", "seed"))
    yield Task(f"vocabulary to matrix, {MORE_ROWS} times the rows", "lookup", "bench-more", ("embedhub",))
    yield Task("all words to matrix", "whole", "bench", ("embedhub", "copy", "hashing"))
    yield Task("matrix to layer", "layer", "bench", ("embedhub", "copy", "weights"))
    yield Task("most_similar", "neighbors", "bench", ("embedhub", "product"))
    yield Task("import", "import", "", ("embedhub", "keras"))
    for part in CURVE:
        yield Task(f"text to store, {part:g} of the rows", "build", f"part-{part:g}.txt", READERS, 1)


def prepare(folder: Path, rows: int) -> None:
    """Write corpora and stores."""
    from embedhub.vectors.blocks import Block
    from embedhub.vectors.store_writer import StoreWriter

    say(f"preparing {rows:,} rows in {folder}")
    text = corpora.write_text(folder / "corpus.txt", rows, DIM)
    for part in CURVE:
        head(text, folder / f"part-{part:g}.txt", int(rows * part))
    corpora.write_text(folder / "longer.txt", LONGER * rows, DIM)
    archive = corpora.write_archive(folder / "mirror", text)
    archives = {archive.name: pins(text, DIM)}
    if REAL.exists():
        (folder / "mirror" / REAL.parts[-3]).symlink_to(REAL.parents[1])
        zipfile.ZipFile(REAL).extract("glove.6B.50d.txt", folder)
        (folder / "glove.6B.50d.txt").rename(folder / "real.txt")
        archives[REAL.name] = pins(folder / "real.txt", 50) | {"member": "glove.6B.50d.txt"}
    facts = {"rows": rows, "dim": DIM, "vocabulary": min(20_000, rows // 2), "archives": archives}
    (folder / "facts.json").write_text(json.dumps(facts))
    tasks.use(folder)
    for name, count in (("bench", rows), ("bench-more", MORE_ROWS * rows)):
        target = tasks.store_folder(name)
        with StoreWriter(target, name=name, dim=DIM) as writer:
            for block in corpora.blocks(count, DIM):
                writer.write(Block(*block))


def head(text: Path, target: Path, rows: int) -> None:
    """Write the first lines of a text."""
    with text.open("rb") as lines, target.open("wb") as file:
        for _ in range(rows):
            file.write(next(lines))


def pins(text: Path, dim: int) -> dict[str, Any]:
    """Return what a source must know of a member."""
    return {"member": text.name, "hash": corpora.sha256(text), "size": text.stat().st_size, "dim": dim}


def measure(folder: Path, task: Task, way: str) -> dict[str, float]:
    """Run one measurement in a new process."""
    command = [sys.executable, str(Path(tasks.__file__)), str(folder), task.task, way, task.what]
    run = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own script
    measured: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return measured


def measure_all(folder: Path, repeat: int) -> list[dict[str, Any]]:
    """Measure every way of every task; the ways of a task take turns."""
    results = []
    for task in plan(real=REAL.exists()):
        measured: dict[str, list[dict[str, float]]] = {way: [] for way in task.ways}
        for turn in range(task.repeat or repeat):
            # Who comes first finds a machine that may have given its free memory back to a host; who comes
            # next, pages that are warm. So each way is first in its turn.
            first = turn % len(task.ways)
            for way in task.ways[first:] + task.ways[:first]:
                if turn < MOST.get(way, repeat):
                    measured[way].append(measure(folder, task, way))
        for way, runs in measured.items():
            seconds = sorted(run["seconds"] for run in runs)
            result: dict[str, Any] = {
                "step": task.step,
                "way": way,
                "seconds": statistics.median(seconds),
                "fastest": seconds[0],
                "slowest": seconds[-1],
                "runs": len(runs),
                "peak": max(run["peak"] for run in runs),
                "disk": runs[0]["disk"],
            }
            say(f"{task.step}: {way} {result['seconds']:.4g} s, peak {result['peak'] / 1e6:.0f} MB")
            results.append(result)
    return results


def machine() -> dict[str, Any]:
    """Say what was measured on, and with."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        models = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        model = models[0].partition(": ")[2] if models else model
    packages = ("embedhub", "numpy", "numba", "keras", "tensorflow", "gensim", "polars", "pandas")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in packages},
    }


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Prepare, measure, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--readme", type=Path, help="a README whose figures are replaced")
    parser.add_argument("--folder", type=Path, help="parent of the scratch folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        prepare(folder, options.rows)
        measure(folder, Task("", "build", f"part-{CURVE[0]:g}.txt", ()), "embedhub")  # compiles the reader
        results = measure_all(folder, options.repeat)
    written = {"machine": machine(), "rows": options.rows, "dim": DIM, "results": results}
    report.write(written, options.out)
    if options.readme:
        report.into_readme(written, options.readme)
    print((options.out / "results.md").read_text("utf-8"))


if __name__ == "__main__":
    main()
