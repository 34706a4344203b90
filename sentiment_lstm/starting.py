"""What a classifier starts from: a language model, or another classifier.

Its tokens take the embeddings of the same tokens there, and the LSTM is taken over whole; so is the
head of a classifier that tells the same labels. What was not known there starts at random.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bundle import Bundle
from sentiment_lstm.errors import SettingsError
from sentiment_lstm.language_models import LanguageModelFiles
from sentiment_lstm.text import Vocabulary

Weights = dict[str, NDArray[np.float32]]
Fresh = Mapping[str, NDArray[np.float32]]


def from_language_model(model: LanguageModelFiles, vocabulary: Vocabulary, fresh: Fresh) -> Weights:
    """Return a classifier's embedding and LSTM as they start from a language model.

    Args:
        model: what they start from.
        vocabulary: the classifier's tokens.
        fresh: the classifier's random weights, by their names in a bundle.

    Raises:
        SettingsError: the sizes of the two differ.
    """
    unfit = _unfit(model.weights, fresh)
    if unfit:
        raise SettingsError(
            f"model.start is a language model of embedding {model.embedding} and {model.units} "
            f"units that has no fitting {unfit}: set model.embedding and model.units to these, "
            "model.layers to 1, and model.directions to 1 if it reads forward alone"
        )
    return _lstm(model.weights, fresh) | {
        "embedding": _embedding(model, vocabulary, fresh["embedding"])
    }


def from_classifier(
    bundle: Bundle, labels: tuple[str, ...], vocabulary: Vocabulary, fresh: Fresh
) -> Weights:
    """Return a classifier's weights as they start from those of another.

    Args:
        bundle: what they start from.
        labels: the new classifier's; its head is random where the other's labels or sizes differ.
        vocabulary: its tokens.
        fresh: its random weights, by their names in a bundle.

    Raises:
        SettingsError: the sizes of the two LSTMs differ.
    """
    unfit, config = _unfit(bundle.weights, fresh), bundle.config
    if unfit:
        raise SettingsError(
            f"model.from_model has embedding {config.embedding}, {config.units} units, "
            f"{config.directions} directions and {config.layers} layers, and no fitting {unfit}: "
            "set model.embedding, model.units, model.directions and model.layers to these"
        )
    head = {name: bundle.weights[name] for name in fresh if name.startswith("head.")}
    same = all(head[name].shape == fresh[name].shape for name in head)
    taken = head if same and labels and config.labels == labels else {}
    embedding = _embedding(bundle, vocabulary, fresh["embedding"])
    return _lstm(bundle.weights, fresh) | taken | {"embedding": embedding}


def _lstm(weights: Fresh, fresh: Fresh) -> Weights:
    return {name: weights[name] for name in fresh if name.startswith("lstm.")}


def _unfit(weights: Fresh, fresh: Fresh) -> str | None:
    """Return the first array of the LSTM that is missing or has another shape, None without one."""
    names = [name for name in fresh if name.startswith("lstm.")]
    fits = (name in weights and weights[name].shape == fresh[name].shape for name in names)
    return next((name for name, fit in zip(names, fits, strict=True) if not fit), None)


def _embedding(
    source: LanguageModelFiles | Bundle, vocabulary: Vocabulary, fresh: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the fresh rows, those of tokens that are known there replaced by what they are there.

    The others are brought to the same standard deviation, so that all speak equally loud.
    """
    known = {token: row for row, token in enumerate(source.vocabulary.tokens)}
    rows = np.array([known.get(token, -1) for token in vocabulary.tokens])
    theirs = source.weights["embedding"]
    scaled = fresh * np.float32(theirs.std() / fresh.std())
    return np.where((rows >= 0)[:, np.newaxis], theirs[rows], scaled).astype(np.float32)
