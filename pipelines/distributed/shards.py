"""An input cut into shards, each of which anyone can read alone, and as if it were whole.

A file is cut where rows begin, which its own reader tells: a row of CSV may span lines. Rows of a
shard keep their line numbers. A packed file cannot be entered in its middle and is one shard.
"""

import gzip
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pipelines.distributed.stores import opened
from sentiment_lstm.bounded_lines import LONGEST, MARK, bounded_lines, measured_lines
from sentiment_lstm.records import BLANK, DELIMITERS, Rejection, Row, kind_of, read_rows

SHARD_BYTES = 2**24
# A line that begins so is told from others where it is the first one.
MARKS = (MARK, b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Shard:
    """Some rows of a file.

    Attributes:
        source: path or URL of the file.
        kind: how it is written; see `sentiment_lstm.records`.
        start: its first byte.
        end: the byte after its last one; None for all of a packed file.
        line: number of its first line in the file, from 1.
        rows: how many it has, those of no use too; None where nobody has counted.
        header: the lines of the file that name its columns, a character for each byte.
    """

    source: str
    kind: str
    start: int
    end: int | None
    line: int
    rows: int | None
    header: str = ""


def packed(source: str) -> bool:
    """Tell a file that is packed by its name."""
    return source.partition("?")[0].lower().endswith(".gz")


def cut(source: str, kind: str | None, column: str, size: int = SHARD_BYTES) -> list[Shard]:
    """Cut a file into shards of about so many bytes.

    Args:
        source: path or URL.
        kind: of the file; None tells it by the name.
        column: that holds the text.
        size: bytes after which a shard ends with the row.

    Raises:
        DataError: if the file cannot be read, or its kind is unknown.
    """
    kind = kind or kind_of(Path(source.partition("?")[0]))
    whole = Shard(source, kind, 0, None, 1, None)
    if packed(source):
        return [whole]
    with opened(source) as stream:
        return list(_parts(whole, _Lines(stream), column, size))


class _Lines:
    """Lines of a stream, where each begins, and whether a row can be told apart there."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.end = stream, 0
        self._starts: deque[tuple[int, bool]] = deque()
        self._first = 1

    def __iter__(self) -> Iterator[bytes]:
        for line, size in measured_lines(self._stream):
            self._starts.append((self.end, not line.startswith(MARKS)))
            self.end += size
            yield line

    def start_of(self, number: int) -> tuple[int, bool]:
        """Return the first byte of a line, and whether a shard may begin there.

        The lines before it are forgotten.
        """
        for _ in range(number - self._first):
            self._starts.popleft()
        self._first = number
        return self._starts[0]


def _parts(whole: Shard, lines: _Lines, column: str, size: int) -> Iterator[Shard]:
    """Yield the parts of a file; none ends in a blank row, which is none at the end of a file."""
    part, rows, ends = whole, 0, False
    for number, is_blank in _row_starts(whole, lines, column):
        start, begins = lines.start_of(number)
        if not rows:
            part = replace(part, start=start, line=number, header=_header(whole, start))
        elif ends and begins and start - part.start >= size:
            yield replace(part, end=start, rows=rows)
            part, rows = replace(part, start=start, line=number), 0
        rows, ends = rows + 1, not is_blank
    if rows:
        yield replace(part, end=lines.end, rows=rows)


def _row_starts(whole: Shard, lines: _Lines, column: str) -> Iterator[tuple[int, bool]]:
    """Yield the first line of each row, and whether the row is a blank one."""
    if whole.kind in DELIMITERS:
        for row in read_rows(lines, whole.kind, text_column=column, name=whole.source):
            yield row.line, isinstance(row, Rejection) and row.reason == BLANK
        return
    blanks = 0
    for number, line in enumerate(lines, start=1):
        if whole.kind == "jsonl" and len(line) <= LONGEST and not line.strip(b" \t\r\n"):
            blanks += 1
            continue
        yield from ((number - left, True) for left in range(blanks, 0, -1))
        blanks = 0
        yield number, False


def _header(whole: Shard, start: int) -> str:
    """Return what stands before a table's first row."""
    if whole.kind not in DELIMITERS:
        return ""
    with opened(whole.source) as stream:
        return stream.read(start).decode("latin-1")


def rows_of(shard: Shard, column: str) -> Iterator[Row | Rejection]:
    """Yield the rows of a shard, with their line numbers in the file.

    Raises:
        DataError: as `read_rows` does.
    """
    moved = shard.line - 1 - shard.header.count("\n")
    with opened(shard.source) as stream:
        lines = _lines_of(shard, stream)
        for row in read_rows(lines, shard.kind, text_column=column, name=shard.source):
            yield replace(row, line=row.line + moved)


def _lines_of(shard: Shard, stream: BinaryIO) -> Iterator[bytes]:
    if shard.end is None:
        with gzip.open(stream, "rb") as unpacked:
            yield from bounded_lines(unpacked)
        return
    yield from BytesIO(shard.header.encode("latin-1"))
    stream.seek(shard.start)
    left, lines = shard.end - shard.start, measured_lines(stream)
    while left > 0 and (found := next(lines, None)):
        line, size = found
        left -= size
        yield line
