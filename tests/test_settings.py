"""The environment variables: what each value means, and that each is told of."""

import re
from pathlib import Path

import pytest

from embedhub import settings
from embedhub.errors import SettingsError

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *(("1", True), ("true", True), ("On", True), ("yes", True)),
        *(("0", False), ("no", False), ("OFF", False), ("", False), (" ", False)),
    ],
)
def test_a_switch_is_yes_or_no(text: str, meant: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A switch takes the usual words in any case, and is off where nothing is said."""
    monkeypatch.setenv("EMBEDHUB_OFFLINE", text)
    assert settings.offline() is meant


def test_numba_cache_dir_goes_before_the_cache_folder(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Machine code is kept in NUMBA_CACHE_DIR where that is set, and else in the cache."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "own"))
    assert settings.compiled_folder() == tmp_path / "own"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    assert settings.compiled_folder() == cache / "compiled"


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("OFFLINE", settings.offline),
        ("REQUIRE_HASH", settings.require_hash),
        ("KEEP_DOWNLOADS", settings.keep_downloads),
        ("PROGRESS", settings.show_progress),
    ],
)
def test_a_value_without_sense_is_an_error(name: str, ask: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is neither yes nor no is refused with the variable and its value."""
    monkeypatch.setenv(f"EMBEDHUB_{name}", "perhaps")
    assert callable(ask)
    with pytest.raises(SettingsError, match=f"EMBEDHUB_{name} is 'perhaps'; expected 1 or 0"):
        ask()


@pytest.mark.parametrize(
    ("text", "meant"), [("1", None), ("all", None), ("", set()), ("0", set()), ("one, two", {"one", "two"})]
)
def test_plugins_are_disabled_all_or_by_name(
    text: str, meant: set[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A yes disables all plugins, else the names do that stand between commas."""
    monkeypatch.setenv("EMBEDHUB_DISABLE_PLUGINS", text)
    assert settings.disabled_plugins() == meant


def test_every_variable_is_told_of() -> None:
    """The table of the README, which the documentation shows too, has the variables that the code reads."""
    package = Path(settings.__file__).parent
    code = "".join(path.read_text("utf-8") for path in package.rglob("*.py"))
    named = set(re.findall(r"EMBEDHUB_[A-Z_]+[A-Z]", code))
    read = {f"EMBEDHUB_{name}" for name in re.findall(r'_(?:text|switch)\("([A-Z_]+)"\)', code)}
    table = re.findall(r"(?m)^\| `(EMBEDHUB_[A-Z_]+)` \|", (ROOT / "README.md").read_text("utf-8"))
    assert set(table) == read == named
