"""The README says the truth."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
BLOCKS = [re.sub(r"(?m)^  ", "", block) for block in re.findall(r"(?ms)^ *```python\n(.*?)^ *```", README)]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
def test_its_code_runs(block: str, real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block of code runs by itself, with the real GloVe from the mirror."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(real_data / "mirror"))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(block, "README.md", "exec"), names)  # noqa: S102 - our own README
    if "embedhub_sources" in names:
        assert next(iter(names["embedhub_sources"]())).name == "my-corpus"


def test_its_commands_are_the_ones_that_ci_runs() -> None:
    """The test command of the README is what .ci/run runs."""
    (command,) = re.findall(r"(?m)^    (python -m pip install tox && tox)$", README)
    assert command in (Path(__file__).parents[1] / ".ci" / "run").read_text("utf-8")


def test_its_figures_are_those_of_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's table, and the page with all measurements, are what one run wrote."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    import report

    folder = Path(__file__).parents[1] / "docs" / "benchmarks"
    written = json.loads((folder / "results.json").read_text("utf-8"))
    assert report.targets_table(written) in README
    assert report.markdown(written) == (folder / "results.md").read_text("utf-8")
