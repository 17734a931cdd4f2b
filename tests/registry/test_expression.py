"""Expressions: sources joined by +, and steps after |."""

import random
from pathlib import Path

import pytest

import embedhub
from embedhub.errors import EmbedhubError, SourceNotFoundError
from embedhub.registry.handle import DERIVED, expression_of, map_paths, parse_handle, shown_handle

PIECES = [
    "https://", "file://", "hf://", "127.0.0.1/x", "Example.org", ":", "/", "//", "#", "?", "~", ".", "..",
    "|",
    " | ", " + ", " +(mean) ", "unit", "| limit(5)", " | limit( 1_0 )", "%7Climit(3)", "%20%7C%20unit",
    "%20+%20",
    " ", "\n", "(", ")", "pca(3)", " | words(./a b)", ",", ":50", "050", "glove-6b", "me", "é", "\udc80",
    " + a",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a:50 | unit", "a:50 | unit"),
        ("a:050  |all-but-the-top( 3 )|pca(1_00)", "a:50 | all-but-the-top(3) | pca(100)"),
        (" a:50 +\tb | words( ./my words.txt , 2 )", "a:50 + b | words(./my words.txt, 2)"),
        ("a  +(mean)  ./b//c", "a +(mean) b/c"),
        ("a | limit(5) | limit(3) | unit | limit(10)", "a | limit(3) | unit | limit(10)"),
        ("a + b|limit(5)", "a + b | limit(5)"),
        ("HTTPS://Example.org/v.txt:3 + hf://owner/repo", "https://example.org/v.txt:3 + hf://owner/repo"),
        ("a + https://example.org/folder/", "a + https://example.org/folder/"),
        ("file:///my%20+%20file + a", "file:///my%20%2B%20file + a"),
        ("a + file:///v%3A50", "a + file:///v%3A50"),
        ("a | unit()", "a | unit"),
    ],
)
def test_expression_has_a_canonical_form(text: str, canonical: str) -> None:
    """Equal expressions are printed in one form, which is read as the same expression."""
    handle = parse_handle(text)
    assert handle.scheme == DERIVED
    assert str(handle) == canonical
    assert parse_handle(canonical) == handle


@pytest.mark.parametrize(
    "text",
    ["./a + b.txt/", "./a | unit/", "./a|b", "./c++/v.txt", "./my file.txt", "./v | pca(", "./a +b", "a+b"],
)
def test_path_and_name_keep_their_meaning(text: str) -> None:
    """A sign without spaces, a slash at the end, and what is not an expression, are parts of a name."""
    handle = parse_handle(text)
    assert handle.scheme in {"path", "name"}
    assert parse_handle(str(handle)) == handle


@pytest.mark.parametrize(
    ("text", "problem", "character"),
    [
        ("a | pca(100", "expected a closing parenthesis after pca(, at the end", 11),
        ("a | unit + b", "sources are joined before the first step", 9),
        ("a | unit x", "expected | and another step, or the end, after unit", 9),
        ("a | pca(3) x", "expected | and another step, or the end, after pca", 11),
        ("a |", "expected the name of a step after |", 3),
        ("a | Unit", "expected the name of a step after |", 4),
        ("a | pca(,)", "expected a number or a text", 8),
        ("a + | unit", "expected a source, at character 4", 3),
        (" + b", "expected a source", 0),
        ("a + ", "expected a source, at the end", 4),
        ("a +(median) b", "expected + or +(mean)", 2),
        ("a + b +(mean) c", "expected the same sign", 6),
        ("a | limit(x)", "expected a whole number of words", 9),
        ("a | limit(1, 2)", "expected a whole number of words", 9),
    ],
)
def test_malformed_expression_is_an_error_at_its_character(text: str, problem: str, character: int) -> None:
    """The message shows the expression, and a caret below the character."""
    with pytest.raises(SourceNotFoundError) as error:
        parse_handle(text)
    message, shown, caret = str(error.value).split("\n")
    assert problem in message
    assert shown == f"  {text}"
    assert caret.index("^") - 2 == character


def test_error_does_not_show_a_secret() -> None:
    """Of an expression with a URL only the steps are shown, and no token in a message or a name."""
    with pytest.raises(SourceNotFoundError) as error:
        parse_handle("https://example.org/v.txt?token=hunter2 | pca(")
    assert "hunter2" not in str(error.value)
    assert " | pca(\n" in str(error.value)
    handle = parse_handle("a + https://example.org/v.txt?token=hunter2 | unit")
    assert shown_handle(handle) == "a + https://example.org/v.txt?token=... | unit"


def test_scheme_of_expressions_is_not_written() -> None:
    """An expression has one form."""
    with pytest.raises(SourceNotFoundError, match=r"by \+ and steps, as in 'glove-6b:50 \| unit'"):
        parse_handle("derived://a")
    with pytest.raises(ValueError, match="is not the handle of derived vectors"):
        expression_of(parse_handle("glove-6b"))


@pytest.mark.parametrize("count", [20_000, pytest.param(200_000, marks=pytest.mark.slow)])
def test_random_expressions_are_handles_or_errors(count: int) -> None:
    """The canonical form of an expression is a fixed point too."""
    choose = random.Random(count)  # noqa: S311 - not a secret
    expressions = 0
    for _ in range(count):
        text = "".join(choose.choices(PIECES, k=choose.randrange(9)))
        try:
            handle = parse_handle(text)
        except EmbedhubError:
            continue
        assert parse_handle(str(handle)) == handle, text
        expressions += handle.scheme == DERIVED
    assert expressions > count / 30


def test_paths_of_an_expression_can_be_replaced() -> None:
    """Paths of sources and of steps, and no other arguments."""
    handle = parse_handle(
        "./a.vec:3 + hf://o/r + b | words(./w.txt) | pca(2) | align(hf://o/r) | whiten(zca)"
    )
    moved = map_paths(handle, lambda path: f"/data/{path}")
    assert str(moved) == (
        "/data/a.vec:3 + hf://o/r + b | words(/data/w.txt) | pca(2) | align(hf://o/r) | whiten(zca)"
    )


def test_file_of_that_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose name reads as an expression is opened."""
    monkeypatch.chdir(tmp_path)
    Path("rain + snow | unit").write_text("rain 0.5 1\n")
    assert list(embedhub.load("rain + snow | unit")) == ["rain"]
    assert list(embedhub.load("./rain + snow | unit")) == ["rain"]


def test_malformed_expression_with_a_path_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a file of that name, the message points at the character."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceNotFoundError, match=r"closing parenthesis after pca\("):
        embedhub.load("./my.vec | pca(10")


def test_expressions_need_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the distribution; a limit needs none."""
    monkeypatch.setenv("EMBEDHUB_DISABLE_PLUGINS", "embedhub-derive")
    with pytest.raises(
        SourceNotFoundError, match=r"'wordnet-ppmi:25 \| unit': .* need the plugin embedhub-derive"
    ):
        embedhub.load("wordnet-ppmi:25 | unit")
    assert len(embedhub.load("wordnet-ppmi:25 | limit(5)")) == 5
