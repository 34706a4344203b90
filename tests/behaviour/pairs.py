"""Sentences whose least edit turns the verdict round, a pair a line in `flips.txt`."""

import re
from pathlib import Path
from typing import NamedTuple

from tests.behaviour.suite import CAPABILITIES

FILE = Path(__file__).with_name("flips.txt")
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


def asked_sentences() -> list[str]:
    """Return every sentence of the pairs and of the suite, sorted: none may be taught."""
    asked = {text for pair in flip_pairs() for text in pair}
    for checks in CAPABILITIES.values():
        asked |= {part for check in checks() for part in check if isinstance(part, str)}
    return sorted(asked)
