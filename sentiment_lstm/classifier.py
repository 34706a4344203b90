"""Sentiment of texts straight from a bundle, in numpy: TensorFlow is never imported."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bundle import Bundle, read_bundle, resolve_model
from sentiment_lstm.errors import DataError
from sentiment_lstm.inference import Network
from sentiment_lstm.predictions import Answers, Prediction
from sentiment_lstm.progress import Progress, silent
from sentiment_lstm.streaming import Text, TextClassifier, chunks, each_text
from sentiment_lstm.text import Encoder

__all__ = ["Prediction", "SentimentClassifier"]

Ids = NDArray[Any]

CHARACTERS = 4  # of a token, about; the size of texts that are given as ids


class SentimentClassifier(TextClassifier):
    """A trained model that answers about texts; safe to share between threads.

    Args:
        bundle: the model as `read_bundle` returns it. Most callers use `load`.

    Example:
        >>> classifier = SentimentClassifier.load("imdb")  # doctest: +SKIP
        >>> classifier.classify(["A wonderful film."])[0].label  # doctest: +SKIP
        'positive'
    """

    def __init__(self, bundle: Bundle) -> None:
        self.config = bundle.config
        self.vocabulary = bundle.vocabulary
        self._network = Network(bundle.config, bundle.weights)
        self._encode = Encoder(
            bundle.vocabulary, bundle.config.max_tokens, bundle.config.head_tokens
        )

    @classmethod
    def load(cls, model: str | Path) -> "SentimentClassifier":
        """Read a shipped model by name, or a bundle or run directory.

        Raises:
            BundleError: if it is missing or not sound.
        """
        return cls(read_bundle(resolve_model(model)))

    def _read(self, text: Text) -> Ids:
        return self._encode(text)

    def _predictions(self, chunk: list[Ids], answers: Answers) -> list[Prediction]:
        return answers(self._network.logits(chunk))

    def logits(self, texts: Iterable[Text], progress: Progress = silent) -> NDArray[np.float32]:
        """Return the network's output before temperature, threshold and target scale.

        Returns:
            `(n,)` float32 for two labels and for regression, else `(n, labels)`.
        """
        total = len(texts) if isinstance(texts, Sequence) else None
        shown = progress(each_text(texts), total=total, label="classify")
        return self._logits((self._encode(text), len(text)) for text in shown)

    def logits_of_ids(self, sequences: Iterable[Ids]) -> NDArray[np.float32]:
        """Return `logits` of texts given as token ids, each `(tokens,)` without padding.

        Raises:
            DataError: for an id that is padding or outside the vocabulary.
        """
        return self._logits((ids, CHARACTERS * len(ids)) for ids in self._checked(sequences))

    def _logits(self, sized: Iterable[tuple[Ids, int]]) -> NDArray[np.float32]:
        empty = np.empty((0, self.config.outputs), np.float32)
        parts = [self._network.logits(chunk) for chunk in chunks(sized)]
        logits = np.concatenate([empty, *parts])
        return logits[:, 0] if self.config.outputs == 1 else logits

    def _checked(self, sequences: Iterable[Ids]) -> Iterator[Ids]:
        for index, ids in enumerate(sequences):
            if len(ids) and not (ids.min() > 0 and ids.max() < len(self.vocabulary)):
                raise DataError(
                    f"sequence {index} holds ids from {ids.min()} to {ids.max()}: the model "
                    f"knows 1 to {len(self.vocabulary) - 1}"
                )
            yield ids
