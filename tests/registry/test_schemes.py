"""Schemes of plugins: entry points of the group embedhub.schemes."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from children import PATIENCE
from command import add_distribution, run, seeing

import embedhub
from embedhub.errors import PluginError, SourceNotFoundError
from embedhub.registry.entry_points import unknown_disabled

CODE = """
import dataclasses
import numpy as np
import embedhub


@dataclasses.dataclass(frozen=True, kw_only=True)
class River(embedhub.EmbeddingSource):
    width: int
    dims = property(lambda self: (self.width,))

    def cache_key(self, dim):
        return f"{self.name} {dim}"

    def fetch(self, dim):
        return None

    def parse(self, fetched, dim):
        yield embedhub.Block(["rain", "snow"], np.full((2, dim), len(self.name), np.float32))

    def manifest(self, dim, cache_key, fetched):
        return super().manifest(dim, cache_key, fetched) | {"handle": f"river://{self.name}"}


def open_river(location, dim):
    if location == "none":
        raise embedhub.errors.SourceNotFoundError("There is no such river.")
    if location == "broken":
        return {}["rhine"]
    if location == "text":
        return "rhine"
    about = dict.fromkeys(("description", "license", "citation", "homepage"), "")
    return River(name=location, width=dim or 3, language="en", cased=False, **about)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a plugin with the scheme river://."""
    site = tmp_path / "site"
    add_distribution(site, "river", CODE, group="embedhub.schemes", attribute="open_river")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "river", raising=False)
    return site


@pytest.mark.usefixtures("site")
def test_scheme_of_a_plugin_opens_a_source() -> None:
    """The function gets what follows river://, and the dimension that was asked for."""
    assert (embedhub.load("river://rhine:2")["rain"] == [5, 5]).all()
    assert embedhub.load("RIVER://elbe", 4).dim == 4
    assert embedhub.load("river://isar").dim == 3
    assert embedhub.embedding_matrix("river://rhine:2", ["", "snow"]).matrix.tolist() == [[0, 0], [5, 5]]


@pytest.mark.usefixtures("site")
def test_vectors_of_a_scheme_are_pickled() -> None:
    """Another process opens the same vectors."""
    vectors = pickle.loads(pickle.dumps(embedhub.load("river://rhine:2")))  # noqa: S301 - our own
    assert (vectors["rain"] == [5, 5]).all()


@pytest.mark.slow
def test_command_takes_schemes(site: Path) -> None:
    """The command downloads, lists and removes the vectors of a scheme by its handle."""
    assert "2 words" in run("download", "river://rhine:2", **seeing(site)).stdout
    (store,) = json.loads(run("cache", "list", "river://rhine", "--json", **seeing(site)).stdout)["stores"]
    assert (store["handle"], store["state"]) == ("river://rhine", "current")
    assert run("cache", "remove", "river://rhine:2", "--yes", **seeing(site)).returncode == 0
    assert run("cache", "remove", "river://rhine:2", "--yes", **seeing(site)).returncode == 1


def test_plugin_of_a_scheme_is_imported_only_when_used(site: Path) -> None:
    """Other handles, and the list of sources, do not import it."""
    code = "import sys, embedhub; embedhub.load('wordnet-ppmi:25'); print('river' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | seeing(site),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stdout.strip() == "False"


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("handle", "error", "message"),
    [
        ("river://none", SourceNotFoundError, "There is no such river"),
        (
            "river://broken",
            PluginError,
            r"the embedhub plugin river \(river\) cannot open it: KeyError: 'rhine' \(river",
        ),
        ("river://text", PluginError, "returned 'rhine'; expected an EmbeddingSource"),
        ("rivr://rhine", SourceNotFoundError, r"has the scheme rivr://\. Did you mean river://\?"),
        ("htps://example.org/v.txt", SourceNotFoundError, r"Did you mean https://\?"),
        ("hf://owner/repo", SourceNotFoundError, "needs the plugin embedhub-huggingface"),
        ("river://", SourceNotFoundError, "expected printable characters after river://"),
    ],
)
def test_scheme_that_cannot_be_opened_is_an_error(handle: str, error: type[Exception], message: str) -> None:
    """The message names the plugin, or what to install."""
    with pytest.raises(error, match=message):
        embedhub.load(handle)


def test_scheme_of_two_plugins_is_an_error(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are named, and one of them can be disabled."""
    other = site.parent / "other"
    add_distribution(other, "stream", CODE, group="embedhub.schemes", attribute="open_river")
    entry_points = other / "stream-1.0.dist-info" / "entry_points.txt"
    entry_points.write_text(entry_points.read_text().replace("stream = ", "river = "))
    monkeypatch.syspath_prepend(str(other))
    with pytest.raises(SourceNotFoundError, match=r"provided by river \(river\) and by stream \(river\)"):
        embedhub.load("river://rhine")
    monkeypatch.setenv("EMBEDHUB_DISABLE_PLUGINS", "stream")
    assert (unknown_disabled(), embedhub.load("river://rhine").dim) == ([], 3)


def test_disabled_scheme_is_not_imported(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EMBEDHUB_DISABLE_PLUGINS names plugins of schemes too."""
    monkeypatch.setenv("EMBEDHUB_DISABLE_PLUGINS", "river")
    with pytest.raises(SourceNotFoundError, match="no installed plugin has the scheme river://"):
        embedhub.load("river://rhine")
    assert "river" not in sys.modules
    assert site.exists()
