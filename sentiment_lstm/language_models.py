"""Language models on disk, shipped or a person's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.bundle import CONFIG, MOST_TEXT, MOST_VOCABULARY, VOCABULARY
from sentiment_lstm.errors import BundleError, SentimentError
from sentiment_lstm.manifest import MANIFEST, Seal, SealError, manifest_of, unseal
from sentiment_lstm.strict_json import canonical_json, strict_json
from sentiment_lstm.text import Vocabulary
from sentiment_lstm.weights_file import WEIGHTS, most_bytes, packed, unpacked

SHIPPED = Path(__file__).parent / "language_models"
FILES = (WEIGHTS, CONFIG, VOCABULARY)
ANSWERS = (VOCABULARY, WEIGHTS)  # the files that what starts from a model depends on
RUN_PRETRAIN = "pretrain"  # where a run directory holds one, beside other files
WIDEST = 2**16  # of a bundle too

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class LanguageModelFiles:
    """A language model as it lies on disk.

    Attributes:
        directory: where.
        vocabulary: its tokens.
        embedding: width of a word vector.
        units: of the LSTM, in each direction.
        weights: as `language_model.named_variables` names them, float32.
        figures: everything else that its configuration tells, such as `perplexities`.
    """

    directory: Path
    vocabulary: Vocabulary
    embedding: int
    units: int
    weights: Weights
    figures: dict[str, Any]


def shipped() -> list[str]:
    """Return the names of the language models that come with the package, sorted."""
    if not SHIPPED.is_dir():
        return []
    return sorted(path.name for path in SHIPPED.iterdir() if (path / CONFIG).is_file())


def resolve_language_model(name_or_dir: str | Path) -> Path:
    """Return the directory that a name or path means.

    A shipped name comes first (write ``./imdb`` for a directory of that name), then the directory
    of a language model, then a run directory that holds one.

    Raises:
        BundleError: if it is none of these.
    """
    if str(name_or_dir) in shipped():
        return SHIPPED / str(name_or_dir)
    for candidate in (Path(name_or_dir), Path(name_or_dir) / RUN_PRETRAIN):
        if _is_one(candidate):
            return candidate
    raise BundleError(
        f"{name_or_dir} holds no language model: make one with `sentiment-lstm pretrain "
        "RECIPE`, then give its run directory"
        + (f", or name one that ships ({', '.join(shipped())})" if shipped() else "")
    )


def _is_one(path: Path) -> bool:
    try:
        return (path / CONFIG).is_file() and (path / WEIGHTS).is_file()
    except (OSError, ValueError):  # a name too long, a directory that may not be entered
        return False


def write_language_model(
    directory: Path, vocabulary: Vocabulary, weights: Weights, config: Mapping[str, Any]
) -> None:
    """Write a model into a directory that may hold other files, and seal it.

    Args:
        directory: where.
        vocabulary: its tokens.
        weights: as `language_model.named_variables` names them.
        config: `embedding`, `units`, `directions`, and whatever else is to be known of it.
    """
    shapes = _shapes(len(vocabulary), config)
    _write(directory / WEIGHTS, packed(weights, shapes))
    _write(directory / CONFIG, canonical_json(config))
    vocabulary.save(directory / VOCABULARY)
    _write(directory / MANIFEST, manifest_of(directory, FILES))


def _write(path: Path, data: bytes) -> None:
    with replaced_file(path) as temporary:
        temporary.write_bytes(data)


def read_language_model(directory: Path) -> LanguageModelFiles:
    """Read a model that a pretraining left, checked as a bundle is.

    Raises:
        BundleError: it is missing, altered, or not consistent with itself.
    """
    try:
        return _read(unseal(directory, FILES, alone=False))
    except SealError:  # it names the file
        raise
    except (SentimentError, ValueError) as error:
        raise BundleError(
            f"the language model in {directory} is not whole ({error}): pretrain it again"
        ) from error


def _read(seal: Seal) -> LanguageModelFiles:
    config = strict_json(seal.read(CONFIG, MOST_TEXT))
    tokens = seal.read(VOCABULARY, MOST_VOCABULARY)
    shapes = _shapes(1 + tokens.removesuffix(b"\n").count(b"\n"), config)
    weights = unpacked(seal.read(WEIGHTS, most_bytes(shapes)), shapes)
    sizes = {key: config.pop(key) for key in ("embedding", "units")}
    return LanguageModelFiles(
        seal.directory, Vocabulary.parse(tokens), **sizes, weights=weights, figures=config
    )


def _shapes(vocabulary: int, config: Any) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of each array of a model of so many tokens.

    Raises:
        BundleError: a size is missing or impossible.
    """
    width, units = _size(config, "embedding", WIDEST), _size(config, "units", WIDEST)
    shapes: dict[str, tuple[int, ...]] = {"embedding": (vocabulary, width)}
    for name in ("forward", "backward")[: _size(config, "directions", 2)]:
        shapes[f"lstm.0.{name}.kernel"] = (width, 4 * units)
        shapes[f"lstm.0.{name}.recurrent_kernel"] = (units, 4 * units)
        shapes[f"lstm.0.{name}.bias"] = (4 * units,)
        shapes[f"projection.{name}"] = (units, width)
    return shapes | {"softmax.bias": (vocabulary,)}


def _size(config: Any, key: str, most: int) -> int:
    value = config.get(key) if isinstance(config, dict) else None
    if type(value) is not int or not 1 <= value <= most:
        raise BundleError(f"{CONFIG}: {key} is {value!r}, not a number from 1 to {most}")
    return value
