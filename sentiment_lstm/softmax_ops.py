"""A weighted sum of cross-entropies as an operation that a Keras backend can differentiate.

TensorFlow and PyTorch hand the memory of their tensors to `sentiment_lstm.softmax_gradient`; where
that cannot run (see `bptt_ops.available`), and on JAX, the sum is that of `sampled_softmax`.
"""

from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops

from sentiment_lstm import bptt_ops
from sentiment_lstm.lstm import Tensor
from sentiment_lstm.sampled_softmax import cross_entropies
from sentiment_lstm.softmax_gradient import Problem, solve

NO_GRADIENT = "this sum was made without its gradient: call the network with training=True"


def summed_cross_entropy(
    states: Tensor,
    own: Tensor,
    rows: Tensor,
    added: Tensor,
    *others: Tensor,
    training: bool,
    narrow: bool = False,
) -> Tensor:
    """Return the weighted sum `()`; differentiable with respect to the first four.

    Args:
        states: as the parts of `softmax_gradient.Problem` are, in its order.
        own: likewise.
        rows: likewise.
        added: likewise.
        others: targets, candidates and weights.
        training: whether a gradient is going to be asked for.
        narrow: take the products in bfloat16 where the processor has a unit for them.
    """
    if not bptt_ops.available(states, rows, training=training):
        targets, candidates, weights = others
        losses = cross_entropies(states, own, rows, added, targets, candidates)
        return ops.sum(losses * weights)
    form = {"tensorflow": _tensorflow, "torch": _torch}[keras.backend.backend()]
    return form((states, own, rows, added), others, training=training, narrow=narrow)


def _solved(training: bool, narrow: bool, *arrays: Any) -> tuple[Any, ...]:
    """Return the sum and, in training, the four gradients."""
    given = Problem(*map(np.asarray, arrays))
    solution = solve(given, with_gradient=training, narrow=narrow)
    return tuple(solution) if training else (solution.total,)


def _tensorflow(
    inputs: tuple[Tensor, ...], others: tuple[Tensor, ...], *, training: bool, narrow: bool
) -> Any:
    import tensorflow as tf

    @tf.custom_gradient
    def run(*inputs: Tensor) -> Any:
        kinds = [tf.float32] * (5 if training else 1)
        results = tf.numpy_function(partial(_solved, training, narrow), (*inputs, *others), kinds)
        total, *gradients = tf.nest.flatten(results)  # one alone is no list
        total.set_shape(())

        def back(factor: Tensor) -> Any:
            if not training:
                raise NotImplementedError(NO_GRADIENT)
            for gradient, given in zip(gradients, inputs, strict=True):
                gradient.set_shape(given.shape)
            return tuple(factor * gradient for gradient in gradients)

        return total, back

    return run(*(tf.convert_to_tensor(t) for t in inputs))


def _torch(
    inputs: tuple[Tensor, ...], others: tuple[Tensor, ...], *, training: bool, narrow: bool
) -> Any:
    import torch

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Tensor) -> Any:
            arrays = [t.detach().numpy() for t in (*tensors, *others)]
            total, *ctx.gradients = map(torch.as_tensor, _solved(training, narrow, *arrays))
            return total

        @staticmethod
        def backward(ctx: Any, *factor: Tensor) -> Any:
            if not training:
                raise NotImplementedError(NO_GRADIENT)
            return tuple(factor[0] * gradient for gradient in ctx.gradients)

    return Function.apply(*inputs)
