"""The capabilities that are asked for, and the sentences that ask for them."""

from collections.abc import Iterator
from itertools import pairwise, product
from typing import NamedTuple

GOOD = ("good", "great", "wonderful", "superb", "excellent", "brilliant", "charming", "moving")
BAD = ("bad", "terrible", "awful", "dreadful", "poor", "stupid", "boring", "lifeless")
PARTS = ("film", "acting", "script", "story", "ending")
PRAISE = ("I loved it", "I enjoyed every minute", "I would see it again", "I was delighted")
BLAME = ("I hated it", "I was bored", "I want my money back", "I walked out")


class Case(NamedTuple):
    """A sentence and whether it is good news."""

    text: str
    positive: bool


class Same(NamedTuple):
    """Two sentences that must get the same label."""

    text: str
    changed: str


class Stronger(NamedTuple):
    """Two sentences, the second saying the same with more force, and whether it is good news."""

    text: str
    stronger: str
    positive: bool


Check = Case | Same | Stronger


def vocabulary() -> Iterator[Check]:
    """Words that praise or blame, in plain sentences."""
    for positive, words in ((True, GOOD), (False, BAD)):
        for word, part in product(words, PARTS):
            yield Case(f"The {part} is {word}.", positive)
    for positive, sayings in ((True, PRAISE), (False, BLAME)):
        yield from (Case(f"{saying}.", positive) for saying in sayings)


def negation() -> Iterator[Check]:
    """ "Not" turns round what it governs, near or far; what is not bad is held to be good."""
    for positive, words in ((False, GOOD), (True, BAD)):
        for word in words:
            yield Case(f"The film is not {word} at all.", positive)
            yield Case(f"It isn't {word}.", positive)
            yield Case(f"I would never call this {word}.", positive)
            yield Case(f"I don't think that the acting, or any of the rest, is {word}.", positive)
            yield Case(f"Nobody could say that this film is {word}.", positive)


def scope() -> Iterator[Check]:
    """ "Not" leaves alone what it does not govern."""
    for good, bad in zip(GOOD, BAD, strict=True):
        yield Case(f"It is not only {good}, it is the best I have seen.", True)
        yield Case(f"It is not only {bad}, it is the worst I have seen.", False)
        yield Case(f"I did not see it with my friends, and it was {good}.", True)
        yield Case(f"I did not see it with my friends, and it was {bad}.", False)
        yield Case(f"Not {bad}, but {good}.", True)
        yield Case(f"Not {good}, but {bad}.", False)


def intensifiers() -> Iterator[Check]:
    """More force goes further the same way."""
    for positive, words in ((True, GOOD), (False, BAD)):
        for word, much in product(words, ("really", "absolutely", "truly", "incredibly")):
            yield Stronger(f"The film is {word}.", f"The film is {much} {word}.", positive)


def concession() -> Iterator[Check]:
    """What is conceded weighs less than what is claimed."""
    for good, bad in zip(GOOD, BAD, strict=True):
        yield Case(f"Although the music is {good}, the film is {bad}.", False)
        yield Case(f"Although the music is {bad}, the film is {good}.", True)
        yield Case(f"The trailer looked {bad}, but the film is {good}.", True)
        yield Case(f"The trailer looked {good}, but the film is {bad}.", False)
        yield Case(f"Some say it is {bad}. They are wrong, I loved it.", True)
        yield Case(f"Some say it is {good}. They are wrong, I hated it.", False)
        yield Case(f"I had hoped that it would be {good}. It was {bad}.", False)
        yield Case(f"I had feared that it would be {bad}. It was {good}.", True)


def comparison() -> Iterator[Check]:
    """What is compared, and on which side it comes out."""
    for other in ("the book", "the first one", "the original", "the trailer", "his last film"):
        yield Case(f"It is much better than {other}.", True)
        yield Case(f"It is much worse than {other}.", False)
        yield Case(f"It is nowhere near as good as {other}.", False)
        yield Case(f"Even {other} was better than this.", False)
        yield Case(f"Next to this, {other} looks poor.", True)


def names() -> Iterator[Check]:
    """Who made it changes nothing."""
    people = ("Anna Berg", "John Carter", "Priya Nair", "Kenji Mori", "Maria Lopez", "Omar Haddad")
    for (one, other), saying in product(pairwise(people), _claims()):
        yield Same(f"{one} made this film and {saying}.", f"{other} made this film and {saying}.")


def typos() -> Iterator[Check]:
    """Two letters changed about in a word that says nothing change nothing."""
    for saying in _claims():
        text = f"I watched this film yesterday with my brother and {saying}."
        for right, wrong in (("watched", "wathced"), ("film", "flim"), ("yesterday", "yesterady")):
            yield Same(text, text.replace(right, wrong))


def length_and_punctuation() -> Iterator[Check]:
    """Neither marks nor words that say nothing change the verdict."""
    about = "It was shown at eight in the evening and lasts about two hours."
    for saying in _claims():
        text = f"{saying[0].upper()}{saying[1:]}"
        yield from (Same(f"{text}.", f"{text}{marks}") for marks in ("", "!", "...", " ."))
        yield Same(f"{text}.", f"{text.upper()}.")
        yield Same(f"{text}.", f"{about} {text}.")
        yield Same(f"{text}.", f"{text}. {about}")


def _claims() -> Iterator[str]:
    yield from (f"it is {word}" for word in (*GOOD, *BAD))


CAPABILITIES = {
    "vocabulary": vocabulary,
    "negation": negation,
    "scope of negation": scope,
    "intensifiers": intensifiers,
    "concession": concession,
    "comparison": comparison,
    "names": names,
    "typos": typos,
    "length and punctuation": length_and_punctuation,
}
