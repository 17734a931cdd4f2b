"""The steps and sums, against their formulas in NumPy and against scikit-learn."""

import json
from pathlib import Path
from typing import Any

import embedhub_derive.table
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

import embedhub
from embedhub.errors import SourceNotFoundError, VocabularyError

pytest_plugins = ["derive_fixtures"]
Matrix = NDArray[np.float64]


def derived(expression: str) -> Matrix:
    """Return the vectors of an expression."""
    return np.asarray(embedhub.load(expression).matrix, np.float64)


def close(actual: Matrix, expected: Matrix) -> bool:
    """Return whether vectors are equal up to the rounding to float32."""
    return actual.shape == expected.shape and np.allclose(actual, expected, rtol=1e-6, atol=1e-5)


def principal(centered: Matrix, count: int) -> Matrix:
    """Return principal components by the singular value decomposition, as rows."""
    components: Matrix = np.linalg.svd(centered, full_matrices=False)[2][:count]
    largest = components[np.arange(count), np.abs(components).argmax(axis=1)]
    signed: Matrix = components * np.sign(largest)[:, np.newaxis]
    return signed


def test_unit_has_length_one(rivers: Matrix) -> None:
    """Each vector is divided by its length."""
    assert close(derived("rivers | unit"), rivers / np.linalg.norm(rivers, axis=1, keepdims=True))


def test_unit_keeps_zeros() -> None:
    """A word that a source lacks has zeros, which have no direction."""
    hills = embedhub.load("rivers + hills | unit")["river1199"]
    alone = embedhub.load("hills | unit")["river1199"]
    assert np.allclose(hills, np.concatenate([np.zeros(12), alone]))


def test_center_subtracts_the_mean(rivers: Matrix) -> None:
    """The mean of the result is zero."""
    assert close(derived("rivers | center"), rivers - rivers.mean(axis=0))


def test_all_but_the_top_removes_common_directions(rivers: Matrix) -> None:
    """Algorithm 1 of Mu and Viswanath (2018), on centered vectors."""
    centered = rivers - rivers.mean(axis=0)
    top = principal(centered, 3)
    assert close(derived("rivers | all-but-the-top(3)"), centered - centered @ top.T @ top)


def test_pca_is_that_of_scikit_learn(rivers: Matrix) -> None:
    """Up to the sign of each component, whose largest number is positive here."""
    fitted = PCA(4, svd_solver="full").fit(rivers)
    components = fitted.components_
    signs = np.sign(components[np.arange(4), np.abs(components).argmax(axis=1)])
    assert close(derived("rivers | pca(4)"), fitted.transform(rivers) * signs)


def test_steps_are_applied_from_left_to_right(rivers: Matrix) -> None:
    """The recipe of Raunak et al. (2019) is the composition of its steps."""
    vectors = rivers
    for _ in range(2):
        centered = vectors - vectors.mean(axis=0)
        top = principal(centered, 2)
        vectors = centered - centered @ top.T @ top
        if vectors.shape[1] == 12:
            centered = vectors - vectors.mean(axis=0)
            vectors = centered @ principal(centered, 6).T
    assert close(derived("rivers | all-but-the-top(2) | pca(6) | all-but-the-top(2)"), vectors)


def test_truncate_keeps_the_first_numbers(rivers: Matrix) -> None:
    """Bit for bit."""
    assert (derived("rivers | truncate(5)") == rivers[:, :5]).all()


@pytest.mark.parametrize("sign", ["+", "+(mean)"])
def test_sum_is_over_the_union_of_the_words(sign: str, rivers: Matrix) -> None:
    """A word that a source lacks has zeros there, or the mean of its vectors."""
    vectors = embedhub.load(f"rivers {sign} hills")
    hills = np.asarray(embedhub.load("hills").matrix, np.float64)
    assert list(vectors) == [f"river{number}" for number in range(1200)]
    of_rivers, of_hills = (
        (rivers.mean(axis=0), hills.mean(axis=0)) if sign != "+" else (np.zeros(12), np.zeros(5))
    )
    left = np.concatenate([rivers, np.tile(of_rivers, (500, 1))])
    right = np.concatenate([np.tile(of_hills, (500, 1)), hills])
    assert close(np.asarray(vectors.matrix, np.float64), np.concatenate([left, right], axis=1))


def test_source_can_be_added_to_itself(rivers: Matrix) -> None:
    """And three sources are as two."""
    assert close(derived("rivers + hills + rivers")[:700, 17:], rivers)


def test_words_of_a_file_are_kept(tmp_path: Path) -> None:
    """In the order of the source, also those that its fallbacks find, from each kind of vocabulary."""
    (tmp_path / "words.txt").write_text("river9\nRIVER3\nnowhere\n")
    (tmp_path / "words.json").write_text(json.dumps(["river9", "RIVER3"]))
    for name in ("words.txt", "words.json"):
        assert list(embedhub.load(f"rivers | words({tmp_path / name})")) == ["river3", "river9"]
    (tmp_path / "text.txt").write_text("River3, or river9? Nowhere.")
    assert list(embedhub.load(f"rivers | text({tmp_path / 'text.txt'}) | unit")) == ["river3", "river9"]


def test_changed_file_of_words_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store belongs to the content of the file, and is found from each folder."""
    monkeypatch.chdir(tmp_path)
    Path("words.txt").write_text("river9\n")
    first = embedhub.load("rivers | words(words.txt)")
    assert first.name == f"rivers | words({tmp_path}/words.txt)"
    Path("words.txt").write_text("river8\n")
    assert list(embedhub.load("rivers | words(words.txt)")) == ["river8"]


def test_words_that_no_source_has_are_an_error(tmp_path: Path) -> None:
    """The message names the file."""
    (tmp_path / "words.txt").write_text("nowhere\n")
    with pytest.raises(VocabularyError, match=r"words\.txt: the vectors have none of its 1 words"):
        embedhub.load(f"rivers | words({tmp_path / 'words.txt'})")


def test_limit_can_be_anywhere(rivers: Matrix) -> None:
    """Before a step it limits what the step sees, after it what is kept."""
    few = rivers[:100] - rivers[:100].mean(axis=0)
    assert close(derived("rivers | limit(100) | center"), few)
    assert close(derived("rivers | center | limit(100)"), (rivers - rivers.mean(axis=0))[:100])
    assert close(derived("rivers | limit(100) | center | limit(9) | truncate(2)"), few[:9, :2])


def test_threads_of_blas_do_not_change_the_bits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Sums are made in the same order, whatever the number of threads."""
    digests = set()
    for threads in (1, 2, 4):
        monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / str(threads)))
        with threadpool_limits(threads):
            digests.add(embedhub.load("rivers + hills | all-but-the-top(2) | pca(9)").fingerprint)
    assert len(digests) == 1


def test_blocks_are_as_one(monkeypatch: pytest.MonkeyPatch, rivers: Matrix) -> None:
    """The size of the blocks is seen in the last digits only."""
    monkeypatch.setattr("embedhub_derive.sums.BLOCK", 64)
    assert embedhub_derive.table.BLOCK > 700
    centered = rivers - rivers.mean(axis=0)
    assert close(derived("rivers | pca(3)"), centered @ principal(centered, 3).T)


@pytest.mark.parametrize(
    ("expression", "problem", "character"),
    [
        ("rivers | unitt", r"no installed plugin has the step unitt \(did you mean unit\?\)", 9),
        ("rivers | unit | pca", "the step pca does not take these arguments", 16),
        ("rivers | unit(3)", "the step unit does not take these arguments", 9),
        ("rivers | pca(13)", "vectors of dim 12 have no 13 dimensions; expected at most 12", 9),
        ("rivers | pca(3) | truncate(4)", "vectors of dim 3 have no 4 dimensions", 18),
        ("rivers | pca(0)", "expected a positive number of dimensions", 9),
        ("rivers | all-but-the-top(x)", "expected a positive number of directions", 9),
        ("rivers | all-but-the-top(12)", "vectors of dim 12 have no 12 directions to remove", 9),
        ("rivers | limit(3) | nothing", "no installed plugin has the step nothing", 20),
    ],
)
def test_wrong_step_is_an_error_at_its_place(expression: str, problem: str, character: int) -> None:
    """Nothing is opened for it, and the message points at the step."""
    with pytest.raises(SourceNotFoundError, match=problem) as error:
        embedhub.load(expression)
    _, shown, caret = str(error.value).split("\n")
    assert shown == f"  {expression}"
    assert caret.index("^") - 2 == character


def test_more_directions_than_words_are_an_error() -> None:
    """The message says how many words there are."""
    with pytest.raises(
        VocabularyError, match=r"pca\(5\) needs at least 5 words; the vectors before it have 2"
    ):
        embedhub.load("rivers | limit(2) | pca(5)")


def test_wrong_source_of_a_sum_is_an_error() -> None:
    """The message is that of the source alone."""
    with pytest.raises(SourceNotFoundError, match="No source is named 'valleys'"):
        embedhub.load("rivers + valleys")


def test_step_documents_itself() -> None:
    """Each has its paper or its formula, and what it costs."""
    from embedhub_derive import steps

    found: list[Any] = [
        value for name, value in vars(steps).items() if isinstance(value, type) and name[0] != "_"
    ]
    assert {step.__name__ for step in found} >= {
        "Unit",
        "Center",
        "AllButTheTop",
        "Pca",
        "Truncate",
        "Words",
        "Text",
    }
    for step in found:
        if step.__module__ == steps.__name__:
            assert "Cost:" in (step.__doc__ or "")
