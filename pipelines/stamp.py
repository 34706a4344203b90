"""What a stage was made from and what it made: the record that tells whether to run it again."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.strict_json import canonical_json, strict_json


@dataclass(frozen=True)
class Stamp:
    """The record beside a stage's outputs.

    Attributes:
        version: of the package that ran the stage.
        settings: the recipe sections that the stage reads, by section and key.
        inputs: digest of each thing it read, by a name that a person understands.
        outputs: digest of each file it wrote, by path inside the run directory.
        made_with: versions and machine by name (see `surroundings`): they make no stage run
            again, and tell where to look if it comes out otherwise. Earlier versions wrote none.
    """

    version: str
    settings: dict[str, dict[str, Any]]
    inputs: dict[str, str]
    outputs: dict[str, str]
    made_with: dict[str, str] = field(default_factory=dict)


def read_stamp(path: Path) -> Stamp | None:
    """Return the record at `path`, or nothing where there is none that can be read.

    One that was altered counts as none; versions before this one wrote no digest.
    """
    try:
        values = strict_json(path.read_bytes())
        digest = values.pop("digest", None)
        sound = digest is None or digest == text_digest(canonical_json(values).decode())
        return Stamp(**values) if sound else None
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def write_stamp(path: Path, stamp: Stamp) -> None:
    """Write the record, its digest in it, whole or not at all."""
    values = asdict(stamp)
    sealed = values | {"digest": text_digest(canonical_json(values).decode())}
    with replaced_file(path) as temporary:
        temporary.write_text(json.dumps(sealed, indent=1), "utf-8")  # its last byte counts


def changes(recorded: Stamp, wanted: Stamp) -> Iterator[str]:
    """Say what has changed since the record was made; nothing if the stage is up to date.

    `wanted` holds the version, settings and inputs of now, and the outputs as they lie on disk.
    """
    if recorded.version != wanted.version:
        yield f"made by version {recorded.version}"
    yield from settings_changes(recorded.settings, wanted.settings)
    yield from input_changes(recorded.inputs, wanted.inputs)
    yield from output_changes(recorded.outputs, wanted.outputs)


def settings_changes(
    recorded: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Say which keys of the sections in `wanted` are not as recorded."""
    for section, values in wanted.items():
        old = recorded.get(section, {})
        for key in sorted(old.keys() | values.keys()):
            if old.get(key) != values.get(key):
                yield f"{section}.{key} was {old.get(key)!r}"


def input_changes(recorded: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[str]:
    """Say which inputs are not as recorded."""
    return _differences(recorded, wanted, "changed")


def output_changes(recorded: Mapping[str, str], kept: Mapping[str, str]) -> Iterator[str]:
    """Say which outputs are not as recorded."""
    return _differences(recorded, kept, "is missing or altered")


def digests(root: Path, paths: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of each file that exists, by its path inside `root`."""
    return {p.relative_to(root).as_posix(): file_digest(p) for p in sorted(paths) if p.is_file()}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file; a file that has not been touched since is not read again."""
    status = path.stat()
    return _digest(path, status.st_ino, status.st_size, status.st_mtime_ns)


def text_digest(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8 form."""
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=1024)
def _digest(path: Path, *_identity: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _differences(
    recorded: Mapping[str, str], wanted: Mapping[str, str], what: str
) -> Iterator[str]:
    for name in sorted(recorded.keys() | wanted.keys()):
        if recorded.get(name) != wanted.get(name):
            yield f"{name} {what}"
