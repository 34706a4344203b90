"""Sentiment of texts straight from a bundle: TensorFlow is never imported.

The first texts go through numpy, which is there at once; when there are more than a few, the same
network compiled takes over, which is several times as fast and takes a moment to load.
"""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bundle import Bundle, read_bundle, resolve_model
from sentiment_lstm.errors import DataError, SettingsError
from sentiment_lstm.inference import Network
from sentiment_lstm.predictions import Answers, Prediction
from sentiment_lstm.progress import Progress, silent
from sentiment_lstm.settings import PRECISIONS
from sentiment_lstm.streaming import Text, TextClassifier, chunks, each_text
from sentiment_lstm.text import Encoder

__all__ = ["Prediction", "SentimentClassifier"]

Ids = NDArray[Any]
T = TypeVar("T")

log = logging.getLogger(__name__)

# Work, in multiply-adds of the recurrent products, that numpy does before the compiled network is
# loaded: it takes about as long as the loading. Of 128 units in one direction, some 1,000 reviews.
COMPILED_AFTER = 2**34
CHARACTERS = 5  # of a token, about, its space among them


def _compiled(compiled: bool | None, precision: str) -> bool | None:
    """Return whether the network is compiled, which that of bfloat16 always is."""
    if precision not in PRECISIONS:
        raise SettingsError(f"precision is {precision!r}: give one of {', '.join(PRECISIONS)}")
    if precision == PRECISIONS[0]:
        return compiled
    if compiled is False:
        raise SettingsError(
            f"precision {precision!r} needs compiled code: leave compiled=False out"
        )
    return True


class SentimentClassifier(TextClassifier):
    """A trained model that answers about texts; safe to share between threads.

    Args:
        bundle: the model as `read_bundle` returns it. Most callers use `load`.
        compiled: run the network compiled from the first text on, as a service wants it, or never.
            None leaves it to the number of texts; the answers are equal to 1e-6 or so.
        precision: "float32", or "mixed_bfloat16", which takes the recurrent products in bfloat16
            with sums in float32: faster, on a processor with instructions for it, and logits
            differ in the third digit or so. The network is then compiled from the first text on,
            so that no answer hangs on how many came before. Where there are no such
            instructions, or the units are no multiple of 16, all is float32.

    Raises:
        SettingsError: for another precision, or for "mixed_bfloat16" never compiled.

    Example:
        >>> classifier = SentimentClassifier.load("imdb")  # doctest: +SKIP
        >>> classifier.classify(["A wonderful film."])[0].label  # doctest: +SKIP
        'positive'
    """

    def __init__(
        self, bundle: Bundle, *, compiled: bool | None = None, precision: str = PRECISIONS[0]
    ) -> None:
        compiled = _compiled(compiled, precision)
        self.config = bundle.config
        self.vocabulary = bundle.vocabulary
        self._bundle, self._lock = bundle, Lock()
        self._compiled, self._precision = compiled, precision
        self._left = math.inf if compiled is not None else COMPILED_AFTER
        self._encode = Encoder(
            bundle.vocabulary, bundle.config.max_tokens, bundle.config.head_tokens
        )
        if compiled:
            self._compile()
        else:
            self._network = Network(bundle.config, bundle.weights)

    @classmethod
    def load(
        cls, model: str | Path, *, compiled: bool | None = None, precision: str = PRECISIONS[0]
    ) -> "SentimentClassifier":
        """Read a shipped model by name, or a bundle or run directory.

        For `compiled` and `precision` see the class.

        Raises:
            BundleError: if it is missing or not sound.
            SettingsError: as the class does.
        """
        return cls(read_bundle(resolve_model(model)), compiled=compiled, precision=precision)

    @property
    def runs_in(self) -> str:
        """Precision of the recurrent products on this processor."""
        if self._precision == PRECISIONS[0]:
            return self._precision
        from sentiment_lstm.precision import narrow_fits  # loads the compiler

        return self._precision if narrow_fits(self.config.units) else PRECISIONS[0]

    def _read(self, text: Text) -> Text:
        return text

    def _predictions(self, chunk: list[Text], answers: Answers) -> list[Prediction]:
        return answers(self._run_texts(chunk))

    def _run_texts(self, chunk: Sequence[Text]) -> NDArray[np.float32]:
        most = self.config.max_tokens
        self._prepare(sum(min(1 + len(text) // CHARACTERS, most) for text in chunk))
        return self._network.logits(chunk, self._encode.each)

    def _run_ids(self, chunk: Sequence[Ids]) -> NDArray[np.float32]:
        self._prepare(sum(map(len, chunk)))
        return self._network.logits(chunk)

    def _prepare(self, tokens: int) -> None:
        """Have so many tokens, about, run by the compiled network if it pays."""
        if self._takes_over(tokens):
            try:
                self._compile()
            except ImportError as error:  # numpy is slower, and as right
                log.warning("texts are classified more slowly than they could be: %s", error)

    def _compile(self) -> None:
        """Have texts encoded and run by machine code, loaded or made."""
        from sentiment_lstm.compiled_inference import compiled_network
        from sentiment_lstm.compiled_text import CompiledEncoder

        self._network = compiled_network(self.config, self._bundle.weights, self._precision)
        self._encode = CompiledEncoder(self._encode)

    def _takes_over(self, tokens: int) -> bool:
        """Tell, once and to one thread, that there has been enough work to compile the network."""
        shape = self.config
        per_token = 4 * shape.units**2 * shape.directions * shape.layers
        with self._lock:
            before, self._left = self._left, self._left - per_token * tokens
            return before >= 0 > self._left

    def __getstate__(self) -> tuple[Bundle, bool | None, str]:
        """Return what a copy, in another process perhaps, is made of."""
        return self._bundle, self._compiled, self._precision

    def __setstate__(self, state: tuple[Bundle, bool | None, str]) -> None:
        """Become a copy of the classifier that gave its state."""
        bundle, compiled, precision = state
        SentimentClassifier.__init__(self, bundle, compiled=compiled, precision=precision)

    def logits(self, texts: Iterable[Text], progress: Progress = silent) -> NDArray[np.float32]:
        """Return the network's output before temperature, threshold and target scale.

        Returns:
            `(n,)` float32 for two labels and for regression, else `(n, labels)`.
        """
        total = len(texts) if isinstance(texts, Sequence) else None
        shown = progress(each_text(texts), total=total, label="classify")
        return self._logits(self._run_texts, ((text, len(text)) for text in shown))

    def logits_of_ids(self, sequences: Iterable[Ids]) -> NDArray[np.float32]:
        """Return `logits` of texts given as token ids, each `(tokens,)` without padding.

        Raises:
            DataError: for an id that is padding or outside the vocabulary.
        """
        checked = self._checked(sequences)
        return self._logits(self._run_ids, ((ids, CHARACTERS * len(ids)) for ids in checked))

    def _logits(
        self, run: Callable[[list[T]], NDArray[np.float32]], sized: Iterable[tuple[T, int]]
    ) -> NDArray[np.float32]:
        empty = np.empty((0, self.config.outputs), np.float32)
        parts = [run(chunk) for chunk in chunks(sized)]
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
