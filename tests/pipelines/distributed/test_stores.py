"""Files by path or URL."""

import pytest

from pipelines.distributed.stores import Folder, below, identity, opened
from sentiment_lstm.errors import DataError

pytest.importorskip("pyarrow", reason="URLs want pip install '.[distributed]'")


@pytest.fixture(params=["path", "URL"])
def place(tmp_path, request):
    """Return the name of an empty folder, as a path and as a URL."""
    (tmp_path / "store").mkdir()
    return str(tmp_path / "store") if request.param == "path" else f"file://{tmp_path}/store"


def put(folder, name, content):
    with folder.written(name) as path:
        path.write_text(content)


def test_what_is_written_can_be_listed_and_read(place):
    folder = Folder(place)
    assert folder.names() == set()
    put(folder, "b.txt", "two")
    put(folder, "a.txt", "one")
    assert folder.names() == {"a.txt", "b.txt"}
    assert folder.read("a.txt") == b"one"
    assert below(place) == [f"{place}/a.txt", f"{place}/b.txt"]
    assert below(f"{place}/b.txt") == [f"{place}/b.txt"]


def test_files_of_folders_below_count_and_hidden_ones_do_not(place, tmp_path):
    for name in ("x/c.txt", "a.txt", "_SUCCESS", ".part.crc", "_temporary/d.txt"):
        path = tmp_path / "store" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert below(place) == [f"{place}/a.txt", f"{place}/x/c.txt"]


def test_a_write_that_fails_leaves_nothing(place):
    folder = Folder(place)
    with pytest.raises(RuntimeError), folder.written("a.txt") as path:
        path.write_text("half")
        raise RuntimeError
    assert folder.names() == set()


def test_a_file_is_read_from_any_place(place):
    put(Folder(place), "a.txt", "one\ntwo\n")
    with opened(f"{place}/a.txt") as stream:
        assert list(stream) == [b"one\n", b"two\n"]
        stream.seek(4)
        assert stream.readline() == b"two\n"


def test_a_file_that_changes_is_another(place):
    folder = Folder(place)
    put(folder, "a.txt", "one")
    before = identity(f"{place}/a.txt")
    assert identity(f"{place}/a.txt") == before
    put(folder, "a.txt", "three")
    assert identity(f"{place}/a.txt") != before


def test_what_is_not_there_is_one_line(place):
    with pytest.raises(DataError, match=r"there is no file at .*nowhere"):
        below(f"{place}/nowhere")
    with pytest.raises(DataError, match=r"cannot read .*nowhere"), opened(f"{place}/nowhere"):
        pass
    with pytest.raises(DataError, match=r"cannot reach what://ever \("):
        below("what://ever")
