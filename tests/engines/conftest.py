"""What the tests of engines share: a store that all workers see, texts, and the code of the page of docs."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import embedhub

PAGE = Path(__file__).parents[2] / "docs" / "bigger-than-one-machine.md"
CHECK = """
if __name__ == "__main__":
    expected = embed(texts)
    assert rows.shape == expected.shape == (100, 50) and expected[:2].any()
    assert (rows == expected).all()
    print("the same")
"""


@pytest.fixture(scope="session")
def _one_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engines")


@pytest.fixture
def embed(_one_cache: Path, monkeypatch: pytest.MonkeyPatch) -> embedhub.TextEmbedder:
    """Return an embedder whose store the workers find in the cache that they inherit."""
    monkeypatch.setenv("EMBEDHUB_CACHE", str(_one_cache))
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    embed = embedhub.TextEmbedder("wordnet-ppmi", 50)
    embed(["built, and compiled"])
    return embed


@pytest.fixture
def texts(embed: embedhub.TextEmbedder) -> list[str | None]:
    """Return texts of known and unknown words, some of them empty or absent."""
    words = [*embed.vectors.words[:2000], "Qwxz", "zzyx", "."]
    generator = np.random.default_rng(1)
    lengths = generator.integers(0, 30, 400).tolist()
    some = [" ".join(words[i] for i in generator.integers(0, len(words), n)) for n in lengths]
    return [None if i % 50 == 7 else text for i, text in enumerate(some)]


@pytest.fixture
def expected(embed: embedhub.TextEmbedder, texts: list[str | None]) -> NDArray[np.float32]:
    """Return the rows that one process gives."""
    return np.asarray(embed(texts))


@pytest.fixture
def page(embed: embedhub.TextEmbedder, tmp_path: Path) -> Callable[[str], None]:
    """Return a function that runs the code of a section of the page, and compares its rows."""

    def run(section: str) -> None:
        text = PAGE.read_text("utf-8").split(f"\n## {section}\n")[1]
        code = re.findall(r"(?ms)^```python\n(.*?)^```", text)[0]
        script = tmp_path / "page.py"
        script.write_text(code + CHECK, "utf-8")
        done = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("the same\n")

    return run


@dataclass
class Workers:
    """The processes that have worked, each of which leaves its number in a folder."""

    folder: Path
    killer: "Future[int]"

    @property
    def pids(self) -> set[int]:
        """Numbers of all that have begun."""
        return {int(file.name) for file in self.folder.iterdir()}


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    """Kill the first process that leaves its number in the folder; that number is what ``killer`` gives."""
    folder = tmp_path / "pids"
    folder.mkdir()

    def kill() -> int:
        for _ in range(2400):
            if found := list(folder.iterdir()):
                pid = int(found[0].name)
                os.kill(pid, signal.SIGKILL)
                return pid
            time.sleep(0.05)
        raise TimeoutError("no worker began")

    with ThreadPoolExecutor(1) as pool:
        yield Workers(folder, pool.submit(kill))
