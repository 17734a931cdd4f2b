"""Settings from environment variables."""

import re
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from embedhub import settings
from embedhub.errors import SettingsError

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("1", True), ("true", True), ("On", True), ("yes", True)),
        *(("0", False), ("no", False), ("OFF", False), ("", False), (" ", False)),
    ],
)
def test_boolean_takes_usual_words(text: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A boolean takes the usual words in any case, and is false if empty."""
    monkeypatch.setenv("EMBEDHUB_OFFLINE", text)
    assert settings.offline() is expected


def test_machine_code_has_a_folder_of_its_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Machine code is kept in NUMBA_CACHE_DIR, else in the user's cache folder, never in EMBEDHUB_CACHE."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "own"))
    assert settings.compiled_folder() == tmp_path / "own"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    assert settings.compiled_folder() == Path(platformdirs.user_cache_dir("embedhub")) / "compiled"


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("OFFLINE", settings.offline),
        ("REQUIRE_HASH", settings.require_hash),
        ("KEEP_DOWNLOADS", settings.keep_downloads),
        ("PROGRESS", settings.show_progress),
    ],
)
def test_invalid_boolean_is_rejected(
    name: str, setting: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the variable and its value."""
    monkeypatch.setenv(f"EMBEDHUB_{name}", "perhaps")
    with pytest.raises(SettingsError, match=f"EMBEDHUB_{name} is 'perhaps'; expected 1 or 0"):
        setting()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", None), ("all", None), ("", set()), ("0", set()), ("off", set()), ("one, two", {"one", "two"})],
)
def test_plugins_are_disabled_all_or_by_name(
    text: str, expected: set[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EMBEDHUB_DISABLE_PLUGINS is a true value, or a comma-separated list of names."""
    monkeypatch.setenv("EMBEDHUB_DISABLE_PLUGINS", text)
    assert settings.disabled_plugins() == expected


def test_every_variable_is_documented() -> None:
    """The table of the page of settings lists exactly the variables that the code reads."""
    package = Path(settings.__file__).parent
    code = "".join(path.read_text("utf-8") for path in package.rglob("*.py"))
    named = set(re.findall(r"(?<!_)EMBEDHUB_[A-Z_]+[A-Z]", code))
    read = {f"EMBEDHUB_{name}" for name in re.findall(r'_(?:value|boolean)\("([A-Z_]+)"\)', code)}
    table = re.findall(r"(?m)^\| `(EMBEDHUB_[A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text("utf-8"))
    assert set(table) == read == named


@pytest.mark.posix
@pytest.mark.parametrize(("name", "read"), [("CACHE", settings.cache_folder), ("MIRROR", settings.mirror)])
def test_home_of_an_unknown_user_is_an_error(
    name: str, read: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ~ that stands for no folder is named."""
    monkeypatch.setenv(f"EMBEDHUB_{name}", "~no-such-user/vectors")
    with pytest.raises(SettingsError, match=rf"^EMBEDHUB_{name} is '~no-such-user/vectors': there is no"):
        read()
