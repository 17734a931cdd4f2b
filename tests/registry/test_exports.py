"""Export formats of plugins: entry points of the group embedhub.exports."""

import sys
from pathlib import Path

import pytest
from command import add_distribution, run, seeing

import embedhub
from embedhub.errors import OutputError, PluginError

CODE = """
from embedhub.formats.export import ExportWriter


def write(path, selection, advance):
    path.mkdir()
    with (path / "words.txt").open("w", encoding="utf-8") as file:
        for words, vectors in selection.blocks():
            file.writelines(f"{word} {vector[0]}\\n" for word, vector in zip(words, vectors))
            advance(len(words))


def fail(path, selection, advance):
    path.mkdir()
    raise OSError(28, "No space left on device")


def refuse(word):
    return "is too long" if len(word) > 4 else None


WORDS = ExportWriter(write, refuse, folder_files=("words.txt",))
FULL = ExportWriter(fail, refuse)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install plugins with four formats."""
    site = tmp_path / "site"
    for name, attribute in (("rows", "WORDS"), ("full", "FULL"), ("function", "write"), ("absent", "NONE")):
        add_distribution(site, name, CODE, group="embedhub.exports", attribute=attribute)
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(site))
    return site


def test_format_of_a_plugin_writes_vectors(site: Path, tmp_path: Path) -> None:
    """It is named, writes a folder, and refuses words that it cannot represent, like a built-in one."""
    words = ["rain", "sun", "qwxz"]
    result = embedhub.export("wordnet-ppmi", 25, tmp_path / "out", words=words, format="rows")
    assert result.files == (tmp_path / "out" / "words.txt",)
    assert (result.format, result.count, result.missing) == ("rows", 2, ("qwxz",))
    lines = result.files[0].read_text("utf-8").splitlines()
    vectors = embedhub.load("wordnet-ppmi", 25)
    assert sorted(lines) == sorted(f"{word} {vectors[word][0]}" for word in words[:2])
    with pytest.raises(
        embedhub.FormatError, match=r"The word 'storm' is too long, .*one of npz, safetensors"
    ):
        embedhub.export("wordnet-ppmi", 25, tmp_path / "long", words=["storm"], format="rows")
    with pytest.raises(OutputError, match="exists"):
        embedhub.export("wordnet-ppmi", 25, tmp_path / "out", words=words, format="rows")


def test_failed_format_leaves_nothing(site: Path, tmp_path: Path) -> None:
    """The folder appears complete or not at all."""
    with pytest.raises(OutputError, match="No space left"):
        embedhub.export("wordnet-ppmi", 25, tmp_path / "out", words=["rain"], format="full")
    assert {path.name for path in tmp_path.iterdir()} == {"cache", "site"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("function", r"plugin function \(function\) has <function write .*expected an ExportWriter"),
        ("absent", r"plugin absent \(absent\) cannot write absent: .*Update or uninstall it"),
    ],
)
def test_broken_format_names_its_plugin(site: Path, tmp_path: Path, name: str, message: str) -> None:
    """What the plugin has instead, or why it does not load."""
    with pytest.raises(PluginError, match=message):
        embedhub.export("wordnet-ppmi", 25, tmp_path / "out", format=name)


def test_unknown_format_is_told_the_known_ones(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of plugins too; a format of a plugin that is not installed names the plugin."""
    with pytest.raises(ValueError, match=r"'glove'; expected one of npz, .*full, function, rows"):
        embedhub.export("wordnet-ppmi", 25, tmp_path / "out", format="glove")
    monkeypatch.setenv("EMBEDHUB_DISABLE_PLUGINS", "all")
    with pytest.raises(ValueError, match=r"'spacy'; .*It needs the plugin embedhub-text, which is not"):
        embedhub.export("wordnet-ppmi", 25, tmp_path / "out", format="spacy")


def test_command_writes_the_format_of_a_plugin(site: Path, tmp_path: Path) -> None:
    """With ``--format``."""
    (tmp_path / "few").write_text("rain\nsun\n", "utf-8")
    command = ("export", "wordnet-ppmi:25", tmp_path / "out", "--words", tmp_path / "few", "--format")
    done = run(*command, "rows", **seeing(site))
    assert done.returncode == 0, done.stderr
    assert "Wrote 2 vectors of dimension 25" in done.stdout
    assert str(tmp_path / "out" / "words.txt") in done.stdout
    done = run(*command, "glove", **seeing(site))
    assert done.returncode == 2
    assert "expected one of npz" in done.stderr
