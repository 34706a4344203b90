"""A language model in both directions, whose embedding and LSTM a classifier can start from.

    forward    x_1 … x_t → h_t → x_{t+1}      backward    x_n … x_t → h_t → x_{t-1}

Each direction reads a text from its own end out of a zero state, exactly as the classifier does,
and tells the token that comes next; after the last one comes the end of the text, which id 0
stands for. The directions share embedding and softmax (as ELMo: Peters et al. 2018), and the rows
of the softmax are the embedding's (Press & Wolf 2017; Inan et al. 2017): logits = h·P·Eᵀ + b. That
such a model's weights are a good start for a classifier is Dai & Le 2015 and Howard & Ruder 2018.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.lstm import LSTM, Tensor
from sentiment_lstm.sampled_softmax import Sampler
from sentiment_lstm.settings import ModelSettings, PretrainSettings
from sentiment_lstm.softmax_ops import summed_cross_entropy
from sentiment_lstm.text import PAD

DIRECTIONS = ("forward", "backward")
# Positions are filled up to a multiple of this: few distinct shapes, so few compilations.
POSITION_STEP = 512

Arrays = dict[str, NDArray[Any]]


class LanguageModel(keras.Model):
    """Tells each token of a text from those before it, and from those after it.

    Args:
        model: sizes and directions of the classifier that it is for.
        settings: its dropouts, and the seed of these and of initial weights.
        log_shares: logarithm of each token's share of the texts, `(vocabulary,)`, which the bias
            of the softmax starts from.

    Call arguments:
        batch: `tokens` `(batch, time)`; for each direction `DIRECTION.positions` `(n,)`, where its
            states stand in `(batch * time)`, and `DIRECTION.targets` `(n,)`; `weights` `(n,)` of
            the positions; `candidates` `(k,)`, the tokens that targets are told from; `lessened`
            `(vocabulary,)`, what each token's logit is lessened by.

    Returns:
        The weighted sum of each direction's cross-entropies, `(directions,)`.
    """

    def __init__(
        self,
        model: ModelSettings,
        settings: PretrainSettings,
        log_shares: NDArray[np.float32],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        seeds = np.random.default_rng(settings.seed).integers(2**31, size=16).tolist()
        self.embedding = self._embedding(model, len(log_shares), seeds.pop())
        self.names = DIRECTIONS[: model.directions]
        self.narrow, precision = settings.precision != "float32", settings.precision
        self.readers = [_reader(name, model.units, seeds, precision) for name in self.names]
        self.projections = [self._projection(name, model, seeds.pop()) for name in self.names]
        self.bias = self.add_weight(
            shape=log_shares.shape,
            initializer=lambda _, dtype=None: ops.convert_to_tensor(log_shares, dtype),
            name="softmax_bias",
        )
        self.drop_channels = keras.layers.SpatialDropout1D(
            settings.embedding_dropout, seed=seeds.pop()
        )
        self.drop_states = keras.layers.Dropout(settings.dropout, seed=seeds.pop())
        for reader in self.readers:
            reader.build((None, None, model.embedding))
        self.built = True

    def _embedding(self, model: ModelSettings, vocabulary_size: int, seed: int) -> Any:
        scale = model.embedding**-0.5  # so that the logits, of a state times a row, are below 1
        return self.add_weight(
            shape=(vocabulary_size, model.embedding),
            initializer=keras.initializers.RandomNormal(stddev=scale, seed=seed),
            name="embedding",
        )

    def _projection(self, name: str, model: ModelSettings, seed: int) -> Any:
        return self.add_weight(
            shape=(model.units, model.embedding),
            initializer=keras.initializers.GlorotUniform(seed),
            name=f"{name}_projection",
        )

    def call(self, batch: Mapping[str, Tensor], training: bool = False) -> Tensor:
        """Return the sums; see the class."""
        tokens, candidates = batch["tokens"], batch["candidates"]
        added = ops.convert_to_tensor(self.bias) - batch["lessened"]
        x = self.drop_channels(ops.take(self.embedding, tokens, axis=0), training=training)
        mask = ops.not_equal(tokens, PAD)
        of_candidates = (ops.take(table, candidates, axis=0) for table in (self.embedding, added))
        given = (*of_candidates, candidates, batch["weights"])
        sums = []
        for name, reader, projection in zip(
            self.names, self.readers, self.projections, strict=True
        ):
            states = ops.reshape(reader(x, mask=mask, training=training), (-1, reader.units))
            states = ops.take(states, batch[f"{name}.positions"], axis=0)
            states = ops.cast(states, "float32")
            states = ops.matmul(self.drop_states(states, training=training), projection)
            sums.append(self._sum(states, added, batch[f"{name}.targets"], given, training))
        return ops.stack(sums)

    def _sum(
        self,
        states: Tensor,
        added: Tensor,
        targets: Tensor,
        given: tuple[Tensor, ...],
        training: bool,
    ) -> Tensor:
        rows, candidates_added, candidates, weights = given
        own = ops.sum(states * ops.take(self.embedding, targets, axis=0), axis=-1)
        own = own + ops.take(added, targets, axis=0)
        others = (targets, candidates, weights)
        options = {"training": training, "narrow": training and self.narrow}
        return summed_cross_entropy(states, own, rows, candidates_added, *others, **options)


def _reader(name: str, units: int, seeds: list[int], precision: str) -> LSTM:
    return LSTM(
        units,
        kernel_initializer=keras.initializers.GlorotUniform(seeds.pop()),
        recurrent_initializer=keras.initializers.Orthogonal(seed=seeds.pop()),
        seed=seeds.pop(),
        return_sequences=True,
        go_backwards=name == "backward",
        dtype=precision,
        name=name,
    )


def named_variables(model: LanguageModel) -> dict[str, Any]:
    """Return each trained variable under its name on disk; LSTM and embedding as in a bundle."""
    named = {"embedding": model.embedding}
    for name, reader, projection in zip(model.names, model.readers, model.projections, strict=True):
        for part in ("kernel", "recurrent_kernel", "bias"):
            named[f"lstm.0.{name}.{part}"] = getattr(reader, part)
        named[f"projection.{name}"] = projection
    return {**named, "softmax.bias": model.bias}


def weights_of(model: LanguageModel) -> dict[str, NDArray[np.float32]]:
    """Return a copy of every trained weight, by its name on disk."""
    return {
        name: np.array(ops.convert_to_numpy(v.value), np.float32)
        for name, v in named_variables(model).items()
    }


def token_counts(arrays: TokenArrays, vocabulary_size: int) -> NDArray[np.int64]:
    """Return how often each token is a target, `(vocabulary,)`; id 0 once a text, at its end."""
    counts = np.bincount(np.asarray(arrays.tokens), minlength=vocabulary_size)
    counts[PAD] = np.count_nonzero(arrays.lengths)
    return counts


def log_shares(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the logarithm of each token's share, `(vocabulary,)`, with one more of each."""
    shares = (counts + 1) / (counts + 1).sum()
    return np.asarray(np.log(shares), np.float32)


def readings(tokens: NDArray[np.int32], directions: int) -> Arrays:
    """Return what `LanguageModel` is given of a batch of texts, but for the candidates.

    Positions are those of real tokens, filled up to `POSITION_STEP` with some of weight 0.
    """
    batch, time = tokens.shape
    row, at = np.nonzero(tokens != PAD)
    ended = np.zeros((batch, 1), np.int32)
    framed = np.concatenate([ended, tokens, ended], axis=1)  # text t stands at t + 1
    # The backward LSTM leaves its states in the order it reads: the row's end comes first.
    of_direction = {
        "forward": (row * time + at, framed[row, at + 2]),
        "backward": (row * time + (time - 1 - at), framed[row, at]),
    }
    arrays = {"tokens": tokens, "weights": _filled(np.ones(len(row))).astype(np.float32)}
    for name in DIRECTIONS[:directions]:
        positions, targets = of_direction[name]
        arrays[f"{name}.positions"] = _filled(positions)
        arrays[f"{name}.targets"] = _filled(targets)
    return arrays


def _filled(values: NDArray[Any]) -> NDArray[np.int32]:
    """Append zeros up to a multiple of `POSITION_STEP`, at least one."""
    count = max(1, -(-len(values) // POSITION_STEP)) * POSITION_STEP
    filled = np.zeros(count, np.int32)
    filled[: len(values)] = values
    return filled


def sampled(inputs: Arrays, sampler: Sampler, seed: tuple[int, ...]) -> Arrays:
    """Return a model's inputs with a sample of tokens to tell the targets from."""
    return {**inputs, "candidates": sampler.draw(seed), "lessened": sampler.log_chances}


def mean_loss(sums: Tensor, weights: Tensor) -> Tensor:
    """Return the mean a token, over both directions, of sums `(directions,)`."""
    return ops.mean(sums) / ops.maximum(ops.sum(weights), 1)
