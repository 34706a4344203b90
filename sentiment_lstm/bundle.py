"""The model on disk: five plain files under seal, and no pickle.

    weights.safetensors   the arrays, float32 or float16, named as `BundleConfig.weight_shapes`
    config.json           `BundleConfig`
    vocabulary.txt        a token a line; the line's number, from 0, is its id
    README.md             the model card
    manifest.json         sizes and SHA-256 digests of the other four

Reading checks in this order: the manifest against itself, every file against the manifest,
the configuration's values, the header of the weights against the configuration, the weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.atomic import recover, replaced_directory
from sentiment_lstm.bundle_config import BundleConfig, config_from_json
from sentiment_lstm.card import model_card
from sentiment_lstm.errors import BundleError, SentimentError
from sentiment_lstm.manifest import MANIFEST, digest_of, read_manifest, read_sealed, write_manifest
from sentiment_lstm.strict_json import canonical_json, strict_json
from sentiment_lstm.text import Vocabulary

__all__ = [
    "Bundle",
    "BundleConfig",
    "check_target",
    "is_bundle",
    "model_card",
    "payload_digest",
    "read_bundle",
    "resolve_model",
    "shipped",
    "update_card",
    "write_bundle",
]

WEIGHTS, CONFIG, VOCABULARY, CARD = FILES = (
    "weights.safetensors",
    "config.json",
    "vocabulary.txt",
    "README.md",
)
RUN_BUNDLE = "bundle"  # where a run directory keeps its model
SHIPPED = Path(__file__).parent / "bundles"
DTYPES = {"F32": np.float32, "F16": np.float16}

Weights = Mapping[str, NDArray[Any]]


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
    from safetensors.numpy import save

    check_target(directory)
    expected = config.weight_shapes(len(vocabulary))
    _check_arrays(expected, {n: (_dtype_name(w), w.shape) for n, w in weights.items()})
    _check_finite(weights)
    with replaced_directory(directory) as temporary:
        contiguous = {name: np.ascontiguousarray(array) for name, array in weights.items()}
        (temporary / WEIGHTS).write_bytes(save(contiguous))
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

    Raises:
        BundleError: if it is missing, incomplete, altered, or not consistent with itself.
    """
    files = read_sealed(_settled(directory), FILES)
    try:
        config = config_from_json(strict_json(files[CONFIG]))
        vocabulary = Vocabulary.parse(files[VOCABULARY])
        _check_arrays(config.weight_shapes(len(vocabulary)), _header(files[WEIGHTS]))
        weights = _weights(files[WEIGHTS])
        _check_finite(weights)
    except (SentimentError, ValueError) as error:
        raise BundleError(f"{directory}: {error}") from error
    return Bundle(config, weights, vocabulary, directory)


def update_card(directory: Path, card: str) -> None:
    """Replace README.md; a process killed meanwhile leaves the old bundle or the new one.

    Raises:
        BundleError: if the bundle is not sound as it stands.
    """
    files = read_sealed(_settled(directory), FILES) | {CARD: card.encode()}
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


def _dtype_name(array: NDArray[Any]) -> str:
    names = [name for name, dtype in DTYPES.items() if array.dtype == dtype]
    return names[0] if names else str(array.dtype)


def _header(data: bytes) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the dtype and shape of each array as the file's header states them.

    The format (https://github.com/huggingface/safetensors): the header's length as 8 bytes,
    little-endian, the header as JSON, the arrays' bytes.
    """
    length = int.from_bytes(data[:8], "little")
    header = strict_json(data[8 : 8 + length])
    if not isinstance(header, dict):
        raise BundleError(f"{WEIGHTS}: its header is no object")
    try:
        return {name: (str(e["dtype"]), tuple(e["shape"])) for name, e in header.items()}
    except (KeyError, TypeError) as error:
        raise BundleError(f"{WEIGHTS}: its header names no dtype and shape ({error})") from error


def _weights(data: bytes) -> dict[str, NDArray[np.float32]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return {name: array.astype(np.float32) for name, array in load(data).items()}
    except SafetensorError as error:
        raise BundleError(f"{WEIGHTS}: {error}") from error


def _check_arrays(
    expected: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[str, tuple[int, ...]]]
) -> None:
    for name in sorted(set(expected) ^ set(found)):
        state = "missing" if name in expected else "not part of such a model"
        raise BundleError(f"{WEIGHTS}: array {name!r} is {state}")
    for name, (dtype, shape) in found.items():
        if dtype not in DTYPES or shape != expected[name]:
            raise BundleError(
                f"{WEIGHTS}: array {name!r} is {dtype} {shape}, the configuration demands "
                f"{' or '.join(DTYPES)} {expected[name]}"
            )


def _check_finite(weights: Weights) -> None:
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise BundleError(f"{WEIGHTS}: array {name!r} holds NaN or an infinity: train again")
