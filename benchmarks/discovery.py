"""Time to list the sources of many plugins, beside a bare loop over the same entry points.

    python benchmarks/discovery.py [--plugins 300] [--repeat 7]

The bare loop imports each module, those of embedhub's own sources too, and calls its hook as a plain
function. Each variant runs in a process of its own, all in turn; the imports of embedhub, which both need,
are excluded. The table has the medians. On a shared machine the processor time is the figure to compare.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PLUGIN = """\
from embedhub import RemoteFile, RemoteSource, hookimpl


@hookimpl
def embedhub_sources():
    return [
        RemoteSource(
            name="made-up-NUMBER",
            files={50: RemoteFile("https://example.org/NUMBER.txt", format="glove")},
            description="made up",
            language="en",
            cased=False,
            license="CC0-1.0",
            citation="Me (2026)",
            homepage="https://example.org",
        )
    ]
"""
IMPORTS = """
import json, time
from importlib import import_module, metadata
from embedhub.registry import registry
"""
VARIANTS = {
    "bare loop": """
start = time.perf_counter(), time.process_time()
sources = {}
for name in registry._BUILTIN:
    for source in import_module(name).embedhub_sources():
        sources[source.name] = source
for entry_point in metadata.entry_points(group="embedhub"):
    for source in getattr(entry_point.load(), "embedhub_sources", tuple)():
        sources[source.name] = source
""",
    "embedhub.sources()": """
start = time.perf_counter(), time.process_time()
sources = list(registry.sources())
""",
}
REPORT = """
end = time.perf_counter(), time.process_time()
print(json.dumps([end[0] - start[0], end[1] - start[1], len(sources)]))
"""


def add_plugin(site: Path, number: int) -> None:
    """Add an installed distribution with one source to a folder."""
    facts = site / f"made_up_{number}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: made-up-{number}\nVersion: 1.0\n", "utf-8")
    (facts / "entry_points.txt").write_text(f"[embedhub]\nmade-up-{number} = made_up_{number}\n", "utf-8")
    (site / f"made_up_{number}.py").write_text(PLUGIN.replace("NUMBER", str(number)), "utf-8")


def measure(code: str, site: Path, plugins: int) -> tuple[float, float]:
    """Return the seconds and processor seconds that a variant takes in a process of its own."""
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", IMPORTS + code + REPORT],
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, processor_seconds, count = json.loads(done.stdout)
    if count < plugins:
        raise RuntimeError(f"{count} sources were listed; expected at least {plugins}.\n{done.stderr}")
    return seconds, processor_seconds


def main() -> None:
    """Measure all variants, and print their medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--plugins", type=int, default=300)
    parser.add_argument("--repeat", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.plugins):
            add_plugin(Path(folder), number)
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in VARIANTS}
        for repetition in range(arguments.repeat + 1):
            for name, code in VARIANTS.items():
                measured = measure(code, Path(folder), arguments.plugins)
                if repetition:  # the first one compiles the modules
                    runs[name].append(measured)
    medians = {
        name: [statistics.median(values) for values in zip(*all_, strict=True)] for name, all_ in runs.items()
    }
    bare = medians["bare loop"]
    for name, (wall, processor) in medians.items():
        print(
            f"{name:<20} {wall * 1000:6.1f} ms ({wall / bare[0]:.2f} x), "
            f"processor {processor * 1000:6.1f} ms ({processor / bare[1]:.2f} x)"
        )


if __name__ == "__main__":
    main()
