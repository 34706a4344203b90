"""Gradients of a scalar function of arrays, on whichever backend Keras runs."""

import keras
import numpy as np


def gradients(function, *arrays):
    """Return d function(*tensors) / d array for each array, as numpy."""
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()](
        function, *arrays
    )


def _tensorflow(function, *arrays):
    import tensorflow as tf

    tensors = [tf.constant(a) for a in arrays]

    @tf.function
    def run(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = function(*inputs)
        return tape.gradient(value, inputs)

    return [np.asarray(g) for g in run(*tensors)]


def _jax(function, *arrays):
    import jax

    grads = jax.grad(function, argnums=tuple(range(len(arrays))))(*arrays)
    return [np.asarray(g) for g in grads]


def _torch(function, *arrays):
    import torch

    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    function(*tensors).backward()
    return [t.grad.numpy() for t in tensors]
