"""Sentences whose least edit turns the verdict round, a pair a line.

Those of `flips.txt` judge a model. Those of `development.txt`, written by someone who had not seen
the others, are there to be looked at: what a model gets wrong of them says what to teach it.
"""

import re
from pathlib import Path
from typing import NamedTuple

from tests.behaviour.suite import CAPABILITIES

FILE = Path(__file__).with_name("flips.txt")
DEVELOPMENT = Path(__file__).with_name("development.txt")
HEADING = "# "
_CHOICE = re.compile(r"\{([^{}|]+)\|([^{}|]+)\}")


class Pair(NamedTuple):
    """Two sentences, alike but for what makes one good news and the other bad."""

    positive: str
    negative: str


def pair_of(line: str) -> Pair:
    """Read a line: where it says {good|bad}, the sentences differ.

    Raises:
        ValueError: there is no such place, or a brace is left over.
    """
    pair = Pair(*(_CHOICE.sub(rf"\{group}", line) for group in (1, 2)))
    if pair.positive == pair.negative or any(set("{}|") & set(text) for text in pair):
        raise ValueError(f"write {{good|bad}} at least once, and close it: {line!r}")
    return pair


def flip_pairs() -> list[Pair]:
    """Return every pair of the file, in its order."""
    return [pair_of(line) for line in FILE.read_text("utf-8").splitlines()]


def development_pairs() -> dict[str, list[Pair]]:
    """Return the pairs to look at, by the heading that they stand under."""
    pairs: dict[str, list[Pair]] = {}
    for line in DEVELOPMENT.read_text("utf-8").splitlines():
        if line.startswith(HEADING):
            under = pairs.setdefault(line.removeprefix(HEADING), [])
        else:
            under.append(pair_of(line))
    return pairs


def asked_sentences() -> list[str]:
    """Return every sentence of the pairs and of the suite, sorted: none may be taught."""
    shown = [pair for pairs in development_pairs().values() for pair in pairs]
    asked = {text for pair in [*flip_pairs(), *shown] for text in pair}
    for checks in CAPABILITIES.values():
        asked |= {part for check in checks() for part in check if isinstance(part, str)}
    return sorted(asked)
