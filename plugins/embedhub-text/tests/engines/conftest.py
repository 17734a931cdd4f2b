"""Fixtures of the engines' tests: a store that all workers see, texts, and the code of the docs page."""

import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import embedhub_text
import numpy as np
import pytest
from children import PATIENCE, child
from numpy.typing import NDArray

PAGE = Path(__file__).parents[4] / "docs" / "bigger-than-one-machine.md"
CHECK = """
if __name__ == "__main__":
    expected = embed(texts)
    assert vectors.shape == expected.shape == (100, 50) and expected[:2].any()
    assert (vectors == expected).all()
    print("the same")
"""


@pytest.fixture(scope="session")
def _shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engines")


@pytest.fixture
def embed(_shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> embedhub_text.TextEmbedder:
    """Return an embedder whose store is in the cache that workers inherit."""
    monkeypatch.setenv("EMBEDHUB_CACHE", str(_shared_cache))
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    embed = embedhub_text.TextEmbedder("wordnet-ppmi", 50)
    embed(["build the store"])
    return embed


@pytest.fixture
def texts(embed: embedhub_text.TextEmbedder) -> list[str | None]:
    """Return texts of known and unknown words, some of them empty or absent."""
    words = [*embed.vectors.words[:2000], "Qwxz", "zzyx", "."]
    generator = np.random.default_rng(1)
    lengths = generator.integers(0, 30, 400).tolist()
    joined = [" ".join(words[i] for i in generator.integers(0, len(words), n)) for n in lengths]
    return [None if i % 50 == 7 else text for i, text in enumerate(joined)]


@pytest.fixture
def expected(embed: embedhub_text.TextEmbedder, texts: list[str | None]) -> NDArray[np.float32]:
    """Return the vectors of one process."""
    return np.asarray(embed(texts))


@pytest.fixture
def page(embed: embedhub_text.TextEmbedder, tmp_path: Path) -> Callable[[str], None]:
    """Return a function that runs the code of a section of the page, and compares its vectors."""

    def run(section: str) -> None:
        text = PAGE.read_text("utf-8").split(f"\n## {section}\n")[1]
        code = re.findall(r"(?ms)^```python\n(.*?)^```", text)[0]
        script = tmp_path / "page.py"
        script.write_text(code + CHECK, "utf-8")
        with child(sys.executable, script, cwd=tmp_path) as process:
            stdout, stderr = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, stderr
        assert stdout.endswith("the same\n")

    return run


@dataclass
class Workers:
    """Worker processes, the first of which is killed during its work."""

    folder: Path
    texts: list[str | None]
    expected: NDArray[np.float32]
    work: Callable[[Any], NDArray[np.float32]]
    """Return the vectors of texts; the first process that calls it kills itself instead."""

    def check(self, vectors: Any) -> None:
        """Check that another process than the killed one did the work, with the vectors of one process."""
        killed = (self.folder / "killed").read_text("utf-8")
        assert {file.name for file in self.folder.iterdir()} - {"killed", killed}
        assert (np.array(vectors, np.float32) == self.expected).all()


@pytest.fixture
def workers(
    embed: embedhub_text.TextEmbedder,
    texts: list[str | None],
    expected: NDArray[np.float32],
    tmp_path: Path,
) -> Workers:
    """Return the texts, and a function that embeds them and kills the first worker that calls it."""
    folder = tmp_path / "workers"
    folder.mkdir()

    # A local function, since the workers cannot import this module: it travels by value.
    def work(batch: Any) -> NDArray[np.float32]:
        try:
            with (folder / "killed").open("x", encoding="utf-8") as file:
                file.write(str(os.getpid()))
        except FileExistsError:
            (folder / str(os.getpid())).touch()
        else:
            os.kill(os.getpid(), signal.SIGKILL)
        return np.asarray(embed(batch))

    return Workers(folder, texts, expected, work)
