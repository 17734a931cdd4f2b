"""Make the vectors of ``wordnet-ppmi`` from the files of WordNet 3.0 (Debian's package ``wordnet-base``).

    python tools/make_wordnet.py [--wordnet /usr/share/wordnet] [--out embedhub/builtin/wordnet_ppmi.npz]

A word is described by the synsets that it is in (earlier senses weigh more), by what those synsets point to,
by the words of their glosses (rare ones weigh more), by the synsets whose glosses use the word, and by the
words within five places of it in glosses and examples. Each row is made a distribution; what exceeds the
expected share by e to the power of SHIFT is kept as its logarithm (positive pointwise mutual information,
shifted as in Levy and Goldberg 2014, "Neural word embedding as implicit matrix factorization"). The rows are
normalised and weighed by the logarithm of the word's frequency in the glosses; a truncated SVD gives the
columns, ordered by singular value and scaled by a power of it. Antonym pointers are left out: they made
opposites neighbours.

The words are the lemmas of WordNet without spaces and the words of its glosses, the most frequent first; an
inflected form has the row of its lemma: those that occur, those in the lists of exceptions, and the regular
ones of the most frequent lemmas. The constants below were
chosen by the scores on WordSim-353, SimLex-999 and MEN; nothing else of those sets was used.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
LEMMAS = 60_000  # rows of the matrix that is factorised
KEPT = 50_000  # of these, the rows that are written
INFLECTED = 15_000  # of these, the lemmas whose regular forms are added
DIM = 100
SHIFT = 1.5
POWER = 0.25  # of the singular values
WINDOW = 5
EXAMPLES = 0.5  # weight of an example sentence against a definition
NEAR = 0.5  # weight of the words nearby against all else
STEP = 0.01  # of the quantised values; rows have length 1
POINTERS = {"^": 0.5, "$": 0.5, "=": 0.5, "!": 0.0}  # see also, verb group, attribute, antonym
DOMAIN = 0.5  # weight of the pointers for topic, region and usage
PLAIN = frozenset(["@", "~", "@i", "~i", "&", "+", "\\", "*", ">"])

# Endings and what stands in the lemma for them: WordNet's own rules (morphy(7WN)).
ENDINGS = {
    "n": [("s", ""), ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("ies", "y")],
    "v": [
        ("s", ""),
        ("ies", "y"),
        ("es", "e"),
        ("es", ""),
        ("ed", "e"),
        ("ed", ""),
        ("ing", "e"),
        ("ing", ""),
    ],
    "a": [("er", ""), ("est", ""), ("er", "e"), ("est", "e")],
    "r": [],
}
SHORTEST = 4  # "his" and "its" are no plurals
WORD = re.compile(r"[a-z0-9]+")


@dataclass
class Synset:
    """A synset: its lemmas, pointers (kind, target) and the words of definition and examples."""

    lemmas: list[str]
    pointers: list[tuple[str, tuple[str, str]]]
    definition: list[str] = field(default_factory=list)
    examples: list[list[str]] = field(default_factory=list)


class WordNet:
    """The files, with gloss words brought to their lemmas."""

    def __init__(self, folder: Path) -> None:
        self.senses: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self.exceptions: dict[tuple[str, str], str] = {}
        for pos, name in FILES.items():
            for fields in _lines(folder / f"index.{name}"):
                offsets = fields[6 + int(fields[3]) :]
                self.senses[fields[0], pos] = [(offset, pos) for offset in offsets]
            for line in (folder / f"{name}.exc").read_text().splitlines():
                form, lemma, *_ = line.split()
                self.exceptions.setdefault((form, pos), lemma)
        self.lemmas = {lemma for lemma, _ in self.senses}
        self.irregular = set(self.exceptions.values())
        self.forms: dict[str, str] = {}
        self.synsets: dict[tuple[str, str], Synset] = {}
        for pos, name in FILES.items():
            for line in (folder / f"data.{name}").read_text().splitlines():
                if not line.startswith(" "):
                    head, gloss = line.split(" | ", 1)
                    fields = head.split()
                    self.synsets[fields[0], pos] = self._synset(fields, gloss)

    def _synset(self, fields: list[str], gloss: str) -> Synset:
        count = int(fields[3], 16)
        lemmas = [re.sub(r"\(.*\)", "", lemma).lower() for lemma in fields[4 : 4 + 2 * count : 2]]
        rest = fields[5 + 2 * count :]
        pointers = [
            (kind, (offset, pos.replace("s", "a")))
            for kind, offset, pos in zip(rest[0::4], rest[1::4], rest[2::4], strict=False)
        ][: int(fields[4 + 2 * count])]
        return Synset(
            lemmas,
            pointers,
            self._words(re.sub(r'"[^"]*"?', " ", gloss)),
            [self._words(example) for example in re.findall(r'"([^"]*)"', gloss)],
        )

    def _words(self, text: str) -> list[str]:
        text = text.lower().replace("n't", " not").replace("'s", " ")
        return [self._lemma(word) for word in WORD.findall(text)]

    def _lemma(self, form: str) -> str:
        if form not in self.forms:
            self.forms[form] = next(self._lemmas_of(form), form)
        return self.forms[form]

    def _lemmas_of(self, form: str) -> Iterator[str]:
        if form in self.lemmas:
            yield form
        for pos in "vnar":
            lemma = self.exceptions.get((form, pos), "")
            if lemma in self.lemmas:
                yield lemma
            if len(form) < SHORTEST:
                continue
            for ending, instead in ENDINGS[pos]:
                stem = form.removesuffix(ending) + instead
                if form.endswith(ending) and (stem, pos) in self.senses:
                    yield stem
            doubled = re.fullmatch(r"(.+)(.)\2(ed|ing)", form)
            if pos == "v" and doubled and (doubled[1] + doubled[2], pos) in self.senses:
                yield doubled[1] + doubled[2]

    def inflected(self, lemma: str) -> Iterator[str]:
        """Give the regular forms of a lemma: plural, third person, past, participle, degrees."""
        if len(lemma) < SHORTEST - 1 or lemma in self.irregular:
            return
        sibilant = lemma.endswith(("s", "x", "z", "ch", "sh"))
        to_ies = re.fullmatch(r".*[^aeiou]y", lemma) is not None
        stem = lemma[:-1] if to_ies or lemma.endswith("e") else lemma
        if (lemma, "n") in self.senses or (lemma, "v") in self.senses:
            yield f"{stem}ies" if to_ies else f"{lemma}es" if sibilant else f"{lemma}s"
        if (lemma, "v") in self.senses:
            yield f"{stem}ied" if to_ies else f"{stem}ed"
            yield f"{lemma}ing" if to_ies or lemma.endswith("ee") else f"{stem}ing"
            if re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", lemma):
                yield f"{lemma}{lemma[-1]}ed"
                yield f"{lemma}{lemma[-1]}ing"
        if (lemma, "a") in self.senses and len(lemma) <= 6:  # noqa: PLR2004 - longer ones take "more"
            yield f"{stem}ier" if to_ies else f"{stem}er"
            yield f"{stem}iest" if to_ies else f"{stem}est"


def _lines(path: Path) -> Iterator[list[str]]:
    """Give the fields of each line, without the licence at the top."""
    return (line.split() for line in path.read_text().splitlines() if not line.startswith(" "))


def matrix(entries: Iterable[tuple[int, int, float]], shape: tuple[int, int]) -> Any:
    """Return a sparse matrix; repeated entries add up."""
    rows, columns, values = zip(*entries, strict=True)
    return sp.csr_matrix((np.array(values, np.float32), (rows, columns)), shape=shape)


def distributions(counts: Any) -> Any:
    """Scale each row to sum 1; rows of zeros stay."""
    sums = np.asarray(counts.sum(1)).ravel()
    return (sp.diags(1 / np.maximum(sums, 1e-12).astype(np.float32)) @ counts).tocsr()


def description(net: WordNet, index: dict[str, int]) -> Any:
    """Return what is known of each word: a row of weights over synsets and words."""
    number = {key: i for i, key in enumerate(net.synsets)}
    synsets, words = len(number), len(index)
    rank = {(lemma, key): r for (lemma, _), keys in net.senses.items() for r, key in enumerate(keys)}
    senses = distributions(
        matrix(
            (
                (index[lemma], i, 1 / (1 + rank.get((lemma, key), 0)))
                for i, (key, synset) in enumerate(net.synsets.items())
                for lemma in dict.fromkeys(synset.lemmas)
                if lemma in index
            ),
            (words, synsets),
        )
    )
    pointers = distributions(
        matrix(
            (
                (i, number[target], 1.0 if kind in PLAIN else POINTERS.get(kind, DOMAIN))
                for i, synset in enumerate(net.synsets.values())
                for kind, target in synset.pointers
            ),
            (synsets, synsets),
        )
    )
    gloss = matrix(
        (
            (i, index[word], weight)
            for i, synset in enumerate(net.synsets.values())
            for weight, text in [
                (1.0, synset.definition),
                *((EXAMPLES, example) for example in synset.examples),
                (1.0, [part for lemma in synset.lemmas if "_" in lemma for part in lemma.split("_")]),
            ]
            for word in text
            if word in index
        ),
        (synsets, words),
    )
    rarity = sp.diags(
        np.log(synsets / np.maximum(np.asarray((gloss > 0).sum(0)).ravel(), 1)).astype(np.float32)
    )
    gloss = distributions(gloss @ rarity)
    near = matrix(
        (
            (index[a], index[b], 1 / distance)
            for synset in net.synsets.values()
            for text in (synset.definition, *synset.examples)
            for distance in range(1, WINDOW + 1)
            for pair in zip(text, text[distance:], strict=False)
            for a, b in (pair, pair[::-1])
            if a != b and a in index and b in index
        ),
        (words, words),
    )
    of_synset = sp.hstack(
        [sp.eye(synsets, dtype=np.float32), distributions(senses.T.tocsr()) + gloss]
    ).tocsr()
    of_synset = of_synset + pointers @ of_synset
    used_in = distributions(gloss.T.tocsr())
    return senses @ of_synset + sp.hstack([used_in, NEAR * distributions((near @ rarity).tocsr())]).tocsr()


def positive_pmi(description: Any, weights: Any) -> Any:
    """Return the logarithm of each share over the expected one, less SHIFT, where it is positive."""
    shares = distributions(description).tocoo()
    expected = np.asarray(shares.T @ weights).ravel()
    expected /= expected.sum()
    values = np.log(shares.data / expected[shares.col]) - SHIFT
    keep = values > 0
    return sp.csr_matrix(
        (values[keep].astype(np.float32), (shares.row[keep], shares.col[keep])), shape=shares.shape
    )


def reduce(pmi: Any, weights: Any) -> Any:
    """Return DIM columns for each row, of length 1, the most telling columns first."""
    lengths = np.sqrt(np.asarray(pmi.multiply(pmi).sum(1)).ravel())
    pmi = (sp.diags((1 / np.maximum(lengths, 1e-9)).astype(np.float32)) @ pmi).tocsr()
    start = np.random.default_rng(0).standard_normal(min(pmi.shape)).astype(np.float32)
    _, singular, right = svds((sp.diags(weights.astype(np.float32)) @ pmi).tocsr(), k=DIM, v0=start)
    order = np.argsort(-singular)
    columns = right[order].T * singular[order] ** (POWER - 1)
    columns *= np.sign(columns[np.abs(columns).argmax(0), range(DIM)])  # the sign of a column is arbitrary
    rows = pmi @ columns
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def main() -> None:
    """Read WordNet, make the vectors, write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--out", type=Path, default=Path("embedhub/builtin/wordnet_ppmi.npz"))
    options = parser.parse_args()

    net = WordNet(options.wordnet)
    used: Counter[str] = Counter()
    for synset in net.synsets.values():
        for text in (synset.definition, *synset.examples):
            used.update(text)
    known = used + Counter(
        lemma for synset in net.synsets.values() for lemma in synset.lemmas if "_" not in lemma
    )
    words = sorted(known, key=lambda word: (-known[word], word))[:LEMMAS]
    weights = np.log(2 + np.array([used[word] for word in words], float))
    rows = reduce(positive_pmi(description(net, {w: i for i, w in enumerate(words)}), weights), weights)[
        :KEPT
    ]

    row_of = {word: i for i, word in enumerate(words[:KEPT]) if rows[i].any()}
    forms = dict(row_of)
    pairs = [
        *net.forms.items(),
        *((form, base) for (form, _), base in net.exceptions.items()),
        *((form, base) for base in words[:INFLECTED] for form in net.inflected(base)),
    ]
    for form, base in pairs:
        if base in row_of and "_" not in form:
            forms.setdefault(form, row_of[base])
    ordered = sorted(forms, key=lambda form: (forms[form], form != words[forms[form]], form))
    np.savez_compressed(
        options.out,
        words=np.frombuffer("\n".join(ordered).encode(), np.uint8),
        rows=np.array([forms[form] for form in ordered], np.uint16),
        codes=np.clip(np.rint(rows / STEP), -127, 127).astype(np.int8),
        step=np.float32(STEP),
    )
    print(f"{len(ordered):,} words, {len(rows):,} rows, {options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
