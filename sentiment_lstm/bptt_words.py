"""The LSTM over words, each of which is multiplied by the kernel once, however often it is read.

A batch of reviews in order of length reads a word five times on average. What a word brings to the
gates is the same every time, and so its part of every gradient is one product with the sum of what
came back to it: of the six products of a training step, three shrink to a fifth.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from ml_dtypes import bfloat16
from numpy.typing import NDArray

from sentiment_lstm import bptt_back
from sentiment_lstm.bptt import Batch, Floats, Numbers, Outputs, Tape, Weights
from sentiment_lstm.bptt_back import Gradients
from sentiment_lstm.parallel import cores, parallel_map


def started(batch: Batch, weights: Weights) -> tuple[Batch, Weights]:
    """Return a batch of words and the weights as `bptt.forward` takes them.

    Args:
        batch: its sequences are vectors `(words, features)`, of which `batch.words` tells which
            each step reads.
        weights: kernel, recurrent kernel and bias.
    """
    starts = _affine(_single(batch.sequences), _single(weights.kernel), weights.bias)
    return _without_vectors(batch), _without_kernel(weights, starts)


def backward(batch: Batch, weights: Weights, tape: Tape, d_outputs: Outputs) -> Gradients:
    """Return the gradients of a loss, given those of what `bptt.forward` returned of `started`.

    Args:
        batch: as given to `started`.
        weights: as given to `started`.
        tape: what `bptt.forward` left.
        d_outputs: as for `bptt_back.backward`.
    """
    vectors, kernel = _single(batch.sequences), _single(weights.kernel)
    room = np.broadcast_to(weights.bias, (len(vectors), len(weights.bias)))
    found = bptt_back.backward(
        _without_vectors(batch), _without_kernel(weights, room), tape, d_outputs
    )
    d_starts = found.bias
    d_vectors = _affine(d_starts, kernel.T, np.zeros(len(kernel), np.float32))
    d_kernel, d_bias = _summed(vectors, d_starts)
    return found._replace(sequences=_like(batch.sequences, d_vectors), kernel=d_kernel, bias=d_bias)


def _without_vectors(batch: Batch) -> Batch:
    return replace(batch, sequences=np.empty((*batch.words.shape, 0), batch.sequences.dtype))


def _without_kernel(weights: Weights, bias: Floats) -> Weights:
    return Weights(weights.kernel[:0], weights.recurrent_kernel, bias)


def _affine(a: Floats, b: Floats, bias: Floats) -> Floats:
    """Return A·B + bias, its rows dealt out to threads."""
    result = np.empty((len(a), b.shape[1]), np.float32)

    def work(rows: slice) -> None:
        np.matmul(a[rows], b, out=result[rows])
        result[rows] += bias

    _ = parallel_map(work, _parts(len(a)))
    return result


def _summed(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return Aᵀ·B and the sum of B's rows, their columns dealt out to threads."""
    product, total = (
        np.empty((a.shape[1], b.shape[1]), np.float32),
        np.empty(b.shape[1], np.float32),
    )

    def work(columns: slice) -> None:
        product[:, columns] = a.T @ b[:, columns]
        b[:, columns].sum(axis=0, out=total[columns])

    _ = parallel_map(work, _parts(b.shape[1]))
    return product, total


def _parts(size: int) -> list[slice]:
    edges = np.linspace(0, size, cores() + 1).astype(int).tolist()
    return [slice(*pair) for pair in pairwise(edges)]


def _single(numbers: Numbers) -> Floats:
    """Return float32 of what products take: float32, or bfloat16 as its bits."""
    return numbers.view(bfloat16).astype(np.float32) if numbers.dtype == np.uint16 else numbers


def _like(numbers: Numbers, result: Floats) -> NDArray[Any]:
    """Return float32 in the form of other numbers."""
    return result.astype(bfloat16).view(np.uint16) if numbers.dtype == np.uint16 else result
