"""Language models on disk, shipped or a person's own, and how a classifier starts from one.

A classifier of other texts may start from one: its tokens take the embeddings of the same tokens
there, and the LSTM is taken over whole. What the language model does not know starts at random.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from sentiment_lstm.errors import BundleError, DataError, SettingsError
from sentiment_lstm.text import Vocabulary

SHIPPED = Path(__file__).parent / "language_models"
WEIGHTS, CONFIG, VOCABULARY = "weights.safetensors", "config.json", "vocabulary.txt"
RUN_PRETRAIN = "pretrain"  # where a run directory holds one

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
    """

    directory: Path
    vocabulary: Vocabulary
    embedding: int
    units: int
    weights: Weights


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
        if (candidate / CONFIG).is_file() and (candidate / WEIGHTS).is_file():
            return candidate
    raise BundleError(
        f"{name_or_dir} holds no language model: make one with `sentiment-lstm pretrain "
        "RECIPE`, then give its run directory"
        + (f", or name one that ships ({', '.join(shipped())})" if shipped() else "")
    )


def read_language_model(directory: Path) -> LanguageModelFiles:
    """Read a model that a pretraining left, each array's shape checked.

    Raises:
        BundleError: it is not whole.
    """
    try:
        sizes = json.loads((directory / CONFIG).read_text("utf-8"))
        vocabulary = Vocabulary.load(directory / VOCABULARY)
        stored = load_file(directory / WEIGHTS)
        width, units = int(sizes["embedding"]), int(sizes["units"])
        weights = {name: array.astype(np.float32) for name, array in stored.items()}
        _check(weights, len(vocabulary), width, units)
    except (OSError, ValueError, LookupError, TypeError, SafetensorError, DataError) as error:
        raise BundleError(
            f"the language model in {directory} is not whole ({error}): pretrain it again"
        ) from error
    return LanguageModelFiles(directory, vocabulary, width, units, weights)


def _check(weights: Mapping[str, NDArray[Any]], vocabulary: int, width: int, units: int) -> None:
    """See that every array of each direction is there, of its shape, and of numbers."""
    shapes: dict[str, tuple[int, ...]] = {"embedding": (vocabulary, width)}
    both = "projection.backward" in weights
    for name in ("forward", "backward") if both else ("forward",):
        shapes[f"lstm.0.{name}.kernel"] = (width, 4 * units)
        shapes[f"lstm.0.{name}.recurrent_kernel"] = (units, 4 * units)
        shapes[f"lstm.0.{name}.bias"] = (4 * units,)
        shapes[f"projection.{name}"] = (units, width)
    shapes["softmax.bias"] = (vocabulary,)
    for name, shape in shapes.items():
        if weights[name].shape != shape:
            raise ValueError(f"{name} is {weights[name].shape}, not {shape}")
        if not np.isfinite(weights[name]).all():
            raise ValueError(f"{name} holds NaN or an infinity")


def starting_weights(
    model: LanguageModelFiles, vocabulary: Vocabulary, fresh: Mapping[str, NDArray[np.float32]]
) -> Weights:
    """Return a classifier's embedding and LSTM as they start from a language model.

    Args:
        model: what they start from.
        vocabulary: the classifier's tokens.
        fresh: the classifier's random weights, by their names in a bundle.

    Raises:
        SettingsError: the sizes of the two differ.
    """
    start = {name: model.weights[name] for name in fresh if name in model.weights}
    lstm = [name for name in fresh if name.startswith("lstm.")]
    for name in lstm:
        if name not in start or start[name].shape != fresh[name].shape:
            raise SettingsError(
                f"model.start is a language model of embedding {model.embedding} and {model.units} "
                f"units that has no fitting {name}: set model.embedding and model.units to these, "
                "model.layers to 1, and model.directions to 1 if it reads forward alone"
            )
    return start | {"embedding": _embedding(model, vocabulary, fresh["embedding"])}


def _embedding(
    model: LanguageModelFiles, vocabulary: Vocabulary, fresh: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the fresh rows, those of tokens that the model knows replaced by its own.

    The others are brought to the same standard deviation, so that all speak equally loud.
    """
    known = {token: row for row, token in enumerate(model.vocabulary.tokens)}
    rows = np.array([known.get(token, -1) for token in vocabulary.tokens])
    theirs = model.weights["embedding"]
    scaled = fresh * np.float32(theirs.std() / fresh.std())
    return np.where((rows >= 0)[:, np.newaxis], theirs[rows], scaled).astype(np.float32)
