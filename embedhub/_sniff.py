"""Recognition of web pages and other answers that servers send instead of a file."""

SNIFF_BYTES = 512
"""Number of bytes that `sniff` needs."""


def sniff(data: bytes) -> str | None:
    """Return a description of an answer that servers send instead of a file; None for any other bytes."""
    start = data.lstrip().lower()
    if not data:
        return "an empty body"
    if start.startswith(b"version https://git-lfs"):
        return "a git-lfs pointer, not the file that it points to"
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if start.startswith((b"<?xml", b"<error>")):
        code = start.partition(b"<code>")[2].partition(b"</code>")[0]
        original = data[data.lower().find(b"<code>") + 6 :][: len(code)].decode("ascii", "replace")
        return f"an error document of the server ({original})" if code else "an XML document"
    return None
