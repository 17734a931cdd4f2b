"""Rules for metadata: texts, URLs and languages, without placeholders."""

import re

from embedhub.registry.placeholders import is_placeholder, is_placeholder_url
from embedhub.testing._failures import expect

_PRIVATE_USE = r"x(-[a-z0-9]{1,8})+"
# The subtags of RFC 5646 in their recommended case, without the irregular tags.
_BCP_47 = re.compile(
    r"[a-z]{2,3}(-[a-z]{3}){0,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?"
    r"(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(-[a-wyz0-9](-[a-z0-9]{2,8})+)*"
    rf"(-{_PRIVATE_USE})?|{_PRIVATE_USE}"
)


def check_text(name: str, field: str, text: object, advice: str) -> None:
    """Fail unless a field is one line of text that is not a placeholder.

    Args:
        name: Name of the source.
        field: Name of the field.
        text: Value of the field.
        advice: Advice on what to write.
    """
    if not isinstance(text, str) or not text or text != " ".join(text.split()):
        expect(False, f"{name}: {field} is {text!r}; expected one line. {advice}")  # noqa: FBT003 - a failure
    else:
        expect(not is_placeholder(text), f"{name}: {field} is {text!r}, a placeholder. {advice}")


def check_homepage(name: str, homepage: object) -> None:
    """Fail unless a homepage is an https URL."""
    expect(
        isinstance(homepage, str) and re.fullmatch(r"https://[^/\s]+(/\S*)?", homepage) is not None,
        f"{name}: homepage is {homepage!r}; expected 'https://...', a page about them.",
    )


def check_host(name: str, field: str, url: str) -> None:
    """Fail if a URL has a placeholder host."""
    expect(
        not is_placeholder_url(url),
        f"{name}: {field} is {url!r}, a placeholder. Write the real address: no server will have anything "
        "there.",
    )


def check_language(name: str, language: object) -> None:
    """Fail unless a language is a BCP 47 tag."""
    expect(
        isinstance(language, str) and _BCP_47.fullmatch(language) is not None,
        f"{name}: language is {language!r}; expected a BCP 47 tag like 'en', 'zh-Hant', 'de-AT', 'mul' for "
        "several, 'x-klingon' for one without a code, or 'und' if it is unknown.",
    )
