"""A directory under seal: a manifest of its files' sizes and SHA-256 digests, checked in full.

Nothing of a sealed directory is parsed before every byte of it has been compared with the
manifest, and the bytes that were compared are the bytes that the caller parses.
"""

import hashlib
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sentiment_lstm.errors import BundleError
from sentiment_lstm.strict_json import canonical_json, strict_json

MANIFEST = "manifest.json"
FORMAT = 1
MOST_BYTES = 65_536  # of the manifest itself, the one file read before its size is known

Entries = dict[str, dict[str, Any]]


def write_manifest(directory: Path, names: Iterable[str]) -> None:
    """Seal the files `names` of `directory`: write their sizes and digests to manifest.json."""
    files = {name: _entry((directory / name).read_bytes()) for name in sorted(names)}
    manifest = {"format": FORMAT, "files": files, "digest": digest_of(files)}
    (directory / MANIFEST).write_bytes(canonical_json(manifest))


def read_sealed(directory: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return the bytes of each file, after all of them agree with the manifest.

    Raises:
        BundleError: for a missing, extra, linked, cut or altered file, the manifest included.
    """
    entries = read_manifest(directory, names)
    _require_exactly(directory, {*names, MANIFEST})
    return {name: _verified(directory / name, entry) for name, entry in entries.items()}


def read_manifest(directory: Path, names: Iterable[str]) -> Entries:
    """Return each file's ``{"bytes": n, "sha256": hex}``, after the manifest's own digest agrees.

    Raises:
        BundleError: if the manifest is missing, altered, or does not list exactly `names`.
    """
    path = directory / MANIFEST
    data = _read(path, most=MOST_BYTES)
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
    return _checked_entries(path, manifest["files"], manifest["digest"], set(names))


def digest_of(entries: Entries) -> str:
    """Return the SHA-256 (hex) of the canonical JSON of manifest entries."""
    return hashlib.sha256(canonical_json(entries)).hexdigest()


def _checked_entries(path: Path, entries: Any, digest: Any, names: set[str]) -> Entries:
    if not isinstance(entries, dict) or set(entries) != names:
        raise _altered(path, f"it must list {', '.join(sorted(names))}")
    if digest != digest_of(entries):
        raise _altered(path, "its digest does not agree with its list of files")
    if not all(_is_entry(entry) for entry in entries.values()):
        raise _altered(path, "each file needs its bytes and its sha256")
    return entries


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or set(entry) != {"bytes", "sha256"}:
        return False
    return type(entry["bytes"]) is int and isinstance(entry["sha256"], str)


def _entry(data: bytes) -> dict[str, Any]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _require_exactly(directory: Path, names: set[str]) -> None:
    try:
        present = {path.name for path in directory.iterdir()}
    except OSError as error:
        raise _altered(directory, error.strerror or str(error)) from error
    for name in sorted(present - names):
        raise _altered(directory / name, "an extra file; remove it")
    for name in sorted(names - present):
        raise _altered(directory / name, "missing")


def _verified(path: Path, entry: dict[str, Any]) -> bytes:
    data = _read(path, most=entry["bytes"])
    if _entry(data) != entry:
        raise _altered(path, "size or SHA-256 is not what the manifest says")
    return data


def _read(path: Path, most: int) -> bytes:
    """Read a regular file of at most `most` bytes; a link, pipe or device is refused unopened."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise _altered(path, "not a regular file (links are refused)")
        if status.st_size > most:
            raise _altered(path, f"{status.st_size} bytes, more than the {most} expected")
        return path.read_bytes()
    except OSError as error:
        raise _altered(path, error.strerror or str(error)) from error


def _altered(path: Path, why: str) -> BundleError:
    return BundleError(f"{path}: {why}; the model is not as it was written: copy or train it again")
