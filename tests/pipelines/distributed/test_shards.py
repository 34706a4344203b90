"""Files cut into shards: together they hold the rows of the file, each on its line."""

import gzip
import random
import tracemalloc
from pathlib import Path

import pytest

from pipelines.distributed import shards
from pipelines.distributed.shards import cut, rows_of
from sentiment_lstm import bounded_lines, records
from sentiment_lstm.errors import DataError
from sentiment_lstm.records import Rejection, read_rows

CSV = (
    b'\xef\xbb\xbfid,"te\nxt",text\n'
    b'1,,"a\nb ""c"""\n\n2,,d\nbad\n3,,"open\n4,,e\n\n\n5,,"f, g"\n\xff,,h\n6,,i\n\n\n'
)
JSONL = (
    b'{"text": "a"}\n\n\n{"text": "b"}\n{"no": 1}\nnot json\n\xef\xbb\xbf{"text": "c"}\n\n'
    b'{"text": "d"}\n\n\n'
)
TXT = b"\xef\xbb\xbfa\nb\r\n\n\n\xfe\xffc\nd\xff\n\xef\xbb\xbfe\n\nf"


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    return str(path)


def whole(path, kind):
    with Path(path).open("rb") as stream:
        return list(read_rows(stream, kind))


def told(rows):
    """Return rows without the words of a reason: where quotes go wrong depends on what follows."""
    return [(r.line, "") if isinstance(r, Rejection) else (r.line, r.fields) for r in rows]


@pytest.mark.parametrize(("kind", "content"), [("csv", CSV), ("jsonl", JSONL), ("txt", TXT)])
@pytest.mark.parametrize("size", [1, 5, 20, 10_000])
def test_shards_together_are_the_file(tmp_path, kind, content, size):
    path = written(tmp_path, f"in.{kind}", content)
    parts = cut(path, None, "text", size)
    found = [list(rows_of(part, "text")) for part in parts]
    assert told(row for rows in found for row in rows) == told(whole(path, kind))
    assert [part.rows for part in parts] == [len(rows) for rows in found]
    assert (len(parts) == 1) == (size == 10_000)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "txt"])
@pytest.mark.parametrize("seed", range(30))
def test_shards_of_damaged_files_are_the_file_too(tmp_path, kind, seed):
    draw = random.Random(f"{kind}{seed}")
    pieces = [b'"', b"\n", b",", b"a", b"\r\n", b'{"text": "b"}\n', b"\n\n", b"\xff", b'c,"d"\n']
    content = b"text,x\n" + b"".join(draw.choices(pieces, k=80))
    path = written(tmp_path, f"in.{kind}", content)
    found = [r for shard in cut(path, None, "text", 9) for r in rows_of(shard, "text")]
    assert told(found) == told(whole(path, kind))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "txt"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("seed", range(20))
def test_shards_with_rows_that_are_too_long_are_the_file_too(
    tmp_path, monkeypatch, kind, mark, seed
):
    for module in (bounded_lines, records, shards):
        monkeypatch.setattr(module, "LONGEST", 20)
    monkeypatch.setattr(bounded_lines, "_PIECE", 3)
    draw = random.Random(f"{kind}{mark}{seed}")
    pieces = [b"\n", b",", b'{"text": "b"}\n', b" " * 30, b"x" * 19, b"x" * 40, b'"a\n"', b"\n\n"]
    content = mark + b"text,x\n" + b"".join(draw.choices(pieces, k=60))
    path = written(tmp_path, f"in.{kind}", content)
    parts = cut(path, None, "text", 9)
    found = [list(rows_of(part, "text")) for part in parts]
    assert told(row for rows in found for row in rows) == told(whole(path, kind))
    assert [part.rows for part in parts] == [len(rows) for rows in found]
    packed = written(tmp_path, f"in.{kind}.gz", gzip.compress(content))
    (one,) = cut(packed, None, "text", 9)
    assert told(rows_of(one, "text")) == told(whole(path, kind))


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_a_line_without_end_is_never_held_whole(tmp_path, packed):
    name = "in.txt.gz" if packed is gzip.compress else "in.txt"
    path = written(tmp_path, name, packed(b"a\n" + b"x" * 2**27 + b"\nb\n"))
    tracemalloc.start()
    found = [r for part in cut(path, None, "text", 9) for r in rows_of(part, "text")]
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(row.line, isinstance(row, Rejection)) for row in found] == [
        (1, False),
        (2, True),
        (3, False),
    ]
    assert highest < 2**26


def test_a_shard_ends_with_the_row_that_fills_it(tmp_path):
    path = written(tmp_path, "in.txt", b"12345\n" * 10)
    assert [(s.start, s.end, s.line) for s in cut(path, None, "text", 20)] == [
        (0, 24, 1),
        (24, 48, 5),
        (48, 60, 9),
    ]


def test_a_packed_file_is_one_shard(tmp_path):
    path = written(tmp_path, "in.jsonl.gz", gzip.compress(JSONL))
    (shard,) = cut(path, None, "text", 1)
    assert told(rows_of(shard, "text")) == told(
        whole(written(tmp_path, "in.jsonl", JSONL), "jsonl")
    )


def test_a_file_without_rows_has_no_shard(tmp_path):
    assert cut(written(tmp_path, "in.csv", b"text\n"), None, "text") == []
    assert cut(written(tmp_path, "in.txt", b""), None, "text") == []


def test_an_error_names_the_file(tmp_path):
    path = written(tmp_path, "in.csv", b"id,texts\n1,a\n")
    with pytest.raises(DataError, match=r"in\.csv has no column 'text'"):
        cut(path, None, "text")
    with pytest.raises(DataError, match=r"in\.pdf ends in none of"):
        cut(str(tmp_path / "in.pdf"), None, "text")
