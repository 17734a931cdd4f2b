"""Names, plugins, and what goes wrong with plugins: with real distributions on the path."""

import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import embedhub
from embedhub import (
    DimNotFoundError,
    EmbeddingSource,
    PluginWarning,
    SourceClashError,
    SourceNotFoundError,
)
from embedhub.registry import Registry

SOURCE = """
from embedhub import EmbeddingSource, hookimpl

def source(name):
    return EmbeddingSource(
        name=name, description="", language="en", cased=False, words=None,
        license="", citation="", homepage="",
    )
"""
GOOD = (
    SOURCE
    + """
@hookimpl
def embedhub_sources():
    yield source("{name}")
"""
)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that installs a distribution with one module: files as pip would lay them."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install(distribution: str, code: str, entry_point: str = "main") -> None:
        module = distribution.replace("-", "_") + "_" + tmp_path.name.replace("-", "_")
        (site / f"{module}.py").write_text(textwrap.dedent(code), "utf-8")
        info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n", "utf-8"
        )
        (info / "entry_points.txt").write_text(f"[embedhub]\n{entry_point} = {module}\n", "utf-8")

    return install


def a_source(name: str = "mine", **changes: Any) -> EmbeddingSource:
    """Return a source without files."""
    facts: dict[str, Any] = {
        "name": name, "description": "", "language": "en", "cased": False, "words": None,
        "license": "", "citation": "", "homepage": "",
    }  # fmt: skip
    return EmbeddingSource(**(facts | changes))


def test_built_in_sources_come_through_the_hook() -> None:
    """The two built-in sources are there without any plugin, in alphabetical order."""
    registry = Registry()
    assert [name for name in registry if name in {"glove-6b", "wordnet-ppmi"}] == ["glove-6b", "wordnet-ppmi"]
    assert registry.provider("glove-6b") == "embedhub.builtin.glove"
    assert embedhub.sources()["glove-6b"].dims == (50, 100, 200, 300)


def test_an_installed_plugin_is_found(install: Callable[..., None]) -> None:
    """Installing a distribution makes its name appear, and says who provides it."""
    install("embedhub-good", GOOD.format(name="good-corpus"))
    registry = Registry()
    assert registry["good-corpus"].name == "good-corpus"
    assert registry.provider("good-corpus") == "embedhub-good (main)"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
        ("1 +", "SyntaxError"),
        (SOURCE, "no function embedhub_sources marked with @hookimpl"),
        (SOURCE + "@hookimpl\ndef embedhub_source():\n    return []\n", "unknown hook 'embedhub_source'"),
        (SOURCE + "@hookimpl\ndef embedhub_sources():\n    raise OSError('no disk')\n", "OSError: no disk"),
        (
            SOURCE + "@hookimpl\ndef embedhub_sources():\n    return ['glove']\n",
            "gave 'glove', which is no Emb",
        ),
        (
            SOURCE + "@hookimpl\ndef embedhub_sources():\n    return [source('Bad Name')]\n",
            "name is 'Bad Name'",
        ),
        (SOURCE + "@hookimpl\ndef embedhub_sources(cache):\n    return []\n", "PluginValidationError"),
    ],
)
def test_a_broken_plugin_is_named_and_hurts_no_other(
    install: Callable[..., None], code: str, words: str
) -> None:
    """Whatever is wrong with a plugin, a warning names it and all other sources work."""
    install("embedhub-a-good", GOOD.format(name="first"))
    install("embedhub-broken", code)
    install("embedhub-z-good", GOOD.format(name="last"))
    with pytest.warns(PluginWarning) as caught:
        names = set(Registry())
    assert {"first", "last", "glove-6b"} <= names
    (warning,) = (str(warning.message) for warning in caught)
    assert "The embedhub plugin embedhub-broken (main) is left out" in warning
    assert words in warning


def test_a_clash_is_an_error_only_when_the_name_is_used(install: Callable[..., None]) -> None:
    """Two plugins with one name are both named when it is asked for; no other name suffers."""
    install("embedhub-one", GOOD.format(name="same"))
    install("embedhub-two", GOOD.format(name="same"))
    registry = Registry()
    assert "same" not in registry
    assert dict(registry)
    with pytest.raises(SourceClashError, match=r"embedhub-one \(main\) and by embedhub-two \(main\)"):
        registry["same"]


def test_discovery_happens_once(install: Callable[..., None]) -> None:
    """A registry looks for plugins on first use, and never again."""
    registry = Registry()
    install("embedhub-early", GOOD.format(name="early"))
    assert "early" in registry
    install("embedhub-late", GOOD.format(name="late"))
    assert "late" not in registry


@pytest.mark.parametrize("value", ["1", "embedhub-broken", "main, other"])
def test_plugins_can_be_switched_off(
    install: Callable[..., None], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """A plugin named in EMBEDHUB_DISABLE_PLUGINS, by distribution or entry point, is not even imported."""
    install("embedhub-broken", "raise RuntimeError")
    monkeypatch.setenv("EMBEDHUB_DISABLE_PLUGINS", value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "glove-6b" in Registry()


def test_an_unknown_name_shows_the_close_ones() -> None:
    """The error lists close matches and how to see all names."""
    with pytest.raises(
        SourceNotFoundError, match=r"named 'glove-6B'. Did you mean 'glove-6b'\?.*list\(embedhub"
    ):
        embedhub.load("glove-6B", 50)
    with pytest.raises(LookupError, match=r"No source is named 'zzz'. list"):
        embedhub.sources()["zzz"]


def test_register_adds_a_source_for_this_process() -> None:
    """A registered source is found by name; a second one replaces it; a plugin's name is taken."""
    registry = Registry()
    registry.register(a_source(words=1))
    registry.register(a_source(words=2))
    assert registry["mine"].words == 2
    with pytest.raises(SourceClashError, match=r"'glove-6b' is taken by embedhub.builtin.glove"):
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
        ({"name": "Mine"}, "name is 'Mine'"),
        ({"name": "../mine"}, "name is '../mine'"),
        ({"files": {"50": ()}}, "has the dim '50'"),
        ({"files": {50: ()}}, r"files\[50\] is \(\)"),
        ({"files": {50: ("https://example.org/x",)}}, "expected RemoteFile objects"),
    ],
)
def test_a_source_is_checked_when_it_is_made(changes: dict[str, Any], words: str) -> None:
    """A wrong field is an error at once."""
    with pytest.raises(ValueError, match=words):
        a_source(**changes)


def test_dims_are_checked_everywhere() -> None:
    """A dim that a source has not is an error that lists those it has."""
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
    with pytest.raises(ValueError, match="has dim 25; 50 was asked for"):
        embedhub.load(vectors, 50)
    with pytest.raises(TypeError, match="expected a name, a path, an EmbeddingSource or Vectors"):
        embedhub.load(3, 50)  # type: ignore[arg-type]  # the point
