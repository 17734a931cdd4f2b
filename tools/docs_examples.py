"""A part of mkdocstrings' reader of docstrings: an ``Example:`` is a section of code, as ``Examples:`` is."""

import re
from typing import Any

import griffe


class Examples(griffe.Extension):
    """Renames the section before it is read; by itself griffe takes the word for the title of a remark."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rename it in one docstring."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"(?m)^Example:$", "Examples:", obj.docstring.value)
