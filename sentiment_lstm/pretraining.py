"""Training of a language model on token arrays, resumable as that of a classifier is."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.batching import BatchSizes, TokenArrays, steps_per_epoch, training_order
from sentiment_lstm.groups import ALONE, Group, part_of
from sentiment_lstm.language_model import (
    LanguageModel,
    log_shares,
    mean_loss,
    readings,
    sampled,
    token_counts,
    weights_of,
)
from sentiment_lstm.optimizers import adam
from sentiment_lstm.progress import Progress, silent
from sentiment_lstm.resumable import History, Keeping, OnEpoch, Position, Resumable
from sentiment_lstm.sampled_softmax import Sampler
from sentiment_lstm.settings import ModelSettings, PretrainSettings, check_pretraining
from sentiment_lstm.steps import Forward, deterministic, forward, objective_step

# The whole softmax is taken at every position of so many texts at once, and of so many in all.
EVALUATION_BATCH = 16
EVALUATION_TEXTS = 1000


@dataclass(frozen=True)
class Pretrained:
    """What a pretraining leaves.

    Attributes:
        weights: the last weights, averaged where the settings say so, by their names on disk.
        history: one row an epoch.
    """

    weights: dict[str, NDArray[np.float32]]
    history: History


def pretrain_network(
    train: TokenArrays,
    validation: TokenArrays,
    *,
    vocabulary_size: int,
    model: ModelSettings,
    settings: PretrainSettings,
    checkpoints: Path | None = None,
    max_minutes: float | None = None,
    group: Group = ALONE,
    progress: Progress = silent,
    on_epoch: OnEpoch = lambda _: None,
) -> Pretrained:
    """Train a language model from seeded initial weights, or go on from a checkpoint.

    Args:
        train: texts to learn from; their targets are not read.
        validation: texts to measure the perplexity on.
        vocabulary_size: number of token ids.
        model: sizes of the classifier that is to start from the weights.
        settings: how it learns.
        checkpoints: directory of checkpoints, or None to keep none. Whoever calls makes sure that
            they belong to the same data and settings.
        max_minutes: after which it saves a checkpoint and raises `Paused`, or None.
        group: processes that train this network together, each with a call like this one.
        progress: shows the steps of an epoch.
        on_epoch: called with each new row of the history.

    Raises:
        SettingsError: for a network of several layers, or one that starts from word vectors.
        Paused: after `max_minutes`.
        GroupError: if the processes of a group do not stand alike.
    """
    check_pretraining(model, settings)
    with deterministic():
        counts = token_counts(train, vocabulary_size)
        network = LanguageModel(model, settings, log_shares(counts))
        keeping = Keeping(checkpoints, settings.checkpoint_minutes, max_minutes)
        training = _Pretraining(network, train, validation, counts, settings, keeping, group)
        training.run(progress, on_epoch)
        return training.result()


class _Pretraining(Resumable[tuple[int, NDArray[np.int64]], Position]):
    """The training of a language model; an item is a step's number and its texts."""

    def __init__(
        self,
        network: LanguageModel,
        train: TokenArrays,
        validation: TokenArrays,
        counts: NDArray[np.int64],
        settings: PretrainSettings,
        keeping: Keeping,
        group: Group,
    ) -> None:
        steps = steps_per_epoch(train.lengths, BatchSizes(settings.batch_size))
        optimizer = adam(settings, steps * settings.epochs)
        optimizer.build(network.trainable_variables)
        super().__init__(
            network,
            optimizer,
            Position(),
            steps=steps,
            epochs=settings.epochs,
            keeping=keeping,
            group=group,
        )
        self.train, self.settings = train, settings
        self.validation = _held_out(validation, settings.seed)
        self.sampler = Sampler.of(counts, settings.negatives)
        self.everything = Sampler.of(counts, 0)
        self.step = objective_step(network, optimizer, _objective, group)
        self.forward = forward(network)

    def remaining(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        p, s = self.position, self.settings
        order = training_order(self.train.lengths, BatchSizes(s.batch_size), s.seed, p.epoch)
        return ((step, order[step]) for step in range(p.step, len(order)))

    def take(self, item: tuple[int, NDArray[np.int64]]) -> float:
        step, indices = item
        mine, _ = part_of(self.group, len(indices))
        inputs = readings(self.train.pad(indices[mine]), len(self.network.names))
        inputs["share"] = self._share(indices)
        return self.step(
            sampled(inputs, self.sampler, (self.settings.seed, self.position.epoch, step))
        )

    def _share(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return what share of a batch's tokens, which its loss is a mean over, are ours."""
        mine, texts = part_of(self.group, len(indices))
        lengths = self.train.lengths[indices]
        share = float(lengths[mine].sum() / max(lengths.sum(), 1)) if texts else 0.0
        return np.asarray(share if lengths.sum() else texts, np.float32)

    def figures(self) -> dict[str, float]:
        names = self.network.names
        means = cross_entropies(self.forward, self.validation, self.everything, len(names))
        return {f"{name}_perplexity": exp(m) for name, m in zip(names, means, strict=True)}

    def result(self) -> Pretrained:
        with self.averaged():
            return Pretrained(weights_of(self.network), self.position.history)


def _objective(network: Any, batch: Any) -> Any:
    return batch["share"] * mean_loss(network(batch), batch["weights"])


def _held_out(validation: TokenArrays, seed: int) -> list[NDArray[Any]]:
    """Return texts to measure on, the same ones at every epoch, shortest first."""
    order = np.random.default_rng(seed).permutation(len(validation))[:EVALUATION_TEXTS]
    return sorted((validation[i] for i in order if len(validation[i])), key=len)


def cross_entropies(
    run: Forward, texts: list[NDArray[Any]], everything: Sampler, directions: int
) -> list[float]:
    """Return each direction's mean cross-entropy a token, by the softmax over the vocabulary.

    Args:
        run: a language model.
        texts: ids of each, shortest first.
        everything: a sampler that always gives the whole vocabulary.
        directions: of the model.
    """
    sums, count = np.zeros(directions), 0.0
    for start in range(0, len(texts), EVALUATION_BATCH):
        chosen = texts[start : start + EVALUATION_BATCH]
        arrays = TokenArrays.of(chosen, [0] * len(chosen))
        inputs = readings(arrays.pad(np.arange(len(chosen))), directions)
        sums += run(sampled(inputs, everything, (0,)))
        count += float(inputs["weights"].sum())
    return [float(s / max(count, 1)) for s in sums]
