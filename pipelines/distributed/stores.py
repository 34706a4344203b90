"""Files on disk and in object stores, by one name: a path, or a URL that pyarrow or fsspec knows.

An object appears in a store when its upload has ended, so there, too, a file is whole or not there.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast

from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.errors import DataError

COPIED_BYTES = 2**20  # at a time


def is_url(name: str) -> bool:
    """Tell a URL, such as `s3://bucket/reviews`, from a path."""
    return "://" in name


def from_anywhere(name: str) -> str:
    """Return a name that means the same to a process of another working directory."""
    return name if is_url(name) else str(Path(name).resolve())


def below(name: str) -> list[str]:
    """Return the file of a name, or all files of the folder of that name, in order.

    What begins with a dot or an underscore is left out: other programs mark their work so.

    Raises:
        DataError: if there is none.
    """
    found = sorted(_of_store(name) if is_url(name) else _of_disk(Path(name)))
    if not found:
        raise DataError(f"there is no file at {name}: name a file, or a folder that holds some")
    return found


def _of_disk(path: Path) -> Iterator[str]:
    if path.is_file():
        yield str(path)
    for file in path.rglob("*") if path.is_dir() else ():
        if file.is_file() and not _hidden(file.relative_to(path).parts):
            yield str(file)


def _of_store(url: str) -> Iterator[str]:
    from pyarrow import fs

    files, path = _file_system(url)
    info = files.get_file_info(path)
    if info.type == fs.FileType.File:
        yield url
    if info.type == fs.FileType.Directory:
        for each in files.get_file_info(fs.FileSelector(path, recursive=True)):
            inner = each.path.removeprefix(path).lstrip("/")
            if each.type == fs.FileType.File and not _hidden(Path(inner).parts):
                yield _joined(url, inner)


def _hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith((".", "_")) for part in parts)


def _joined(url: str, inner: str) -> str:
    """Put a name behind a URL's path: what follows a question mark are options."""
    base, mark, options = url.partition("?")
    return f"{base.rstrip('/')}/{inner}{mark}{options}"


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """Open a file to be read from any place.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        with _stream(name) as stream:
            yield stream
    except OSError as error:
        raise DataError(f"cannot read {name}: {error.strerror or error}") from error


def _stream(name: str) -> BinaryIO:
    if not is_url(name):
        return Path(name).open("rb")
    files, path = _file_system(name)
    return cast(BinaryIO, io.BufferedReader(files.open_input_file(path), COPIED_BYTES))


def identity(name: str) -> list[Any]:
    """Return what changes when a file does: its name, its bytes, when it was written."""
    if is_url(name):
        files, path = _file_system(name)
        info = files.get_file_info(path)
        return [name, info.size, info.mtime_ns]
    status = Path(name).stat()
    return [name, status.st_size, status.st_mtime_ns]


@dataclass(frozen=True)
class Folder:
    """A folder of files that are written whole."""

    name: str

    def names(self) -> set[str]:
        """Return the names of the files in it; none where there is no folder."""
        if is_url(self.name):
            return {file.partition("?")[0].rpartition("/")[2] for file in _of_store(self.name)}
        path = Path(self.name)
        return {file.name for file in path.iterdir()} if path.is_dir() else set()

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        with opened(self._full(name)) as stream:
            return stream.read()

    @contextmanager
    def written(self, name: str) -> Iterator[Path]:
        """Yield a path to write to; on success the file becomes `name`, on failure nothing does."""
        if not is_url(self.name):
            with replaced_file(Path(self._full(name))) as path:
                yield path
            return
        with TemporaryDirectory() as directory:
            path = Path(directory) / "file"
            yield path
            self._upload(path, name)

    def _upload(self, path: Path, name: str) -> None:
        files, target = _file_system(self._full(name))
        files.create_dir(target.rpartition("/")[0], recursive=True)
        with path.open("rb") as source, files.open_output_stream(target) as stream:
            while block := source.read(COPIED_BYTES):
                stream.write(block)

    def _full(self, name: str) -> str:
        return _joined(self.name, name) if is_url(self.name) else str(Path(self.name) / name)


def _file_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path there.

    Raises:
        DataError: if nobody knows such URLs.
    """
    from pyarrow import ArrowException, fs

    try:
        return _known(fs, url)
    except (ArrowException, ValueError, ImportError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"cannot reach {url} ({reason}): give a path or another URL") from error


def _known(fs: Any, url: str) -> tuple[Any, str]:
    from pyarrow import ArrowInvalid

    try:
        files, path = fs.FileSystem.from_uri(url)
        return files, str(path)
    except ArrowInvalid:  # no scheme of its own
        import fsspec

        files, path = fsspec.core.url_to_fs(url)
        return fs.PyFileSystem(fs.FSSpecHandler(files)), path
