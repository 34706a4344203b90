"""The certificate that padding changes no answer of a run's model, for its card."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.rundir import RunDirectory
from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.bundle import Bundle, read_bundle
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.calibration import probabilities
from sentiment_lstm.padding_invariance import (
    MORE,
    Answer,
    Network,
    largest_difference_by_padding,
)
from sentiment_lstm.text import Encoder
from sentiment_lstm.verification import TOLERANCE, verification_texts

TEXTS = 32  # of either kind; the compiler of a backend may want each length anew

log = logging.getLogger(__name__)


def padding_figures(run: RunDirectory) -> dict[str, Any]:
    """Ask the run's model in Keras about difficult and validation texts, padded and not.

    Returns:
        How many `difficult` texts and how many of `validation`, how many tokens of padding `more`
        than a batch needs, and the `largest_difference` of a probability; for a regression of a
        value, in units of the target scale.
    """
    bundle = read_bundle(run.bundle)
    config = bundle.config
    encode = Encoder(bundle.vocabulary, config.max_tokens, config.head_tokens)
    difficult = [encode(text) for text in verification_texts(bundle.vocabulary)[:TEXTS]]
    validation = _spread(TokenArrays.load(run.preprocess, "validation"))
    sequences = [*difficult, *validation]
    largest = largest_difference_by_padding(_network(bundle), sequences, _answer(config))
    if largest > TOLERANCE:
        log.warning("padding changes answers of this model by up to %.1e", largest)
    counts = {"difficult": len(difficult), "validation": len(validation)}
    return {**counts, "more": MORE, "largest_difference": largest}


def padding_told(figures: Mapping[str, Any]) -> dict[str, str]:
    """Return the certificate as a figure of the card."""
    texts = figures["difficult"] + figures["validation"]
    return {
        "most that padding changes an answer": f"{figures['largest_difference']:.1e} "
        f"({texts} texts, {figures['difficult']} of them difficult: alone, in batches, in batches "
        f"with {figures['more']} tokens of padding more)"
    }


def _answer(config: BundleConfig) -> Answer:
    if config.task == "regression":
        return lambda logits: logits
    return lambda logits: probabilities(logits, config.temperature)


def _spread(arrays: TokenArrays) -> list[NDArray[Any]]:
    """Return texts of all parts of a split."""
    places = np.linspace(0, len(arrays) - 1, min(TEXTS, len(arrays))).astype(int)
    return [arrays[place] for place in places]


def _network(bundle: Bundle) -> Network:
    """Return a model in Keras, on the backend that it was trained on."""
    from sentiment_lstm.model import keras_model
    from sentiment_lstm.steps import deterministic, forward

    run_forward = forward(keras_model(bundle))

    def network(ids: NDArray[np.int32]) -> NDArray[np.float32]:
        with deterministic():
            return run_forward(ids)

    return network
