"""The command lock."""

from pathlib import Path

import pytest
from command import run

TEXT = "rain 0.5 1\nsnow 2 3\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a file of vectors."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "v.vec").write_text(TEXT, "utf-8")
    monkeypatch.chdir(folder)
    return folder


def test_lock_writes_the_file_and_shows_it(project: Path) -> None:
    """A second run adds a source, a third one without any renews all."""
    first = run("lock", "wordnet-ppmi:25")
    assert (first.returncode, first.stderr) == (0, "")
    assert "wordnet-ppmi:25" in first.stdout
    assert first.stdout.endswith(f"Locked in {project / 'embedhub.lock'}\n")
    assert "./v.vec:2" in run("lock", "v.vec").stdout
    content = (project / "embedhub.lock").read_bytes()
    assert run("lock").returncode == 0
    assert (project / "embedhub.lock").read_bytes() == content
    assert run("neighbors", "wordnet-ppmi:25", "rain").returncode == 0
    refused = run("neighbors", "wordnet-ppmi:50", "rain")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: wordnet-ppmi:50 is not in the lock file ")


@pytest.mark.slow
def test_check_says_what_has_changed(project: Path) -> None:
    """It writes nothing, exits with 1, and the error says how to accept the change."""
    assert run("lock", "wordnet-ppmi:25", "v.vec").returncode == 0
    unchanged = run("lock", "--check")
    assert (unchanged.returncode, unchanged.stderr) == (0, "")
    assert unchanged.stdout == "./v.vec:2: unchanged\nwordnet-ppmi:25: unchanged\n"
    (project / "v.vec").write_text(TEXT + "hail 1 1\n", "utf-8")
    content = (project / "embedhub.lock").read_bytes()
    changed = run("lock", "--check")
    assert changed.returncode == 1
    assert changed.stdout == "./v.vec:2: changed\nwordnet-ppmi:25: unchanged\n"
    assert "- size of v.vec: expected 20, got 29\n" in changed.stderr
    assert "run: embedhub lock ./v.vec:2" in changed.stderr
    assert (project / "embedhub.lock").read_bytes() == content
    assert run("lock").returncode == 0
    assert run("lock", "--check").returncode == 0


def test_wrong_usage_is_explained() -> None:
    """--check takes no source, and needs a file; without a file there is nothing to renew."""
    assert run("lock", "v.vec", "--check").returncode == 2
    missing = run("lock", "--check")
    assert (missing.returncode, "There is no lock file to check" in missing.stderr) == (1, True)
    assert "embedhub lock glove-6b:50" in run("lock").stderr
    assert run("lock", "no-such-source").returncode == 1
