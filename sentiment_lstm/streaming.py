"""Answers about any iterable of texts, a chunk at a time and in order.

A chunk ends when it holds enough texts or enough characters, so memory is bounded for an iterable
that never ends and for texts of any length. The chunks of a stream begin with a single text and
grow, so whoever types texts, or follows a file that is being written, sees the first answers.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.errors import DataError
from sentiment_lstm.predictions import Answers, Prediction

T = TypeVar("T")
Text = str | bytes

CHUNK_TEXTS = 2048
CHUNK_CHARACTERS = 2**22


class TextClassifier(ABC):
    """What answers about texts, whatever runs the network."""

    config: BundleConfig

    def classify(
        self,
        texts: Iterable[Text],
        *,
        threshold: float | None = None,
        abstain: float | None = None,
    ) -> list[Prediction]:
        """Return one prediction a text; see `stream`."""
        return list(self._answered(texts, Answers(self.config, threshold, abstain), CHUNK_TEXTS))

    def stream(
        self,
        texts: Iterable[Text],
        *,
        threshold: float | None = None,
        abstain: float | None = None,
    ) -> Iterator[Prediction]:
        """Yield one prediction a text, in order.

        It reads ahead by a text more than it has answered, and by a chunk at most.

        Args:
            texts: any iterable of str, or of bytes in UTF-8; it may be endless.
            threshold: least P(``labels[1]``) for ``labels[1]``; None takes the model's own.
                Of two labels only.
            abstain: margin below which the verdict is "unsure"; None takes the model's own, 0
                decides every text (see `predictions.Answers`).

        Raises:
            SettingsError: for a threshold outside [0, 1], or where there are not two labels; for a
                margin outside [0, 0.5), or one that the model cannot have.
            DataError: for a text that is neither str nor bytes.
        """
        return self._answered(texts, Answers(self.config, threshold, abstain), 1)

    def _answered(
        self, texts: Iterable[Text], answers: Answers, first: int
    ) -> Iterator[Prediction]:
        sized = ((self._read(text), len(text)) for text in each_text(texts))
        return (answer for c in chunks(sized, first) for answer in self._predictions(c, answers))

    @abstractmethod
    def _read(self, text: Text) -> Any:
        """Return a text as the network takes it."""

    @abstractmethod
    def _predictions(self, chunk: list[Any], answers: Answers) -> list[Prediction]:
        """Return the answer for each text that was read."""


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


def chunks(sized: Iterable[tuple[T, int]], first: int = CHUNK_TEXTS) -> Iterator[list[T]]:
    """Gather items until a chunk holds enough of them, or enough characters.

    Args:
        sized: items, each with its size in characters.
        first: items in the first chunk; each one after it holds twice as many, up to
            `CHUNK_TEXTS`.
    """
    chunk: list[T] = []
    most, characters = first, 0
    for item, size in sized:
        chunk.append(item)
        characters += size
        if len(chunk) == most or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters, most = [], 0, min(2 * most, CHUNK_TEXTS)
    if chunk:
        yield chunk
