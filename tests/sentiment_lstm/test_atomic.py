"""Files and directories that appear whole or not at all."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment_lstm.atomic import recover, replaced_directory, replaced_file


def names(directory):
    return sorted(p.name for p in directory.iterdir())


def test_a_file_is_replaced_whole(tmp_path):
    target = tmp_path / "a" / "file.txt"
    for text in ("old", "new"):
        with replaced_file(target) as temporary:
            temporary.write_text(text)
    assert target.read_text() == "new"
    assert names(target.parent) == ["file.txt"]


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), replaced_file(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


@pytest.fixture
def no_room():
    """Have no file of this process grow beyond a page, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_error_of_the_disk_names_the_file_that_was_to_be_written(tmp_path, monkeypatch, no_room):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match="File too large") as caught, replaced_file(Path("a")) as t:
        t.write_bytes(b"x" * 5000)
    assert caught.value.filename == "a"
    with (
        pytest.raises(OSError, match="File too large") as caught,
        replaced_directory(Path("d")) as t,
    ):
        (t / "b").write_bytes(b"x" * 5000)
    assert caught.value.filename == "d"
    assert names(tmp_path) == []


def test_an_error_with_a_temporary_name_names_the_file_in_its_place(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, replaced_file(tmp_path / "never-written"):
        pass
    assert caught.value.filename == str(tmp_path / "never-written")


def test_an_error_of_something_else_stays_as_it_is(tmp_path):
    with pytest.raises(ConnectionError) as caught, replaced_file(tmp_path / "a"):
        raise ConnectionResetError(104, "reset")
    assert caught.value.filename is None
    with pytest.raises(FileNotFoundError) as caught, replaced_file(tmp_path / "a"):
        (tmp_path / "nowhere").read_bytes()
    assert caught.value.filename == str(tmp_path / "nowhere")


@pytest.fixture(params=["in one step", "in two steps"])
def either_way(request, monkeypatch):
    """Have directories change places at once, or as where the system cannot do that."""
    if request.param == "in two steps":
        monkeypatch.setattr("sentiment_lstm.atomic.exchanged", lambda new, path: False)


@pytest.mark.usefixtures("either_way")
def test_a_directory_is_replaced_whole(tmp_path):
    target = tmp_path / "d"
    for name in ("old", "new"):
        with replaced_directory(target) as temporary:
            (temporary / "sub").mkdir()
            (temporary / "sub" / name).write_text(name)
    assert names(target / "sub") == ["new"]
    assert names(tmp_path) == ["d"]


def test_a_failed_directory_leaves_the_old_one_and_no_other(tmp_path):
    target = tmp_path / "d"
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(RuntimeError), replaced_directory(target) as temporary:
        (temporary / "half").write_text("half")
        raise RuntimeError
    assert names(target) == ["old"]
    assert names(tmp_path) == ["d"]


@pytest.mark.parametrize("new_one_arrived", [False, True])
def test_a_replacement_killed_half_way_is_undone_or_finished(tmp_path, new_one_arrived):
    aside, target = tmp_path / ".d.old", tmp_path / "d"
    aside.mkdir()
    (aside / "old").write_text("old")
    if new_one_arrived:
        target.mkdir()
        (target / "new").write_text("new")
    recover(target)
    assert names(target) == (["new"] if new_one_arrived else ["old"])
    assert names(tmp_path) == ["d"]


def test_a_process_killed_while_writing_leaves_the_old_directory(tmp_path):
    target = tmp_path / "d"
    target.mkdir()
    (target / "old").write_text("old")
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from sentiment_lstm.atomic import replaced_directory\n"
        "with replaced_directory(Path(sys.argv[1])) as t:\n"
        "    (t / 'half').write_text('half')\n    print('ready', flush=True)\n    time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(target)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "ready\n"
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert names(target) == ["old"]


@pytest.fixture
def dead():
    """Return the number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def long_ago(path):
    for part in [path, *path.rglob("*")]:
        os.utime(part, (0, 0))


@pytest.mark.parametrize("replaced", [replaced_file, replaced_directory])
def test_what_a_killed_process_left_long_ago_is_taken_away(tmp_path, dead, replaced):
    left = tmp_path / f".a[b].{dead}.tmp"
    if replaced is replaced_directory:
        left.mkdir()
        left = left / "part"
    left.write_text("half")
    long_ago(tmp_path)
    with replaced(tmp_path / "a[b]") as temporary:
        if replaced is replaced_directory:
            temporary.mkdir(exist_ok=True)
        else:
            temporary.write_text("whole")
    assert names(tmp_path) == ["a[b]"]


@pytest.mark.parametrize("kept", ["of now", "of one that runs", "of another file", "no process's"])
def test_what_may_still_be_written_stays(tmp_path, dead, kept):
    process = {"of one that runs": os.getppid(), "no process's": "x"}.get(kept, dead)
    left = tmp_path / f".{'b' if kept == 'of another file' else 'a'}.{process}.tmp"
    left.write_text("half")
    if kept != "of now":
        long_ago(left)
    with replaced_file(tmp_path / "a") as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == [left.name, "a"]


def test_a_link_is_followed_and_a_path_without_a_name_has_one(tmp_path, monkeypatch):
    (tmp_path / "d").mkdir()
    (tmp_path / "link").symlink_to("d")
    with replaced_directory(tmp_path / "link") as temporary:
        (temporary / "new").touch()
    assert names(tmp_path / "d") == ["new"]
    monkeypatch.chdir(tmp_path / "d")
    with replaced_directory(Path()) as temporary:
        (temporary / "newer").touch()
    assert names(tmp_path / "d") == ["newer"]
    assert names(tmp_path) == ["d", "link"]


def test_a_reader_that_puts_the_old_one_back_does_not_stop_the_new_one(tmp_path, monkeypatch):
    monkeypatch.setattr("sentiment_lstm.atomic.exchanged", lambda new, path: False)
    target = tmp_path / "model"
    with replaced_directory(target) as temporary:
        (temporary / "old").touch()
    rename, met = Path.replace, []

    def with_a_reader(source, to):
        if source.name.endswith(".tmp") and not met:
            met.append(names(tmp_path))
            recover(target)
        return rename(source, to)

    monkeypatch.setattr(Path, "replace", with_a_reader)
    with replaced_directory(target) as temporary:
        (temporary / "new").touch()
    assert ".model.old" in met[0]
    assert names(target) == ["new"]
    assert names(tmp_path) == ["model"]
