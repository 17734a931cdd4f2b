"""Maps of words."""

import pickle
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from children import PATIENCE
from command import run
from embedhub_eval.plots import plot_words, principal_components
from IPython.core.formatters import DisplayFormatter

import embedhub

SVG = "{http://www.w3.org/2000/svg}"


def texts(path: Path) -> list[str]:
    """Return the texts of an SVG."""
    return [element.text or "" for element in ET.parse(path).iter(f"{SVG}text")]  # noqa: S314 - our own file


@pytest.mark.slow
def test_command_writes_an_svg(tmp_path: Path) -> None:
    """`embedhub plot` writes an SVG with the words, their neighbors and the variance of each axis."""
    done = run("plot", "wordnet-ppmi:50", "music", "rain", "--topn", 5, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Wrote words.svg\n"
    vectors = embedhub.load("wordnet-ppmi", 50)
    shown = texts(tmp_path / "words.svg")
    for word in ("music", "rain"):
        assert {word, *(near for near, _ in vectors.most_similar(word, topn=5))} <= set(shown)
    assert sum("% of the variance" in text for text in shown) == 2
    assert "music, rain" in shown


@pytest.mark.slow
def test_command_writes_a_png(tmp_path: Path) -> None:
    """The extension .png selects PNG, with the colors of both words."""
    done = run("plot", "wordnet-ppmi:50", "music", "rain", "--out", tmp_path / "map.png")
    assert done.returncode == 0, done.stderr
    picture = matplotlib.image.imread(tmp_path / "map.png")
    assert picture.shape[:2] == (1120, 1440)
    for color in ("#0072B2", "#D55E00"):
        rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        assert (np.abs(picture[..., :3] - rgb).max(axis=2) < 0.01).sum() > 100


@pytest.mark.slow
def test_command_reports_errors(tmp_path: Path) -> None:
    """Another extension is wrong usage; an OOV word and an existing file are failed tasks."""
    out = tmp_path / "map.svg"
    assert run("plot", "wordnet-ppmi:50", "music", "--out", tmp_path / "map.gif").returncode == 2
    done = run("plot", "wordnet-ppmi:50", "music", "qwxz", "--out", out)
    assert done.returncode == 1
    assert "wordnet-ppmi 50d does not have 'qwxz'." in done.stderr
    assert not out.exists()
    out.write_text("mine")
    done = run("plot", "wordnet-ppmi:50", "music", "--out", out)
    assert (done.returncode, out.read_text()) == (1, "mine")
    assert "--force" in done.stderr
    assert run("plot", "wordnet-ppmi:50", "music", "--out", out, "--force").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["map.svg", "map.png"])
def test_same_words_produce_the_same_file(tmp_path: Path, name: str) -> None:
    """Files have neither a date nor random ids."""
    for folder in ("one", "two"):
        plot_words("wordnet-ppmi", 25, ["music", "rain"], tmp_path / folder / name)
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_notebooks_show_plots() -> None:
    """A figure is a picture in a notebook, also if pyplot was never imported, and a copy of it too."""
    figure = plot_words("wordnet-ppmi", 25, ["music", "rain"], topn=2)
    formatter: Any = DisplayFormatter()
    for shown in (figure, pickle.loads(pickle.dumps(figure))):  # noqa: S301 - our own
        data, _ = formatter.format(shown)
        assert data["image/png"].startswith(b"\x89PNG")


def test_components_have_the_largest_variance() -> None:
    """Points and ratios equal those of the largest eigenvalues of the covariance."""
    rows = np.random.default_rng(1).normal(size=(30, 6)).astype(np.float32) * [5, 1, 3, 0.5, 1, 1] + 7
    points, ratios = principal_components(rows.astype(np.float32))
    values, axes = np.linalg.eigh(np.cov(rows, rowvar=False))
    assert ratios == pytest.approx(values[[-1, -2]] / values.sum(), rel=1e-4)
    expected = (rows - rows.mean(axis=0)) @ axes[:, [-1, -2]]
    assert np.abs(points) == pytest.approx(np.abs(expected), abs=1e-3)
    assert (points[np.abs(points).argmax(axis=0), [0, 1]] > 0).all()


def test_missing_component_is_zero() -> None:
    """Points on a line, or in one place, are 0 on the other axes."""
    points, ratios = principal_components(np.array([[0, 0], [1, 1], [4, 4]], np.float32))
    assert points[:, 1].tolist() == [0, 0, 0]
    assert ratios == pytest.approx((1, 0))
    points, ratios = principal_components(np.ones((3, 4), np.float32))
    assert (points.tolist(), ratios.tolist()) == ([[0, 0]] * 3, [0, 0])
    points, _ = principal_components(np.array([[1], [3]], np.float32))
    assert points == pytest.approx(np.array([[1, 0], [-1, 0]]))


@pytest.mark.slow
def test_labels_do_not_overlap() -> None:
    """No two labels of 56 words overlap, and all are inside the axes."""
    queries = ["music", "rain", "doctor", "river", "red", "seven", "ship", "tea"]
    figure = plot_words("wordnet-ppmi", 100, queries, topn=6)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == "music, rain, doctor, river, red, seven, ..."
    words = [text for text in axes.texts if text.get_text()]
    assert len(words) == 56
    boxes = np.array([text.get_window_extent().extents for text in words])
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    np.fill_diagonal(shared, 0)
    assert shared.sum() == 0
    assert (boxes[:, :2] >= axes.bbox.min).all()
    assert (boxes[:, 2:] <= axes.bbox.max).all()


def test_unusual_words_are_drawn(make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path) -> None:
    """A dollar sign is not a formula, unprintable characters become U+FFFD, and duplicate words are one."""
    vectors = make_vectors(["$", "$x_1$", "a<b&c", "tab\there", "\udcff", "New York"])
    plot_words(vectors, None, [*vectors, "$"], tmp_path / "map.svg", topn=0)
    shown = texts(tmp_path / "map.svg")
    assert {"$", "$x_1$", "a<b&c", "tab\ufffdhere", "\ufffd", "New York"} <= set(shown)
    assert shown.count("$") == 1


def test_invalid_plot_is_an_error(make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path) -> None:
    """Fewer than two words, a negative topn, another extension and OOV words are errors."""
    vectors = make_vectors(["the", "cat"])
    with pytest.raises(ValueError, match="words to plot is 1; expected two or more"):
        plot_words(vectors, None, ["the"], topn=0)
    with pytest.raises(ValueError, match="topn is -1"):
        plot_words(vectors, None, ["the"], topn=-1)
    with pytest.raises(ValueError, match=r"map.pdf: expected a path that ends with .svg or .png"):
        plot_words(vectors, None, ["the"], tmp_path / "map.pdf")
    with pytest.raises(embedhub.errors.WordNotFoundError, match="tiny 4d does not have 'The', 'Cat'"):
        plot_words(vectors, None, ["The", "cat", "Cat"])
    figure = plot_words(vectors, None, "the")
    assert figure.axes[0].get_title(loc="left") == "the"


WITHOUT_MATPLOTLIB = """
import sys
sys.modules["matplotlib"] = None
import embedhub, embedhub_eval
try:
    embedhub_eval.plot_words("wordnet-ppmi", 25, ["music"])
except embedhub.errors.DependencyError as error:
    print(error)
"""


def test_missing_matplotlib_names_the_extra() -> None:
    """Without matplotlib, the error names the extra to install."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_MATPLOTLIB],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stdout.strip().endswith('pip install "embedhub-eval[plot]"')
