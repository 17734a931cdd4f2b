"""Names of sources, and the folders that stand for them."""

import string
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedhub import Block, ComputedSource
from embedhub._names import check_name, folder_name, slug
from embedhub.registry.inventory import list_stores

SAFE = set(string.ascii_lowercase + string.digits + "-")


def source(name: str) -> ComputedSource:
    """Return a source of that name."""
    about: dict[str, Any] = dict.fromkeys(("description", "license", "citation", "homepage"), "")
    return ComputedSource(
        name=name, dims=(1,), version=1, compute=lambda dim: [Block([name], np.ones((1, dim), np.float32))],
        language="und", cased=True, **about,
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["glove-6b", "GoogleNews_vectors.300", "crème-brûlée", "con", "東京", "v(2),x"]
)
def test_printable_names_are_valid(name: str) -> None:
    """A name may have letters of any language and case."""
    check_name(name)
    assert list(source(name).vectors(1)) == [name]
    assert [store.name for store in list_stores(name)] == [name]


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a\tb", "a:b", "a/b", "a|b", "a+b", "a#b", "a@b", "a\\b", ".a", "~a", "-a", "a\n", 101 * "x"],
)
def test_reserved_characters_are_refused(name: str) -> None:
    """A name cannot be taken for a path, an option, or an expression of several names."""
    with pytest.raises(ValueError, match="name is"):
        source(name)


def test_names_of_other_case_have_their_own_stores() -> None:
    """Names that differ in case only do not share a folder, not even where file names ignore case."""
    assert list(source("Rivers").vectors(1)) == ["Rivers"]
    assert list(source("rivers").vectors(1)) == ["rivers"]
    assert folder_name("Rivers").lower() != folder_name("rivers").lower()


@pytest.mark.slow
@given(st.text(min_size=1))
def test_folders_are_safe_names_on_every_system(name: str) -> None:
    """A folder has only lower-case letters, digits and hyphens, and is short."""
    folder = folder_name(name)
    assert set(folder) <= SAFE
    assert folder.startswith(slug(name))
    assert len(folder) <= 90
