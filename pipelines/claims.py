"""Sentences that praise or blame: what rules turn round, and what is said without a teacher."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sentiment_lstm.english import ARTICLES, Tokens
from sentiment_lstm.sayings import said, sayings

# How sure a teacher must be of a plain sentence, and how sure a student is to be of an edited one.
CONFIDENT, SURE = 0.85, 0.92
SAYINGS = 90_000  # sentences of each kind of saying and side, at most
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
    sentences: Collection[Tokens], opinions: Collection[str], random: np.random.Generator
) -> list[Sure]:
    """Return what people say of films as a whole, each form of `sayings` of a side equally often.

    A form of few words says the same again and again: said but once, it would hardly be learnt
    beside those that stand behind hundreds of subjects. They are no more than the corpus has
    sentences, but for each form's one.

    Args:
        sentences: of a corpus; its subjects are those of which something is said.
        opinions: words that no subject may hold.
        random: decides between the forms.
    """
    subjects = list(_subjects(sentences, opinions))
    most = min(SAYINGS, len(sentences) // 4)
    found = []
    for (kind, praises), forms in sayings().items():
        behind = subjects if kind == "predicate" else [()]
        times = -(-most // len(forms)) if behind else 0
        found += [_sure(form, behind, praises, random) for form in forms for _ in range(times)]
    return found


def _sure(
    form: str, subjects: Sequence[Tokens], praises: bool, random: np.random.Generator
) -> Sure:
    subject = subjects[int(random.integers(len(subjects)))]
    chance = SURE if praises else 1 - SURE
    return Sure(subject + said(form, random), len(subject), praises, chance)


def _subjects(sentences: Iterable[Tokens], opinions: Collection[str]) -> Iterator[Tokens]:
    """Yield what stands before "is" or "was" at a sentence's start, where it judges nothing."""
    for tokens in sentences:
        if tokens[:1] in (("it",), ("this",)) or (tokens and tokens[0] in ARTICLES):
            at = next((i for i, t in enumerate(tokens[: SUBJECT + 1]) if t in ("is", "was")), 0)
            subject = tokens[:at]
            if at and all(t.isalpha() and t not in opinions for t in subject):
                yield subject
