"""How fast a store is built from GloVe text, against the loop that people paste, in one run.

    python benchmarks/build_store.py PATH DIM [--repeat 5]

Each measurement has a process of its own, and the two ways take turns. The same is done once more for the
file taken four times over, with new words, to show that the memory does not grow with it.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

WAYS = ("loop", "embedhub")


def loop(path: Path) -> None:
    """Read the text as the recipes do."""
    vectors = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            fields = line.split()
            vectors[fields[0]] = np.asarray(fields[1:], "float32")


def embedhub(path: Path, dim: int) -> None:
    """Build a store."""
    from embedhub import store
    from embedhub.readers import glove

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        store.build(Path(folder) / "store", glove.read(path, dim), name="bench", dim=dim, provenance={})


def measure(way: str, path: Path, dim: int) -> tuple[float, float]:
    """Return seconds and peak memory in MiB of one way in a new process, its imports left out."""
    run = subprocess.run(  # noqa: S603 - this script itself
        [sys.executable, __file__, str(path), str(dim), "--way", way], stdout=subprocess.PIPE, check=True
    )
    seconds, peak = json.loads(run.stdout)
    return seconds, peak


def report(path: Path, dim: int, repeat: int) -> None:
    """Print the medians of both ways and their ratio."""
    results: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for _ in range(repeat):
        for way in WAYS:
            results[way].append(measure(way, path, dim))
    medians = {way: statistics.median(seconds for seconds, _ in results[way]) for way in WAYS}
    for way in WAYS:
        times = sorted(seconds for seconds, _ in results[way])
        peak = max(peak for _, peak in results[way])
        print(f"{way:9} {medians[way]:6.2f} s ({times[0]:.2f} to {times[-1]:.2f}), peak {peak:5.0f} MiB")
    print(f"ratio     {medians['loop'] / medians['embedhub']:6.1f}")


def four_times(path: Path, target: Path) -> Path:
    """Write the file four times over, each time with other words."""
    with target.open("wb") as file:
        for copy in range(4):
            with path.open("rb") as lines:
                file.writelines(b"%d%b" % (copy, line) for line in lines)
    return target


def main() -> None:
    """Measure, or be one measurement."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path)
    parser.add_argument("dim", type=int)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        if options.way == "embedhub":
            from embedhub.readers import _compiled  # noqa: F401 - what is compiled once is not the build
        start = time.perf_counter()
        loop(options.path) if options.way == "loop" else embedhub(options.path, options.dim)
        seconds = time.perf_counter() - start
        print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EMBEDHUB_CACHE"] = str(Path(folder) / "cache")
        once = Path(folder) / "once.txt"
        once.symlink_to(options.path.resolve())
        measure("embedhub", once, options.dim)  # compiles the reader
        print(f"{options.path.name}, {options.path.stat().st_size / 1e6:.0f} MB")
        report(once, options.dim, options.repeat)
        print("four times as long")
        report(four_times(options.path, Path(folder) / "four.txt"), options.dim, 1)


if __name__ == "__main__":
    main()
