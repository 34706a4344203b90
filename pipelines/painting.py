"""Words shaded by their shares, in colour on a terminal and by signs elsewhere."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TextIO

import click

# Shares, as parts of the largest, from which a word gets one, two or three signs.
LEVELS = (0.1, 0.33, 0.66)
# Of the 256 colours, blue for and orange against, which colour-blind readers tell apart.
FOR, AGAINST, INK = (153, 111, 75), (223, 215, 208), 16
WIDEST = 100

# A word and its level to the word as it is shown, and how many characters wide that is.
Paint = Callable[[str, int], tuple[str, int]]


def colours_wanted(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal whose user has not asked for none (no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def levels(shares: Sequence[float]) -> list[int]:
    """Return how much each share counts: 1 to 3 for, -1 to -3 against, 0 for little."""
    most = max(map(abs, shares), default=0.0) or 1.0
    strengths = (sum(abs(share) >= level * most for level in LEVELS) for share in shares)
    return [n if share > 0 else -n for n, share in zip(strengths, shares, strict=True)]


def coloured(word: str, level: int) -> tuple[str, int]:
    """Show a word on a ground of the colour of its level, those against underlined."""
    if not level:
        return word, len(word)
    ground = (FOR if level > 0 else AGAINST)[abs(level) - 1]
    return click.style(word, fg=INK, bg=ground, underline=level < 0 or None), len(word)


def signed(word: str, level: int) -> tuple[str, int]:
    """Show a word with as many signs as its level."""
    shown = f"{word}({'+' * level}{'-' * -level})" if level else word
    return shown, len(shown)


def wrapped(
    pieces: Iterable[str], levels: Sequence[int], paint: Paint, width: int
) -> Iterator[str]:
    """Yield lines of painted pieces, each piece a word with the space before it if it has one."""
    line, used = "", 0
    for word, size in _unbroken(pieces, levels, paint):
        if used and used + 1 + size > width:
            yield line
            line, used = "", 0
        line, used = (f"{line} {word}", used + 1 + size) if used else (word, size)
    if used:
        yield line


def _unbroken(
    pieces: Iterable[str], levels: Sequence[int], paint: Paint
) -> Iterator[tuple[str, int]]:
    """Yield what stands between two spaces, painted, and how wide it is."""
    text, width = "", 0
    for piece, level in zip(pieces, levels, strict=True):
        if piece.startswith(" ") and width:
            yield text, width
            text, width = "", 0
        shown, size = paint(piece.lstrip(" "), level)
        text, width = text + shown, width + size
    if width:
        yield text, width


def text_width() -> int:
    """Return how many characters a line may have."""
    return min(shutil.get_terminal_size().columns, WIDEST)
