"""Lines of a stream, of which none takes more memory than the longest that is of use.

A file without line ends is one line, and would be read whole before anyone could refuse it.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

LONGEST = 2**23
"""Bytes of a row at most, its line ends among them: of a text, over a million words."""

TOO_LONG = f"longer than {LONGEST:,} bytes: split it"
_PIECE = 2**20


def bounded_lines(stream: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream; of one longer than `LONGEST`, its first `LONGEST` + 1 bytes.

    What has no `readline` has its lines in memory already, and they are yielded as they are.
    """
    if not hasattr(stream, "readline"):
        yield from stream
        return
    binary = cast(BinaryIO, stream)
    while line := binary.readline(LONGEST + 1):
        yield line
        if len(line) > LONGEST and not line.endswith(b"\n"):
            _pass_over_line(binary)


def _pass_over_line(stream: BinaryIO) -> None:
    while (piece := stream.readline(_PIECE)) and not piece.endswith(b"\n"):
        pass
