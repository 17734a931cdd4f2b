"""The commands coverage, neighbors and analogy: words and their vectors."""

import sys
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, cast

import typer

import embedhub
from embedhub._url import shown_url
from embedhub.cli.app import (
    CHOOSE,
    USE,
    Json,
    Source,
    Tokenize,
    app,
    format_table,
    print_result,
    usage_errors,
)
from embedhub.cli.tables import format_bar

if TYPE_CHECKING:
    from embedhub.matrix.coverage import Coverage
    from embedhub.matrix.tokenizers import Tokenize as Tokenizer
    from embedhub.matrix.word_counts import Kind
    from embedhub.registry.source import EmbeddingSource
    from embedhub.vectors.vectors import Vectors

Topn = Annotated[int, typer.Option("--topn", "-n", min=1, metavar="N", help="Number of words to show.")]


@app.command(rich_help_panel=CHOOSE)
def coverage(
    source: Source,
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="A vocabulary or a text; - is stdin."),
    ],
    *,
    text: Annotated[
        bool | None, typer.Option("--text/--vocabulary", help="What FILE is; guessed by default.")
    ] = None,
    tokenize: Tokenize = None,
    fallback: Annotated[
        list[str] | None,
        typer.Option(
            "--fallback",
            metavar="STEP",
            help="Tried for an out-of-vocabulary word; may be repeated. none: no fallback.",
        ),
    ] = None,
    limits: Annotated[
        bool, typer.Option("--limits", help="Show the coverage by only the first words of SOURCE.")
    ] = False,
    topn: Topn = 20,
    as_json: Json = False,
) -> None:
    """Show the coverage of a vocabulary or a text by a source, and the missing words.

    A vocabulary has one word per line, or a word and its count, or is JSON;
    any other file is a text, which is tokenized and counted. Both may be gzipped.
    SOURCE needs no dimension if all have the same words. A terminal shows bars.
    With --limits nothing is downloaded: what is in the cache is measured.

    Examples:
      embedhub coverage glove-6b reviews.txt
      embedhub coverage glove-6b:50 words.tsv --fallback lower --fallback hyphen
      embedhub coverage glove-6b:50 reviews.txt --limits
      cut -f 2 tweets.tsv | embedhub coverage glove-6b:50 - --text --json
    """
    from embedhub.matrix.tokenizers import tokenizer_of
    from embedhub.matrix.word_counts import read_counts
    from embedhub.registry.handle import parse_handle
    from embedhub.registry.loading import find_any_dim
    from embedhub.vectors.fallbacks import validate_fallbacks

    @cache
    def own_tokenizer() -> "Tokenizer":
        return tokenizer_of(embedhub.load(named, dim) if vectors is None else vectors)

    def tokenize_as_source(line: str) -> list[str]:
        return own_tokenizer()(line)  # opened at the first line, since a wrong file must not cost a download

    kind: Kind | None = None if text is None else "text" if text else "vocabulary"
    chain = None if fallback is None else tuple(step for step in fallback if step != "none")
    found, dim = find_any_dim(source, None)
    named = cast("EmbeddingSource", found)  # what a string names
    vectors: Vectors | None = None
    if limits:
        from embedhub.cli._limits import print_limits, vectors_in_cache
        from embedhub.registry.limited_source import LimitedSource

        named = named.whole if isinstance(named, LimitedSource) else named
        vectors = vectors_in_cache(named, dim)
    with usage_errors():
        validate_fallbacks(chain or ())
        counts = read_counts(file, kind=kind, tokenize=tokenize or tokenize_as_source)
    counted = any(count != 1 for count in counts.values())  # not a mere list of words
    measure = partial(
        embedhub.coverage, word_index=list(counts), counts=counts if counted else None, fallbacks=chain
    )
    if vectors is not None:
        print_limits(named, vectors, measure, as_json=as_json)
        return
    covered = measure(named, dim)
    missing = [(word, counts[word]) for word in covered.missing[:topn]]
    print_result(
        {"source": shown_url(parse_handle(source).without_dim), "dim": dim}
        | covered.to_dict()
        | {"missing": [{"word": word, "count": count} for word, count in missing]},
        lambda: _format_coverage(covered, missing, counted=counted),
        as_json=as_json,
    )


def _format_coverage(covered: "Coverage", missing: list[tuple[str, int]], *, counted: bool) -> str:
    by_fallback = {f"found by {step}": len(words) for step, words in covered.by_fallback.items()}
    exact = {"found unchanged": covered.found - sum(by_fallback.values())}
    rows = [
        [label, f"{words:,}", f"{words / covered.total:.1%}"]
        for label, words in (exact | by_fallback | {"missing": len(covered.missing)}).items()
    ]
    rows.append(["all", f"{covered.total:,}", ""])
    if covered.token_ratio is not None:
        ratio = f"{covered.token_ratio:.1%}"
        rows.append([f"tokens found, of {covered.tokens:,}", f"{covered.tokens_found:,}", ratio])
    table = format_table(["", "words", "ratio"], rows, right_aligned=["words", "ratio"])
    if sys.stdout.isatty():
        table = f"{_bars(covered)}\n\n{table}"
    if not missing:
        return table
    columns = ["missing", "count"] if counted else ["missing"]
    missing_rows = [[word, f"{count:,}"][: len(columns)] for word, count in missing]
    return f"{table}\n\n{format_table(columns, missing_rows, right_aligned=['count'])}"


def _bars(covered: "Coverage") -> str:
    """Return the fraction of words found as a bar, and that of tokens."""
    ratios = {"words": covered.ratio}
    if covered.token_ratio is not None:
        ratios["tokens"] = covered.token_ratio
    return "\n".join(f"{name:<6}  {format_bar(ratio)}  {ratio:6.1%}" for name, ratio in ratios.items())


@app.command(rich_help_panel=USE)
def neighbors(
    source: Source,
    words: Annotated[list[str], typer.Argument(metavar="WORD", help="Words.")],
    *,
    topn: Topn = 10,
    as_json: Json = False,
) -> None:
    """Show the nearest neighbors of each word, by the cosine of their vectors.

    Out-of-vocabulary words are listed at the end, and the exit code is then 1.

    Examples:
      embedhub neighbors wordnet-ppmi:100 music
      embedhub neighbors glove-6b:50 berlin paris --topn 5
    """
    from embedhub.registry.handle import parse_handle
    from embedhub.vectors.suggestions import require_words

    vectors = embedhub.load(source)
    if words[0] == str(vectors.dim) and parse_handle(source).dim is None:
        typer.echo(
            f"{words[0]} is looked up as a word; a dimension follows its source: {source}:{words[0]}",
            err=True,
        )
    known = [word for word in dict.fromkeys(words) if word in vectors]
    by_word = dict(zip(known, vectors.most_similar_many(known, topn), strict=True))
    if not by_word:
        require_words(vectors, words)
    print_result(
        [{"word": word, "neighbors": _to_json(nearest)} for word, nearest in by_word.items()],
        lambda: format_table(
            ["word", "neighbor", "cosine"],
            [[word, other, f"{score:.4f}"] for word, nearest in by_word.items() for other, score in nearest],
            right_aligned=["cosine"],
        ),
        as_json=as_json,
    )
    require_words(vectors, words)


def _to_json(scored: list[tuple[str, float]]) -> list[dict[str, str | float]]:
    return [{"word": word, "cosine": score} for word, score in scored]


@app.command(rich_help_panel=USE)
def analogy(
    source: Source,
    a: Annotated[str, typer.Argument(metavar="A", help="A word, such as man.")],
    b: Annotated[str, typer.Argument(metavar="B", help="A word related to A, such as king.")],
    c: Annotated[str, typer.Argument(metavar="C", help="A third word, such as woman.")],
    *,
    topn: Topn = 10,
    as_json: Json = False,
) -> None:
    """Solve "A is to B as C is to ?" with 3CosAdd (Mikolov et al. 2013, Levy and Goldberg 2014).

    Examples:
      embedhub analogy glove-6b:50 france paris italy
      embedhub analogy wordnet-ppmi:100 man king woman --topn 3
    """
    from embedhub.vectors.suggestions import require_words

    vectors = embedhub.load(source)
    require_words(vectors, [a, b, c])
    answers = vectors.analogy(a, b, c, topn)
    print_result(
        _to_json(answers),
        lambda: format_table(
            ["word", "cosine"], [[word, f"{score:.4f}"] for word, score in answers], right_aligned=["cosine"]
        ),
        as_json=as_json,
    )
