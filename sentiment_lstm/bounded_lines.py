"""Lines of a stream, of which none takes more memory than the longest that is of use.

A file without line ends is one line, and would be read whole before anyone could refuse it.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

LONGEST = 2**23
"""Bytes of a row at most, its line ends among them: of a text, over a million words."""

TOO_LONG = f"longer than {LONGEST:,} bytes: split it"
MARK = b"\xef\xbb\xbf"  # what some programs begin a file in UTF-8 with
_PIECE = 2**20


def bounded_lines(stream: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream, of one longer than `LONGEST` its beginning.

    That is longer than `LONGEST` too, also without a byte order mark. What has no `readline` has
    its lines in memory already, and they are yielded as they are.
    """
    return (line for line, _ in measured_lines(stream))


def measured_lines(stream: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield each line as `bounded_lines` does, and how many bytes it has in the stream."""
    if not hasattr(stream, "readline"):
        yield from ((line, len(line)) for line in stream)
        return
    binary, most = cast(BinaryIO, stream), LONGEST + 1 + len(MARK)
    while line := binary.readline(most):
        cut = len(line) == most and not line.endswith(b"\n")
        yield line, len(line) + (_passed_over(binary) if cut else 0)


def _passed_over(stream: BinaryIO) -> int:
    """Read on to the end of the line; return how many bytes that took."""
    size, piece = 0, b""
    while not piece.endswith(b"\n") and (piece := stream.readline(_PIECE)):
        size += len(piece)
    return size
