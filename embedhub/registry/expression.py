"""Expressions: sources joined by ``+``, and steps after ``|``, as in ``"a:50 + b:50 | pca(20) | unit"``.

Like a handle, an expression is parsed as text only. Which steps there are is not known here: `limit` is a
step of the core, and all others are found by their entry point (`embedhub.registry.steps`).
"""

import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from embedhub.errors import SourceNotFoundError

LIMIT = "limit"
Argument = int | str

# A path may have a "+" or a "|": only those after a space are operators, and the "|" of "|limit(".
_OPERATOR = re.compile(r"\s\||\|(?=\s*limit\s*\()|\s\+(?:\([a-z]*\))?(?=\s)")
_NAME = re.compile(r"\s*([a-z][a-z0-9]*(?:-[a-z0-9]+)*)\s*")
_ARGUMENTS = re.compile(r"\((.*?)\)\s*(?=\||\Z)", re.DOTALL)
_NUMBER = re.compile(r"[0-9](?:_?[0-9]){0,14}")
_MAX_SHOWN = 150  # characters
_A_LIMIT = "expected a whole number of words, as in 'glove-6b:50 | limit(20000)'"


class StepCall(NamedTuple):
    """A step and its arguments, as they are written.

    Args:
        name: Name of the step.
        arguments: Whole numbers, and texts.
    """

    name: str
    arguments: tuple[Argument, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.arguments))})" if self.arguments else self.name


class Expression(NamedTuple):
    """A parsed expression; ``str`` returns its canonical form, which parses to the same expression.

    Args:
        terms: Canonical handles of the sources.
        steps: The steps, from left to right.
        fill: Vectors of the words that a source lacks: ``"zeros"``, or ``"mean"``.
    """

    terms: tuple[str, ...]
    steps: tuple[StepCall, ...] = ()
    fill: str = "zeros"

    def __str__(self) -> str:
        plus = " + " if self.fill == "zeros" else f" +({self.fill}) "
        return " | ".join([plus.join(self.terms), *map(str, self.steps)])

    def refuse_step(self, number: int, problem: str) -> NoReturn:
        """Raise SourceNotFoundError, whose message points at a step.

        Args:
            number: Index of the step.
            problem: What is wrong with it.
        """
        before = str(self._replace(steps=self.steps[:number]))
        _refuse(str(self), len(before) + len(" | "), problem)


def parse_expression(text: str, canonical: Callable[[str], str]) -> Expression | None:
    """Parse an expression; None for a text without an operator.

    Args:
        text: The text.
        canonical: Returns the canonical form of the handle of one source, or raises SourceNotFoundError.

    Raises:
        SourceNotFoundError: It has an operator, and is malformed.
    """
    operators = list(_OPERATOR.finditer(text))
    if not operators:
        return None
    first_step = next((found.start() for found in operators if found[0].endswith("|")), len(text))
    terms, fill = _parse_terms(text, [found for found in operators if found.start() < first_step], first_step)
    steps = _parse_steps(text, text.find("|", first_step) if first_step < len(text) else len(text))
    return Expression(tuple(map(canonical, terms)), steps, fill)


def has_operator(text: str) -> bool:
    """Return whether a text has a ``+`` or a ``|`` where an expression has them."""
    return _OPERATOR.search(text) is not None


def _parse_terms(text: str, plus: list[re.Match[str]], end: int) -> tuple[list[str], str]:
    """Return the sources between the signs, and how their missing words are filled."""
    starts = [0, *(found.end() for found in plus)]
    ends = [*(found.start() for found in plus), end]
    terms = [text[start:stop].strip() for start, stop in zip(starts, ends, strict=True)]
    for term, stop in zip(terms, ends, strict=True):
        if not term:
            _refuse(text, stop, "expected a source")
    fills = [found[0].strip()[1:].strip("()") or "zeros" for found in plus] or ["zeros"]
    for found, fill in zip(plus, fills, strict=False):
        if fill not in {"zeros", "mean"}:
            _refuse(text, found.start() + 1, "expected + or +(mean) between sources")
        if fill != fills[0]:
            _refuse(text, found.start() + 1, "expected the same sign between all sources, + or +(mean)")
    return terms, fills[0]


def _parse_steps(text: str, position: int) -> tuple[StepCall, ...]:
    """Return the steps that begin at the first ``|``."""
    steps: list[StepCall] = []
    while position < len(text):
        name = _NAME.match(text, position + 1)
        if name is None:
            start = len(text) - len(text[position + 1 :].lstrip())
            _refuse(text, start, "expected the name of a step after |, as in 'glove-6b:50 | unit'")
        arguments, start = _parse_arguments(text, name)
        step = StepCall(name[1], arguments)
        if step.name == LIMIT and not (len(arguments) == 1 and isinstance(arguments[0], int)):
            _refuse(text, name.end(1), _A_LIMIT)
        if step.name == LIMIT and steps and steps[-1].name == LIMIT:
            step = min(step, steps.pop())
        steps.append(step)
        position = start
    return tuple(steps)


def _parse_arguments(text: str, name: re.Match[str]) -> tuple[tuple[Argument, ...], int]:
    """Return the arguments of a step, and where the next one begins."""
    wanted = f"expected | and another step, or the end, after {name[1]}"
    start = name.end()
    if not text.startswith("(", start):
        if start < len(text) and text[start] != "|":
            is_plus = text[start] == "+"
            wanted += "; sources are joined before the first step" if is_plus else ""
            _refuse(text, start, _A_LIMIT if name[1] == LIMIT else wanted)
        return (), start
    found = _ARGUMENTS.match(text, start)
    if found is None:
        closed = text.find(")", start) + 1
        place = closed + len(text[closed:]) - len(text[closed:].lstrip()) if closed else len(text)
        _refuse(text, place, wanted if closed else f"expected a closing parenthesis after {name[1]}(")
    arguments: list[Argument] = []
    position = found.start(1)
    for part in found[1].split(",") if found[1].strip() else ():
        argument = part.strip()
        if not argument or not argument.isprintable():
            _refuse(text, position, "expected a number or a text of printable characters")
        arguments.append(int(argument) if _NUMBER.fullmatch(argument) else argument)
        position += len(part) + 1
    return tuple(arguments), found.end()


def _refuse(text: str, position: int, problem: str) -> NoReturn:
    """Raise SourceNotFoundError with the text and a caret below a character of it."""
    start = max(0, position - _MAX_SHOWN)
    if "://" in text:  # a URL may have a secret, so only what follows the sources is shown
        before = [found.start() for found in _OPERATOR.finditer(text) if found[0].endswith("|")]
        start = max(start, min(before[0] if before else position, position))
    dots = "..." if start else ""
    shown = dots + text[start : start + 2 * _MAX_SHOWN]
    caret = " " * (len(dots) + position - start) + "^"
    shown = "".join(character if character.isprintable() else "?" for character in shown)
    place = f"character {position + 1}" if position < len(text) else "the end"
    raise SourceNotFoundError(f"{problem}, at {place} of:\n  {shown}\n  {caret}")
