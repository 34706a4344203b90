"""Where a training stands, on disk, so that a killed one goes on as if it had not been.

A checkpoint is a directory of two files: every variable (weights, seeds of dropout, the optimizer's
moments and averages, the best weights so far) as safetensors, and the position as JSON with the
SHA-256 of the first. It is written aside, flushed and renamed. The last two are kept: a damaged
one is set aside for the one before it.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from sentiment_lstm.atomic import replaced_directory

logger = logging.getLogger(__name__)

KEPT = 2
ARRAYS, POSITION = "arrays.safetensors", "position.json"

Arrays = dict[str, NDArray[Any]]


def save_checkpoint(
    directory: Path, step: int, arrays: Mapping[str, NDArray[Any]], position: Mapping[str, Any]
) -> None:
    """Write the checkpoint of a step and remove all but the last two.

    Args:
        directory: where the checkpoints of one training stand.
        step: number of steps taken so far; it names and orders the checkpoints.
        arrays: every array that the training needs to go on.
        position: everything else, as JSON values.
    """
    with replaced_directory(directory / f"step-{step:09d}") as temporary:
        save_file({k: np.asarray(v, order="C") for k, v in arrays.items()}, temporary / ARRAYS)
        record = {"sha256": _digest(temporary / ARRAYS), "position": dict(position)}
        (temporary / POSITION).write_text(json.dumps(record), encoding="utf-8")
    for old in _checkpoints(directory)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(directory: Path) -> tuple[Arrays, dict[str, Any]] | None:
    """Return the arrays and the position of the newest sound checkpoint, or None without one."""
    for path in reversed(_checkpoints(directory)):
        try:
            return _read(path)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            logger.warning("checkpoint %s is damaged (%s): trying the one before it", path, error)
    return None


def remove_checkpoints(directory: Path) -> None:
    """Remove a directory and every checkpoint below it: its training has ended, or is another."""
    shutil.rmtree(directory, ignore_errors=True)


def _read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    record = json.loads((path / POSITION).read_text(encoding="utf-8"))
    found = _digest(path / ARRAYS)
    if found != record["sha256"]:
        raise ValueError(f"{ARRAYS} has the digest {found[:12]}, not {record['sha256'][:12]}")
    return load_file(path / ARRAYS), record["position"]


def _checkpoints(directory: Path) -> list[Path]:
    return sorted(p for p in directory.glob("step-*") if p.is_dir())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
