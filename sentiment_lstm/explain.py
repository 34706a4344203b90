"""Why a model answers as it does: the share of each word, and what the gates did.

    >>> from sentiment_lstm import Explainer  # doctest: +SKIP
    >>> found = Explainer.load("imdb").explain("not a good film")  # doctest: +SKIP
    >>> found.bias + found.shares.sum() - found.logit  # doctest: +SKIP
    0.0

Everything is worked out in numpy from the model's weights; TensorFlow is never imported. For what
a share is, and is not, see `attribution`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sentiment_lstm.bundle import Bundle, read_bundle, resolve_model
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.dissection import Dissection, dissect, outputs_of
from sentiment_lstm.explained_output import explained_output
from sentiment_lstm.gate_summary import DirectionTrace, summarise
from sentiment_lstm.gate_trace import Doubles, trace
from sentiment_lstm.phrases import masks, occurrences
from sentiment_lstm.predictions import Answers, Prediction
from sentiment_lstm.running_verdict import Running, running_verdict
from sentiment_lstm.text import UNKNOWN, Encoder, tokenise

__all__ = ["Explainer", "Explanation", "PhraseShare"]


@dataclass(frozen=True)
class PhraseShare:
    """What a phrase says as a whole, by contextual decomposition (see `decomposition`).

    Attributes:
        phrase: as it was asked for.
        start: its first token, of those that the model reads, counted from 0.
        end: one past its last token.
        relevant: the phrase's part of the output.
        irrelevant: all the rest, the bias too.
    """

    phrase: str
    start: int
    end: int
    relevant: float
    irrelevant: float


@dataclass(frozen=True)
class Explanation:
    """Why a model answers one text as it does.

    With T the tokens that it reads, in order:

    Attributes:
        config: of the model.
        tokens: T of them. In a model of several layers a share belongs to a token's position in
            the top layer, which has seen the other tokens through the layers below.
        known: whether each stands in the vocabulary; others are read as one unknown token.
        left_out: how many tokens of a long text are not read; they stood after the first
            `config.head_tokens`.
        prediction: the model's answer.
        label: what a positive share speaks for; "" for a regression.
        shares: `(T,)`; with the bias they sum to the logit.
        bias: the logit where no word has written anything.
        logit: of `label`, before temperature and threshold; a regression's value.
        probability: of `label`; NaN for a regression.
        running: the answers for prefixes of the text.
        running_values: the logit, or value, of each of them.
        running_probabilities: P(`label`) of each of them.
        gates: what each direction of the top layer did.
        phrases: those asked for, each where it stands.
    """

    config: BundleConfig
    tokens: tuple[str, ...]
    known: tuple[bool, ...]
    left_out: int
    prediction: Prediction
    label: str
    shares: Doubles
    bias: float
    logit: float
    probability: float
    running: Running
    running_values: Doubles
    running_probabilities: Doubles
    gates: tuple[DirectionTrace, ...]
    phrases: tuple[PhraseShare, ...] = ()

    @property
    def gap(self) -> int:
        """After how many tokens others stand that are not read; 0 where all are."""
        return self.config.head_tokens if self.left_out else 0

    def number(self, t: int) -> int:
        """Return which token of the text, counted from 1, is number `t` of those read, from 0."""
        return t + 1 + (self.left_out if t >= self.gap else 0)

    def place(self, phrase: PhraseShare) -> str:
        """Return which tokens of the text a phrase is, counted from 1, in words."""
        first, last = self.number(phrase.start), self.number(phrase.end - 1)
        return f"word {last}" if first == last else f"words {first} to {last}"


class Explainer:
    """Takes the answers of a trained model apart; safe to share between threads.

    Args:
        bundle: the model as `read_bundle` returns it. Most callers use `load`.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.config, self.vocabulary = bundle.config, bundle.vocabulary
        self._weights = bundle.weights
        self._encode = Encoder(
            bundle.vocabulary, bundle.config.max_tokens, bundle.config.head_tokens
        )

    @classmethod
    def load(cls, model: str | Path) -> "Explainer":
        """Read a shipped model by name, or a bundle or run directory.

        Raises:
            BundleError: if it is missing or not sound.
        """
        return cls(read_bundle(resolve_model(model)))

    def tokens(self, text: str | bytes) -> list[str]:
        """Return the tokens of a text that the model reads: of a long one, its two ends."""
        return self._encode.tokens(text)

    def places(self, text: str | bytes, phrases: Sequence[str]) -> list[tuple[str, int, int]]:
        """Return each phrase in each of its places: first and one past last of `tokens`.

        Raises:
            DataError: for a phrase that does not stand in what the model reads of the text.
        """
        if not phrases:
            return []
        tokens = self.tokens(text)
        gap = self.config.head_tokens if len(tokenise(text)) > len(tokens) else 0
        return [(phrase, *at) for phrase in phrases for at in occurrences(phrase, tokens, gap)]

    def explain(
        self,
        text: str | bytes,
        *,
        label: str | None = None,
        phrases: Sequence[str] = (),
        units: Sequence[int] = (),
    ) -> Explanation:
        """Take the answer for one text apart.

        Args:
            text: str, or bytes in UTF-8.
            label: the label that shares speak for; by default the second of two, and the
                likeliest of more.
            phrases: words of the text that are one thing each, such as "not good".
            units: whose gates to return; by default those through which most of the output passes.

        Raises:
            SettingsError: for a label or unit that the model does not have.
            DataError: for a phrase that does not stand in the text.
        """
        tokens, spans = self.tokens(text), self.places(text, phrases)
        ids = np.array(self.vocabulary.ids(tokens), np.intp)
        layers = trace(self.config, self._weights, ids)
        logits = outputs_of(self.config, self._weights, layers[-1])[np.newaxis]
        prediction = Answers(self.config)(logits)[0]
        output = explained_output(self.config, label, _likeliest(self.config, prediction))
        found = dissect(self._weights, layers, output)
        parts = found.parts()
        running = running_verdict(self.config, self._weights, ids, layers[-1])
        return Explanation(
            config=self.config,
            tokens=tuple(tokens),
            known=tuple((ids != UNKNOWN).tolist()),
            left_out=len(tokenise(text)) - len(tokens),
            prediction=prediction,
            label=output.label,
            shares=parts.sum(axis=(0, 2)),
            bias=found.bias,
            logit=found.value,
            probability=float(output.probabilities(logits)[0]),
            running=running,
            running_values=output.of(running.logits),
            running_probabilities=output.probabilities(running.logits),
            gates=tuple(summarise(layers[-1], parts, units)),
            phrases=tuple(_phrase_shares(found, spans, len(tokens))),
        )


def _likeliest(config: BundleConfig, prediction: Prediction) -> str:
    """Return the label that the verdict is, or would be if it were not unsure."""
    if not prediction.unsure:
        return prediction.label
    return config.labels[prediction.probabilities.index(max(prediction.probabilities))]


def _phrase_shares(
    found: Dissection, spans: Sequence[tuple[str, int, int]], tokens: int
) -> Iterator[PhraseShare]:
    places = masks([(start, end) for _, start, end in spans], tokens)
    relevant = found.relevant(places).tolist() if spans else []
    for span, part in zip(spans, relevant, strict=True):
        yield PhraseShare(*span, relevant=part, irrelevant=found.value - part)
