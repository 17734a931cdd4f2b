"""Immutable, hashable dictionaries."""

from typing import Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A read-only dictionary, which is hashable if its values are.

    It is a dict, so that `dataclasses.asdict` and JSON convert it to plain data.

    Example:
        >>> files = FrozenDict({50: "a.txt"})
        >>> files == {50: "a.txt"}, len({files, FrozenDict(files)})
        (True, 1)
        >>> files[100] = "b.txt"
        Traceback (most recent call last):
            ...
        TypeError: This mapping is read-only; make another one.
    """

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none, since it can be changed
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        # A dict's own way sets the items of an empty copy.
        return type(self), (dict(self),)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("This mapping is read-only; make another one.")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse
