"""Rows of text, CSV, TSV and JSON Lines files, streamed: every row comes out or is rejected.

Python's `csv` and `json` read the formats. This module adds what they lack: the line on which a
row starts, a reason for each row that cannot be used, and bytes that are not UTF-8 costing one row
and not the file. A row is of `LONGEST` bytes at most, so memory is bounded whatever a file holds.
"""

import csv
import gzip
import json
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from sentiment_lstm.bounded_lines import LONGEST, MARK, TOO_LONG, bounded_lines
from sentiment_lstm.errors import DataError, suggestion
from sentiment_lstm.strict_json import DEEPEST, nests_deeper

KINDS = ("txt", "csv", "tsv", "jsonl")
DELIMITERS = {"csv": ",", "tsv": "\t"}
FIELD_CHARACTERS = 1 << 20  # a CSV field that is longer is taken for one that never closes
BLANK = "blank line"


@dataclass(frozen=True)
class Row:
    """A usable row.

    Attributes:
        line: that it starts on, from 1.
        text: what is classified.
        fields: all its columns, in order.
        size: bytes or characters that it was read from.
    """

    line: int
    text: str
    fields: dict[str, Any]
    size: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Rejection:
    """A row that cannot be used: the line it starts on (from 1) and why."""

    line: int
    reason: str


def kind_of(path: Path) -> str:
    """Return which of `KINDS` a file is, by its suffix; `.gz` may follow.

    Raises:
        DataError: if the suffix is none of them.
    """
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    kind = name.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        known = ", ".join(f".{k}" for k in KINDS)
        raise DataError(f"{path} ends in none of {known} (.gz may follow): rename or convert it")
    return kind


def read_rows(
    source: Path | Iterable[bytes],
    kind: str,
    *,
    text_column: str = "text",
    name: str = "the input",
) -> Iterator[Row | Rejection]:
    """Yield each row of a file (gzipped if its name ends in `.gz`), or of lines.

    Lines may be those of a binary stream; an error calls them by their `name`.

    In `txt` every line is a text, an empty line an empty one. In `csv` and `tsv` the first row
    names the columns; a row may span lines inside double quotes. In `jsonl` every line is an
    object. Blank lines of `csv`, `tsv` and `jsonl` are rejected, except at the end of the file.
    A row of more than `LONGEST` bytes is rejected.

    Raises:
        DataError: on iteration, if the file cannot be read, its header lacks `text_column`, or
            `kind` is not one of `KINDS`.
    """
    if kind not in KINDS:
        raise DataError(f"unknown kind of file {kind!r}: {suggestion(kind, KINDS)}")
    name = str(source) if isinstance(source, Path) else name
    with _readable(source, name) as stream:
        lines = _without_bom(stream, name)
        if kind == "txt":
            yield from _text_rows(lines, text_column)
        elif kind == "jsonl":
            yield from _without_closing_blanks(_json_rows(lines, text_column))
        else:
            rows = _table_rows(lines, DELIMITERS[kind], text_column, name)
            yield from _without_closing_blanks(rows)


@contextmanager
def _readable(source: Path | Iterable[bytes], name: str) -> Iterator[Iterable[bytes]]:
    """Open `source` unless it is open, and turn errors of the file system into ours."""
    try:
        if not isinstance(source, Path):
            yield source
        elif source.suffix.lower() == ".gz":
            with gzip.open(source, "rb") as unpacked:
                yield cast(BinaryIO, unpacked)
        else:
            with source.open("rb") as stream:
                yield stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{name} is not a whole gzip file ({error}): pack it again") from error
    except OSError as error:
        raise DataError(f"cannot read {name}: {error.strerror or error}") from error


def _without_bom(stream: Iterable[bytes], name: str) -> Iterator[bytes]:
    for number, line in enumerate(bounded_lines(stream)):
        if number == 0 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DataError(f"{name} is UTF-16: save it as UTF-8")
        yield line.removeprefix(MARK) if number == 0 else line


def _text_rows(lines: Iterable[bytes], column: str) -> Iterator[Row | Rejection]:
    for number, raw in enumerate(lines, start=1):
        text = raw.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "surrogateescape")
        reason = TOO_LONG if len(raw) > LONGEST else _not_utf8(text)
        yield Rejection(number, reason) if reason else Row(number, text, {column: text}, len(raw))


def _json_rows(lines: Iterable[bytes], column: str) -> Iterator[Row | Rejection]:
    for number, raw in enumerate(lines, start=1):
        line = raw.decode("utf-8", "surrogateescape")
        found = TOO_LONG if len(raw) > LONGEST else _json_object(line)
        if isinstance(found, str):
            yield Rejection(number, found)
        elif not isinstance(found.get(column), str):
            yield Rejection(number, _no_text(found, column))
        else:
            yield Row(number, found[column], found, len(raw))


def _json_object(line: str) -> dict[str, Any] | str:
    """Return the object that stands on a line, or why there is none."""
    if not line.strip(" \t\r\n"):
        return BLANK
    if reason := _not_utf8(line):
        return reason
    try:
        found = json.loads(line)
        # An escape such as \ud800 is valid JSON for half a character, which UTF-8 cannot hold.
        halves = "\\u" in line and _not_utf8(json.dumps(found, ensure_ascii=False))
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    if nests_deeper(found, DEEPEST):
        return f"nested deeper than {DEEPEST} levels"
    if not isinstance(found, dict):
        return f"not a JSON object but a {type(found).__name__}"
    return halves or found


def _no_text(found: dict[str, Any], column: str) -> str:
    if column not in found:
        return f"no key {column!r}: {suggestion(column, found)}" if found else f"no key {column!r}"
    return f"{column!r} is a {type(found[column]).__name__}, not a string"


def _table_rows(
    lines: Iterable[bytes], delimiter: str, column: str, name: str
) -> Iterator[Row | Rejection]:
    read = _Lines(lines)
    rows = _cells(read, delimiter)
    header = _header(next(rows, None), column, name)
    for number, cells in rows:
        if isinstance(cells, str):
            yield Rejection(number, cells)
        elif not cells:
            yield Rejection(number, BLANK)
        elif len(cells) != len(header):
            yield Rejection(number, f"{len(cells)} columns where the header has {len(header)}")
        else:
            fields = dict(zip(header, cells, strict=True))
            yield Row(number, fields[column], fields, read.size)


def _header(row: tuple[int, list[str] | str] | None, column: str, name: str) -> list[str]:
    if row is None:
        raise DataError(f"{name} is empty: its first row must name the columns")
    header = row[1]
    if isinstance(header, str):
        raise DataError(f"{name} has no usable header, its first row is refused: {header}")
    if column not in header:
        raise DataError(f"{name} has no column {column!r} but {_named(header, column)}")
    twice = sorted({c for c in header if header.count(c) > 1})
    if twice:
        raise DataError(f"{name} names column {twice[0]!r} more than once: rename one")
    return header


def _named(header: list[str], column: str) -> str:
    """List the columns there are, the one nearest to `column` also as a suggestion."""
    listed = ", ".join(repr(c) for c in header) or "a blank first line"
    nearest = suggestion(column, header)
    return f"{listed}: {nearest}" if nearest.startswith("did") else f"{listed}: name one of them"


def _cells(lines: "_Lines", delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the first line of each row with its cells, or with why it has none.

    When quotes go wrong only the first line of the row is given up: the lines that the parser
    had taken for the rest of it are read again as rows of their own.
    """
    csv.field_size_limit(max(csv.field_size_limit(), FIELD_CHARACTERS))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = lines.start_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _RowTooLongError:
            lines.keep_first()
            yield number, TOO_LONG
            continue
        except csv.Error as error:
            lines.keep_first()
            yield number, f"quotes or line ends are wrong: {error}"
            continue
        yield number, _not_utf8("".join(cells)) or cells


class _RowTooLongError(Exception):
    """Of a row that has come to more than `LONGEST` bytes."""


class _Lines:
    """Decoded lines of which those of the row being read can be given back.

    Attributes:
        size: bytes of the row so far.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self._again: deque[bytes] = deque()
        self._row: list[bytes] = []
        self._number, self.size = 1, 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._row.append(line)
        self.size += len(line)
        if self.size > LONGEST:
            raise _RowTooLongError
        return line.decode("utf-8", "surrogateescape")

    def start_row(self) -> int:
        """Forget the lines of the last row and return the number of the next line, from 1."""
        self._number += len(self._row)
        self._row, self.size = [], 0
        return self._number

    def keep_first(self) -> None:
        """Give back every line of this row but the first."""
        self._again.extendleft(reversed(self._row[1:]))
        del self._row[1:]


def _not_utf8(text: str) -> str:
    """Say which byte kept `text`, decoded with surrogateescape, from being UTF-8, or nothing."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        kept = 0xDC80 <= code <= 0xDCFF
        return f"not UTF-8: byte 0x{code - 0xDC00:02x}" if kept else f"half a character: U+{code:X}"
    return ""


def _without_closing_blanks(rows: Iterable[Row | Rejection]) -> Iterator[Row | Rejection]:
    """Drop the blank lines that end a file; a run of them is held as two numbers."""
    first, count = 0, 0
    for row in rows:
        if isinstance(row, Rejection) and row.reason == BLANK:
            first, count = (first if count else row.line), count + 1
            continue
        yield from (Rejection(line, BLANK) for line in range(first, first + count))
        count = 0
        yield row
