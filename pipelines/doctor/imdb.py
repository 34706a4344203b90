"""The reviews of IMDB as tensorflow_datasets prepares them: there, not there, or half there."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.doctor.finding import Finding, problem
from sentiment_lstm.sources import IMDB, imdb_root

INFO, FEATURES = "dataset_info.json", "features.json"
FRAME = 16  # bytes that a TFRecord puts around each record


def reviews() -> Iterator[Finding]:
    """Tell whether the reviews are prepared; that they are not is no fault."""
    root = imdb_root("")
    if root.exists() and not root.is_dir():
        yield problem("IMDB", f"{root} is no directory: {_set('TFDS_DATA_DIR')}")
        return
    versions = sorted(p for p in (root / IMDB).glob("[0-9]*") if "incomplete" not in p.name)
    if not versions:
        yield Finding(
            "IMDB",
            f"not prepared in {root}: the first recipe that asks for it downloads it (80 MB); "
            f"if it is prepared elsewhere, {_set('TFDS_DATA_DIR')}",
        )
    for folder in versions:
        lack = next(_lacks(folder), None)
        if lack is None:
            yield Finding("IMDB", f"prepared in {folder}")
        else:
            yield problem(
                "IMDB",
                f"{folder} is half prepared ({lack}): remove it, and the next recipe that asks for "
                "it prepares it anew",
            )


def _set(name: str) -> str:
    return f"set {name} to the directory that holds imdb_reviews"


def _lacks(folder: Path) -> Iterator[str]:
    """Say what a prepared data set lacks; its descriptions tell what it should have."""
    for name in (INFO, FEATURES):
        if not (folder / name).is_file():
            yield f"no {name}"
            return
    try:
        splits = json.loads((folder / INFO).read_text("utf-8"))["splits"]
        for split in splits:
            yield from _split_lacks(folder, split)
    except (OSError, ValueError, LookupError, TypeError):
        yield f"{INFO} cannot be read"


def _split_lacks(folder: Path, split: Mapping[str, Any]) -> Iterator[str]:
    name, shards = split["name"], len(split["shardLengths"])
    found = list(folder.glob(f"*-{name}.tfrecord-*"))
    if len(found) != shards:
        yield f"{len(found)} of {shards} files of the split {name}"
        return
    size = int(split["numBytes"]) + FRAME * sum(map(int, split["shardLengths"]))
    there = sum(path.stat().st_size for path in found)
    if there != size:
        yield f"{there:,} of {size:,} bytes of the split {name}"
