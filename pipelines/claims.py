"""Sentences that praise or blame: what rules turn round, and what is said without a teacher."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from sentiment_lstm.english import ARTICLES, Tokens
from sentiment_lstm.sayings import KINDS, said, sayings

# How sure a teacher must be of a plain sentence, and how sure a student is to be of an edited one.
CONFIDENT, SURE = 0.85, 0.92
SAYINGS = 8_000  # sentences of each kind of saying and side
SUBJECT = 4  # tokens of a subject at most


class Taught(NamedTuple):
    """A text to learn from, and the probability of the second label."""

    text: str
    target: float


class Sure(NamedTuple):
    """A sentence of one word that praises or blames, and what a teacher says of the whole."""

    tokens: Tokens
    at: int
    praises: bool
    chance: float

    @property
    def is_sure(self) -> bool:
        """Whether the teacher is sure, and of what the word says."""
        return (self.chance if self.praises else 1 - self.chance) >= CONFIDENT


def said_by_all(
    sentences: Iterable[Tokens], opinions: Collection[str], random: np.random.Generator
) -> list[Sure]:
    """Return what people say of films as a whole, each form of `sayings` equally often.

    Args:
        sentences: of a corpus; its subjects are those of which something is said.
        opinions: words that no subject may hold.
        random: decides between the forms.
    """
    subjects = list(_subjects(sentences, opinions))
    found = []
    for (kind, praises), forms in sayings().items():
        for form in forms if subjects or kind != KINDS[0] else ():
            for _ in range(-(-SAYINGS // len(forms))):
                of = subjects[random.integers(len(subjects))] if kind == KINDS[0] else ()
                at = len(of)
                found.append(
                    Sure(of + said(form, random), at, praises, SURE if praises else 1 - SURE)
                )
    return list(dict.fromkeys(found))


def _subjects(sentences: Iterable[Tokens], opinions: Collection[str]) -> Iterator[Tokens]:
    """Yield what stands before "is" or "was" at a sentence's start, where it judges nothing."""
    for tokens in sentences:
        if tokens[:1] in (("it",), ("this",)) or (tokens and tokens[0] in ARTICLES):
            at = next((i for i, t in enumerate(tokens[: SUBJECT + 1]) if t in ("is", "was")), 0)
            subject = tokens[:at]
            if at and all(t.isalpha() and t not in opinions for t in subject):
                yield subject
