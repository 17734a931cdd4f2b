"""Make the vectors of ``wordnet-ppmi`` from the files of WordNet 3.0 (Debian's package ``wordnet-base``).

    python tools/make_wordnet.py [--wordnet /usr/share/wordnet] [--out PATH]

A word is described by the synsets that it is in (earlier senses weigh more), by what those synsets point to,
by the words of their glosses (rare ones weigh more), by the synsets whose glosses use the word, and by the
words within five places of it in glosses and examples. Each row is made a distribution; what exceeds the
expected share by e to the power of SHIFT is kept as its logarithm (positive pointwise mutual information),
and a part of the rows of a word's antonyms is taken away. The rows are normalized and weighed by the
logarithm of the word's frequency in the glosses; a truncated SVD gives the columns, ordered by singular value
and scaled by a power of it.

The words are those of the glosses and WordNet's lemmas without spaces, the most frequent first (at a tie,
first what is not a noun or has derivations: names of species go last). An inflected form has the row of its
lemma, unless it is a lemma itself; the forms that are written are those that the glosses use, those in the
lists of exceptions, and the regular ones of the INFLECTED most frequent lemmas. "Don't" and its like have the
row of "not".

The file holds ``words`` (UTF-8, joined by newlines), ``rows`` (the row of each word), ``codes`` and ``step``:
the vectors are ``(codes * step)[rows]``. Zip's deflate stores a code in about 4.7 bits.

The constants below were chosen by the scores on WordSim-353, SimLex-999 and MEN, the rules for ties and for
"n't" after a look at which words of SST-2 were missing; nothing else of those sets was used.
"""

import argparse
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The order in which threads add is not part of the recipe.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
ROWS = 55_000  # lemmas and other words of the glosses that have a row
INFLECTED = 15_000  # of these, the lemmas whose regular forms are written
DIM = 100
SHIFT = 1.5
POWER = 0.25  # of the singular values
WINDOW = 5
EXAMPLES = 0.5  # weight of an example sentence against a definition
NEAR = 0.5  # weight of the words nearby against all else
OPPOSITE = 0.1  # part of the antonyms' rows that is taken away
STEP = 1 / 64  # of the quantised values; rows have length 1
PLAIN = frozenset(["@", "~", "@i", "~i", "&", "+", "\\", "*", ">"])  # pointers of weight 1
OTHER = 0.5  # weight of the others: parts, topics, see also, ...
ANTONYM = "!"
RELATED = frozenset("+&\\")  # pointers that everyday words have and species lack; they break ties
SHORTEST = 3  # of the lemmas with regular forms: "his" is not the plural of "hi"
DEGREES = 6  # the longest adjective with -er and -est
WORD = re.compile(r"n't|'(?:s|re|ve|ll|d|m)\b|[a-z0-9]+")
NEGATED = re.compile(r"[a-z]+n't")

Key = tuple[str, str]  # offset and part of speech


@dataclass
class Synset:
    """A synset: its lemmas, pointers (kind, target, places of the two lemmas or 0) and texts with weights."""

    lemmas: list[str]
    pointers: list[tuple[str, Key, int, int]]
    texts: list[tuple[float, list[str]]]


def lines(path: Path) -> list[str]:
    """Return the lines without the license at the top."""
    return [line for line in path.read_text("utf-8").splitlines() if not line.startswith(" ")]


def regular(lemma: str, pos: str, irregular: Iterable[str]) -> Iterator[str]:
    """Give the regular forms of a lemma, except where it has irregular ones."""
    if len(lemma) < SHORTEST or not lemma.isalpha():
        return
    to_i = re.search(r"[^aeiou]y$", lemma) is not None
    doubles = pos != "n" and re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", lemma) is not None
    stem = lemma[:-1] + "i" if to_i else lemma.removesuffix("e") + lemma[-1] * doubles
    if pos == "v" or (pos == "n" and not irregular):
        sibilant = re.search(r"([sxz]|[cs]h)$", lemma)
        yield f"{stem}es" if to_i else f"{lemma}es" if sibilant else f"{lemma}s"
    if pos == "v" and all(form.endswith("ing") for form in irregular):
        yield stem + "ed"
    if pos == "v" and not any(form.endswith("ing") for form in irregular):
        yield (lemma if to_i or re.search(r"[eoy]e$", lemma) else stem) + "ing"
    if pos == "a" and not irregular and len(lemma) <= DEGREES:
        yield from (stem + "er", stem + "est")


class WordNet:
    """The files: synsets whose texts are reduced to lemmas, senses of each lemma, forms with their lemma."""

    def __init__(self, folder: Path) -> None:
        self.rank: dict[tuple[str, Key], int] = {}
        self.irregular: dict[Key, list[str]] = {}
        for pos, name in FILES.items():
            for line in lines(folder / f"index.{name}"):
                lemma, _, _, pointers, *rest = line.split()
                self.irregular[lemma, pos] = []
                for rank, offset in enumerate(rest[int(pointers) + 2 :]):
                    self.rank[lemma, (offset, pos)] = rank
            for line in lines(folder / f"{name}.exc"):
                form, *bases = line.split()
                for base in bases:
                    if (base, pos) in self.irregular and form != base:
                        self.irregular[base, pos].append(form)
        records = [
            (pos, *line.lower().split(" | ", 1))
            for pos, name in FILES.items()
            for line in lines(folder / f"data.{name}")
        ]
        self.used = Counter(word for *_, gloss in records for word in self.split(gloss))
        self.forms = self.inflect()
        for negated in {word for *_, gloss in records for word in NEGATED.findall(gloss)}:
            self.forms |= dict.fromkeys(("n't", negated, negated.replace("'", "")), "not")
        for lemma, _ in self.irregular:
            self.forms.pop(lemma, None)
        self.synsets = dict(self.synset(*record) for record in records)

    def inflect(self) -> dict[str, str]:
        """Return the lemma of each inflected form: irregular ones go first, then those of frequent lemmas."""
        forms = {"does": "do"}
        for pos in "vnar":
            for (lemma, of), irregular in self.irregular.items():
                if of == pos:
                    forms |= {form: lemma for form in irregular if form not in forms}
        for lemma, pos in sorted(self.irregular, key=lambda key: -self.used[key[0]]):
            for form in regular(lemma, pos, self.irregular[lemma, pos]):
                forms.setdefault(form, lemma)
        return forms

    @staticmethod
    def split(text: str) -> list[str]:
        """Return the words of a text."""
        return WORD.findall(text.replace("n't", " n't"))

    def synset(self, pos: str, head: str, gloss: str) -> tuple[Key, Synset]:
        """Read a line of a data file (wndb(5WN))."""
        offset, _, _, count, *fields = head.split()
        ends = 2 * int(count, 16)
        lemmas = [re.sub(r"\(.*\)", "", lemma) for lemma in fields[:ends:2]]
        pointers = [
            (kind, (target, "a" if of == "s" else of), *divmod(int(places, 16), 256))
            for kind, target, of, places in zip(
                *(fields[ends + 1 + i : ends + 1 + 4 * int(fields[ends]) : 4] for i in range(4)), strict=True
            )
        ]
        texts = [(EXAMPLES, example) for example in re.findall(r'"([^"]*)"', gloss)]
        texts.append((1.0, re.sub(r'"[^"]*"?', " ", gloss)))
        return (offset, pos), Synset(
            lemmas,
            pointers,
            [(weight, [self.forms.get(word, word) for word in self.split(text)]) for weight, text in texts],
        )


def matrix(entries: Iterable[tuple[int, int, float]], shape: tuple[int, int]) -> Any:
    """Return a sparse matrix; repeated entries add up."""
    found = np.fromiter(entries, [("row", np.int32), ("column", np.int32), ("value", np.float32)])
    return sp.csr_matrix((found["value"], (found["row"], found["column"])), shape=shape)


def distributions(counts: Any) -> Any:
    """Scale each row to sum 1; rows of zeros stay."""
    sums = np.asarray(counts.sum(1)).ravel()
    return (sp.diags(1 / np.maximum(sums, 1e-12).astype(np.float32)) @ counts).tocsr()


def describe(net: WordNet, index: dict[str, int]) -> Any:
    """Return what is known of each word: a row of weights over synsets and words."""
    number = {key: i for i, key in enumerate(net.synsets)}
    synsets, words = len(number), len(index)
    senses = (
        (index[lemma], number[key], 1 / (1 + net.rank.get((lemma, key), 0)))
        for key, synset in net.synsets.items()
        for lemma in dict.fromkeys(synset.lemmas)
        if lemma in index
    )
    pointers = (
        (number[key], number[target], 1.0 if kind in PLAIN else OTHER)
        for key, synset in net.synsets.items()
        for kind, target, *_ in synset.pointers
        if kind != ANTONYM
    )
    glosses = (
        (number[key], index[word], weight)
        for key, synset in net.synsets.items()
        for weight, text in [
            *synset.texts,
            *((1.0, name.split("_")) for name in synset.lemmas if "_" in name),
        ]
        for word in text
        if word in index
    )
    near = (
        (index[a], index[b], 1 / distance)
        for synset in net.synsets.values()
        for _, text in synset.texts
        for distance in range(1, WINDOW + 1)
        for pair in zip(text, text[distance:], strict=False)
        for a, b in (pair, pair[::-1])
        if a != b and a in index and b in index
    )
    of_word = distributions(matrix(senses, (words, synsets)))
    gloss = matrix(glosses, (synsets, words))
    rarity = sp.diags(np.log(synsets / np.maximum(gloss.getnnz(0), 1)).astype(np.float32))
    gloss = distributions(gloss @ rarity)
    around = NEAR * distributions(matrix(near, (words, words)) @ rarity)
    named = distributions(of_word.T.tocsr()) + gloss
    of_synset = sp.hstack([sp.eye(synsets, dtype=np.float32), named]).tocsr()
    of_synset += distributions(matrix(pointers, (synsets, synsets))) @ of_synset
    return of_word @ of_synset + sp.hstack([distributions(gloss.T.tocsr()), around]).tocsr()


def antonyms(net: WordNet, index: dict[str, int]) -> Any:
    """Return the antonyms of each word, those of earlier senses with more weight; rows sum to 1 at most."""
    found = matrix(
        (
            (index[a], index[b], 1 / (1 + net.rank.get((a, key), 0)))
            for key, synset in net.synsets.items()
            for kind, target, here, there in synset.pointers
            if kind == ANTONYM
            for a, b in [(synset.lemmas[here - 1], net.synsets[target].lemmas[there - 1])]
            if a in index and b in index
        ),
        (len(index), len(index)),
    )
    return sp.diags((1 / np.maximum(np.asarray(found.sum(1)).ravel(), 1)).astype(np.float32)) @ found


def positive_pmi(description: Any, weights: Any) -> Any:
    """Return the logarithm of each share over the expected one, less SHIFT, where it is positive."""
    shares = distributions(description).tocoo()
    expected = np.asarray(shares.T @ weights).ravel()
    values = np.log(shares.data / (expected / expected.sum())[shares.col]) - SHIFT
    keep = values > 0
    return sp.csr_matrix((values[keep], (shares.row[keep], shares.col[keep])), shape=shares.shape)


def reduce(pmi: Any, weights: Any) -> Any:
    """Return DIM columns for each row, of length 1, the most telling columns first."""
    lengths = np.sqrt(np.asarray(pmi.multiply(pmi).sum(1)).ravel())
    pmi = (sp.diags(1 / np.maximum(lengths, 1e-9)) @ pmi).tocsr()
    start = np.random.default_rng(0).standard_normal(min(pmi.shape))
    _, singular, right = svds((sp.diags(weights) @ pmi).tocsr(), k=DIM, v0=start)
    order = np.argsort(-singular)
    columns = right[order].T * singular[order] ** (POWER - 1)
    columns *= np.sign(columns[np.abs(columns).argmax(0), range(DIM)])  # the SVD leaves signs open
    rows = pmi @ columns
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def main() -> None:
    """Read WordNet, make the vectors, write them."""
    parser = argparse.ArgumentParser(description="Make the vectors of wordnet-ppmi from WordNet 3.0.")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--out", type=Path, default=Path("embedhub/registry/builtin/wordnet_ppmi.npz"))
    options = parser.parse_args()

    net = WordNet(options.wordnet)
    used = Counter(word for synset in net.synsets.values() for _, text in synset.texts for word in text)
    known, related = used.copy(), Counter[str]()
    for (_, pos), synset in net.synsets.items():
        for lemma in synset.lemmas:
            known[lemma] += "_" not in lemma
            related[lemma] += (pos != "n") + sum(kind in RELATED for kind, *_ in synset.pointers)
    words = sorted(+known, key=lambda word: (-known[word], -related[word], word))[:ROWS]
    index = {word: i for i, word in enumerate(words)}
    weights = np.log([2.0 + used[word] for word in words])
    pmi = positive_pmi(describe(net, index), weights)
    rows = reduce(pmi - OPPOSITE * antonyms(net, index) @ pmi, weights)

    row_of = {word: i for word, i in index.items() if rows[i].any()}
    irregular = {form for forms in net.irregular.values() for form in forms}
    for form, base in net.forms.items():
        row = row_of.get(base, ROWS)
        if row < (ROWS if form in net.used or form in irregular else INFLECTED) and "_" not in form:
            row_of.setdefault(form, row)
    count = {word: net.used[word] or known[word] for word in row_of}
    ordered = sorted(row_of, key=lambda word: (-count[word], row_of[word], word))
    np.savez_compressed(
        options.out,
        words=np.frombuffer("\n".join(ordered).encode(), np.uint8),
        rows=np.array([row_of[word] for word in ordered], np.uint16),
        codes=np.clip(np.rint(rows / STEP), -127, 127).astype(np.int8),
        step=np.float32(STEP),
    )
    print(f"{len(ordered):,} words, {len(rows):,} rows, {options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
