"""Where a phrase stands in a text."""

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.errors import DataError
from sentiment_lstm.text import tokenise


def occurrences(phrase: str, tokens: Sequence[str], gap: int = 0) -> list[tuple[int, int]]:
    """Return first and one past last token of each place where a phrase stands.

    Args:
        phrase: read as texts are, so that case and spaces do not matter.
        tokens: of the text, as far as a model reads it.
        gap: after how many of them others stand that it does not read; 0 is nowhere.

    Raises:
        DataError: if it holds no token, or stands nowhere.
    """
    wanted = tokenise(phrase)
    if not wanted:
        raise DataError(f"phrase {phrase!r} holds no word: give words of the text")
    size = len(wanted)
    starts = (n for n in range(len(tokens) - size + 1) if [*tokens[n : n + size]] == wanted)
    found = [(start, start + size) for start in starts if not start < gap < start + size]
    if not found:
        raise DataError(_absent(phrase, wanted, tokens))
    return found


def _absent(phrase: str, wanted: Sequence[str], tokens: Sequence[str]) -> str:
    """Say what is wrong with a phrase that stands nowhere."""
    message = f"phrase {phrase!r} does not stand in what the model reads of the text: "
    missing = [token for token in wanted if token not in tokens]
    near = get_close_matches(missing[0], tokens, n=1) if missing else []
    if near:
        return f"{message}did you mean {near[0]!r} for {missing[0]!r}?"
    if missing:
        return f"{message}it has no {missing[0]!r}, give words that it has"
    return f"{message}give words that follow one another there"


def masks(spans: Sequence[tuple[int, int]], tokens: int) -> NDArray[np.bool_]:
    """Return which of so many tokens each span covers, `(n, tokens)`."""
    mask = np.zeros((len(spans), tokens), np.bool_)
    for row, (start, end) in zip(mask, spans, strict=True):
        row[start:end] = True
    return mask
