"""Names and the sources behind them. What installed plugins do is in test_entry_points.py."""

import pickle
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import embedhub
from embedhub import EmbeddingSource, RemoteFile, RemoteSource
from embedhub.errors import DimNotFoundError, SourceNotFoundError
from embedhub.registry.registry import Registry
from embedhub.registry.unknown_names import DISTRIBUTIONS


def a_source(name: str = "mine", **changes: Any) -> EmbeddingSource:
    """Return a source without files."""
    facts: dict[str, Any] = {
        "name": name, "description": "", "language": "en", "cased": False, "files": {2: RemoteFile("https://example.org/a.txt")},
        "license": "", "citation": "", "homepage": "",
    }  # fmt: skip
    return RemoteSource(**(facts | changes))


def test_built_in_sources_come_through_the_hook() -> None:
    """The two built-in sources are there without any plugin, in alphabetical order."""
    registry = Registry()
    assert [name for name in registry if name in {"glove-6b", "wordnet-ppmi"}] == ["glove-6b", "wordnet-ppmi"]
    assert registry.provider("glove-6b") == "embedhub.registry.builtin.glove"
    assert embedhub.sources()["glove-6b"].dims == (50, 100, 200, 300)


def test_an_unknown_name_shows_the_close_ones() -> None:
    """The error lists close matches and how to see all names."""
    with pytest.raises(
        SourceNotFoundError,
        match=r"named 'glove-6B'. Did you mean 'glove-6b'\?.*list\(embedhub",
    ):
        embedhub.load("glove-6B", 50)
    with pytest.raises(
        LookupError,
        match=r"No source is named 'zzz'. Plugins have more: embedhub-glove, .*list\(embedhub.sources",
    ):
        embedhub.sources()["zzz"]


def test_a_dim_may_follow_the_name_of_a_source(tmp_path: Path) -> None:
    """Every function takes it, also after a path; the same dimension may be said twice."""
    whole = embedhub.load("wordnet-ppmi", 25)
    words = {"music": 1, "rain": 2}
    assert repr(embedhub.load("wordnet-ppmi:25")) == repr(embedhub.load("wordnet-ppmi:25", 25)) == repr(whole)
    assert pickle.loads(pickle.dumps(embedhub.load("wordnet-ppmi:25"))).dim == 25  # noqa: S301 - its own bytes
    matrix = embedhub.embedding_matrix("wordnet-ppmi:25", None, words).matrix
    assert matrix.tolist() == embedhub.embedding_matrix(whole, None, words).matrix.tolist()
    assert embedhub.coverage("wordnet-ppmi:50", None, words).found == 2
    assert embedhub.export("wordnet-ppmi:25", None, tmp_path / "rows.npz", topn=3).dim == 25
    path = tmp_path / "mine.vec"
    path.write_text("1 3\nrain 1 2 3\n", "utf-8")
    assert list(embedhub.load(f"{path}:3")) == ["rain"]
    with pytest.raises(DimNotFoundError, match="has no dim 2; its only dim is 3"):
        embedhub.load(f"{path}:2")


def test_register_adds_a_source_for_this_process() -> None:
    """A registered source is found by name; a second one replaces it; a plugin's name is taken."""
    registry = Registry()
    registry.register(a_source(vocab_size=1))
    registry.register(a_source(vocab_size=2))
    assert registry["mine"].vocab_size == 2
    with pytest.raises(ValueError, match=r"'glove-6b' is taken by embedhub.registry.builtin.glove"):
        registry.register(a_source("glove-6b"))
    with pytest.raises(TypeError, match="expected an EmbeddingSource, got 'mine'"):
        registry.register("mine")  # type: ignore[arg-type]  # the point


def test_the_public_functions_share_one_registry() -> None:
    """What embedhub.register adds, embedhub.sources shows."""
    embedhub.register(a_source("shown-in-sources"))
    assert "shown-in-sources" in embedhub.sources()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "my corpus"}, "name is 'my corpus'"),
        ({"name": "../mine"}, "name is '../mine'"),
        ({"files": {"50": ()}}, "has the dim '50'"),
        ({"files": {50: ()}}, r"files\[50\] is \(\)"),
        ({"files": {50: ("https://example.org/x",)}}, "expected a RemoteFile"),
    ],
)
def test_a_source_is_checked_when_it_is_made(changes: dict[str, Any], words: str) -> None:
    """A wrong field is an error at once."""
    with pytest.raises(ValueError, match=words):
        a_source(**changes)


def test_dims_are_checked_everywhere() -> None:
    """An unavailable dimension is an error that lists the available ones."""
    for call in (
        lambda: embedhub.load("glove-6b", 75),
        lambda: embedhub.load("glove-6b"),
        lambda: embedhub.sources()["glove-6b"].fetch(75),
        lambda: embedhub.sources()["wordnet-ppmi"].fetch(300),
    ):
        with pytest.raises(DimNotFoundError, match=r"25, 50, 100|50, 100, 200, 300"):
            call()
    vectors = embedhub.load("wordnet-ppmi", 25)
    assert embedhub.load(vectors) is vectors
    assert embedhub.load(embedhub.sources()["wordnet-ppmi"], 25).dim == 25
    with pytest.raises(ValueError, match="has dim 25; 50 was requested"):
        embedhub.load(vectors, 50)
    with pytest.raises(TypeError, match="expected a name, a path, an EmbeddingSource or Vectors"):
        embedhub.load(3, 50)  # type: ignore[arg-type]  # the point


PLUGINS = Path(__file__).parents[2] / "plugins"


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_table_of_distributions_knows_all_names_of_its_plugins(
    distribution: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the plugin, the error for each name of its sources says which distribution to install."""
    project = PLUGINS / distribution / "pyproject.toml"
    groups = tomllib.loads(project.read_text("utf-8"))["project"]["entry-points"]
    monkeypatch.syspath_prepend(project.parent)
    provided = [EntryPoint(name, value, "embedhub").load() for name, value in groups["embedhub"].items()]
    names = [
        source.name
        for item in provided
        for source in (item.embedhub_sources() if isinstance(item, ModuleType) else [item])
    ]
    registry = Registry()
    monkeypatch.setattr(registry, "_providers", {})
    assert names
    for name in names:
        with pytest.raises(SourceNotFoundError, match=f"the plugin {distribution} "):
            registry[name]


def test_repr_fits_a_screen() -> None:
    """With hundreds of sources it shows embedhub's own names, and how many each plugin provides."""
    registry = Registry()
    assert repr(registry).startswith(
        f"<{len(registry)} embedhub sources: glove-6b, glove-6b-20k, wordnet-ppmi"
    )
    for number in range(500):
        registry.register(a_source(f"mine-{number}-{'x' * 50}"))
    shown = repr(registry)
    assert "500 of embedhub.register()" in shown
    assert len(shown) < 500
