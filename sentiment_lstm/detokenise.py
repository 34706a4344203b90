"""Tokens back to text that reads as text: spaces where people put them, capitals that start."""

from collections.abc import Iterable, Iterator

CLOSING = frozenset(".,;:!?)]}%") | {"..", "...", "!!", "!!!", "??", "???"}
OPENING = frozenset("([{$#£€")
ENDING = frozenset(".!?") | {"...", "!!", "!!!", "??", "???"}
CONTRACTIONS = frozenset({"n't", "'s", "'re", "'ve", "'ll", "'d", "'m"})
TIGHT = frozenset("-/")  # within a word, as "well-made" and "and/or" have them


def pieces(tokens: Iterable[str]) -> Iterator[str]:
    """Yield each token as it stands in a text, with the space before it if there is one.

    A sentence starts with a capital, and so does "i" alone. A double quote opens and closes by
    turns.
    """
    tight, starts, quoted = True, True, False
    for token in tokens:
        closes = token == '"' and quoted
        clings = closes or _clings(token)
        capital = (starts and not clings) or token == "i"
        space = "" if tight or clings else " "
        yield space + (token[:1].upper() + token[1:] if capital else token)
        opens = token == '"' and not quoted
        quoted = opens if token == '"' else quoted
        tight = opens or token in OPENING or token in TIGHT
        starts = token in ENDING or (starts and not token[:1].isalnum())


def _clings(token: str) -> bool:
    return token in CLOSING or token in CONTRACTIONS or token in TIGHT or token == "'"


def detokenise(tokens: Iterable[str]) -> str:
    """Return the text of tokens; see `pieces`."""
    return "".join(pieces(tokens))
