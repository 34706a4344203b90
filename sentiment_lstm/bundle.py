"""The model on disk: five plain files under seal, and no pickle.

    weights.safetensors   the arrays, float32 or float16, named as `BundleConfig.weight_shapes`
    config.json           `BundleConfig`
    vocabulary.txt        a token a line; the line's number, from 0, is its id
    README.md             the model card
    manifest.json         sizes and SHA-256 digests of the other four

Reading checks in this order: the manifest against itself; each file against the manifest before
it is parsed; the configuration's values; the size of the weights, then their header, against the
configuration; the weights. So what a file can make of the memory is known before it is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.atomic import recover, replaced_directory
from sentiment_lstm.bundle_config import BundleConfig, config_from_json
from sentiment_lstm.card import model_card
from sentiment_lstm.errors import BundleError, SentimentError
from sentiment_lstm.manifest import (
    MANIFEST,
    Seal,
    SealError,
    digest_of,
    read_manifest,
    read_sealed,
    unseal,
    write_manifest,
)
from sentiment_lstm.strict_json import canonical_json, strict_json
from sentiment_lstm.text import Vocabulary
from sentiment_lstm.weights_file import WEIGHTS, Weights, most_bytes, packed, unpacked

__all__ = [
    "Bundle",
    "BundleConfig",
    "check_target",
    "is_bundle",
    "is_shipped",
    "model_card",
    "payload_digest",
    "read_bundle",
    "read_card",
    "resolve_model",
    "rewrite_bundle",
    "shipped",
    "update_card",
    "write_bundle",
]

CONFIG, VOCABULARY, CARD = "config.json", "vocabulary.txt", "README.md"
FILES = (WEIGHTS, CONFIG, VOCABULARY, CARD)
RUN_BUNDLE = "bundle"  # where a run directory keeps its model
SHIPPED = Path(__file__).parent / "bundles"
MOST_TEXT = 1 << 20  # bytes of the configuration and of the card
MOST_VOCABULARY = 1 << 26


@dataclass(frozen=True)
class Bundle:
    """A model read from disk; `weights` are float32 whatever the file holds."""

    config: BundleConfig
    weights: dict[str, NDArray[np.float32]]
    vocabulary: Vocabulary
    directory: Path


def write_bundle(
    directory: Path, config: BundleConfig, weights: Weights, vocabulary: Vocabulary, card: str
) -> None:
    """Write a model; `directory` appears whole or stays as it was.

    Args:
        directory: where; a bundle that stands there is replaced, anything else is refused.
        config: its shape and labels.
        weights: float32 or float16 arrays, exactly those of `config.weight_shapes`.
        vocabulary: V tokens, as many as the embedding has rows.
        card: text of README.md.

    Raises:
        BundleError: if an array is missing, extra, of another shape or type, or not finite, or
            `directory` holds other files.
    """
    check_target(directory)
    data = packed(weights, config.weight_shapes(len(vocabulary)))
    with replaced_directory(directory) as temporary:
        (temporary / WEIGHTS).write_bytes(data)
        (temporary / CONFIG).write_bytes(canonical_json(config.to_json()))
        vocabulary.save(temporary / VOCABULARY)
        (temporary / CARD).write_bytes(card.encode())
        write_manifest(temporary, FILES)


def check_target(directory: Path) -> None:
    """See that a bundle can go to `directory` and nobody's files with it.

    Raises:
        BundleError: if it is a file, the working directory, or holds what is no bundle.
    """
    if not directory.exists():
        return
    if not directory.is_dir():
        raise BundleError(f"{directory} is a file: name an empty or a new directory")
    if directory.resolve() == Path.cwd():  # it would be replaced beneath the process
        raise BundleError(f"{directory} is the working directory: name another one")
    present = {path.name for path in directory.iterdir()}
    if present and not (is_bundle(directory) and present <= {*FILES, MANIFEST}):
        raise BundleError(f"{directory} holds other files: name an empty or a new directory")


def read_bundle(directory: Path) -> Bundle:
    """Read a model, each thing checked before the next is parsed.

    One that is replaced meanwhile is read again: its old manifest goes with its old files, and
    between the two it may be missing.

    Raises:
        BundleError: if it is missing, incomplete, altered, or not consistent with itself.
    """
    while True:
        stands = _identity(directory)
        try:
            return _read_once(directory)
        except BundleError:
            if _identity(directory) == stands:
                raise


def _identity(directory: Path) -> tuple[int, int] | None:
    try:
        status = directory.stat()
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_mtime_ns


def _read_once(directory: Path) -> Bundle:
    seal = unseal(_settled(directory), FILES)
    try:
        return _read(seal)
    except SealError:  # it names the file
        raise
    except (SentimentError, ValueError) as error:
        raise BundleError(f"{directory}: {error}") from error


def _read(seal: Seal) -> Bundle:
    seal.read(CARD, MOST_TEXT)
    config = config_from_json(strict_json(seal.read(CONFIG, MOST_TEXT)))
    tokens = seal.read(VOCABULARY, MOST_VOCABULARY)
    expected = config.weight_shapes(1 + tokens.removesuffix(b"\n").count(b"\n"))
    weights = unpacked(seal.read(WEIGHTS, most_bytes(expected)), expected)
    return Bundle(config, weights, Vocabulary.parse(tokens), seal.directory)


def update_card(directory: Path, card: str) -> None:
    """Replace README.md; a process killed meanwhile leaves the old bundle or the new one.

    Raises:
        BundleError: if the bundle is not sound as it stands.
    """
    _write_files(directory, read_sealed(_settled(directory), FILES) | {CARD: card.encode()})


def read_card(directory: Path) -> str:
    """Return the text of README.md.

    Raises:
        BundleError: if it is not as it was written.
    """
    return unseal(_settled(directory), FILES).read(CARD, MOST_TEXT).decode("utf-8", "replace")


def rewrite_bundle(directory: Path, target: Path, config: BundleConfig, card: str) -> None:
    """Write a model anew with other ways of making answers of its outputs, whole or not at all.

    Args:
        directory: the model; its weights and its vocabulary are taken as they are, byte for byte.
        target: where it goes; `directory` itself, or as `write_bundle` takes it.
        config: its configuration, of the same shape, labels and temperature.
        card: text of README.md.

    Raises:
        BundleError: if the bundle is not sound as it stands, or `target` holds other files.
    """
    check_target(target)
    files = read_sealed(_settled(directory), FILES)
    _write_files(target, files | {CONFIG: canonical_json(config.to_json()), CARD: card.encode()})


def _write_files(directory: Path, files: Mapping[str, bytes]) -> None:
    with replaced_directory(directory) as temporary:
        for name, data in files.items():
            (temporary / name).write_bytes(data)
        write_manifest(temporary, FILES)


def payload_digest(directory: Path) -> str:
    """Return the SHA-256 (hex) of the manifest's entries, the card's left out.

    Two bundles of equal digest answer alike, whatever their cards say.

    Raises:
        BundleError: if the manifest is missing or altered.
    """
    entries = read_manifest(_settled(directory), FILES)
    return digest_of({name: entry for name, entry in entries.items() if name != CARD})


def is_bundle(path: Path) -> bool:
    """Whether a model seems to stand at `path`; only reading tells whether it is sound."""
    try:
        if not path.exists():
            recover(path)
        return (path / MANIFEST).is_file() and (path / CONFIG).is_file()
    except (OSError, ValueError):  # a name too long, a NUL, a directory that may not be entered
        return False


def shipped() -> list[str]:
    """Return the names of the models that come with the package, sorted."""
    if not SHIPPED.is_dir():
        return []
    return sorted(path.name for path in SHIPPED.iterdir() if (path / MANIFEST).is_file())


def is_shipped(path: Path) -> bool:
    """Whether a path lies among the models that come with the package."""
    return path.resolve().is_relative_to(SHIPPED.resolve())


def resolve_model(name_or_dir: str | Path) -> Path:
    """Return the bundle directory that a name or path means.

    A shipped name comes first (write ``./imdb`` for a directory of that name), then a bundle
    directory, then a run directory that holds one.

    Raises:
        BundleError: if it is none of these; names the shipped models.
    """
    if str(name_or_dir) in shipped():
        return SHIPPED / str(name_or_dir)
    path = Path(name_or_dir)
    for candidate in (path, path / RUN_BUNDLE):
        if is_bundle(candidate):
            return candidate
    raise BundleError(
        f"no model at {str(name_or_dir)!r}: give a bundle or run directory, or a shipped model "
        f"({', '.join(shipped()) or 'none ships with this package'})"
    )


def _settled(directory: Path) -> Path:
    if not is_bundle(directory):
        raise BundleError(f"no model at {str(directory)!r}: give a bundle directory")
    return directory
