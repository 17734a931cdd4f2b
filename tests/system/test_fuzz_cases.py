"""What `tox -e fuzz` has found: each kept case ends in an error of embedhub, or in the right vectors."""

from pathlib import Path

import fuzzing
import pytest

from embedhub.download import connections, http

KEPT = sorted(fuzzing.CASES.glob("*.json"))


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no server longer than a moment, and undo what cases set."""
    monkeypatch.setattr(http, "READ_SECONDS", 0.2)
    monkeypatch.setattr(http, "_MAX_RETRY_AFTER", 0)
    monkeypatch.setattr(connections, "SLOW_SECONDS", 0.2)
    for name in ("EMBEDHUB_CACHE", "EMBEDHUB_MIRROR", "https_proxy"):
        monkeypatch.setenv(name, "")


@pytest.mark.parametrize("path", KEPT, ids=[path.stem for path in KEPT])
def test_kept_case_is_mended(path: Path, tmp_path: Path) -> None:
    """It raises nothing foreign."""
    fuzzing.run_case(fuzzing.load_case(path), tmp_path)


@pytest.mark.slow
def test_first_cases_pass(tmp_path: Path) -> None:
    """The tool itself works: some hundred of its cases, with each kind among them, in this process."""
    kinds = set()
    for seed in range(700):
        (tmp_path / str(seed)).mkdir()
        case = fuzzing.make_case(seed)
        kinds.add(case["kind"])
        fuzzing.run_case(case, tmp_path / str(seed))
    assert kinds == {"read", "file", "tokenizer", "answers"}
    assert fuzzing.make_case(699) == case
