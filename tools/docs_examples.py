"""A part of mkdocstrings' reader of docstrings: an ``Example:`` is a section of code, as ``Examples:`` is."""

import re
from typing import Any

import griffe


class Examples(griffe.Extension):
    """Renames the section before it is read; by itself griffe takes the word for the title of a remark.

    Of a named tuple the arguments are renamed too: griffe sees its fields, and not that they are taken.
    """

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rename it in one docstring."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"(?m)^Example:$", "Examples:", obj.docstring.value)
            if isinstance(obj, griffe.Class) and "NamedTuple" in map(str, obj.bases):
                obj.docstring.value = re.sub(r"(?m)^Args:$", "Attributes:", obj.docstring.value)
