"""An embedded corpus of film reviews, generated, whose verdict hangs on word order.

Seven texts in ten hold as many positive as negative words. Which of them decide is a matter of
who speaks, of what was expected and what came of it, of what a negation governs and of whether the
writer came round in the end; the words that tell stand far from the words that they govern, so a
bag of words or of short n-grams cannot add them up. Sentences come from a grammar
(`demo_grammar.py`); a skeleton, which is a sentence with its slots emptied, belongs to one split
for good, by its hash, so no skeleton of test is ever seen in train or validation.
"""

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sentiment_lstm.demo_grammar import NEGATIVE, NEUTRAL, POSITIVE, RULES
from sentiment_lstm.errors import DataError, suggestion

T = TypeVar("T")

LABELS = ("negative", "positive")
SHARES = {"train": 60, "validation": 20, "test": 20}  # of 100 skeletons
TOKENS = (20, 120)  # words and marks in a text, at least and at most

# A plan is the opinions of a text, in blocks of sentences that stay together; the blocks are
# shuffled, and a neutral sentence may stand between two of them and wherever `aside` is.
PLANS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("says_own:own",),),
    (("says_own:own",), ("says_own:own",)),
    (("voice_own", "bare:own"),),
    (("says_own:own",), ("says_other:other",)),
    (("says_own:own",), ("expects:other",)),
    (("denies:contrary",), ("says_other:other",)),
    (("denies:contrary",), ("expects:other",)),
    (("denies:contrary",), ("says_own:own",)),
    (("turn",),),
    (("turn",),),
    (("comes_round",),),
    (("comes_round",),),
    (("turn",), ("says_other:other",), ("expects:other",)),
    (("instead",),),
    (("instead",),),
    (("voice_own", "bare:own"), ("voice_other", "bare:other")),
    (("voice_own", "bare:own", "bare:own"), ("voice_other", "bare:other", "bare:other")),
    (("says_own:contrary", "aside", "reverses"),),
    (("says_own:own", "aside", "keeps"),),
)
NEUTRAL_SENTENCES = ("plot", "visit")
OPENS, STANDS_ASIDE, CLOSES = 0.25, 0.1, 0.75  # how often a neutral sentence does
SYMBOL = re.compile(r"<(\w+)(?::(\w+))?>")
SLOT = re.compile(r"\{(\w+)(?::(\w+))?\}")
TOKEN = re.compile(r"[^\W_]+|[^\w\s]")


@dataclass(frozen=True)
class Review:
    """A generated text, its label and the skeletons of its sentences."""

    text: str
    label: str
    skeletons: tuple[str, ...]


def generate(split: str, size: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield `size` pairs of a text and its label, `negative` or `positive`, as many of each.

    Raises:
        DataError: if `split` is not train, validation or test.
    """
    for review in reviews(split, size, seed):
        yield review.text, review.label


def reviews(split: str, size: int, seed: int) -> Iterator[Review]:
    """Yield what `generate` does, with the skeletons; a shorter run is the start of a longer."""
    if split not in SHARES:
        raise DataError(f"the demo corpus has no split {split!r}: {suggestion(split, SHARES)}")
    draw = _Draw(f"{seed}/{split}")
    for number in range(size):
        if number % 2 == 0:
            labels = draw.shuffled(LABELS)
        yield _review(split, labels[number % 2], draw)


class _Draw:
    """Choices made from `Random.random()` alone, which Python promises never to change."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(int.from_bytes(hashlib.sha256(seed.encode()).digest()))

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def one(self, items: Sequence[T]) -> T:
        return items[int(self._random.random() * len(items))]

    def fresh(self, items: Sequence[str], used: set[str]) -> str:
        """Choose an item that is not yet used, if there is one, and use it."""
        item = self.one([i for i in items if i not in used] or items)
        used.add(item)
        return item

    def shuffled(self, items: Sequence[T]) -> list[T]:
        return sorted(items, key=lambda _: self._random.random())


def _review(split: str, label: str, draw: _Draw) -> Review:
    """Draw plans until one fits: words balanced, length within bounds."""
    while True:
        templates = [_template(split, symbol, draw) for symbol in _plan(draw)]
        signs = _signs(templates, draw)
        if signs is None:
            continue
        used: set[str] = set()
        text = " ".join(_filled(template, label, signs, used, draw) for template in templates)
        if TOKENS[0] <= len(TOKEN.findall(text)) <= TOKENS[1]:
            return Review(text, label, tuple(_skeleton(t) for t in templates))


def _plan(draw: _Draw) -> list[str]:
    """Return the sentences of a text in order, as symbols of the grammar."""
    symbols = [draw.one(NEUTRAL_SENTENCES)] if draw.chance(OPENS) else []
    for block in draw.shuffled(draw.one(PLANS)):
        for symbol in (*block, "aside"):
            if symbol != "aside":
                symbols.append(symbol)
            elif draw.chance(STANDS_ASIDE):
                symbols.append(draw.one(NEUTRAL_SENTENCES))
    return [*symbols, "closing"] if draw.chance(CLOSES) else symbols


def _template(split: str, symbol: str, draw: _Draw) -> str:
    """Expand a sentence until its skeleton is one of this split's."""
    while True:
        template = _expanded(f"<{symbol}>", "", set(), draw)
        if _split_of(_skeleton(template)) == split:
            return template


def _expanded(text: str, role: str, used: set[str], draw: _Draw) -> str:
    """Expand every symbol, and mark each polar slot with the role it stands in."""

    def expand(match: re.Match[str]) -> str:
        return _expanded(draw.fresh(RULES[match[1]], used), match[2] or role, used, draw)

    def mark(match: re.Match[str]) -> str:
        polar = match[1] in POSITIVE and not match[2]
        return f"{{{match[1]}:{role}}}" if polar else match[0]

    return SYMBOL.sub(expand, SLOT.sub(mark, text))


def _skeleton(template: str) -> str:
    return SLOT.sub("_", template)


def _split_of(skeleton: str) -> str:
    bucket = int.from_bytes(hashlib.sha256(skeleton.encode()).digest()[:8]) % 100
    bounds = iter(SHARES.items())
    name, bound = next(bounds)
    while bucket >= bound:
        name, share = next(bounds)
        bound += share
    return name


def _signs(templates: Sequence[str], draw: _Draw) -> list[int] | None:
    """Choose for each slot of role `other` whether it sides with the verdict (1) or not (-1).

    The choice makes the polar words of the text as often positive as negative; None if none does.
    """
    roles = [match[2] for template in templates for match in SLOT.finditer(template)]
    others = roles.count("other")
    excess = roles.count("own") - roles.count("contrary")
    if not others:
        return []
    if abs(excess) > others or (others - excess) % 2:
        return None
    with_it = (others - excess) // 2
    return draw.shuffled([1] * with_it + [-1] * (others - with_it))


def _filled(template: str, label: str, signs: list[int], used: set[str], draw: _Draw) -> str:
    """Fill the slots of a sentence, with words not used before in this text while there are any."""

    def fill(match: re.Match[str]) -> str:
        return draw.fresh(_words(match, label, signs), used)

    sentence = SLOT.sub(fill, template)
    return sentence[0].upper() + sentence[1:]


def _words(slot: re.Match[str], label: str, signs: list[int]) -> tuple[str, ...]:
    """Return the words that may fill a slot; a polar slot of role `other` uses up a sign."""
    if slot[1] not in POSITIVE:
        return NEUTRAL[slot[1]]
    sign = {"own": 1, "contrary": -1}.get(slot[2]) or signs.pop()
    good = (label == "positive") == (sign > 0)
    return (POSITIVE if good else NEGATIVE)[slot[1]]
