"""Derived vectors are a source like any other: stores, provenance, pickles, lock files and the command."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedhub
from embedhub.errors import (
    FormatError,
    LocalFileError,
    LockError,
    PluginError,
    SourceNotFoundError,
    StoreError,
    VocabularyError,
)
from embedhub.registry import inventory
from embedhub.registry.catalog import describe
from embedhub.registry.locking import check_lock, write_lock
from embedhub.registry.stored_handles import find_stores

pytest_plugins = ["derive_fixtures"]
PATIENCE = 120  # seconds
FILE = "rain 1 0 2\nwind 0 1 0\nsnow 3 1 1\nSun -1 -2 4\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, with a file of vectors."""
    folder = tmp_path / "my folder"
    folder.mkdir()
    (folder / "v.vec").write_text(FILE)
    monkeypatch.chdir(folder)
    return folder


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    code = "import sys; from embedhub.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_store_is_built_once_and_says_what_it_comes_from() -> None:
    """The manifest has the parents with their fingerprints and licenses; the source has them together."""
    vectors = embedhub.load("rivers + hills |unit")
    assert vectors.name == "rivers + hills | unit"
    assert vectors.dim == 17
    parents = vectors.manifest["parents"]
    opened = [embedhub.load("rivers"), embedhub.load("hills")]
    assert [parent["handle"] for parent in parents] == ["rivers:12", "hills:5"]
    assert [parent["fingerprint"] for parent in parents] == [parent.fingerprint for parent in opened]
    assert vectors.manifest["license"] == "CC0-1.0 AND (MIT OR CC0-1.0)"
    facts = describe("rivers + hills | unit")
    assert (facts["words"], facts["language"], facts["dims"][0]["fingerprint"]) == (
        1200,
        "mul",
        vectors.fingerprint,
    )
    (store,) = inventory.list_stores("rivers + hills | unit")
    built = store.built
    assert embedhub.load("rivers:12  + hills:5 | unit").fingerprint == vectors.fingerprint
    assert embedhub.load("rivers + hills | unit", 17).manifest == vectors.manifest
    assert inventory.list_stores("rivers + hills | unit")[0].built == built


def test_nothing_is_built_for_a_look_at_the_source(tmp_path: Path) -> None:
    """Its details are known before its vectors and those of its parents are."""
    facts = describe("rivers | pca(3)")
    assert (facts["dims"][0]["dim"], facts["words"], facts["dims"][0]["store"]) == (3, 700, None)
    assert not (tmp_path / "cache").exists()


def test_store_is_opened_without_its_parents() -> None:
    """Their stores may be removed: that of the result has their fingerprints."""
    expected = embedhub.load("rivers | limit(90) | unit").fingerprint
    for store in inventory.list_stores("rivers"):
        inventory.remove(store)
    assert embedhub.load("rivers | limit(90) | unit").fingerprint == expected
    assert inventory.list_stores("rivers") == []
    (store,) = find_stores("rivers | limit(90) | unit")
    assert store.state() == "current"


def test_other_parents_get_another_store(folder: Path) -> None:
    """A file that has changed is derived from again, and the old store is outdated."""
    first = embedhub.load("./v.vec | center")
    (folder / "v.vec").write_text(FILE + "hail 0 0 9\n")
    second = embedhub.load("./v.vec | center")
    assert (len(first), len(second)) == (4, 5)
    stores = find_stores("./v.vec | center")
    assert sorted(store.state() for store in stores) == ["current", "outdated"]
    assert {store.handle for store in stores} == {f"{folder}/v.vec | center"}


def test_layer_takes_an_expression() -> None:
    """In the short form too, with the fallbacks of its parents."""
    result = embedhub.embedding_matrix("rivers | truncate(2) | unit", ["", "River3", "qwxz"])
    assert result.matrix.shape == (3, 2)
    assert np.allclose(np.linalg.norm(result.matrix, axis=1), [0, 1, 0])
    layer = embedhub.keras_embedding("rivers + hills | unit", {"river3": 1})
    assert layer.output_dim == 17


def test_pickle_opens_the_same_vectors(folder: Path) -> None:
    """In another process, and another folder; other vectors are an error."""
    vectors = embedhub.load("./v.vec | unit")
    pickled = pickle.dumps(vectors)
    assert len(pickled) < 500
    few = pickle.loads(pickle.dumps(embedhub.load("./v.vec | unit | limit(2)")))  # noqa: S301 - our own
    assert few["wind"].tolist() == [0, 1, 0]
    (folder.parent / "pickle").write_bytes(pickled)
    code = "import pickle; print(pickle.load(open('pickle', 'rb')).fingerprint)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stdout.strip() == vectors.fingerprint
    (folder / "v.vec").write_text("rain 3 1 5\n")
    with pytest.raises(StoreError, match="the vectors that were pickled have the fingerprint"):
        pickle.loads(pickled)  # noqa: S301 - our own


def test_command_takes_an_expression(folder: Path) -> None:
    """It downloads, lists, shows, verifies and removes derived vectors by their handle."""
    handle = "./v.vec | limit(3) | unit"
    done = command("download", handle)
    assert "3 words" in done.stdout, done.stderr
    (store,) = json.loads(command("cache", "list", handle, "--json").stdout)["stores"]
    assert (store["handle"], store["state"]) == (f"{folder}/v.vec | limit(3) | unit", "current")
    assert store["origin"].startswith(f"{folder}/v.vec:3 | limit(3) (")
    assert "in the cache" in command("info", handle).stdout
    assert command("neighbors", handle, "rain").returncode == 0
    matrix = Path(store["store"]) / "matrix.npy"
    matrix.write_bytes(matrix.read_bytes()[:-1] + b"?")
    assert command("cache", "verify", handle).returncode == 1
    assert command("cache", "repair", handle).returncode == 0
    assert command("cache", "verify", handle).returncode == 0
    assert command("cache", "remove", handle, "--yes").returncode == 0
    assert command("cache", "remove", handle, "--yes").returncode == 1
    done = command("info", "./v.vec | unti")
    assert (done.returncode, done.stderr.splitlines()[2]) == (1, "            ^"), done.stderr


def test_advice_names_the_expression(folder: Path) -> None:
    """A command in a message can be copied."""
    (folder / "words.txt").write_text("rain\n")
    done = command("coverage", "glove-6b:50 | unit", "words.txt", "--limits")
    assert "embedhub download 'glove-6b:50 | unit | limit(" in done.stderr


def test_lock_file_has_derived_vectors(folder: Path) -> None:
    """Paths are relative to it, and what is not in it is an error before anything is built."""
    (folder / "words.txt").write_text("rain\nsnow\n")
    file = write_lock(["./v.vec | words(words.txt) | unit"])
    (locked,) = file.vectors
    assert locked.handle == "./v.vec | words(./words.txt) | unit"
    assert check_lock() == {locked.handle: None}
    with pytest.raises(LockError, match="is not in the lock file"):
        embedhub.load("rivers | unit")
    assert inventory.list_stores("rivers") == []
    moved = folder.with_name("moved")
    folder.rename(moved)
    os.chdir(moved)
    assert check_lock() == {locked.handle: None}
    (moved / "v.vec").write_text(FILE.replace("3 1 1", "3 1 2"))
    (difference,) = check_lock().values()
    assert difference is not None
    assert "v.vec" in difference


def test_private_parent_makes_a_private_store(folder: Path) -> None:
    """Who cannot read a file of words cannot read the vectors that it selects."""
    (folder / "words.txt").write_text("rain\n")
    (folder / "words.txt").chmod(0o600)
    embedhub.load("rivers | unit")
    embedhub.load("./v.vec | words(./words.txt)")
    (store,) = find_stores("./v.vec | words(./words.txt)")
    if os.name == "posix":
        assert store.folder.stat().st_mode & 0o077 == 0


STEPS = """
from dataclasses import dataclass
from embedhub_derive import Step


@dataclass(frozen=True)
class Scale(Step):
    percent: int
    why: str = "none"

    def output_dim(self, dim):
        if self.why == "broken":
            raise KeyError("broken")
        return dim

    def apply(self, table):
        if self.why == "list":
            return []
        return table.map(lambda vectors: vectors * self.percent / 100, table.dim)


def no_step(percent):
    return percent


def broken(percent):
    return {}[percent]
"""


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a distribution with steps of its own."""
    site = tmp_path / "site"
    facts = site / "embedhub_scale-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: embedhub-scale\nVersion: 1.0\n")
    names = {"scale": "Scale", "no-step": "no_step", "broken": "broken"}
    lines = "".join(f"{name} = embedhub_scale:{attribute}\n" for name, attribute in names.items())
    (facts / "entry_points.txt").write_text(f"[embedhub.steps]\n{lines}")
    (site / "embedhub_scale.py").write_text(STEPS)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "embedhub_scale", raising=False)
    return site


@pytest.mark.usefixtures("third_party")
def test_third_party_adds_a_step(rivers: "np.ndarray[Any, np.dtype[np.float64]]") -> None:
    """By an entry point of its own, with its arguments in the name; it is imported only when used."""
    embedhub.load("rivers | unit")
    assert "embedhub_scale" not in sys.modules
    vectors = embedhub.load("rivers | scale(50)")
    assert vectors.name == "rivers | scale(50, none)"
    assert np.allclose(vectors.matrix, rivers / 2)
    assert find_stores("rivers | scale(50)")[0].state() == "current"


@pytest.mark.usefixtures("third_party")
@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        ("no-step(3)", PluginError, "the step no-step is 3; expected an embedhub_derive.Step"),
        ("broken(3)", PluginError, r"fails in the step broken: KeyError: 3 \(embedhub_scale\.py, line"),
        ("scale(3, list)", PluginError, r"the step Scale returned \[\]; expected a Table of dim 12"),
        ("scale(3, a, b)", SourceNotFoundError, "does not take these arguments"),
    ],
)
def test_broken_step_is_an_error(step: str, error: type[Exception], message: str) -> None:
    """The message names the plugin or the step, and nothing is published."""
    with pytest.raises(error, match=message):
        embedhub.load(f"rivers | {step}")
    assert inventory.list_stores(f"rivers | {step}") == []


def test_step_of_two_plugins_is_an_error(third_party: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are named, and one can be disabled."""
    other = third_party.parent / "other"
    shutil.copytree(third_party, other)
    (other / "embedhub_scale-1.0.dist-info").rename(other / "embedhub_other-1.0.dist-info")
    metadata = other / "embedhub_other-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("embedhub-scale", "embedhub-other"))
    monkeypatch.syspath_prepend(str(other))
    with pytest.raises(
        SourceNotFoundError, match=r"provided by embedhub-\w+ \(scale\) and by embedhub-\w+ \(scale\)"
    ):
        embedhub.load("rivers | scale(50)")
    monkeypatch.setenv("EMBEDHUB_DISABLE_PLUGINS", "embedhub-other")
    assert embedhub.load("rivers | scale(50)").dim == 12


def test_missing_files_are_errors(folder: Path) -> None:
    """Of a source, and of a step."""
    with pytest.raises(LocalFileError, match=r"w\.vec: there is no such file"):
        embedhub.load("./w.vec | unit")
    with pytest.raises(LocalFileError, match=r"w\.txt: this file cannot be read"):
        embedhub.load("./v.vec | words(./w.txt)")
    (folder / "a, b.txt").write_text("rain\n")
    with pytest.raises(SourceNotFoundError, match="does not take these arguments"):
        embedhub.load("./v.vec | words(./a, b.txt)")
    assert inventory.list_stores() == []


def test_source_of_tokens_stays_whole(folder: Path) -> None:
    """Its tokenizer goes with it; it can be neither joined nor limited to some words."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models

    Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a")).save("tokenizer.json")
    save_file({"embeddings": np.array([[3, 4], [0, 2]], np.float32)}, "model.safetensors")
    vectors = embedhub.load("./model.safetensors | unit")
    assert (vectors.unit, vectors.tokenization) == ("token", "model2vec")
    assert vectors["a"].tolist() == [np.float32(0.6), np.float32(0.8)]
    for expression in ("./model.safetensors + ./v.vec", "./model.safetensors | text(./v.vec)"):
        with pytest.raises(VocabularyError, match="can be neither joined nor selected"):
            embedhub.load(expression)


def test_vectors_that_are_not_finite_are_not_published(folder: Path) -> None:
    """What exceeds float32 is an error that names the expression."""
    (folder / "huge.vec").write_text("rain 3e38 0\nsnow -3e38 1\nsun 0 3e38\n")
    with pytest.raises(FormatError, match=r"huge\.vec \| pca\(1\) 1d"):
        embedhub.load("./huge.vec + ./huge.vec | pca(1)")
    assert find_stores("./huge.vec + ./huge.vec | pca(1)") == []
