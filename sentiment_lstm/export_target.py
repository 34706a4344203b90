"""Where an exported model goes: a numbered directory that appears whole, and its record beside it.

TARGET/VERSION/      the model and all that it needs
TARGET/export.json   what the last export verified
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sentiment_lstm.atomic import replaced_directory, replaced_file
from sentiment_lstm.errors import ExportError, SettingsError
from sentiment_lstm.strict_json import canonical_json

RECORD = "export.json"


def check_target(target: Path, version: int, model: str) -> None:
    """See that a model can go to ``target/version`` and nobody's files with it.

    Args:
        target: base directory.
        version: number of the directory below it.
        model: name of the file by which such a model is known.

    Raises:
        SettingsError: for a version that is no number from 0.
        ExportError: if what stands there is no such model.
    """
    if type(version) is not int or version < 0:
        raise SettingsError(f"version is {version!r}: give a whole number from 0")
    directory = target / str(version)
    replaceable = (directory / model).is_file() or not directory.exists()
    if not replaceable and (not directory.is_dir() or any(directory.iterdir())):
        raise ExportError(
            f"{directory} holds other files: give another directory or another version"
        )


@contextmanager
def new_version(target: Path, version: int) -> Iterator[Path]:
    """Yield an empty directory; on success it becomes ``target/version``.

    On failure what stood there stays, and no empty directory is left where there was none.
    """
    made = [place for place in (target, *target.parents) if not place.exists()]
    try:
        with replaced_directory(target / str(version)) as temporary:
            yield temporary
    finally:
        for place in made:
            if not place.is_dir() or any(place.iterdir()):
                break
            place.rmdir()


def write_record(target: Path, record: Mapping[str, Any]) -> None:
    """Write what an export verified, beside the versions."""
    with replaced_file(target / RECORD) as temporary:
        temporary.write_bytes(canonical_json(record))
