"""Rules for stores and composers: the contract fails where `load` or a composer would, with its message."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contracts import MINE, computed, contract, file, read_by

from embedhub import ExtraFile, Format
from embedhub.testing import SourceContract
from embedhub.vectors.blocks import Block

ONE = np.ones((1, 2), np.float32)


def yielding(*items: Any) -> Callable[..., Iterator[Any]]:
    """Return a function that yields some items, whatever it is called with."""
    return lambda *_: iter(items)


def none(*_: object) -> None:
    """Yield nothing: a function that forgot to."""


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (yielding(Block(["a"], ONE * np.float32(np.nan))), "vector 0 of a block .* is not\\s+finite"),
        (yielding(Block(["a"], ONE), ExtraFile("../x", ONE, {})), "an extra file named '../x'; expected the"),
        (yielding(Block(["a"], ONE), ExtraFile("x", ONE, {"a": {1}})), "metadata of the extra file x cannot"),
        (yielding((np.array(["a"]), ONE)), "the words of a block are .*; expected a list of str"),
        (yielding(Block(["a\ud800"], ONE)), "word 0 of a block is .*; expected a str that can be encoded"),
        (yielding(), "the source yielded no vectors"),
        (none, "the function returns None; expected an iterator of blocks. Does it yield them?"),
    ],
)
def test_what_a_store_refuses_is_a_failure(
    read: Callable[..., Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a sample is read as, and what is computed, is written to a store; its refusal is the failure."""
    pattern = f"(?s)mine: .*{message}" if read is none else f"(?s)mine: .* so `load` fails: .*{message}"
    source = read_by(read)
    with pytest.raises(pytest.fail.Exception, match=pattern):
        contract(source).test_store_returns_the_parsed_vectors(source, tmp_path / "sample", monkeypatch)
    other = computed(read)
    facts = {"sources": [other], "expected": {2: {"a": [1]}}}
    made: SourceContract = type("TestMine", (SourceContract,), facts)()
    with pytest.raises(pytest.fail.Exception, match=pattern):
        made.test_store_returns_the_parsed_vectors(other, tmp_path / "computed", monkeypatch)


@dataclass(frozen=True)
class Composing:
    """A composer that calls a function, and the opener of itself."""

    function: Callable[[Sequence[str]], Any]

    def __call__(self, *_: object) -> "Composing":
        """Open it."""
        return self

    def compose(self, words: Sequence[str]) -> Any:
        """Call the function."""
        return self.function(words)


def lengths(words: Sequence[str]) -> Any:
    """Return the length of each word twice."""
    return np.array([[len(word)] * 2 for word in words], np.float32).reshape(len(words), 2)


def first_letters(words: Sequence[str]) -> Any:
    """Look at a letter that an empty word does not have."""
    return lengths([word[0] for word in words])


def broken(files: Mapping[str, Path], metadata: Mapping[str, Any]) -> Any:
    """Look for a file that is not there."""
    return files["table.npy"]


def broken_otherwise(*_: object) -> Any:
    """Fail."""
    raise RuntimeError("no table")


@pytest.mark.parametrize(
    ("opener", "message"),
    [
        (Composing(lengths), ""),
        (none, ""),
        (
            Composing(first_letters),
            r"compose raises IndexError \(.*\) for the word ''; expected a vector for",
        ),
        (
            Composing(lambda words: lengths(words).astype(float)),
            r"dtype float64 for .* words; expected .*float32",
        ),
        (Composing(lambda words: lengths(words)[:, :1]), r"of shape \(15, 1\) .*; expected .*\(15, 2\)"),
        (
            Composing(lambda words: np.array([lengths([word])[0] for word in words], np.float32)),
            r"of shape \(0,\) and dtype float32 for 0 words; expected an array of shape \(0, 2\)",
        ),
        (Composing(lambda words: lengths(words) + np.float32(np.inf)), r"not finite for \['qwxz', "),
        (
            Composing(lambda words: np.random.default_rng().random((len(words), 2), np.float32)),
            "returns other numbers for the same words",
        ),
        (Composing(lambda words: [[0, 0] for _ in words]), "returns a list of shape None"),
        (
            broken,
            r"so `load` fails: .*the composer of the source cannot be opened: KeyError: 'table.npy'",
        ),
        (
            broken_otherwise,
            r"so `load` fails: .*composer of the source cannot be opened: RuntimeError: no table",
        ),
        (yielding, "the composer of the source is .*; expected an object with a method compose"),
    ],
)
def test_composers_are_tested(
    opener: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A composer returns a finite float32 vector for each word, the same each time, and for no words none."""
    made = Format("mine", yielding(Block(["a"], ONE)), composer=opener)
    source = replace(MINE, files={2: file(format=made)})
    tested = contract(source)
    if not message:
        tested.test_composer_makes_vectors(source, tmp_path, monkeypatch)
        return
    with pytest.raises(pytest.fail.Exception, match=f"(?s){message}"):
        tested.test_composer_makes_vectors(source, tmp_path, monkeypatch)
