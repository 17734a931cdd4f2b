"""Kill processes at random moments of a download or a build, and count what they leave.

    python tests/helpers/kills.py fetch|build NUMBER [SEED]

Each process loads 20,000 words of GloVe, a member of an archive on a slow server, into an empty cache.
SIGKILL comes after a random part of the time that the phase takes. Then this process loads them from the same
cache.
"""

import gzip
import json
import os
import pickle
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from children import PATIENCE, child, read_until
from remote import HOST, files_in, pinned, source_of, zipped
from serving import serving_folder

import embedhub
from embedhub._file_state import xxh3_of_file

RATE = 4e6  # bytes per second; the download has 3,400,000
DIM = 50
MEMBER = "glove.6B.50d.txt"
PACKAGED = Path(embedhub.__file__).parent / "registry" / "builtin" / "glove_6b_20k.txt.gz"

# The reader is compiled before, so that the build is nothing but reading, writing and publishing.
LOAD = """
import pickle, sys
from pathlib import Path
from embedhub import RemoteSource
from embedhub.formats import glove

class Telling(RemoteSource):
    def fetch(self, dim):
        print("fetch", flush=True)
        fetched = super().fetch(dim)
        print("build", flush=True)
        return fetched

line = Path(sys.argv[0]).with_name("line.txt")
line.write_text("word 0.5\\n")
list(glove.read(line, 1))
Telling(**vars(pickle.loads(Path(sys.argv[1]).read_bytes()))).vectors(50)
print("end", flush=True)
"""


def outcomes(phase: str, number: int, folder: Path, seed: int = 0) -> Counter[str]:
    """Kill that many processes; count in which phases they were, and what was wrong afterwards.

    Args:
        phase: ``"fetch"`` or ``"build"``.
        number: How many processes are killed.
        folder: An empty folder to work in.
        seed: Of the random moments.
    """
    text = gzip.decompress(PACKAGED.read_bytes())
    (folder / "mirror" / HOST).mkdir(parents=True)
    (folder / "mirror" / HOST / "glove.zip").write_bytes(zipped(**{MEMBER: text}))
    source = source_of(pinned(text, "glove.zip", member=MEMBER), dim=DIM)
    (folder / "load.py").write_text(LOAD, "utf-8")
    (folder / "source").write_bytes(pickle.dumps(source))
    command = (sys.executable, folder / "load.py", folder / "source")
    moments = random.Random(seed)  # noqa: S311 - not a secret
    counted: Counter[str] = Counter()
    right: dict[str, str] = {}
    seconds = 0.0
    with serving_folder(folder / "mirror") as serving:
        os.environ["EMBEDHUB_MIRROR"] = serving.base
        for turn in range(number + 1):  # the first is not killed
            cache = folder / f"cache-{turn}"
            os.environ["EMBEDHUB_CACHE"] = str(cache)
            serving.rate = RATE
            with child(*command) as process:
                printed = read_until(process, phase)
                began = time.monotonic()
                if turn:
                    time.sleep(moments.uniform(0, seconds))
                    process.kill()
                else:
                    printed += read_until(process, {"fetch": "build", "build": "end"}[phase])
                    seconds = time.monotonic() - began
                printed += process.communicate(timeout=PATIENCE)[0]
            serving.rate = None
            was_built = source.store_path(DIM).exists()
            source.vectors(DIM)
            digests = {file.name: xxh3_of_file(file) for file in source.store_path(DIM).iterdir()}
            right = right or digests
            counted[f"killed in {printed.split()[-1]}"] += bool(turn)
            counted["wrong store"] += digests != right
            counted["files left"] += any(is_left(name, was_built=was_built) for name in files_in(cache))
    return +counted


def is_left(name: str, *, was_built: bool) -> bool:
    """Return whether a file of a cache should not be there: a store that was built is opened, not tidied."""
    temporary = "/." in name or name.endswith((".tmp", ".part", ".part.json"))
    return temporary or (name.startswith("downloads/") and not was_built)


def main() -> None:
    """Print the counts as JSON."""
    phase, number, *seed = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(json.dumps(outcomes(phase, int(number), Path(name), *map(int, seed))) + "\n")


if __name__ == "__main__":
    main()
