"""A first use on a machine against a later one, and what the flush to the disk costs.

    python benchmarks/first_use.py [TEXT] [--repeat 5] [--rate 20]

TEXT is GloVe text; by default the real 50d where ``../shared/data`` has it, and else one of the same size.
Each run is a process of its own with an empty cache, from its start to its end: embedhub loads the text as a
file of the user, or downloads it as a member of an archive from a server on loopback, at a rate in MB per
second. A first use has no machine code of the reader, a later one has it. All ways take turns; the figures
are medians.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from functools import partial
from pathlib import Path

from corpora import HOST, write_text
from run import REAL
from slow_server import serving

WORDS, DIM = 400_000, 50
ARCHIVE, MEMBER = "first.zip", "first.txt"
LOCAL = "import sys, embedhub; embedhub.load(sys.argv[1])"
REMOTE = """
import json, sys
import embedhub
dim, facts = json.loads(sys.argv[1])
file = embedhub.RemoteFile(format="glove", **facts)
embedhub.load(embedhub.RemoteSource(
    name="first", files={dim: file}, description="", language="en", cased=False, license="", citation="",
    homepage="",
))
"""
UNFLUSHED = "import os; os.fsync = lambda descriptor: None\n"


def default_text(folder: Path) -> Path:
    """Return the real text of 50 dimensions, or one like it."""
    if not REAL.exists():
        return write_text(folder / MEMBER, WORDS, DIM)
    with zipfile.ZipFile(REAL) as archive:
        return Path(archive.extract(f"glove.6B.{DIM}d.txt", folder))


def archive_of(text: Path, mirror: Path) -> str:
    """Write the text into an archive of a mirror; return JSON of its dimension and of the member."""
    path = mirror / HOST / ARCHIVE
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(text, MEMBER)
    with text.open("rb") as file:
        dim = len(file.readline().split()) - 1
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    facts = {
        "url": f"https://{HOST}/{ARCHIVE}",
        "member": MEMBER,
        "known_hash": f"sha256:{digest}",
        "size": text.stat().st_size,
    }
    return json.dumps([dim, facts])


def seconds_of(code: str, argument: str, compiled: Path, mirror: str = "") -> float:
    """Return the seconds of one process, with an empty cache."""
    with tempfile.TemporaryDirectory(dir=compiled.parent) as cache:
        settings = {
            "EMBEDHUB_CACHE": cache, "EMBEDHUB_MIRROR": mirror, "EMBEDHUB_PROGRESS": "0",
            "NUMBA_CACHE_DIR": str(compiled),
        }  # fmt: skip
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code, argument], env=os.environ | settings, check=True)  # noqa: S603 - our own
        return time.perf_counter() - start


def first_seconds(code: str, argument: str, compiled: Path, mirror: str = "") -> float:
    """Return the same for a machine without machine code of the reader."""
    with tempfile.TemporaryDirectory(dir=compiled.parent) as empty:
        return seconds_of(code, argument, Path(empty), mirror)


def main() -> None:
    """Measure all ways in turn, and print medians and ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("text", type=Path, nargs="?")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--rate", type=float, default=20, help="MB per second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        compiled = Path(name) / "compiled"
        path = options.text.absolute() if options.text else default_text(Path(name))
        facts, text = archive_of(path, Path(name) / "mirror"), str(path)
        with serving(Path(name) / "mirror", 1e6 * options.rate) as server:
            ways = {
                "download, first use": partial(first_seconds, REMOTE, facts, compiled, server.address),
                "download, later": partial(seconds_of, REMOTE, facts, compiled, server.address),
                "local file, first use": partial(first_seconds, LOCAL, text, compiled),
                "local file, later": partial(seconds_of, LOCAL, text, compiled),
                "local file, later, no flush": partial(seconds_of, UNFLUSHED + LOCAL, text, compiled),
            }
            ways["local file, later"]()  # compiles
            found: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(options.repeat):
                for way, measure in ways.items():
                    found[way].append(measure())
    medians = {way: statistics.median(seconds) for way, seconds in found.items()}
    for way, seconds in found.items():
        print(f"{way:28} {medians[way]:6.2f} s ({min(seconds):.2f} to {max(seconds):.2f})")
    for kind, most in (("download", 1.1), ("local file", 2)):
        ratio = medians[f"{kind}, first use"] / medians[f"{kind}, later"]
        print(f"{kind}: a first use takes {ratio:.2f} times as long as a later one (at most {most:g})")
    flushed, unflushed = (medians[f"local file, later{end}"] for end in ("", ", no flush"))
    print(f"flush: {flushed - unflushed:.2f} s, {flushed / unflushed:.2f} times the build without it")


if __name__ == "__main__":
    main()
