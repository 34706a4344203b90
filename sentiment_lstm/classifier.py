"""Sentiment of texts straight from a bundle, in numpy: TensorFlow is never imported.

Texts are taken a chunk at a time, so any iterable goes, one that never ends included; memory
is bounded by the chunk and answers come in the order of the texts.
"""

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
from sentiment_lstm.text import Encoder

__all__ = ["Prediction", "SentimentClassifier"]

Text = str | bytes
Ids = NDArray[Any]

CHUNK_TEXTS = 2048
CHUNK_TOKENS = 2**20


class SentimentClassifier:
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

    def classify(
        self, texts: Iterable[Text], *, threshold: float | None = None
    ) -> list[Prediction]:
        """Return one prediction a text; see `stream`."""
        return list(self.stream(texts, threshold=threshold))

    def stream(
        self, texts: Iterable[Text], *, threshold: float | None = None
    ) -> Iterator[Prediction]:
        """Yield one prediction a text, in order, reading at most a chunk ahead.

        Args:
            texts: any iterable of str, or of bytes in UTF-8; it may be endless.
            threshold: least P(``labels[1]``) for ``labels[1]``; None takes the model's own.
                Of two labels only.

        Raises:
            SettingsError: for a threshold outside [0, 1], or where there are not two labels.
            DataError: for a text that is neither str nor bytes.
        """
        answers = Answers(self.config, threshold)
        chunks = _chunks(map(self._encode, each_text(texts)))
        return (answer for chunk in chunks for answer in answers(self._network.logits(chunk)))

    def logits(self, texts: Iterable[Text], progress: Progress = silent) -> NDArray[np.float32]:
        """Return the network's output before temperature, threshold and target scale.

        Returns:
            `(n,)` float32 for two labels and for regression, else `(n, labels)`.
        """
        total = len(texts) if isinstance(texts, Sequence) else None
        shown = progress(each_text(texts), total=total, label="classify")
        return self._logits(map(self._encode, shown))

    def logits_of_ids(self, sequences: Iterable[Ids]) -> NDArray[np.float32]:
        """Return `logits` of texts given as token ids, each `(tokens,)` without padding.

        Raises:
            DataError: for an id that is padding or outside the vocabulary.
        """
        return self._logits(self._checked(sequences))

    def _logits(self, sequences: Iterable[Ids]) -> NDArray[np.float32]:
        empty = np.empty((0, self.config.outputs), np.float32)
        parts = [self._network.logits(chunk) for chunk in _chunks(sequences)]
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


def each_text(texts: Iterable[Text]) -> Iterator[Text]:
    """Yield texts as they come.

    Raises:
        DataError: if `texts` is itself a text, or holds what is neither str nor bytes.
    """
    if isinstance(texts, str | bytes):
        raise DataError("texts is one text: give a list of texts, as in classify([text])")
    for index, text in enumerate(texts):
        if not isinstance(text, str | bytes):
            kind = type(text).__name__
            raise DataError(f"text {index} is {text!r}, a {kind}: give str or bytes")
        yield text


def _chunks(sequences: Iterable[Ids]) -> Iterator[list[Ids]]:
    """Gather sequences until a chunk holds enough texts or tokens."""
    chunk: list[Ids] = []
    tokens = 0
    for ids in sequences:
        chunk.append(ids)
        tokens += len(ids)
        if len(chunk) == CHUNK_TEXTS or tokens >= CHUNK_TOKENS:
            yield chunk
            chunk, tokens = [], 0
    if chunk:
        yield chunk
