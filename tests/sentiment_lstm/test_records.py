"""Rows of files, held to the csv and json modules, and to the rule that no row is lost."""

import csv
import gzip
import io
import json
import tracemalloc

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sentiment_lstm.bounded_lines import LONGEST
from sentiment_lstm.errors import DataError
from sentiment_lstm.records import DELIMITERS, KINDS, Rejection, Row, kind_of, read_rows

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.none() | st.booleans() | st.integers() | TEXTS | st.lists(TEXTS, max_size=2)


def rows_of(data: bytes, kind: str, **options):
    return list(read_rows(io.BytesIO(data), kind, **options))


def texts_of(data: bytes, kind: str, **options):
    return [row.text for row in rows_of(data, kind, **options)]


def places_of(data: bytes, kind: str):
    """Return the lines of the rows, those of rejected ones negative."""
    return [r.line if isinstance(r, Row) else -r.line for r in rows_of(data, kind)]


class Lines(io.RawIOBase):
    """A stream that makes its lines when asked for them, and remembers how many it made."""

    def __init__(self, lines):
        self._lines = iter(lines)
        self.made = 0

    def readline(self, size=-1):
        line = next(self._lines, b"")
        assert len(line) <= size
        self.made += bool(line)
        return line


@pytest.mark.parametrize("name", ["a.csv", "a.b.TSV", "a.jsonl.gz", "a.txt", "a.CSV.GZ"])
def test_kind_is_the_suffix_with_or_without_gz(tmp_path, name):
    assert kind_of(tmp_path / name) == name.lower().removesuffix(".gz").rpartition(".")[2]


@pytest.mark.parametrize("name", ["a.xml", "a", "a.gz", "a.json", "csv"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path, name):
    with pytest.raises(DataError, match=r"\.txt, \.csv, \.tsv, \.jsonl"):
        kind_of(tmp_path / name)


def test_an_unknown_kind_is_refused():
    with pytest.raises(DataError, match="did you mean 'jsonl'"):
        rows_of(b"", "json")


def test_every_line_of_txt_is_a_text_and_an_empty_one_an_empty_text():
    rows = rows_of(b"one\n\n  two \r\nlast, without end", "txt")
    assert rows == [
        Row(n, t, {"text": t})
        for n, t in enumerate(("one", "", "  two ", "last, without end"), start=1)
    ]


def test_no_other_separator_ends_a_line_of_txt():
    assert texts_of("a\u2028b\x0bc\x85d\re\n".encode(), "txt") == ["a\u2028b\x0bc\x85d\re"]


@given(
    rows=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=8), kind=st.sampled_from(["csv", "tsv"])
)
def test_a_table_reads_as_the_csv_module_reads_it(rows, kind):
    delimiter = {"csv": ",", "tsv": "\t"}[kind]
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "text", "label"), *rows])
    expected = list(csv.DictReader(io.StringIO(file.getvalue(), newline=""), delimiter=delimiter))
    found = rows_of(file.getvalue().encode(), kind)
    assert [row.fields for row in found] == expected
    assert [row.text for row in found] == [text for _, text, _ in rows]
    assert all(list(row.fields) == ["id", "text", "label"] for row in found)


@given(st.lists(st.fixed_dictionaries({"id": VALUES, "text": TEXTS, "more": VALUES}), max_size=8))
def test_json_lines_read_as_the_json_module_reads_them(objects):
    data = "".join(json.dumps(o, ensure_ascii=i % 2 == 0) + "\n" for i, o in enumerate(objects))
    found = rows_of(data.encode(), "jsonl")
    assert [row.fields for row in found] == objects
    assert [row.line for row in found] == list(range(1, len(objects) + 1))


@given(data=st.binary(max_size=60) | st.text('",\n\rab\ud7ff', max_size=40).map(str.encode))
def test_any_bytes_come_out_as_rows_or_rejections_or_one_refusal(data):
    assume(not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")))
    lines = {"txt": data, "jsonl": data.rstrip(b" \t\r\n")}
    for kind in KINDS:
        try:
            found = rows_of(b"text,x\n" + data if kind == "csv" else data, kind)
        except DataError:
            continue
        numbers = [row.line for row in found]
        assert numbers == sorted(set(numbers))
        if kind in lines:
            assert numbers == list(range(1, 1 + len(io.BytesIO(lines[kind]).readlines())))


def test_a_row_is_numbered_by_the_line_it_starts_on():
    data = b'id,text\n1,"two\nlines"\n2,"three\r\n\nlines"\n3,one\n'
    assert [(r.line, r.text) for r in rows_of(data, "csv")] == [
        (2, "two\nlines"),
        (4, "three\r\n\nlines"),
        (7, "one"),
    ]


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "txt"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_marks_line_ends_and_packing_change_nothing(tmp_path, kind, bom, end, packed):
    lines = {
        "csv": [b"text,label", "très bon,1".encode(), b"bad,0"],
        "tsv": [b"text\tlabel", "très bon\t1".encode(), b"bad\t0"],
        "jsonl": ['{"text": "très bon"}'.encode(), b'{"text": "bad"}'],
        "txt": ["très bon".encode(), b"bad"],
    }[kind]
    data = bom + end.join(lines) + end
    path = tmp_path / (f"a.{kind}.gz" if packed else f"a.{kind}")
    path.write_bytes(gzip.compress(data) if packed else data)
    assert [row.text for row in read_rows(path, kind)] == ["très bon", "bad"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"only one", "1 columns where the header has 2"),
        (b"a,b,c", "3 columns where the header has 2"),
        (b"caf\xe9,1", "not UTF-8: byte 0xe9"),
        (b'"open,1', "quotes"),
        (b'"closed" too soon,1', "quotes"),
        (b"old\rline end,1", "line ends"),
        (b"", "blank"),
    ],
)
def test_a_bad_row_of_csv_costs_itself_alone(line, reason):
    found = rows_of(b"text,label\ngood,1\n" + line + b'\n"still\ngood",0\nlast,1\n', "csv")
    assert [type(row) for row in found] == [Row, Rejection, Row, Row]
    assert [row.line for row in found] == [2, 3, 4, 6]
    assert reason in found[1].reason
    assert [row.text for row in found if isinstance(row, Row)] == ["good", "still\ngood", "last"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not a JSON object but a list"),
        (b'"text"', "not a JSON object but a str"),
        (b'{"txt": "a"}', "no key 'text': did you mean 'txt'?"),
        (b"{}", "no key 'text'"),
        (b'{"text": null}', "'text' is a NoneType, not a string"),
        (b'{"text": 5}', "'text' is a int, not a string"),
        (b'{"text": "caf\xe9"}', "not UTF-8: byte 0xe9"),
        (b'{"text": "\\ud800"}', "half a character: U+D800"),
        (b'{"text": "a", "more": ["\\udc00"]}', "half a character: U+DC00"),
        (b'{"text": ' + b"[" * 100_000, "not JSON"),
        (b'{"text": "a", "n": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"   ", "blank"),
    ],
)
def test_a_bad_row_of_jsonl_costs_itself_alone(line, reason):
    found = rows_of(b'{"text": "good"}\n' + line + b'\n{"text": "last"}\n', "jsonl")
    assert [type(row) for row in found] == [Row, Rejection, Row]
    assert [row.line for row in found] == [1, 2, 3]
    assert reason in found[1].reason


def test_a_whole_character_written_as_two_escapes_is_good():
    assert texts_of(b'{"text": "\\ud83d\\ude00"}', "jsonl") == ["\N{GRINNING FACE}"]


def test_a_line_of_txt_that_is_not_utf8_costs_itself_alone():
    found = rows_of(b"good\nb\xffd\nlast\n", "txt")
    assert found[1] == Rejection(2, "not UTF-8: byte 0xff")
    assert [row.text for row in (found[0], found[2])] == ["good", "last"]


def test_a_quote_that_never_closes_costs_one_line_however_many_follow():
    lines = [f"text {n},0\n".encode() for n in range(200_000)]
    lines[70_000] = b'"open,1\n'
    found = rows_of(b"text,label\n" + b"".join(lines), "csv")
    assert [row.line for row in found] == list(range(2, 200_002))
    assert isinstance(found[70_000], Rejection)
    assert [r.text for r in found if isinstance(r, Row)] == [
        f"text {n}" for n in range(200_000) if n != 70_000
    ]


def test_blank_lines_are_rejected_inside_a_file_and_passed_over_at_its_end():
    assert places_of(b"text\na\n\n\nb\n\n\n", "csv") == [2, -3, -4, 5]
    assert places_of(b'{"text":"a"}\n \n{"text":"b"}\n\n\t\n', "jsonl") == [1, -2, 3]


def test_the_text_column_can_be_named():
    assert texts_of(b"review,text\na,b\n", "csv", text_column="review") == ["a"]
    assert texts_of(b'{"review": "a", "text": "b"}', "jsonl", text_column="review") == ["a"]
    assert rows_of(b"a\n", "txt", text_column="review")[0].fields == {"review": "a"}


@pytest.mark.parametrize("data", [b"Text,stars\na,5\n", b"\xef\xbb\xbfText,stars\n"])
def test_a_missing_column_is_refused_with_the_columns_there_are(data):
    with pytest.raises(
        DataError, match="no column 'text' but 'Text', 'stars': did you mean 'Text'"
    ):
        rows_of(data, "csv")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"\n", "a blank first line"),
        (b"text,a,a\n", "'a' more than once"),
        (b'"text\n', "no usable header"),
        (b"text,\xff\n", "no usable header"),
        ("text,a\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_a_table_without_a_usable_header_is_refused(data, reason):
    with pytest.raises(DataError, match=reason):
        rows_of(data, "csv")


def test_files_that_cannot_be_read_are_refused_by_name(tmp_path):
    packed = tmp_path / "short.txt.gz"
    packed.write_bytes(gzip.compress(b"a\n" * 100_000)[:-20])
    damaged = tmp_path / "damaged.txt.gz"
    damaged.write_bytes(b"not gzip")
    for path in (packed, damaged, tmp_path, tmp_path / "none.txt"):
        reason = "not a whole gzip file" if path.suffix == ".gz" else "cannot read"
        with pytest.raises(DataError, match=reason) as refused:
            list(read_rows(path, "txt"))
        assert str(path) in str(refused.value)


def test_a_field_longer_than_the_csv_module_allows_by_itself_is_read():
    text = "long " * 100_000
    assert texts_of(f"text,label\n{text},1\n".encode(), "csv") == [text]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_is_read_no_further_than_its_rows_are_asked_for(kind):
    line = {"jsonl": b'{"text": "a"}\n'}.get(kind, b"text\n")
    stream = Lines(line for _ in range(1000))
    rows = read_rows(stream, kind)
    for _ in range(3):
        next(rows)
    assert stream.made <= 4


@pytest.mark.parametrize("kind", KINDS)
def test_memory_does_not_grow_with_the_file(kind):
    def peak(count):
        line = {"jsonl": b'{"text": "a", "b": 1}\n', "txt": b"a b\n", "csv": b"text,label\n"}
        stream = Lines(line.get(kind, b"text\tlabel\n") for _ in range(count))
        tracemalloc.start()
        assert sum(1 for _ in read_rows(stream, kind)) >= count - 1
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(100)
    assert peak(20_000) < peak(200) + 20_000


def filled(kind, length):
    """Return a row of `length` bytes with its line end, most of them characters beyond ASCII.

    That of a table is of twelve columns, of which none alone is too long.
    """
    begin, end = {"txt": ("", "\n"), "jsonl": ('{"text": "', '"}\n')}.get(kind, ("", "\n"))
    cells = ["\u2026" * 200_000] * 11 if kind in DELIMITERS else []
    begin += "".join(cell + DELIMITERS[kind] for cell in cells)
    room = length - len((begin + end).encode())
    return (begin + "\u2026" * (room // 3) + "x" * (room % 3) + end).encode()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("kind", ["txt", "jsonl"])
def test_a_byte_order_mark_is_no_part_of_the_longest_row(kind, mark):
    (fits,) = rows_of(mark + filled(kind, LONGEST), kind)
    assert (type(fits), fits.size) == (Row, LONGEST)
    for more in (1, 2, 3, 4, LONGEST):
        refused = rows_of(mark + filled(kind, LONGEST + more), kind)
        assert refused == [Rejection(1, "longer than 8,388,608 bytes: split it")]


def test_a_header_that_is_too_long_is_refused_behind_a_byte_order_mark():
    with pytest.raises(DataError, match="its first row is refused: longer than 8,388,608 bytes"):
        rows_of(b"\xef\xbb\xbf" + b"text,".ljust(LONGEST + 1, b"x") + b"\na,b\n", "csv")


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_read_up_to_the_longest_and_rejected_beyond(kind):
    columns = DELIMITERS.get(kind, "").join(["text", *map("c{}".format, range(11))])
    head = f"{columns}\n".encode() if kind in DELIMITERS else b""
    few = filled(kind, 100) if kind not in DELIMITERS else DELIMITERS[kind].encode() * 11 + b"\n"
    first = 2 if head else 1
    fits = rows_of(head + filled(kind, LONGEST) + few, kind)
    assert [(type(row), row.line, row.size) for row in fits] == [
        (Row, first, LONGEST),
        (Row, first + 1, len(few)),
    ]
    assert list(fits[0].fields.values())[-1].count("\u2026") > 200_000
    refused, after = rows_of(head + filled(kind, LONGEST + 1) + few, kind)
    assert refused == Rejection(first, "longer than 8,388,608 bytes: split it")
    assert after == fits[1]


def test_a_row_of_many_lines_that_is_too_long_gives_up_its_first_alone():
    line = b'"' + b"x" * 2**19 + b'\n"'
    rows = rows_of(b"text,n\n" + b",".join([line] * 17) + b"\n1,2\n", "csv")
    assert rows[0] == Rejection(2, "longer than 8,388,608 bytes: split it")
    assert rows[-1] == Row(20, "1", {"text": "1", "n": "2"})
