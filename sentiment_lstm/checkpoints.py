"""Where a training stands, on disk, so that a killed one goes on as if it had not been.

A checkpoint is a directory of two files under seal: every variable (weights, seeds of dropout, the
optimizer's moments and averages, the best weights so far) as safetensors, and the position as JSON.
It is written aside, flushed and renamed. The last two are kept: a damaged one is passed over for
the one before it.
"""

import json
import logging
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, numpy

from sentiment_lstm.atomic import replaced_directory
from sentiment_lstm.errors import BundleError
from sentiment_lstm.manifest import read_sealed, write_manifest

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
        _save(temporary / ARRAYS, arrays)
        (temporary / POSITION).write_text(json.dumps(dict(position)), encoding="utf-8")
        write_manifest(temporary, (ARRAYS, POSITION))
    for old in _checkpoints(directory)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(directory: Path) -> tuple[Arrays, dict[str, Any]] | None:
    """Return the arrays and the position of the newest sound checkpoint, or None without one."""
    for path in reversed(_checkpoints(directory)):
        try:
            return _read(path)
        except (BundleError, ValueError, SafetensorError) as error:
            logger.warning("checkpoint %s is damaged (%s): trying the one before it", path, error)
    return None


def saved_history(directory: Path) -> list[dict[str, Any]]:
    """Return the rows of the epochs that a training has behind it, where it would go on from."""
    found = load_checkpoint(directory)
    return [] if found is None else list(found[1]["history"])


def remove_checkpoints(directory: Path) -> None:
    """Remove a directory and every checkpoint below it: its training has ended, or is another."""
    shutil.rmtree(directory, ignore_errors=True)


def _save(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays; an error of the disk is one of Python's, whoever met it."""
    whole = {k: np.asarray(v, order="C") for k, v in arrays.items()}
    try:
        numpy.save_file(whole, path)
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        code = int(number[1])
        raise OSError(code, os.strerror(code), str(path)) from error


def _read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    files = read_sealed(path, (ARRAYS, POSITION))
    return numpy.load(files[ARRAYS]), json.loads(files[POSITION])


def _checkpoints(directory: Path) -> list[Path]:
    return sorted(p for p in directory.glob("step-*") if p.is_dir())
