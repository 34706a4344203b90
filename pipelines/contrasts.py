"""Sentences of a corpus turned round by the rules of `sentiment_lstm.contrast`, and their labels.

A teacher that knows whole reviews tells which words praise or blame and which plain sentences do;
the rules change those, so that the label of what they write is known without asking a teacher who
may not have read the negation.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipelines.claims import SURE, Sure, Taught, said_by_all
from pipelines.teacher import Teacher
from sentiment_lstm.contrast import (
    Edited,
    Lexicon,
    beside,
    conceded,
    denied,
    implied,
    joined,
    lessened,
    named,
    negated,
    parted,
    plain,
    quantified,
    told,
)
from sentiment_lstm.english import CONTRASTS, NEGATIONS, TURNING, Tokens
from sentiment_lstm.opinions import KINDS, OPINIONS, kind_at, put_at

SHORTEST, LONGEST = 3, 24
# A word must stand in so many sentences, and move the teacher's logit so far from that of the
# middle word, to praise or to blame.
MIN_COUNT, MIN_LOGIT = 20, 0.7
UNSURE = 0.2  # how far from even a teacher's chance may be where nothing is said
REACH = 5  # tokens from a negation to the word that it is read with
FORMS = 2  # negations of each sentence
TURNED_SAYINGS = 64_000  # of what is said as a whole, also denied, conceded or joined
USES = 50  # sentences that a word of praise or blame is put into

Floats = NDArray[np.float64]
T = TypeVar("T")


def contrasts(
    sentences: Mapping[Tokens, float],
    teacher: Teacher,
    random: np.random.Generator,
    *,
    with_sayings: bool = False,
) -> Iterator[Taught]:
    """Yield what the rules make of a corpus' sentences, each beside the sentence it came from.

    Args:
        sentences: tokens of each, with the probability of the second label for the text that it
            stands in.
        teacher: of two labels, the second the one that praises.
        random: decides between the forms that a rule may take.
        with_sayings: whether what people say of films is taught and turned round too.
    """
    short = [tokens for tokens in sentences if SHORTEST <= len(tokens) <= LONGEST]
    lexicon = lexicon_of(short, teacher)
    sure = sure_sentences(short, lexicon, teacher)
    yield from (Taught(" ".join(one.tokens), one.chance) for one in sure)
    claims = [one for one in sure if negated(one.tokens, one.at, random)]
    put = substituted(sentences, lexicon, random)
    said = said_by_all(sentences, {*lexicon, *OPINIONS}, random) if with_sayings else []
    yield from (_taught(one.tokens, one.praises) for one in [*put, *said])
    yield from _turned_round(claims, put, said, random)
    asides = _asides(short, lexicon, len(claims), teacher, random)
    for some in (claims, said):
        yield from _beside(asides, some, random)
    for one in found(short, lexicon, teacher):
        # "Don't waste your time" is no praise, as the text around it tells.
        if one.praises == (sentences[one.tokens] > 0.5):
            yield _taught(one.tokens, one.praises)


def _turned_round(
    claims: Sequence[Sure], put: Sequence[Sure], said: Sequence[Sure], random: np.random.Generator
) -> Iterator[Taught]:
    for some in (claims,) * FORMS + (put,):
        yield from _turned(some, lambda one: negated(one.tokens, one.at, random))
    yield from _turned(put, lambda one: lessened(one.tokens, one.at))
    for some in (claims, put):
        yield from _turned(some, lambda one: denied(one.tokens, random))
        yield from _both_ways(some, lambda one, so: implied(one.tokens, one.at, so, random))
        yield from _both_ways(some, lambda one, so: quantified(one.tokens, so, random))
        yield from _conceded(some, random)
        yield from _both_ways(some, lambda one, so: named(one.tokens, one.at, so, random))
        yield from _parted(some, random)
    if said:
        some = _some(said, TURNED_SAYINGS, random)
        whole = [one for one in some if plain(one.tokens)]
        yield from _turned(whole, lambda one: denied(one.tokens, random))
        yield from _conceded([*some, *claims], random)
        yield from _joined([*some, *claims], random)


def lexicon_of(sentences: Sequence[Tokens], teacher: Teacher) -> Lexicon:
    """Return the words that praise or blame, by what a teacher says of each alone."""
    counts = Counter(token for tokens in sentences for token in set(tokens))
    words = [
        word for word, count in counts.items()
        if count >= MIN_COUNT and word.isalpha() and len(word) > 2 and plain([word])
    ]  # fmt: skip
    if not words:
        return {}
    logits = _logits(teacher(words))
    moved = logits - np.median(logits)
    return {w: bool(m > 0) for w, m in zip(words, moved, strict=True) if abs(m) >= MIN_LOGIT}


def sure_sentences(sentences: Sequence[Tokens], lexicon: Lexicon, teacher: Teacher) -> list[Sure]:
    """Return the plain sentences with one word that praises or blames, where a teacher agrees."""
    single = [s for s in sentences if plain(s) and len(told(s, lexicon)) == 1]
    return [one for one in _sure(single, lexicon, teacher) if one.is_sure]


def _sure(sentences: Sequence[Tokens], lexicon: Lexicon, teacher: Teacher) -> list[Sure]:
    """Return sentences of one word that praises or blames with what a teacher says of them."""
    chances = teacher([" ".join(tokens) for tokens in sentences]) if sentences else np.empty(0)
    places = [told(tokens, lexicon)[0] for tokens in sentences]
    return [
        Sure(tokens, at, lexicon[tokens[at]], float(chance))
        for tokens, at, chance in zip(sentences, places, chances, strict=True)
    ]


def substituted(
    sentences: Mapping[Tokens, float], lexicon: Lexicon, random: np.random.Generator
) -> list[Sure]:
    """Return plain sentences with another word of `KINDS` where one stood, each word in `USES`."""
    frames = _frames(sentences, lexicon)
    put = []
    for name, kind in KINDS.items():
        places = frames.get(name, [])
        for word, praises in kind.all():
            chance = SURE if praises else 1 - SURE
            for tokens, at in _some(places, USES, random):
                put.append(Sure(put_at(word, tokens, at), at, praises, chance))
    return put


def _frames(
    sentences: Mapping[Tokens, float], lexicon: Lexicon
) -> dict[str, list[tuple[Tokens, int]]]:
    """Return by kind the plain sentences of one word of it that says what the text around says."""
    frames: dict[str, list[tuple[Tokens, int]]] = {}
    for tokens, target in sentences.items():
        if not SHORTEST <= len(tokens) <= LONGEST or not plain(t for t in tokens if t != "than"):
            continue
        at = [i for i, t in enumerate(tokens) if t in lexicon or t in OPINIONS]
        name = kind_at(tokens, at[0]) if len(at) == 1 else None
        if name and (tokens[at[0]] in KINDS[name].praising) == (target > 0.5):
            frames.setdefault(name, []).append((tokens, at[0]))
    return frames


def found(sentences: Sequence[Tokens], lexicon: Lexicon, teacher: Teacher) -> Iterator[Edited]:
    """Yield the sentences as they stand in which one negation turns one word round.

    What they would say without it, a teacher must be sure of.
    """
    places = [(s, _negation(s, lexicon)) for s in sentences]
    turned = [(s, at) for s, at in places if at is not None]
    without = [s[:at] + s[at + 1 :] for s, at in turned]
    for (tokens, _), one in zip(turned, _sure(without, lexicon, teacher), strict=True):
        if one.is_sure:
            yield Edited(tokens, not one.praises)


def _negation(tokens: Tokens, lexicon: Lexicon) -> int | None:
    """Return where a sentence's negation stands, if it turns a word round and is the only one."""
    at = told(tokens, lexicon)
    negations = [i for i, token in enumerate(tokens) if token in NEGATIONS]
    if len(at) != 1 or len(negations) != 1 or not CONTRASTS.isdisjoint(tokens):
        return None
    near = 0 < at[0] - negations[0] <= REACH and tokens[negations[0]] in TURNING
    return negations[0] if near else None


def _turned(claims: Sequence[Sure], rule: Callable[[Sure], Tokens | None]) -> Iterator[Taught]:
    """Yield what a rule that turns a sentence round makes of those that it fits."""
    for one in claims:
        tokens = rule(one)
        if tokens:
            yield _taught(tokens, not one.praises)


def _both_ways(
    claims: Sequence[Sure], rule: Callable[[Sure, bool], Tokens | None]
) -> Iterator[Taught]:
    """Yield what a rule makes that says of a sentence that it is so, and that it is not."""
    for one in claims:
        for is_so in (True, False):
            tokens = rule(one, is_so)
            if tokens:
                yield _taught(tokens, one.praises is is_so)


def _parted(claims: Sequence[Sure], random: np.random.Generator) -> Iterator[Taught]:
    for one in claims:
        tokens = parted(one.tokens, random)
        if tokens:
            yield _taught(tokens, one.praises)
            yield from _turned([one._replace(tokens=tokens)], lambda o: denied(o.tokens, random))


def _conceded(claims: Sequence[Sure], random: np.random.Generator) -> Iterator[Taught]:
    brief = [one for one in claims if len(one.tokens) <= LONGEST // 2]
    sides = [[one for one in brief if one.praises is side] for side in (True, False)]
    count = min(map(len, sides))
    for good, bad in zip(*(_some(side, count, random) for side in sides), strict=True):
        for granted, claimed in ((good, bad), (bad, good)):
            yield _taught(conceded(granted.tokens, claimed.tokens, random), claimed.praises)


def _joined(claims: Sequence[Sure], random: np.random.Generator) -> Iterator[Taught]:
    brief = [one for one in claims if len(one.tokens) <= LONGEST // 2]
    for praises in (True, False):
        side = [one.tokens for one in brief if one.praises is praises]
        first, second = _some(side, len(side), random), _some(side, len(side), random)
        for pair in zip(first, second, strict=True):
            yield _taught(joined(*pair, random), praises)


def _asides(
    sentences: Sequence[Tokens], lexicon: Lexicon, count: int, teacher: Teacher,
    random: np.random.Generator,
) -> list[Tokens]:  # fmt: skip
    """Return sentences that negate, and of which a teacher cannot tell what they say."""
    brief = [s for s in sentences if len(s) <= LONGEST // 2 and not told(s, lexicon)]
    asked = _some([s for s in brief if not NEGATIONS.isdisjoint(s)], 2 * count, random)
    chances = teacher([" ".join(tokens) for tokens in asked]) if asked else np.empty(0)
    return [s for s, chance in zip(asked, chances, strict=True) if abs(chance - 0.5) <= UNSURE]


def _beside(
    asides: Sequence[Tokens], claims: Sequence[Sure], random: np.random.Generator
) -> Iterator[Taught]:
    for aside, one in zip(asides, _some(claims, len(asides), random), strict=False):
        yield _taught(beside(aside, one.tokens, random), one.praises)


def _taught(tokens: Tokens, praises: bool) -> Taught:
    return Taught(" ".join(tokens), SURE if praises else 1 - SURE)


def _some(of: Sequence[T], count: int, random: np.random.Generator) -> list[T]:
    return [of[i] for i in random.permutation(len(of))[:count]]


def _logits(chances: Floats) -> Floats:
    inside = np.clip(chances, 1e-6, 1 - 1e-6)
    logits: Floats = np.log(inside / (1 - inside))
    return logits
