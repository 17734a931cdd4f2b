"""Vectors for unseen words that a source composes: from an author's code to layers and texts."""

import hashlib
import pickle
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import embedhub_text
import numpy as np
import pytest
from numpy.typing import NDArray

import embedhub
from embedhub import (
    Block,
    ComputedSource,
    Detected,
    EmbeddingSource,
    ExtraFile,
    Format,
    RemoteFile,
    RemoteSource,
)
from embedhub.download.remote_file import Fetched
from embedhub.errors import FormatError, PluginError, StoreWarning
from embedhub.registry.local_file import open_source

ABOUT: dict[str, Any] = {
    **dict.fromkeys(("description", "license", "citation", "homepage"), ""),
    "name": "bread",
    "language": "en",
    "cased": False,
}
LETTERS = np.arange(256, dtype=np.float32).repeat(2).reshape(256, 2)
BYTES = b"BRED rain storm"


class Letters:
    """Composes a word from its first letter, whose vectors are an extra file."""

    def __init__(self, table: NDArray[np.float32]) -> None:
        self._table = table

    def compose(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return the vector of each word's first letter."""
        return self._table[[ord(word[0]) for word in words]]


def open_letters(files: Mapping[str, Path], metadata: Mapping[str, Mapping[str, Any]]) -> Letters | None:
    """Open the composer of a store."""
    if "letters" not in files:
        return None
    return Letters(np.load(files["letters"], allow_pickle=False) * metadata["letters"]["scale"])


def blocks(dim: int) -> Iterator[Block | ExtraFile]:
    """Yield two words, and the vectors of letters."""
    yield Block(["rain", "storm"], np.ones((2, dim), np.float32))
    yield ExtraFile("letters", LETTERS, {"scale": 2})


def read(path: Path, dim: int) -> Iterator[Block | ExtraFile]:
    """Read a file of the author's format."""
    assert path.read_bytes() == BYTES
    yield from blocks(dim)


def detect(start: bytes, _: Path) -> Detected | None:
    """Recognize the format."""
    return Detected(2) if start.startswith(b"BRED") else None


FORMAT = Format("bread", read, detect=detect, composer=open_letters)


class Computed(ComputedSource):
    """A source that computes its vectors, and composes others."""

    def composer(
        self, files: Mapping[str, Path], metadata: Mapping[str, Mapping[str, Any]]
    ) -> Letters | None:
        """Open the composer."""
        return open_letters(files, metadata)


class Plain(EmbeddingSource):
    """A source of the bare interface, whose composer needs no file."""

    dims = (2,)

    def cache_key(self, dim: int) -> str:
        """Return a constant."""
        return f"plain {dim}"

    def fetch(self, dim: int) -> None:
        """There is no file."""
        self.check_dim(dim)

    def parse(self, fetched: Fetched | None, dim: int) -> Iterator[Block | ExtraFile]:  # noqa: ARG002 - no file
        """Yield two words."""
        yield next(blocks(dim))

    def composer(self, files: Mapping[str, Path], metadata: Mapping[str, Mapping[str, Any]]) -> Letters:
        """Return the composer."""
        assert (files, metadata) == ({}, {})
        return Letters(LETTERS * 2)


@pytest.fixture(params=["remote", "local", "computed", "plain"])
def source(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> EmbeddingSource:
    """Return a source of each kind that composes unseen words."""
    if request.param == "computed":
        return Computed(**ABOUT, dims=(2,), version=1, compute=blocks)
    if request.param == "plain":
        return Plain(**ABOUT)
    path = tmp_path / "mirror" / "example.org" / "bread.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(BYTES)
    if request.param == "local":
        return open_source(path, lambda: [FORMAT])
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    known_hash = f"sha256:{hashlib.sha256(BYTES).hexdigest()}"
    file = RemoteFile("https://example.org/bread.bin", known_hash=known_hash, format=FORMAT)
    return RemoteSource(**ABOUT, files={2: file})


def test_composer_of_a_source_makes_the_vectors_of_unseen_words(source: EmbeddingSource) -> None:
    """With oov="subword" they are in matrices, layers and texts; to the coverage they are missing words."""
    vocabulary = ["", "rain", "apple", "banana"]
    expected = [[0, 0], [1, 1], [194, 194], [196, 196]]
    result = embedhub.embedding_matrix(source, 2, vocabulary, oov="subword")
    assert result.matrix.tolist() == expected
    assert result.found.tolist() == [False, True, False, False]
    assert result.coverage.missing == ("apple", "banana")
    layer = embedhub.keras_embedding(source, 2, vocabulary, oov="subword")
    assert layer.get_weights()[0].tolist() == expected
    assert embedhub.coverage(source, 2, vocabulary).missing == ("apple", "banana")
    embed = embedhub_text.TextEmbedder(source, 2, oov="subword")
    assert embed(["rain apple", "banana"]).tolist() == [[97.5, 97.5], [196, 196]]
    # The second time from the store.
    assert embedhub.load(source).composer.compose(["apple"]).tolist() == [[194, 194]]  # type: ignore[union-attr]  # it has one


def test_composer_survives_pickling(source: EmbeddingSource) -> None:
    """Vectors that are sent to another process have their composer there."""
    again = pickle.loads(pickle.dumps(source.vectors(2)))  # noqa: S301 - our own bytes
    assert again.composer.compose(["apple"]).tolist() == [[194, 194]]


class Returning:
    """A composer that returns the same for any words, or raises it."""

    def __init__(self, result: Any) -> None:
        self._result = result

    def compose(self, words: Sequence[str]) -> Any:  # noqa: ARG002 - the same for all
        """Return the result, or raise it."""
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


def with_composer(opener: Any) -> EmbeddingSource:
    """Return a source with a composer that a function opens."""

    class Mine(Computed):
        def composer(self, files: Any, metadata: Any) -> Any:
            return opener(files, metadata)

    return Mine(**ABOUT, dims=(2,), version=1, compute=blocks)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (np.zeros((2, 3), np.float32), "returned an array that has shape (2, 3) and dtype float32; expected"),
        (np.zeros(2, np.float32), "returned an array that has shape (2,) and dtype float32; expected (2, 2)"),
        ([["a", "b"], ["c", "d"]], "returned an array that has shape (2, 2) and dtype <U1; expected (2, 2)"),
        (None, "returned an array that has shape () and dtype object; expected (2, 2) and float32"),
        (np.full((2, 2), np.inf), "returned an array that has a number that is not finite in float32"),
    ],
)
def test_wrong_result_of_a_composer_names_its_source(result: Any, words: str) -> None:
    """A wrong shape, type or number is an error with the source, and what was expected."""
    source = with_composer(lambda *_: Returning(result))
    message = f"oov='subword': the composer of bread 2d {words}"
    with pytest.raises(ValueError, match=re.escape(message)):
        embedhub.embedding_matrix(source, 2, ["rain", "apple", "pear"], oov="subword")
    with pytest.raises(ValueError, match=re.escape(message)):
        embedhub_text.TextEmbedder(source, 2, oov="subword")(["apple pear"])


@pytest.mark.parametrize("error", [ZeroDivisionError("bug"), KeyError("bug"), OSError("bug.")])
def test_error_of_a_composer_names_its_source(error: Exception) -> None:
    """Whatever it raises is an error of embedhub with the source, its composer, a word and the exception."""
    source = with_composer(lambda *_: Returning(error))
    with pytest.raises(PluginError) as caught:
        embedhub.embedding_matrix(source, 2, ["rain", "apple", "pear"], oov="subword")
    assert caught.value.__cause__ is error
    assert str(caught.value).startswith(
        "oov='subword': the composer of bread 2d (Returning) failed for 2 words such as 'apple': "
        f"{type(error).__name__}: "
    )
    assert ".." not in str(caught.value)


def test_own_errors_and_warnings_of_a_composer_pass() -> None:
    """An error of embedhub, and a warning that the user made an error, are raised as they are."""
    for error in (FormatError("mine"), UserWarning("mine")):
        with pytest.raises(type(error), match=r"^mine$"):
            embedhub.embedding_matrix(
                with_composer(lambda *_, error=error: Returning(error)), 2, ["rain", "apple"], oov="subword"
            )
        with pytest.raises(type(error), match=r"^mine$"):
            embedhub.load(with_composer(fail(error)))


def fail(error: Exception) -> Any:
    """Return an opener that raises an error."""

    def opener(*_: Any) -> Any:
        raise error

    return opener


def test_composer_that_cannot_be_opened_names_its_source() -> None:
    """An error of the code and an object without the method say whose composer it is; the store stays."""
    for error in (EOFError("bug"), KeyError("bug"), OSError("bug"), ZeroDivisionError("bug.")):
        with pytest.raises(
            PluginError, match=r"^bread 2d: the composer of the source cannot be op"
        ) as caught:
            embedhub.load(with_composer(fail(error)))
        assert f"{type(error).__name__}: " in str(caught.value)
        assert ".." not in str(caught.value)
        assert "emove" not in str(caught.value)
    with pytest.raises(
        TypeError, match=r"bread 2d: the composer of the source is 3; expected an object with"
    ):
        embedhub.load(with_composer(lambda *_: 3))


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"x")], ids=["gone", "other"])
def test_damaged_file_of_a_composer_is_made_again(damage: Callable[[Path], object]) -> None:
    """If a file of the composer is missing or has other bytes, the store is built again."""
    source = with_composer(open_letters)
    path = embedhub.load(source).files["letters"]
    before = path.read_bytes()
    damage(path)
    with pytest.warns(StoreWarning, match="has been built again"):
        embedhub.load(source)
    assert path.read_bytes() == before


def test_subword_policy_without_a_composer_says_what_to_use() -> None:
    """The error names the source, and the sources and policies to use instead."""
    with pytest.raises(ValueError, match="oov='subword' needs a source that composes vectors") as caught:
        embedhub.embedding_matrix("wordnet-ppmi", 25, ["rain", "qwxz"], oov="subword")
    assert "wordnet-ppmi 25d does not: its Vectors.composer is None" in str(caught.value)
    assert "fastText model with n-grams (.bin); or oov='normal', 'mean' or 'zeros'." in str(caught.value)
