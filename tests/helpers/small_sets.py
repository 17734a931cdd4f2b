"""Benchmarks of our own, in the forms of the published ones, which may not be in the project.

The words are frequent enough for glove-6b-20k, except ``qwxz``, which no source has.
"""

from itertools import permutations

# How related two words are, from 0 to 10, and how similar.
_RELATED = """\
rain storm 8.5; rain umbrella 7; coffee tea 8; coffee morning 5.5; doctor hospital 9; doctor nurse 8.5
bread butter 7.5; bread engine 0.5; Berlin germany 9; river bridge 6; river poem 1.5; music piano 8
bank money 8.5; bank guitar 0.7; summer beach 7; teacher school 9; teacher volcano 0.3; king qwxz 5
"""
_SIMILAR = """\
big large 9.5; big small 1; happy glad 9; happy sad 1.2; begin start 9.6; begin finish 1.5; car truck 6.5
car road 2; house home 8.5; house roof 2.5; quick fast 9; quick slow 1; child baby 7; child school 1.8
film movie 9.8; film camera 2.2; win lose 1; win defeat 5.5
"""
_WITH_50 = """\
sun sky 44; sun kitchen 7; cat dog 41; cat cloud 6; flower garden 45; flower metal 5; fish water 43
fish desk 2; snow winter 47; snow ink 4; horse farm 38; horse laser 3; street city 42; street bird 11
"""
_CAPITALS = {
    "Oslo": "Norway", "Athens": "Greece", "Baghdad": "Iraq", "Rome": "Italy", "Cairo": "Egypt",
    "Lima": "Peru",
}  # fmt: skip
_PLURALS = {"dog": "dogs", "car": "cars", "child": "children", "city": "cities", "qwxz": "qwxzs"}


def _pairs(text: str) -> bytes:
    pairs = [pair.split() for line in text.splitlines() for pair in line.split("; ")]
    return "".join("\t".join(pair) + "\n" for pair in pairs).encode()


def _questions(pairs: dict[str, str]) -> bytes:
    return "".join(f"{a} {pairs[a]} {b} {pairs[b]}\n" for a, b in permutations(pairs, 2)).encode()


SETS = {
    "wordsim-353": b"# Word 1\tWord 2\tHuman (mean)\n" + _pairs(_RELATED),
    "simlex-999": b"# pairs, and how similar they are\n" + _pairs(_SIMILAR),
    "men": _pairs(_WITH_50),
    "google-analogies": b": capitals\n" + _questions(_CAPITALS) + b": gram-plural\n" + _questions(_PLURALS),
}
"""For the name of a published benchmark the bytes of a small one in its form."""
