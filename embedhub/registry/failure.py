"""Descriptions of errors in a plugin's code: one line, with file and line number."""

from pathlib import Path
from traceback import walk_tb


def describe(error: BaseException, module: str) -> str:
    """Describe an exception of a plugin with its location: ``"KeyError: 'k' (made_up_rivers.py, line 12)"``.

    Args:
        error: The exception.
        module: A module of the plugin, whose top-level package is searched for the location; empty if
            unknown.
    """
    place = _find_place(error, module.partition(".")[0])
    kind = type(error).__name__
    shown: object = error
    if isinstance(error, SystemExit):
        kind, shown = "it called sys.exit()", "" if error.code is None else error.code
    elif isinstance(error, SyntaxError) and place:
        shown = error.msg  # without the place that its text has, which lacks the folder
    try:
        text = str(shown)
    except Exception:  # noqa: BLE001 - an exception of a plugin may be broken too
        text = ""
    text = " ".join(text.split()).rstrip(".")
    return (f"{kind}: {text}" if text else kind) + (f" ({place})" if place else "")


def end_sentence(text: str) -> str:
    """Return a text with a full stop, unless it ends like a sentence."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _find_place(error: BaseException, package: str) -> str | None:
    """Return the innermost file and line of a package in a traceback; those of a SyntaxError are its own."""
    if isinstance(error, SyntaxError) and error.filename:
        return _format_place(error.filename, error.lineno, package)
    places = [
        (frame.f_code.co_filename, line)
        for frame, line in walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).partition(".")[0] == package
    ]
    return _format_place(*places[-1], package) if places else None


def _format_place(filename: str, line: int | None, package: str) -> str:
    """Return file and line as text; the path is relative to the folder that contains the package."""
    path = Path(filename)
    parts = [*path.parts[:-1], path.stem]
    start = max((number for number, part in enumerate(parts) if part == package), default=len(parts) - 1)
    return f"{'/'.join(path.parts[start:])}, line {line}"
