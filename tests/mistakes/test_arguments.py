"""What users get wrong about arguments, and the errors before anything is downloaded."""

import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from children import PATIENCE
from mistakes import Mistake, check, each

import embedhub
from embedhub import keras_embedding, torch_embedding
from embedhub.errors import DimNotFoundError, SourceNotFoundError

WORDS = {"rain": 1, "wind": 2}
ORDER = "The order is keras_embedding(source, dim, word_index, input_length)"
SOURCES = "expected a name, a path, an EmbeddingSource or Vectors"


def mistake(
    label: str,
    function: Callable[..., Any],
    *arguments: Any,
    error: type[Exception],
    words: tuple[str, ...],
    **options: Any,
) -> Mistake:
    """Return the mistake of a call."""
    return Mistake(label, lambda _: function(*arguments, **options), error, words)


def of_dim(label: str, dim: Any, *words: str) -> Mistake:
    """Return the mistake of passing a dimension."""
    return mistake(
        label, embedhub.load, "glove-6b", dim, error=TypeError, words=(*words, "expected an integer")
    )


def of_call(label: str, *arguments: Any, words: tuple[str, ...], **options: Any) -> Mistake:
    """Return the mistake of calling keras_embedding."""
    return mistake(label, keras_embedding, *arguments, error=TypeError, words=words, **options)


def of_option(label: str, function: Callable[..., Any], *words: str, **options: Any) -> Mistake:
    """Return the mistake of passing an option to a function."""
    return mistake(label, function, "glove-6b", 50, WORDS, error=TypeError, words=words, **options)


def of_policy(label: str, oov: Any, error: type[Exception], *words: str) -> Mistake:
    """Return the mistake of passing a policy."""
    return mistake(label, keras_embedding, "glove-6b", 50, WORDS, error=error, words=words, oov=oov)


def of_name(name: str, *words: str) -> Mistake:
    """Return the mistake of using a name whose plugin is not installed."""
    return mistake(name, keras_embedding, name, 300, WORDS, error=SourceNotFoundError, words=words)


MISTAKES = [
    of_dim("dim as text", "50", "dim is '50'", "dim=50."),
    of_dim("dim as a float", 50.0, "dim is 50.0", "dim=50."),
    of_dim("dim as a fraction", 50.5, "dim is 50.5", "dim=50."),
    of_dim("dim as another text", "300d", "dim is '300d'", "dim=50."),
    of_dim("dim as a float of NumPy", np.float32(100), "a float32"),
    of_dim("dim as True", True, "dim is True", "dim=50."),  # noqa: FBT003 - the point
    of_dim("several dims", [50, 100], "dim is a list", "dim=50."),
    of_dim("an array as dim", np.array([50]), "dim is a ndarray"),
    mistake(
        "a dimension of other sources",
        keras_embedding,
        "glove-6b",
        75,
        WORDS,
        error=DimNotFoundError,
        words=("50, 100",),
    ),
    mistake(
        "no dim", keras_embedding, "glove-6b", None, WORDS, error=DimNotFoundError, words=("several dims",)
    ),
    mistake("negative dim", embedhub.load, "glove-6b", -50, error=DimNotFoundError, words=("no dim -50",)),
    mistake(
        "dim left out",
        keras_embedding,
        "glove-6b",
        WORDS,
        error=DimNotFoundError,
        words=("several dims", "'glove-6b:50'"),
    ),
    mistake(
        "dim said twice",
        keras_embedding,
        "glove-6b:50",
        100,
        WORDS,
        error=DimNotFoundError,
        words=("'glove-6b:50' has dim 50 in its name, and dim 100 was given too",),
    ),
    of_call(
        "dim left out, with a length", "glove-6b:50", WORDS, 40, words=("dim is a dict", ORDER, "by name")
    ),
    of_call(
        "dim by name after word_index", "glove-6b", WORDS, dim=50, words=("word_index is missing", ORDER)
    ),
    of_call("vocabulary and source exchanged", WORDS, "glove-6b:50", words=("source is a dict", ORDER)),
    of_call("dim and word_index exchanged", "glove-6b", WORDS, 50, 40, words=("dim is a dict", ORDER)),
    of_call(
        "source and dim exchanged",
        50,
        "glove-6b",
        WORDS,
        words=("source is 50, an int", SOURCES, "dim is 'glove-6b'", ORDER),
    ),
    of_call("word_index first", WORDS, "glove-6b", 50, words=("source is a dict", SOURCES, ORDER)),
    of_call("word_index last", "glove-6b", 50, 40, WORDS, words=("input_length is a dict", ORDER)),
    of_call("a list of sources", ["glove-6b"], 50, WORDS, words=("source is a list", SOURCES)),
    of_call("no source", None, 50, WORDS, words=("source is None", SOURCES)),
    of_call("only a source", "glove-6b", words=("word_index is missing", ORDER)),
    of_call("no vocabulary", "glove-6b", 50, words=("word_index is missing", ORDER)),
    of_call(
        "an option by place",
        "glove-6b",
        50,
        WORDS,
        40,
        "normal",
        words=("5 arguments without a name", "options by name"),
    ),
    of_option(
        "Keras: max_tokens", keras_embedding, "max_tokens= is not an option", "num_words=", max_tokens=9
    ),
    of_option(
        "Keras: output_sequence_length", keras_embedding, "write input_length=", output_sequence_length=9
    ),
    of_option("Keras: weights", keras_embedding, "the vectors and the vocabulary determine it", weights=[]),
    of_option("Keras: output_dim", keras_embedding, "write dim=", output_dim=50),
    of_option("PyTorch: freeze, to Keras", keras_embedding, "trainable=True or trainable=False", freeze=True),
    of_option("PyTorch: freeze", torch_embedding, "trainable=True or trainable=False", freeze=False),
    of_option("Keras: input_length, to PyTorch", torch_embedding, "the options are oov=", input_length=9),
    of_option(
        "Keras: output_sequence_length, to PyTorch", torch_embedding, "any length", output_sequence_length=9
    ),
    of_option(
        "Keras: trainable, to a matrix", embedhub.embedding_matrix, "the options are oov=", trainable=True
    ),
    of_option(
        "misspelled option",
        keras_embedding,
        "fallback= is not",
        "did you mean fallbacks=?",
        fallback=("lower",),
    ),
    of_option("misspelled option of coverage", embedhub.coverage, "did you mean counts=?", count={}),
    of_option("vocab_size", embedhub.coverage, "num_words=", vocab_size=1000),
    mistake(
        "PyTorch trains no part",
        torch_embedding,
        "glove-6b",
        50,
        WORDS,
        trainable="missing",
        error=ValueError,
        words=("expected True or False", "keras_embedding"),
    ),
    mistake(
        "misspelled trainable",
        keras_embedding,
        "glove-6b",
        50,
        WORDS,
        trainable="all",
        error=ValueError,
        words=("True, False or 'missing'",),
    ),
    mistake(
        "a length as text",
        keras_embedding,
        "glove-6b",
        50,
        WORDS,
        "40",
        error=ValueError,
        words=("input_length is '40'", "integer"),
    ),
    mistake(
        "padding_idx out of range",
        torch_embedding,
        "glove-6b",
        50,
        WORDS,
        padding_idx=9,
        error=ValueError,
        words=("0 to 2",),
    ),
    mistake(
        "min_coverage in percent",
        keras_embedding,
        "glove-6b",
        50,
        WORDS,
        min_coverage=80,
        error=ValueError,
        words=("between 0 and 1",),
    ),
    mistake(
        "a fallback as a string",
        keras_embedding,
        "glove-6b",
        50,
        WORDS,
        fallbacks="lower",
        error=TypeError,
        words=("('lower', 'hyphen')",),
    ),
    of_policy("oov=0", 0, ValueError, "oov is 0", "'zeros'"),
    of_policy("oov=None", None, ValueError, "oov is None", "'zeros'"),
    of_policy("misspelled oov", "zero", ValueError, "oov is 'zero'", "'zeros'"),
    of_policy("oov of another dim", np.zeros(49), ValueError, "shape (49,)", "expected (50,)"),
    of_policy("oov as a list of words", ["rain"], ValueError, "expected (50,)"),
    of_policy("oov of one argument", lambda word: word, TypeError, "two arguments", "(k, dim)"),
    of_policy("oov without arguments", lambda: 0, TypeError, "lambda words, dim:"),
    mistake(
        "oov that returns one vector",
        embedhub.embedding_matrix,
        "wordnet-ppmi",
        25,
        ["qwxz", "rain"],
        oov=lambda _, dim: np.zeros(dim),
        error=ValueError,
        words=("shape (25,)", "expected (1, 25)"),
    ),
    mistake(
        "oov that returns lists of different lengths",
        embedhub.embedding_matrix,
        "wordnet-ppmi",
        25,
        ["qwxz", "rain"],
        oov=lambda *_: [[0.0], [0.0, 1.0]],
        error=ValueError,
        words=("cannot be an array", "(1, 25)"),
    ),
    of_name("glove-6v", "Did you mean 'glove-6b'"),
    of_name("glove.6B.50d", "Did you mean 'glove-6b:50'? `embedhub list`"),
    of_name("glove.6B.300d.txt", "There is no file", "Did you mean 'glove-6b:300'?"),
    of_name("glove-wiki-gigaword-50", "Did you mean 'glove-6b:50'?"),
    of_name("glove-6b-100", "Did you mean 'glove-6b:100'?"),
    of_name("glove-6b-60", "Did you mean 'glove-6b-20k' or 'glove-6b'?"),
    of_name("wordnet_ppmi_25", "Did you mean 'wordnet-ppmi:25'?"),
    of_name("my-vectors.vec", "There is no file 'my-vectors.vec' in the folder", "No source is named"),
    of_name("word2vec-google-news-300", "the plugin embedhub-word2vec (docs/install.md)."),
    of_name("fasttext-wiki-news-subwords-300", "the plugin embedhub-fasttext (docs/install.md)."),
    of_name("glove-twitter-25", "the plugin embedhub-glove (docs/install.md)."),
    of_name("conceptnet-numberbatch-17-06-300", "the plugin embedhub-numberbatch (docs/install.md)."),
    of_name("potion-base-8M", "the plugin embedhub-static (docs/install.md)."),
]


@each(MISTAKES)
def test_mistake_is_explained(mistake: Mistake, tmp_path: Path) -> None:
    """Each message says what is wrong and what to do; a download would be another error."""
    check(mistake, tmp_path)


@pytest.mark.parametrize("dim", [np.int64(25), np.uint8(25), np.array(25)], ids=repr)
def test_dim_may_be_an_integer_of_numpy(dim: Any) -> None:
    """A dimension that NumPy computed is one, also where a source's own method takes it."""
    assert embedhub.load("wordnet-ppmi", dim).dim == 25
    assert embedhub.load(embedhub.load("wordnet-ppmi", 25), dim).dim == 25
    assert type(embedhub.sources()["wordnet-ppmi"].vectors(dim).dim) is int


@pytest.mark.parametrize(
    "call",
    [
        lambda *args, **options: keras_embedding(*args, **options).get_weights()[0],
        lambda *args, **options: embedhub.embedding_matrix(*args, **options).matrix,
        embedhub.coverage,
    ],
    ids=["keras_embedding", "embedding_matrix", "coverage"],
)
@pytest.mark.parametrize("words", [WORDS, ["", "rain", "wind"], np.array(["", "rain", "wind"])], ids=type)
def test_source_may_have_the_dimension(call: Any, words: Any) -> None:
    """The dimension is a part of the source's name or an argument, with the same result."""
    expected = call("wordnet-ppmi", 25, words)
    for result in (
        call("wordnet-ppmi:25", words),
        call("wordnet-ppmi:25", None, words),
        call("wordnet-ppmi:25", 25, words),
        call("wordnet-ppmi:25", word_index=words),
        call(source="wordnet-ppmi:25", word_index=words),
        call(embedhub.load("wordnet-ppmi", 25), words, fallbacks=None),
    ):
        assert np.array_equal(result, expected)


def test_source_may_have_the_dimension_of_other_functions(tmp_path: Path) -> None:
    """Texts, exports: the dimension is omitted likewise."""
    text = embedhub.keras_text_embedding("wordnet-ppmi:25", max_tokens=10, input_length=3)
    assert text.embedding.output_dim == 25
    short = embedhub.export("wordnet-ppmi:25", tmp_path / "a.txt", topn=3)
    assert (short.dim, embedhub.export("wordnet-ppmi", 25, tmp_path / "b.txt", topn=3).dim) == (25, 25)
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "b.txt").read_bytes()
    with pytest.raises(DimNotFoundError, match="has dim 25 in its name"):
        embedhub.export("wordnet-ppmi:25", 50, tmp_path / "c.txt")


NO_KERAS = """
import json, sys
import embedhub
calls, messages = json.loads(sys.argv[1]), []
for arguments, options in calls:
    try:
        embedhub.keras_embedding(*arguments, **options)
    except (LookupError, TypeError, ValueError) as error:
        messages.append(str(error))
assert len(messages) == len(calls), messages
heavy = {"keras", "tensorflow", "torch", "jax", "numba", "pooch", "requests", "pandas", "packaging"}
print(json.dumps(sorted(heavy & {*sys.modules})))
"""


def test_arguments_are_checked_before_anything_heavy_is_imported() -> None:
    """A misspelled source, and every wrong argument, is found before Keras and its backend are imported."""
    calls: list[Any] = [
        [["glove-6bb", 50, WORDS], {}],
        [["glove-6b", 51, WORDS], {}],
        [["glove-6b", 50.0, WORDS], {}],
        [["glove-6b", WORDS, 50], {}],
        [["glove-6b", 50, {}], {}],
        [["glove-6b", 50, WORDS, 0], {}],
        [["glove-6b", 50, WORDS], {"oov": "zero"}],
        [["glove-6b", 50, WORDS], {"oov": [0, 0]}],
        [["glove-6b", 50, WORDS], {"max_tokens": 9}],
        [["glove-6b", 50, WORDS], {"fallbacks": "lower"}],
        [["glove-6b", 50, {"rain": 0}], {"mask_zero": True}],
    ]
    run = subprocess.run(
        [sys.executable, "-c", NO_KERAS, json.dumps(calls)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (run.stdout.strip(), run.stderr) == ("[]", "")


@pytest.mark.parametrize(
    "function",
    [embedhub.keras_embedding, embedhub.torch_embedding, embedhub.embedding_matrix, embedhub.coverage],
)
def test_signature_names_its_types(function: Any) -> None:
    """A notebook shows a signature that is short enough to read."""
    signature = str(inspect.signature(function))
    assert "'Source', dim: 'int | None', word_index: 'Vocabulary'" in signature
    assert len(signature) < 600
