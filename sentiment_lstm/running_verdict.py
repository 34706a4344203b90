"""What a model would answer had the text ended earlier, for each place where it might have ended.

The answer for a prefix is the classifier's for a text of those tokens and no others. Forward
states do not know what follows, so those of the whole text are those of every prefix. A backward
direction begins at the end: it reads each prefix anew, and n words cost n²/2 steps. In a long text
only every second, third, … prefix is read then, and around the last turn of the verdict more and
more of them, until it lies between two that differ by one word.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.gate_trace import Doubles, LayerTrace
from sentiment_lstm.inference import Network
from sentiment_lstm.parallel import cores
from sentiment_lstm.predictions import Answers

Weights = Mapping[str, NDArray[Any]]
LogitsOf = Callable[[Sequence[int]], Doubles]

# Multiply-adds of the recurrent products that are spent on prefixes; it is a fraction of a second,
# and enough for each word of a review of 360 tokens at 128 units.
MOST_WORK = 2**32

# Into which the words are cut among which the last turn is. That is four texts to read,
# two to a core where there are two cores: see `_network_logits`.
PARTS = 5

FEW = 8  # texts to a core


@dataclass(frozen=True)
class Running:
    """Answers about the prefixes of a text, the empty one first and the whole text last.

    Attributes:
        lengths: tokens of each prefix, rising, `(n,)`.
        logits: the network's outputs, `(n, outputs)`.
        labels: the verdicts, "unsure" among them where the model abstains; "" for a regression.
    """

    lengths: tuple[int, ...]
    logits: Doubles
    labels: tuple[str, ...]

    @property
    def flip(self) -> int | None:
        """The last token at which the verdict turned, counted from 0; None if it never did.

        Where not all prefixes were read, it may have turned and turned back between two of them.
        """
        turns = [pair[1] - 1 for pair in self.turns()]
        return turns[-1] if turns else None

    @property
    def read_all(self) -> bool:
        """Whether every prefix was read."""
        return len(self.lengths) == self.lengths[-1] + 1

    def turns(self) -> list[tuple[int, int]]:
        """Return the neighbouring lengths whose verdicts differ."""
        lengths, labels = pairwise(self.lengths), pairwise(self.labels)
        return [ns for ns, (one, other) in zip(lengths, labels, strict=True) if one != other]


def running_verdict(
    config: BundleConfig, weights: Weights, ids: NDArray[Any], top: LayerTrace
) -> Running:
    """Return what the model would answer for the prefixes of a text.

    Args:
        config: the shape, and how outputs become answers.
        weights: arrays as `BundleConfig.weight_shapes` names them.
        ids: of the text's tokens, `(T,)`.
        top: the trace of the top layer.
    """

    logits_of = prefix_logits(config, weights, ids, top)
    first = lengths_to_read(config, len(ids))
    running = _judged(config, first, logits_of(first))
    while skipped := _around_the_turn(running):
        lengths = [*running.lengths, *skipped]
        logits = np.concatenate([running.logits, logits_of(skipped)])
        order = np.argsort(lengths)
        running = _judged(config, [lengths[i] for i in order], logits[order])
    return running


def _around_the_turn(running: Running) -> list[int]:
    """Return lengths between those of the last turn, a few or, where there are none, none."""
    return [n for a, b in running.turns()[-1:] for n in range(a, b, -(-(b - a) // PARTS)) if n > a]


def _judged(config: BundleConfig, lengths: Sequence[int], logits: Doubles) -> Running:
    labels = (answer.label for answer in Answers(config)(logits))
    return Running(tuple(lengths), logits, tuple(labels))


def lengths_to_read(config: BundleConfig, tokens: int) -> list[int]:
    """Return the lengths of the prefixes to answer for, from 0 to all tokens."""
    step = 1
    if config.directions == 2:
        rereading = 1 if config.layers == 1 else 2 * config.layers  # layers read anew
        work = 4 * config.units**2 * rereading * tokens**2 // 2
        step = max(1, -(-work // MOST_WORK))
    return sorted({*range(0, tokens, step), tokens})


def prefix_logits(
    config: BundleConfig, weights: Weights, ids: NDArray[Any], top: LayerTrace
) -> LogitsOf:
    """Return what gives the outputs for the first so many tokens of a text, `(n, outputs)`."""
    if config.directions == 2 and config.layers > 1:  # the top one's inputs know what follows
        return lambda lengths: _network_logits(config, weights, [ids[:n] for n in lengths])
    head = np.asarray(weights["head.kernel"], np.float64)
    head = head.reshape(len(config.pooling), config.directions, config.units, -1)
    pooled = pooled_prefixes(top.h[0], config.pooling)
    forward: Doubles = np.einsum("nph,pho->no", pooled, head[:, 0]) + weights["head.bias"]
    if config.directions == 1:
        return lambda lengths: forward[list(lengths)]
    alone = backward_alone(config, weights, head[:, 1])

    def both(lengths: Sequence[int]) -> Doubles:
        backward = _network_logits(*alone, [ids[:n][::-1] for n in lengths])
        return np.asarray(forward[list(lengths)] + backward)

    return both


def _network_logits(
    config: BundleConfig, weights: Weights, sequences: Sequence[NDArray[Any]]
) -> Doubles:
    # Few texts are read one at a time: a product with one row reads the weights once, while for two
    # rows OpenBLAS's kernels for AVX2 first copy them, which takes five times as long. Of many, a
    # core has two batches, of falling length, so that the later ones are less work.
    some = 1 if len(sequences) <= FEW * cores() else -(-len(sequences) // (2 * cores()))
    return Network(config, weights, batch_texts=some).logits(sequences).astype(np.float64)


def pooled_prefixes(h: Doubles, kinds: tuple[str, ...]) -> Doubles:
    """Return the pools of every prefix of forward states `(T, H)`, `(T + 1, P, H)`."""
    pooled = np.stack([_prefix_pool(h, kind) for kind in kinds], axis=1)
    return np.concatenate([np.zeros_like(pooled, shape=(1, *pooled.shape[1:])), pooled])


def _prefix_pool(h: Doubles, kind: str) -> Doubles:
    if kind == "mean":
        return np.asarray(np.cumsum(h, axis=0) / np.arange(1, len(h) + 1)[:, np.newaxis])
    return np.asarray(np.maximum.accumulate(h, axis=0)) if kind == "max" else h


def backward_alone(
    config: BundleConfig, weights: Weights, head: Doubles
) -> tuple[BundleConfig, dict[str, NDArray[Any]]]:
    """Return the backward direction of a single layer as a network that reads forward.

    Args:
        config: of the whole network.
        weights: of the whole network.
        head: the backward direction's weights in the outputs, `(P, H, outputs)`.
    """
    parts = ("kernel", "recurrent_kernel", "bias")
    lstm = {f"lstm.0.forward.{part}": weights[f"lstm.0.backward.{part}"] for part in parts}
    outputs = {
        "head.kernel": head.reshape(-1, head.shape[-1]),
        "head.bias": np.zeros(head.shape[-1]),  # counted once, with the forward direction
    }
    return replace(config, directions=1), {"embedding": weights["embedding"], **lstm, **outputs}
