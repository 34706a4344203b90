"""What people say of a film that praises or blames as a whole, and word by word may do neither.

"It kept me guessing" and "it kept me waiting" differ by no word that a list of good and bad words
would hold. `sayings.txt` has forms of such, a line each, under the headings of `KINDS`: of `{a|b}`
one is said, and what stands there empty says nothing.
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np

from sentiment_lstm.english import Tokens
from sentiment_lstm.text import tokenise

KINDS = ("predicate", "remark")
"""What stands behind a subject, the film or a part of it; and whole sentences."""

_HEADING = re.compile(r"# (\w+), (praising|blaming)\n")
_SLOT = re.compile(r"\{([^{}]*)\}")


@cache
def sayings() -> dict[tuple[str, bool], tuple[str, ...]]:
    """Return the forms by kind, and whether they praise."""
    _, *parts = _HEADING.split((files("sentiment_lstm") / "sayings.txt").read_text("utf-8"))
    kinds, sides, forms = parts[::3], parts[1::3], parts[2::3]
    return {
        (kind, side == "praising"): tuple(lines.splitlines())
        for kind, side, lines in zip(kinds, sides, forms, strict=True)
    }


def said(form: str, random: np.random.Generator) -> Tokens:
    """Return the tokens of a form, one of each slot's words drawn."""
    return tuple(tokenise(_SLOT.sub(lambda slot: _drawn(slot[1].split("|"), random), form)))


def _drawn(words: Sequence[str], random: np.random.Generator) -> str:
    return words[int(random.integers(len(words)))]
