"""What an artifact holds, byte for byte, and what a command that did not end has left beside it."""

import fnmatch
import hashlib
import os
from pathlib import Path

RECORD = "stage.json"  # goes first when a stage is made again


def contents(path: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of an artifact, by its name; none of what is not there.

    A stage's record is none of them, nor what a kill has left of writing one: a stage without its
    record is made again, and that takes it away (see `unfinished`).
    """
    if path.is_file():
        return {path.name: digest(path)}
    records = (RECORD, f".{RECORD}.*.tmp")
    files = (
        p for p in path.rglob("*")
        if p.is_file() and not any(fnmatch.fnmatch(p.name, record) for record in records)
    )  # fmt: skip
    return {p.relative_to(path).as_posix(): digest(p) for p in sorted(files)}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def unfinished(directory: Path, pid: int | str = "*") -> list[Path]:
    """Return what a process, or any, has begun to write below a directory and not renamed.

    Directories that go meanwhile are passed over.
    """
    walked = os.walk(directory)
    pattern = f".*.{pid}.tmp"
    return [
        Path(at, n) for at, inner, names in walked for n in fnmatch.filter(inner + names, pattern)
    ]


def difference(found: dict[str, str], expected: dict[str, str]) -> str:
    """Name the files that are missing, extra or other than expected; nothing if none is."""
    names = sorted(found.keys() | expected.keys())
    other = [name for name in names if found.get(name) != expected.get(name)]
    return f"other than expected: {', '.join(other[:5])}" if other else ""
