"""License, language and citation in the card of a repository, whose author may write anything."""

import re
from collections.abc import Mapping
from typing import Any

from embedhub_huggingface.hub import Repository

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_MAX_LICENSE = 100  # characters
_MAX_BIBTEX = 20_000
_MAX_IDS = 5
_ENTRY = re.compile(r"@[A-Za-z]{3,20}\s*\{")
_ID = re.compile(r"(arxiv|doi):([!-~]{1,100})")
_PREFIX = {"arxiv": "arXiv", "doi": "doi"}


def license_of(card: Mapping[str, Any]) -> str:
    """Return the license of a card; empty if it does not state one."""
    license_id, name = card.get("license"), card.get("license_name")
    found = name if license_id == "other" and isinstance(name, str) else license_id
    return found if isinstance(found, str) and found.isprintable() and len(found) <= _MAX_LICENSE else ""


def language(card: Mapping[str, Any]) -> str:
    """Return the BCP 47 code of a card: ``mul`` for several languages, ``und`` without any."""
    stated = card.get("language")
    codes = [stated] if isinstance(stated, str) else stated if isinstance(stated, list) else []
    if "multilingual" in codes:
        return "mul"
    valid = [code for code in codes if isinstance(code, str) and _LANGUAGE.fullmatch(code)]
    return "und" if not valid else valid[0] if len(valid) == 1 else "mul"


def citation(repository: Repository) -> str:
    """Return what to cite: the repository, its commit, and the papers that it names."""
    ids = dict.fromkeys(match.groups() for tag in repository.tags if (match := _ID.fullmatch(tag)))
    papers = [f"{_PREFIX[kind]}:{number}" for kind, number in list(ids)[:_MAX_IDS]]
    return f"{', '.join([f'{repository.name} at {repository.commit[:12]}, Hugging Face Hub', *papers])}."


def bibtex(text: str) -> str:
    """Return the entries of BibTeX in the text of a card; empty if there are none."""
    entries = []
    for match in _ENTRY.finditer(text):
        depth, end = 1, match.end()
        while depth and end < len(text) and end - match.start() < _MAX_BIBTEX:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        if depth == 0:
            entries.append(text[match.start() : end])
    return "\n\n".join(entries)[:_MAX_BIBTEX]
