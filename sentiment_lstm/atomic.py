"""Files and directories that appear whole or not at all.

Everything is written under a temporary name beside its target, flushed to disk and renamed, so a
process killed at any moment leaves either the old artifact or the new one. What else it leaves, a
later one takes away.
"""

import errno
import glob
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sentiment_lstm.exchange import exchanged

TRIES = 20
ABANDONED = 3600  # seconds: on a shared disk a writer may be a process of another machine
OUT_OF_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # what a write may end with


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path; on success it becomes `path`, on failure it is removed."""
    given, path = path, resolved(path)  # "." has no name to write beside
    _make(path.parent)
    _sweep(path)
    temporary = _temporary(path, os.getpid())
    try:
        with told_of(given, temporary):
            yield temporary
            _flush(temporary)
            temporary.replace(path)
            _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replaced_directory(path: Path) -> Iterator[Path]:
    """Yield an empty temporary directory; on success it becomes `path`, the old one goes.

    The two change places in one step where the system can do that. POSIX cannot rename onto a
    directory that holds files, so elsewhere the old one steps aside first; a process killed
    between the two renames leaves it under a name that `recover` puts back.
    """
    given, path = path, resolved(path)
    _make(path.parent)
    recover(path)
    _sweep(path)
    temporary = _temporary(path, os.getpid())
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with told_of(given, temporary):
            temporary.mkdir()
            yield temporary
            _flush_tree(temporary)
            _swap(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def resolved(path: Path) -> Path:
    """Return the path that links lead to.

    Raises:
        OSError: they lead round in a circle, of which `Path.resolve` made a RuntimeError until
            Python 3.13.
    """
    try:
        return path.resolve()
    except RuntimeError as error:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from error


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:  # it, or what it is to stand in, is a file
        why = os.strerror(errno.ENOTDIR)
        raise NotADirectoryError(errno.ENOTDIR, why, error.filename) from error


def recover(path: Path) -> None:
    """Undo a replacement of `path` that was killed half-way."""
    aside = _aside(resolved(path))
    if not aside.exists():
        return
    if path.exists():
        shutil.rmtree(aside, ignore_errors=True)
        return
    try:
        aside.replace(path)
    except OSError:
        if not path.exists():  # else the replacement was not killed: it has come to its end
            raise


def _temporary(path: Path, process: int | str) -> Path:
    return path.with_name(f".{path.name}.{process}.tmp")


def _sweep(path: Path) -> None:
    """Remove what processes that were killed long ago had begun to write in place of `path`."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        process = left.name.removeprefix(f".{path.name}.").removesuffix(".tmp")
        with suppress(FileNotFoundError):  # another one sweeps too
            if process.isdecimal() and not _runs(int(process)) and _idle(left) > ABANDONED:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _runs(process: int) -> bool:
    if os.name == "nt":  # there a signal of number 0 is Ctrl-C
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _idle(path: Path) -> float:
    """Return for how many seconds nothing of a file or directory was written."""
    parts = [path, *path.rglob("*")] if path.is_dir() else [path]
    return time.time() - max(part.lstat().st_mtime for part in parts)


@contextmanager
def told_of(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """Have an error of the disk name `path`: writes name nothing, and nobody knows `temporary`.

    Args:
        path: that a person knows.
        temporary: what is written to in its place, if it is not that itself.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in OUT_OF_ROOM:
            raise OSError(error.errno, error.strerror, str(path)) from error
        if temporary and str(error.filename).startswith(str(temporary)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def _swap(new: Path, path: Path) -> None:
    if path.is_dir() and exchanged(new, path):
        _flush(path.parent)
    else:
        _swap_in_two_steps(new, path)


def _swap_in_two_steps(new: Path, path: Path) -> None:
    for last in (False,) * TRIES + (True,):
        if path.exists():
            path.replace(_aside(path))
        try:
            new.replace(path)
            break
        except OSError as error:  # a reader took us for killed, and put the old one back
            if last or error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    _flush(path.parent)
    shutil.rmtree(_aside(path), ignore_errors=True)


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def _flush_tree(directory: Path) -> None:
    for entry in directory.rglob("*"):
        _flush(entry)
    _flush(directory)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
