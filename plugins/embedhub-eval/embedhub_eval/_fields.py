"""Splitting of lines into fields by tabs, semicolons, commas or white space."""

import csv

SEPARATORS = ("\t", ";", ",")


def split_fields(line: str, separator: str | None) -> list[str]:
    """Return the fields of a line without surrounding spaces.

    Args:
        line: The line.
        separator: One of `SEPARATORS`; None for white space.
    """
    # Quotation marks quote only in CSV; between tabs they belong to the word.
    try:
        fields = (
            next(csv.reader([line], delimiter=separator))
            if separator in {",", ";"}
            else line.split(separator)
        )
    except csv.Error:  # a field of more than 131,072 characters
        fields = [line]
    return [field.strip() for field in fields]
