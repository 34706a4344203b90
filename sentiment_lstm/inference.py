"""The network, its layers in numpy: from token ids to logits, without padding.

Texts of a batch are sorted by length, longest first, so the texts that still run at step t
are the first n_t of them, and a step works on those alone: nothing is padded and nothing
masked. The directions of a layer step together, the backward one from each text's end.

Shapes are named by D directions, n texts, H units. Arrays of gates are `(4, D, n, H)`, gates
first in the order i, f, g, o, so that each gate is one contiguous block.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.folding import Floats, Indices, KeptTable, folded_anew
from sentiment_lstm.parallel import parallel_map

Ids = NDArray[Any]
T = TypeVar("T", bound=Sized)
Visit = Callable[[Indices, Floats], None]

BATCH_TEXTS = 128
# Most bytes of a layer's projected inputs; it bounds batches and memory.
TABLE_BYTES = 2**27

HALF = np.float32(0.5)


def layer_weights(
    config: BundleConfig, weights: Mapping[str, NDArray[Any]], index: int
) -> list[tuple[Floats, Floats, Floats]]:
    """Return kernel `(in, 4H)`, recurrent kernel and bias `(1, 4H)` of each direction."""
    names = [f"lstm.{index}.{d}" for d in ("forward", "backward")[: config.directions]]
    return [
        (
            weights[f"{name}.kernel"],
            weights[f"{name}.recurrent_kernel"],
            weights[f"{name}.bias"][np.newaxis],
        )
        for name in names
    ]


def lstm_step(z: Floats, c: Floats, h: Floats) -> None:
    """Move every text one token on, in place.

        i, f, o = σ(z_i), σ(z_f), σ(z_o)      g = tanh(z_g)
        c ← f ⊙ c + i ⊙ g                     h ← o ⊙ tanh(c)

    after Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000).

    Args:
        z: pre-activations W·[h, x] + b, `(4, …)`, halved for i, f and o (see `gates`);
            afterwards it is spent.
        c: cell states, the shape of one gate.
        h: outputs, the same shape.
    """
    i, f, g, o = gates(z)
    c *= f
    i *= g
    c += i  # c ← f ⊙ c + i ⊙ g
    np.tanh(c, out=h)
    h *= o  # h ← o ⊙ tanh(c)


def gates(z: NDArray[Any]) -> NDArray[Any]:
    """Turn pre-activations `(4, …)`, halved for i, f and o, into the gates, in place.

    σ(x) = ½ + ½ tanh(½x), which overflows for no x and needs one function for all four gates.
    """
    np.tanh(z, out=z)
    for sigmoid in (z[:2], z[3:]):
        sigmoid *= HALF
        sigmoid += HALF
    return z


def halved(weights: NDArray[Any]) -> Floats:
    """Return weights `(m, 4H)` as `(4, m, H)`, those of i, f and o halved for `gates`."""
    m, width = weights.shape
    stacked = weights.reshape(m, 4, width // 4).transpose(1, 0, 2)
    return stacked * np.array([[[0.5]], [[0.5]], [[1]], [[0.5]]], np.float32)


@dataclass(frozen=True)
class Batch:
    """Texts of falling length, laid end to end.

    Attributes:
        ids: token ids of all texts, `(tokens,)`.
        first: where each text starts in `ids`, `(n,)`.
        lengths: tokens of each text, `(n,)`, falling.
    """

    ids: Indices
    first: Indices
    lengths: Indices

    @classmethod
    def of(cls, sequences: Sequence[NDArray[Any]]) -> "Batch":
        """Lay sequences of falling length end to end."""
        lengths = np.array([len(s) for s in sequences], np.intp)
        ids = np.concatenate([*sequences, np.empty(0, np.intp)]).astype(np.intp, copy=False)
        return cls(ids, np.cumsum(lengths) - lengths, lengths)

    def steps(self, directions: int) -> Iterator[Indices]:
        """Yield, step by step, which tokens the running texts read, `(D, n_t)`.

        Tokens are counted along `ids` for the forward direction and on from there, along `ids`
        again, for the backward one.
        """
        last = len(self.ids) + self.first + self.lengths - 1
        positions = np.stack([self.first, last])[:directions]
        forth_and_back = np.array([[1], [-1]])[:directions]
        ended = np.cumsum(np.bincount(self.lengths, minlength=1))[:-1]
        for n in (len(self.lengths) - ended).tolist():
            positions = positions[:, :n]
            yield positions
            positions = positions + forth_and_back


class AnyLayer(Protocol):
    """An LSTM layer of one or two directions, in some form.

    Attributes:
        projects_rows_alike: whether what `project` makes of a row hangs on no other row, to the
            last bit.
    """

    projects_rows_alike: ClassVar[bool]

    @classmethod
    def of(cls, config: BundleConfig, weights: Mapping[str, NDArray[Any]], index: int) -> Self:
        """Take layer `index` from a bundle's arrays."""
        ...  # pragma: no cover

    def project(self, x: Floats) -> Floats:
        """Return the inputs' part of the pre-activations, for x `(m, in)`, in a form of its own.

        m is its last axis but one.
        """
        ...  # pragma: no cover

    def states(self, table: Floats, rows: Indices, batch: Batch) -> Floats:
        """Return h at every token; see `Layer.states`."""
        ...  # pragma: no cover

    def pooled(self, table: Floats, rows: Indices, batch: Batch, kinds: tuple[str, ...]) -> Floats:
        """Return the states pooled over time; see `Layer.pooled`."""
        ...  # pragma: no cover


@dataclass(frozen=True)
class Layer:
    """The weights of an LSTM layer of D directions, each `halved`.

    Attributes:
        kernel: `(4, D, in, H)`.
        recurrent_kernel: `(4, D, H, H)`.
        bias: `(4, D, 1, H)`.
    """

    projects_rows_alike: ClassVar[bool] = False  # BLAS sums one row otherwise than many

    kernel: Floats
    recurrent_kernel: Floats
    bias: Floats

    @classmethod
    def of(cls, config: BundleConfig, weights: Mapping[str, NDArray[Any]], index: int) -> Self:
        """Take layer `index` from a bundle's arrays."""
        directions = layer_weights(config, weights, index)
        parts = zip(*directions, strict=True)
        return cls(*(np.stack([halved(part) for part in each], axis=1) for each in parts))

    @property
    def width(self) -> tuple[int, int]:
        """Directions and units, D and H."""
        return self.bias.shape[1], self.bias.shape[3]

    def project(self, x: Floats) -> Floats:
        """Return the inputs' part of the pre-activations, `(4, D, m, H)`, for x `(m, in)`."""
        table: Floats = np.matmul(x, self.kernel)
        table += self.bias
        return table

    def scan(self, table: Floats, rows: Indices, batch: Batch, visit: Visit) -> Floats:
        """Read every text of a batch; return h after each one's last step, `(D, n, H)`.

        Args:
            table: projected inputs `(4, D, m, H)`.
            rows: which of the m each token of the batch takes, `(tokens,)`.
            batch: the texts.
            visit: called after each step with the tokens just read, `(D, n_t)`, and h
                `(D, n_t, H)`, a view that the next step overwrites.
        """
        _, D, m, H = table.shape
        table = table.reshape(4, D * m, H)
        rows = np.concatenate([rows + d * m for d in range(D)])
        z, x = np.empty((2, 4 * D * len(batch.lengths) * H), np.float32)
        c, h = np.zeros((2, D, len(batch.lengths), H), np.float32)
        for tokens in batch.steps(D):
            shape = (4, *tokens.shape, H)
            n, size = tokens.shape[1], 4 * tokens.size * H
            z_t, x_t, c_t, h_t = (
                z[:size].reshape(shape),
                x[:size].reshape(shape),
                c[:, :n],
                h[:, :n],
            )
            np.take(table, rows[tokens], axis=1, out=x_t, mode="clip")
            np.matmul(h_t, self.recurrent_kernel, out=z_t)
            z_t += x_t
            lstm_step(z_t, c_t, h_t)
            visit(tokens, h_t)
        return h

    def states(self, table: Floats, rows: Indices, batch: Batch) -> Floats:
        """Return h at every token of a batch, the directions side by side, `(tokens, D·H)`."""
        (D, H), tokens = self.width, len(batch.ids)
        states = np.empty((D * tokens, H), np.float32)
        self.scan(table, rows, batch, states.__setitem__)
        return states.reshape(D, tokens, H).transpose(1, 0, 2).reshape(tokens, D * H)

    def pooled(self, table: Floats, rows: Indices, batch: Batch, kinds: tuple[str, ...]) -> Floats:
        """Return the states of each text pooled over time, `(n, P·D·H)`; zeros for no tokens."""
        pools = Pools(kinds, batch.lengths, self.width)
        last = self.scan(table, rows, batch, pools.visit)
        return side_by_side(kinds, batch.lengths, last, pools.largest, pools.total)


class Pools:
    """The states of a layer over time, pooled as they come by.

    Args:
        kinds: any of "last", "max", "mean".
        lengths: tokens of each text, `(n,)`, falling.
        width: D and H.
    """

    def __init__(self, kinds: tuple[str, ...], lengths: Indices, width: tuple[int, int]) -> None:
        shape = (width[0], len(lengths), width[1])
        self._kinds = kinds
        self.largest = np.full(shape, -np.inf, np.float32)
        self.total = np.zeros(shape, np.float32)

    def visit(self, tokens: Indices, h: Floats) -> None:
        """Take in the states of one step; see `Layer.scan`."""
        n = tokens.shape[1]
        if "max" in self._kinds:
            np.maximum(self.largest[:, :n], h, out=self.largest[:, :n])
        if "mean" in self._kinds:
            self.total[:, :n] += h


def side_by_side(
    kinds: tuple[str, ...], lengths: Indices, last: Floats, largest: Floats, total: Floats
) -> Floats:
    """Return the pools of n texts `(n, P·D·H)`; zeros for a text without tokens.

    Args:
        kinds: any of "last", "max", "mean".
        lengths: tokens of each text, `(n,)`.
        last: h after each one's last step, `(D, n, H)`.
        largest: h's largest values, likewise, of texts with tokens.
        total: h's sum over all steps, likewise.
    """
    count = lengths[:, np.newaxis]

    def pool(kind: str) -> Floats:
        if kind == "last":
            return last
        if kind == "max":
            return np.where(count > 0, largest, np.float32(0))
        mean: Floats = np.divide(total, np.maximum(count, 1), dtype=np.float32)
        return mean

    pooled = np.stack([pool(kind) for kind in kinds])  # (P, D, n, H)
    return pooled.transpose(2, 0, 1, 3).reshape(len(lengths), -1)


def as_given(texts: Sequence[Any]) -> Sequence[Ids]:
    """Return texts that are ids as they are."""
    return texts


class Network:
    """Embedding → LSTM layers → pooling → linear head, from a bundle's arrays.

    Args:
        config: the shape.
        weights: float32 arrays as `BundleConfig.weight_shapes` names them.
        layer: what runs an LSTM layer; see `compiled_inference` for another.
        batch_texts: texts of a batch at most.
    """

    def __init__(
        self,
        config: BundleConfig,
        weights: Mapping[str, NDArray[Any]],
        layer: type[AnyLayer] = Layer,
        batch_texts: int = BATCH_TEXTS,
    ) -> None:
        self._kinds = config.pooling
        self._layers = [layer.of(config, weights, index) for index in range(config.layers)]
        self._batch_texts = batch_texts
        self._head = np.asarray(weights["head.kernel"], np.float32)
        self._head_bias = np.asarray(weights["head.bias"], np.float32)
        self._most = TABLE_BYTES // (16 * config.directions * config.units)
        embedding = np.asarray(weights["embedding"], np.float32)
        keeps = layer.projects_rows_alike and len(embedding) <= self._most
        self._fold = (KeptTable if keeps else folded_anew)(embedding, self._layers[0].project)

    def logits(
        self, texts: Sequence[T], encode: Callable[[Sequence[T]], Sequence[Ids]] = as_given
    ) -> Floats:
        """Return the logits `(n, outputs)` of texts.

        Args:
            texts: each as ids `(tokens,)` in [1, V), or as what has ids.
            encode: gives the ids of texts; it is called in several threads, each time for some of
                about one length, so that it runs beside the network and not before it.
        """

        def of_some(some: Sequence[T]) -> Floats:
            return self._in_batches(encode(some))

        def of_groups(falling: Sequence[T]) -> list[Floats]:
            starts = range(0, len(falling), self._batch_texts)
            return parallel_map(of_some, [falling[i : i + self._batch_texts] for i in starts])

        return self._longest_first(texts, of_groups)

    def _in_batches(self, sequences: Sequence[Ids]) -> Floats:
        def of_batches(falling: Sequence[Ids]) -> list[Floats]:
            return [self._batch_logits(Batch.of(part)) for part in _split(falling, self._most)]

        return self._longest_first(sequences, of_batches)

    def _longest_first(
        self, items: Sequence[T], run: Callable[[Sequence[T]], list[Floats]]
    ) -> Floats:
        """Have items of falling length run, and put the logits into the order of the items."""
        order = sorted(range(len(items)), key=lambda i: -len(items[i]))
        logits = np.empty((len(items), len(self._head_bias)), np.float32)
        logits[order] = np.concatenate([*run([items[i] for i in order]), logits[:0]])
        return logits

    def _batch_logits(self, batch: Batch) -> Floats:
        table, rows = self._fold(batch.ids)
        for layer, above in pairwise(self._layers):
            states = layer.states(table, rows, batch)
            rows, table = np.arange(len(states)), above.project(states)
        pooled = self._layers[-1].pooled(table, rows, batch, self._kinds)
        return pooled @ self._head + self._head_bias


def _split(sequences: Sequence[Ids], most: int) -> Iterator[Sequence[Ids]]:
    """Cut sequences of falling length into batches.

    Args:
        sequences: ids of each text.
        most: tokens of a batch at most, were it padded; a longer text is a batch of its own.
    """
    start = 0
    while start < len(sequences):
        end = start + max(1, most // max(1, len(sequences[start])))
        yield sequences[start:end]
        start = end
