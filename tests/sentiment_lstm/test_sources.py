"""Tables, folders and IMDB: what they yield, what they reject, what their digests cover."""

import hashlib
from pathlib import Path

import pytest

from sentiment_lstm.bounded_lines import LONGEST
from sentiment_lstm.errors import DataError
from sentiment_lstm.sources import (
    FolderSource,
    Found,
    ImdbSource,
    RejectedRow,
    TableSource,
    imdb_root,
    prepared_imdb,
)


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_table_yields_texts_with_labels_and_rejections_with_lines(tmp_path):
    path = write(tmp_path / "a.csv", b"stars,text\n5,fine\nbad\n1,poor\n")
    assert list(TableSource(path, "text", "stars").rows()) == [
        Found(str(path), 2, "fine", "5"),
        RejectedRow(str(path), 3, "1 columns where the header has 2"),
        Found(str(path), 4, "poor", "1"),
    ]


def test_a_table_without_the_label_column_is_refused_with_the_nearest(tmp_path):
    path = write(tmp_path / "a.tsv", b"labels\ttext\n1\tfine\n")
    with pytest.raises(DataError, match="no column 'label': did you mean 'labels'"):
        list(TableSource(path, "text", "label").rows())


def test_an_object_without_a_label_is_rejected_alone(tmp_path):
    path = write(tmp_path / "a.jsonl", b'{"text": "a"}\n{"text": "b", "label": 1}\n')
    rejected, found = TableSource(path, "text", "label").rows()
    assert (rejected.line, rejected.reason) == (1, "no column 'label': known: text")
    assert found.label == 1


def test_a_file_of_a_folder_that_is_longer_than_a_row_may_be_is_rejected(tmp_path):
    write(tmp_path / "pos" / "1.txt", b"x" * LONGEST)
    path = write(tmp_path / "pos" / "2.txt", b"x" * (LONGEST + 1))
    found, rejected = FolderSource(tmp_path).rows()
    assert len(found.text) == LONGEST
    assert rejected == RejectedRow(str(path), 1, "longer than 8,388,608 bytes: split it")


def test_a_text_file_has_no_labels(tmp_path):
    path = write(tmp_path / "a.txt", b"fine\n")
    with pytest.raises(DataError, match="holds no labels"):
        list(TableSource(path, "text", "label").rows())


def test_a_folder_yields_one_text_a_file_by_label_and_name(tmp_path):
    write(tmp_path / "pos" / "2.txt", b"good\n")
    write(tmp_path / "pos" / "10.txt", b"\xef\xbb\xbffine\r\nindeed")
    write(tmp_path / "neg" / "1.txt", b"bad")
    found = list(FolderSource(tmp_path).rows())
    assert [(f.text, f.label) for f in found] == [
        ("bad", "neg"),
        ("fine\r\nindeed", "pos"),
        ("good", "pos"),
    ]
    assert [f.file for f in found] == [
        str(tmp_path / name) for name in ("neg/1.txt", "pos/10.txt", "pos/2.txt")
    ]


def test_a_folder_rejects_what_is_no_text_of_a_label_and_passes_over_the_hidden(tmp_path):
    write(tmp_path / "pos" / "1.txt", b"ok\nb\xffd")
    write(tmp_path / "pos" / "2.html", b"")
    write(tmp_path / "pos" / "3.txt" / "x", b"")
    write(tmp_path / "pos" / ".hidden", b"")
    write(tmp_path / "README", b"")
    found = {r.file.rpartition("/")[2]: (r.line, r.reason) for r in FolderSource(tmp_path).rows()}
    assert found == {
        "README": (1, "it stands in no label's folder"),
        "1.txt": (2, "not UTF-8: byte 0xff"),
        "2.html": (1, "not a .txt file"),
        "3.txt": (1, "cannot be read: Is a directory"),
    }


def test_a_folder_without_folders_is_refused(tmp_path):
    write(tmp_path / "a.txt", b"")
    with pytest.raises(DataError, match="make one for each label"):
        list(FolderSource(tmp_path).rows())


def test_the_digest_of_a_table_is_that_of_its_bytes(tmp_path):
    path = write(tmp_path / "a.csv", b"text,label\n")
    expected = hashlib.sha256(b"text,label\n").hexdigest()
    assert TableSource(path, "text", "label").digests() == {str(path): expected}


@pytest.mark.parametrize("change", ["content", "name", "label", "more"])
def test_the_digest_of_a_folder_changes_with_everything_that_counts(tmp_path, change):
    def digest():
        return FolderSource(tmp_path).digests()[str(tmp_path)]

    path = write(tmp_path / "pos" / "1.txt", b"good")
    write(tmp_path / "neg" / "2.txt", b"bad")
    before = digest()
    assert digest() == before
    {
        "content": lambda: path.write_bytes(b"gOod"),
        "name": lambda: path.rename(path.with_name("3.txt")),
        "label": lambda: path.rename(tmp_path / "neg" / "1.txt"),
        "more": lambda: write(tmp_path / "pos" / "4.txt", b""),
    }[change]()
    assert digest() != before


def test_imdb_is_looked_for_where_told_then_by_environment_then_at_home(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert imdb_root("given") == Path("given")
    assert imdb_root("") == tmp_path
    monkeypatch.setenv("TFDS_DATA_DIR", "")
    assert imdb_root("") == tmp_path / "home" / "tensorflow_datasets"


def test_imdb_that_cannot_be_downloaded_is_refused_at_once(monkeypatch, tmp_path):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # the port of "discard": nobody is in
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(DataError, match=r"set data\.dir or TFDS_DATA_DIR"):
        prepared_imdb(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_latest_prepared_version_of_imdb_is_taken_and_digested_by_split(tmp_path):
    for version in ("0.9.0", "1.0.0"):
        folder = tmp_path / "imdb_reviews" / "plain_text" / version
        for name in ("imdb_reviews-train.tfrecord-0", "imdb_reviews-test.tfrecord-0"):
            write(folder / name, (version + name).encode())
        write(folder / "dataset_info.json", b"{}")
    digests = ImdbSource(tmp_path, "test").digests()
    assert sorted(digests) == ["dataset_info.json", "imdb_reviews-test.tfrecord-0"]
    expected = hashlib.sha256(b"1.0.0imdb_reviews-test.tfrecord-0").hexdigest()
    assert digests["imdb_reviews-test.tfrecord-0"] == expected
