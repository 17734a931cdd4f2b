"""Commands that look into vectors: coverage, neighbors, analogy."""

from typing import TYPE_CHECKING, Annotated

import typer

import embedhub
from embedhub.cli.app import Dim, Json, Name, Tokenize, app, format_table, print_result, usage_errors

if TYPE_CHECKING:
    from embedhub.matrix.coverage import Coverage
    from embedhub.matrix.word_counts import Kind

Topn = Annotated[int, typer.Option(min=1, metavar="N", help="How many words.")]
Words = Annotated[
    str,
    typer.Argument(metavar="FILE", help="A vocabulary or a text; - is stdin.", show_default=False),
]
AsText = Annotated[
    bool | None, typer.Option("--text/--vocabulary", help="What FILE is, if the guess is wrong.")
]
Fallbacks = Annotated[
    list[str] | None,
    typer.Option(
        "--fallback",
        metavar="STEP",
        help="Tried for a missing word, in turn; may be repeated. none: nothing.",
    ),
]


@app.command()
def coverage(
    name: Name,
    dim: Dim,
    file: Words,
    *,
    text: AsText = None,
    tokenize: Tokenize = "words",
    fallback: Fallbacks = None,
    topn: Topn = 20,
    as_json: Json = False,
) -> None:
    """Tell how much of a vocabulary, or of a text, a source knows, and which words it lacks most.

    A vocabulary has one word per line, or a word and its count, or is JSON;
    anything else is a text, which is cut and counted. Both may be in gzip.

    Examples:
      embedhub coverage glove-6b 50 reviews.txt
      embedhub coverage glove-6b 50 words.tsv --fallback lower --fallback hyphen
      cut -f 2 tweets.tsv | embedhub coverage glove-6b 50 - --text --json
    """
    from embedhub.matrix.word_counts import read_counts
    from embedhub.vectors.fallbacks import validate_fallbacks

    kind: Kind | None = None if text is None else "text" if text else "vocabulary"
    chain = None if fallback is None else tuple(step for step in fallback if step != "none")
    with usage_errors():
        validate_fallbacks(chain or ())
        counts = read_counts(file, kind=kind, tokenize=tokenize)
    counted = any(
        count != 1 for count in counts.values()
    )  # else it is a list of words, and they are no tokens
    covered = embedhub.coverage(name, dim, list(counts), counts=counts if counted else None, fallbacks=chain)
    missing = [(word, counts[word]) for word in covered.missing[:topn]]
    print_result(
        {"source": name, "dim": dim}
        | covered.to_dict()
        | {"missing": [{"word": word, "count": count} for word, count in missing]},
        lambda: _shown(covered, missing, counted=counted),
        as_json=as_json,
    )


def _shown(covered: "Coverage", missing: list[tuple[str, int]], *, counted: bool) -> str:
    served = {f"found by {step}": len(words) for step, words in covered.by_fallback.items()}
    exact = {"found as they are": covered.found - sum(served.values())}
    rows = [
        [what, f"{words:,}", f"{words / covered.total:.1%}"]
        for what, words in (exact | served | {"missing": len(covered.missing)}).items()
    ]
    rows.append(["all", f"{covered.total:,}", ""])
    if covered.token_ratio is not None:
        ratio = f"{covered.token_ratio:.1%}"
        rows.append([f"tokens found, of {covered.tokens:,}", f"{covered.tokens_found:,}", ratio])
    shown = format_table(["", "words", "ratio"], rows, right_aligned=["words", "ratio"])
    if not missing:
        return shown
    columns = ["missing", "count"] if counted else ["missing"]
    lacking = [[word, f"{count:,}"][: len(columns)] for word, count in missing]
    return f"{shown}\n\n{format_table(columns, lacking, right_aligned=['count'])}"


@app.command()
def neighbors(
    name: Name,
    dim: Dim,
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help="Words.", show_default=False)],
    *,
    topn: Topn = 10,
    as_json: Json = False,
) -> None:
    """Show the nearest words of each word: those whose rows have the largest cosine with its own.

    Examples:
      embedhub neighbors wordnet-ppmi 100 music
      embedhub neighbors glove-6b 50 berlin paris --topn 5
    """
    from embedhub.vectors.suggestions import require_words

    vectors = embedhub.load(name, dim)
    require_words(vectors, words)
    found = {word: vectors.most_similar(word, topn) for word in words}
    print_result(
        [{"word": word, "neighbors": _pairs(near)} for word, near in found.items()],
        lambda: format_table(
            ["word", "neighbor", "cosine"],
            [[word, other, f"{score:.4f}"] for word, near in found.items() for other, score in near],
            right_aligned=["cosine"],
        ),
        as_json=as_json,
    )


def _pairs(near: list[tuple[str, float]]) -> list[dict[str, str | float]]:
    return [{"word": word, "cosine": score} for word, score in near]


@app.command()
def analogy(
    name: Name,
    dim: Dim,
    a: Annotated[str, typer.Argument(metavar="A", help="A word, such as man.", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="What A is to, such as king.", show_default=False)],
    c: Annotated[str, typer.Argument(metavar="C", help="Another, such as woman.", show_default=False)],
    *,
    topn: Topn = 10,
    as_json: Json = False,
) -> None:
    """Solve "A is to B as C is to ?", by 3CosAdd (Mikolov et al. 2013, Levy and Goldberg 2014).

    Examples:
      embedhub analogy glove-6b 50 france paris italy
      embedhub analogy wordnet-ppmi 100 man king woman --topn 3
    """
    from embedhub.vectors.suggestions import require_words

    vectors = embedhub.load(name, dim)
    require_words(vectors, [a, b, c])
    found = vectors.analogy(a, b, c, topn)
    print_result(
        _pairs(found),
        lambda: format_table(
            ["word", "cosine"], [[word, f"{score:.4f}"] for word, score in found], right_aligned=["cosine"]
        ),
        as_json=as_json,
    )
