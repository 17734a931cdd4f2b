"""What a source may yield, and the errors for all else: they name the source, and nothing is published."""

import gc
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedhub
from embedhub import ComputedSource, ExtraFile, FormatError
from embedhub.errors import FormatWarning, StoreError

ONE = (["rain"], np.ones((1, 2), np.float32))


def bread(compute: Callable[[int], Any], **options: Any) -> ComputedSource:
    """Return a source whose vectors a function computes."""
    facts: dict[str, Any] = dict.fromkeys(("description", "license", "citation", "homepage"), "")
    facts |= {"name": "bread", "dims": (2,), "version": 1, "language": "en", "cased": True}
    return ComputedSource(**(facts | options), compute=compute)


def yielding(*items: Any) -> ComputedSource:
    """Return a source that yields these items."""
    return bread(lambda _: items)


def nothing_is_kept(cache: Path) -> bool:
    """Return whether no part of a store is in the cache."""
    return not list((cache / "vectors").rglob("*"))


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (None, "the source yielded None; expected a Block(words, vectors) or an ExtraFile("),
        ("rain", "the source yielded 'rain' of type str; expected a Block"),
        (["rain", [1, 2]], "the source yielded ['rain', [1, 2]] of type list; expected a Block"),
        ((word for word in ["rain"]), "of type generator; expected a Block"),
        ((*ONE, 3), "of type tuple; expected a Block"),
        ({"rain": [1, 2]}, "of type dict; expected a Block"),
        (("rain", np.ones((4, 2), np.float32)), "the words of a block are 'rain' of type str; expected a"),
        ((np.array(["rain"]), ONE[1]), "the words of a block are array(['rain'], dtype='<U4') of type"),
        ((("rain",), ONE[1]), "the words of a block are ('rain',) of type tuple; expected a list of str"),
        (([b"rain"], ONE[1]), "word 0 of a block is b'rain' of type bytes; expected a str"),
        (([None], ONE[1]), "word 0 of a block is None; expected a str"),
        ((["\ud800"], ONE[1]), r"word 0 of a block is '\ud800' of type str; expected a str that can be"),
        ((["rain"], [[1.0, 2.0]]), "the vectors of a block are [[1.0, 2.0]] of type list; expected a numpy"),
        ((["rain"], None), "the vectors of a block are None; expected a numpy array of shape (1, 2) and"),
        ((["rain"], np.ones(2, np.float32)), "1 words with an array of shape (2,) and dtype float32"),
        ((["rain"], np.ones((1, 3), np.float32)), "expected shape (1, 2) and float32. Nothing"),
        ((["rain"], np.ones((1, 2))), "dtype float64; expected shape (1, 2) and float32. Convert it with"),
        ((["rain"], np.ones((1, 2), np.float16)), "Convert it with .astype(np.float32)."),
        ((["rain"], np.ones((1, 2), ">f4")), "dtype >f4; expected shape (1, 2) and float32. Convert it"),
        ((["rain"], np.ones((1, 2), object)), "dtype object; expected shape (1, 2) and float32. Nothing"),
        ((["rain"], np.array([[1, np.nan]], np.float32)), "vector 0 of a block (word 'rain') has a number"),
    ],
)
def test_malformed_block_is_an_error_that_names_its_source(item: Any, words: str, cache: Path) -> None:
    """The error has the source, the dimension, how far it came, what was yielded and what is expected."""
    source = yielding((["first"], ONE[1]), item)
    with pytest.raises(FormatError, match=re.escape(words)) as caught:
        embedhub.load(source)
    assert str(caught.value).startswith("bread 2d, after 1 vectors: ")
    assert "othing was published." in str(caught.value)
    assert nothing_is_kept(cache)


def test_long_values_are_shortened_in_errors() -> None:
    """A message shows the beginning of what was yielded."""
    with pytest.raises(FormatError) as caught:
        embedhub.load(yielding(["rain"] * 100_000))
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("compute", "words"),
    [
        (lambda _: None, "bread 2d: the source returned None; expected an iterator of blocks"),
        (lambda _: iter(()), "bread 2d: the source yielded no vectors; nothing was published"),
        (lambda _: ONE, "bread 2d, after 0 vectors: the source yielded ['rain'] of type list"),
    ],
    ids=["no yield", "no blocks", "a block returned"],
)
def test_source_without_blocks_is_an_error(compute: Callable[[int], Any], words: str, cache: Path) -> None:
    """A function that forgets to yield, or has nothing to yield, publishes nothing."""
    with pytest.raises(FormatError, match=re.escape(words)):
        embedhub.load(bread(compute))
    assert nothing_is_kept(cache)


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "../evil.npy", "../../evil.npy", "a/b.npy", "/evil.npy", "C:evil.npy", "C:\\evil.npy",
        "..\\evil.npy", ".hidden", "dot.", "space ", "a b", "new\nline", "nul", "NUL.npy", "com1.txt", "CON",
        "n\0l", "caf\xe9.npy", "a" * 101, None, 3, Path("scales.npy"),
    ],
)  # fmt: skip
def test_name_of_an_extra_file_is_a_plain_one(name: Any, cache: Path) -> None:
    """A name that is a path, or that a file system refuses or changes, is an error; nothing is written."""
    source = yielding(ONE, ExtraFile(name, np.ones(2), {}))
    with pytest.raises(FormatError, match=r"^bread 2d: the source yielded an extra file named ") as caught:
        embedhub.load(source)
    assert "expected the name of a file without a folder" in str(caught.value)
    assert nothing_is_kept(cache)
    assert not list(cache.parent.rglob("*evil*"))


@pytest.mark.parametrize(
    "names",
    [
        ["matrix.npy"], ["MATRIX.NPY"], ["words.utf8"], ["offsets.npy"], ["Hashes.npy"], ["rows.npy"],
        ["manifest.json"], ["Manifest.JSON"], ["hashes.unsorted"], ["scales", "scales"], ["scales", "Scales"],
    ],
)  # fmt: skip
def test_extra_file_replaces_no_other(names: list[str], cache: Path) -> None:
    """A name of the store's own files, or one that was used already, is taken in any case of its letters."""
    source = yielding(ONE, *(ExtraFile(name, np.ones(2), {}) for name in names))
    with pytest.raises(FormatError, match=re.escape(f"named {names[-1]!r}, which is the name of another")):
        embedhub.load(source)
    assert nothing_is_kept(cache)


def test_extra_file_is_found_under_its_name(tmp_path: Path) -> None:
    """An array and a copied file have the very names that the source gave them, with or without extension."""
    (tmp_path / "rules.txt").write_text("one", "utf-8")
    scales = np.arange(3, dtype=np.float32)
    files = [
        ExtraFile("scales", scales, {"meaning": ["a", 1, None]}),
        ExtraFile("v1.2_rules-x", tmp_path / "rules.txt", {}),
    ]
    vectors = embedhub.load(yielding(files[0], ONE, files[1]))
    assert sorted(vectors.files) == ["scales", "v1.2_rules-x"]
    assert np.load(vectors.files["scales"], allow_pickle=False).tolist() == [0, 1, 2]
    assert vectors.files["v1.2_rules-x"].read_text("utf-8") == "one"
    assert vectors.manifest["files"] == {"scales": {"meaning": ["a", 1, None]}, "v1.2_rules-x": {}}
    assert {"scales", "v1.2_rules-x"} <= set(vectors.manifest["xxh3_128"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (np.array([{}, []], object), "is an array of dtype object; expected a pathlib.Path or a numpy array"),
        (np.array([(1, None)], [("a", "i4"), ("b", "O")]), "is an array of dtype [('a', '<i4'), ('b', 'O')]"),
        ("rules.txt", "is 'rules.txt' of type str; expected a pathlib.Path"),
        ([1, 2], "is [1, 2] of type list; expected a pathlib.Path"),
        (None, "is None; expected a pathlib.Path"),
        (Path("absent.json"), "absent.json: there is no such file, for table"),
        (Path(), ".: there is no such file, for table"),
    ],
)
def test_content_of_an_extra_file_is_a_file_or_an_array(content: Any, words: str, cache: Path) -> None:
    """Anything else, and an array that only pickle can hold, publishes nothing."""
    with pytest.raises(FormatError, match=rf"^bread 2d: .*{re.escape(words)}"):
        embedhub.load(yielding(ONE, ExtraFile("table", content, {})))
    assert nothing_is_kept(cache)


@pytest.mark.parametrize(
    "metadata",
    [None, [1], {"a": {1, 2}}, {"a": np.float32(1)}, {"a": float("nan")}, {"a": "\ud800"}, {1: "a"}],
)
def test_metadata_of_an_extra_file_are_json(metadata: Any, cache: Path) -> None:
    """What the manifest cannot hold, or would give back as something else, publishes nothing."""
    with pytest.raises(FormatError, match=r"^bread 2d: the metadata of the extra file table (are|cannot)"):
        embedhub.load(yielding(ONE, ExtraFile("table", np.ones(2), metadata)))
    assert nothing_is_kept(cache)


def test_manifest_of_a_source_is_json(cache: Path) -> None:
    """A source that adds to the manifest what is not JSON publishes nothing."""
    with pytest.raises(FormatError, match="bread 2d: the manifest of the source cannot be written as JSON"):
        embedhub.load(bread(lambda _: [ONE], license={"MIT"}))
    assert nothing_is_kept(cache)


@pytest.mark.parametrize("error", [ZeroDivisionError("bug"), KeyError("bug"), ValueError("bug")])
def test_error_of_a_source_is_passed_on_with_a_note(error: Exception, cache: Path) -> None:
    """An exception of the source's own code keeps its type, and a note names the source."""

    def compute(_: int) -> Iterable[Any]:
        yield ONE
        raise error

    with pytest.raises(type(error), match="bug") as caught:
        embedhub.load(bread(compute))
    assert caught.value is error
    (note,) = caught.value.__notes__
    assert note == (
        "bread 2d: this error comes from the code that reads or computes the vectors of the source. "
        "Nothing was published."
    )
    assert nothing_is_kept(cache)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FormatError("mine.bin: cut"), FormatError),
        (FormatWarning("mine.bin: short"), FormatWarning),
        (PermissionError(13, "denied"), StoreError),
    ],
)
def test_errors_about_the_file_stay_as_they_are(error: Exception, kind: type[Exception], cache: Path) -> None:
    """An error that is embedhub's or the system's is not one of the source's code."""

    def compute(_: int) -> Iterable[Any]:
        yield ONE
        raise error

    with pytest.raises(kind) as caught:
        embedhub.load(bread(compute))
    assert not hasattr(caught.value, "__notes__")
    assert nothing_is_kept(cache)


def test_source_is_built_after_it_was_corrected() -> None:
    """An error leaves nothing behind that a corrected source would meet."""
    with pytest.raises(FormatError):
        embedhub.load(yielding(ONE, ExtraFile("a/b", np.ones(1), {})))
    gc.collect()  # the arrays of the failed build are unmapped, which Windows requires
    assert embedhub.load(yielding(ONE, ExtraFile("b", np.ones(1), {})))["rain"].tolist() == [1, 1]


def test_blocks_of_any_size_and_memory_layout_are_written() -> None:
    """Empty blocks, slices, columns in Fortran's order and read-only arrays keep their values."""
    matrix = np.arange(24, dtype=np.float32).reshape(6, 4)
    matrix.flags.writeable = False
    blocks = [
        ([], matrix[:0, :2]),
        (["a", "b"], matrix[:2, :2]),
        (["c"], matrix[5:, ::2]),
        (["d", "e"], np.asfortranarray(matrix[2:4, :2])),
        ([np.str_("f")], matrix[4:5, :2]),
    ]
    vectors = embedhub.load(yielding(*blocks))
    assert list(vectors) == list("abcdef")
    assert vectors.matrix.tolist() == [[0, 1], [4, 5], [20, 22], [8, 9], [12, 13], [16, 17]]
