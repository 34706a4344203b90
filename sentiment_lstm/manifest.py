"""A directory under seal: a manifest of its files' sizes and SHA-256 digests, checked in full.

No file of a sealed directory is parsed before every byte of it has been compared with the
manifest, and the bytes that were compared are the bytes that the caller parses.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from sentiment_lstm.errors import BundleError
from sentiment_lstm.strict_json import canonical_json, strict_json

MANIFEST = "manifest.json"
FORMAT = 1
MOST_BYTES = 65_536  # of the manifest itself, the one file read before its size is known
PIECE = 1 << 20

Entries = dict[str, dict[str, Any]]


class SealError(BundleError):
    """A file is missing, extra, linked, cut or altered, and named so."""


@dataclass(frozen=True)
class Seal:
    """A sealed directory whose manifest agrees with itself.

    Attributes:
        directory: the place.
        entries: of each file, by name, ``{"bytes": n, "sha256": hex}``.
    """

    directory: Path
    entries: Entries

    def read(self, name: str, most: int | None = None) -> bytes:
        """Return the bytes of a file, after they agree with the manifest.

        Args:
            name: of the file.
            most: bytes that such a file can have; more are refused unread.

        Raises:
            SealError: if the file is not as it was written, or larger than `most`.
        """
        path, entry = self.directory / name, self.entries[name]
        if most is not None and entry["bytes"] > most:
            raise SealError(
                f"{path}: {entry['bytes']:,} bytes, more than the {most:,} that it can need: "
                "take the model from someone you trust"
            )
        data = b"".join(_pieces(path, entry["bytes"]))
        if _entry(data) != entry:
            raise _altered(path, "size or SHA-256 is not what the manifest says")
        return data

    def check(self, name: str) -> None:
        """See that a file is as it was written, without holding it in memory.

        Raises:
            SealError: if it is not.
        """
        path, entry = self.directory / name, self.entries[name]
        if _digested(_pieces(path, entry["bytes"])) != entry:
            raise _altered(path, "size or SHA-256 is not what the manifest says")


def write_manifest(directory: Path, names: Iterable[str], place: str = MANIFEST) -> None:
    """Seal the files `names` of `directory`: write their sizes and digests to `place` in it."""
    (directory / place).write_bytes(manifest_of(directory, names))


def manifest_of(directory: Path, names: Iterable[str]) -> bytes:
    """Return the manifest of the files `names` of `directory`."""
    files = {}
    for name in sorted(names):
        with (directory / name).open("rb") as file:
            files[name] = _digested(iter(partial(file.read, PIECE), b""))
    return canonical_json({"format": FORMAT, "files": files, "digest": digest_of(files)})


def unseal(directory: Path, names: Iterable[str], *, alone: bool = True) -> Seal:
    """Return the seal of a directory that holds `names`, and nothing else if they stand `alone`.

    Raises:
        SealError: for a missing, extra or altered file as far as names and manifest tell.
    """
    seal = Seal(directory, read_manifest(directory, names))
    _require(directory, {*names, MANIFEST}, alone)
    return seal


def read_sealed(directory: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return the bytes of each file, after all of them agree with the manifest.

    Raises:
        SealError: for a missing, extra, linked, cut or altered file, the manifest included.
    """
    seal = unseal(directory, names)
    return {name: seal.read(name) for name in seal.entries}


def check_tree(directory: Path, place: str) -> Seal:
    """See that all files below a directory are as they were written, and no others are there.

    Args:
        directory: what is sealed.
        place: of the manifest in it; beside the manifest other files may stand.

    Returns:
        The seal, for whoever wants to parse one of the files.

    Raises:
        SealError: for a missing, extra, linked, cut or altered file, the manifest included.
    """
    seal = Seal(directory, read_manifest(directory, None, place))
    beside = PurePosixPath(place).parent
    for name in sorted(files_below(directory) - seal.entries.keys()):
        if PurePosixPath(name).parent != beside:
            raise _altered(directory / name, "an extra file; remove it")
    for name in seal.entries:
        seal.check(name)
    return seal


def files_below(directory: Path) -> set[str]:
    """Return the name of everything below a directory that is no directory, relative to it."""
    found = (path for path in directory.rglob("*") if path.is_symlink() or not path.is_dir())
    return {path.relative_to(directory).as_posix() for path in found}


def read_manifest(directory: Path, names: Iterable[str] | None, place: str = MANIFEST) -> Entries:
    """Return each file's ``{"bytes": n, "sha256": hex}``, after the manifest's own digest agrees.

    Args:
        directory: what is sealed.
        names: of the files that the manifest has to list, None if it may list any below it.
        place: of the manifest.

    Raises:
        SealError: if the manifest is missing, altered, or does not list exactly `names`.
    """
    path = directory / place
    data = b"".join(_pieces(path, MOST_BYTES))
    try:
        manifest = strict_json(data)
    except ValueError as error:
        raise _altered(path, str(error)) from error
    if canonical_json(manifest) != data:
        raise _altered(path, "it is not in canonical form")
    if not isinstance(manifest, dict) or set(manifest) != {"format", "files", "digest"}:
        raise _altered(path, "its keys must be format, files and digest")
    if type(manifest["format"]) is not int or manifest["format"] != FORMAT:
        raise _altered(path, f"format {manifest['format']!r}, this package reads {FORMAT}")
    return _checked_entries(path, manifest["files"], manifest["digest"], names)


def digest_of(entries: Entries) -> str:
    """Return the SHA-256 (hex) of the canonical JSON of manifest entries."""
    return hashlib.sha256(canonical_json(entries)).hexdigest()


def _checked_entries(path: Path, entries: Any, digest: Any, names: Iterable[str] | None) -> Entries:
    if not isinstance(entries, dict):
        raise _altered(path, "it lists no files")
    if names is not None and set(entries) != set(names):
        raise _altered(path, f"it must list {', '.join(sorted(names))}")
    if digest != digest_of(entries):
        raise _altered(path, "its digest does not agree with its list of files")
    if not all(_is_entry(entry) for entry in entries.values()):
        raise _altered(path, "each file needs its bytes and its sha256")
    for name in entries:
        if not _stays_below(name):
            raise _altered(path, f"it lists {name!r}, which stands elsewhere")
    return entries


def _stays_below(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and "\0" not in name


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or set(entry) != {"bytes", "sha256"}:
        return False
    return type(entry["bytes"]) is int and isinstance(entry["sha256"], str)


def _entry(data: bytes) -> dict[str, Any]:
    return _digested([data])


def _digested(pieces: Iterable[bytes]) -> dict[str, Any]:
    size, digest = 0, hashlib.sha256()
    for piece in pieces:
        size += len(piece)
        digest.update(piece)
    return {"bytes": size, "sha256": digest.hexdigest()}


def _require(directory: Path, names: set[str], alone: bool) -> None:
    try:
        present = {path.name for path in directory.iterdir()}
    except OSError as error:
        raise _altered(directory, error.strerror or str(error)) from error
    for name in sorted(present - names) if alone else ():
        raise _altered(directory / name, "an extra file; remove it")
    for name in sorted(names - present):
        raise _altered(directory / name, "missing")


def _pieces(path: Path, most: int) -> Iterator[bytes]:
    """Read a regular file of at most `most` bytes; a link, pipe or device is refused unread."""
    try:
        with _opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > most:
                raise _altered(path, f"{size} bytes, more than the {most} expected")
            while piece := file.read(PIECE):
                yield piece
    except OSError as error:
        raise _altered(path, error.strerror or str(error)) from error


def _opened(path: Path) -> BinaryIO:
    """Open a regular file: what is checked is what is read, whatever takes its name meanwhile."""
    if path.is_symlink():
        raise _altered(path, "not a regular file (links are refused)")
    file = open(path, "rb", 0, opener=_without_waiting)  # noqa: SIM115 - closed by the caller
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise _altered(path, "not a regular file (links are refused)")
    return file


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _altered(path: Path, why: str) -> SealError:
    return SealError(f"{path}: {why}; it is not as it was written: copy or train it again")
