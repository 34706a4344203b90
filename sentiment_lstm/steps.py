"""One training step and one forward pass, in a form for each Keras backend.

Keras 3 has no gradient that works on every backend, so this is the one place that differentiates.
Each form runs the same `keras.ops` network and loss.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bptt_ops import graphs_stay_here
from sentiment_lstm.losses import Loss

# (tokens (batch, time), targets (batch,), weights (batch,)) -> loss
TrainStep = Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], float]
# tokens (batch, time) -> logits (batch, outputs)
Forward = Callable[[NDArray[Any]], NDArray[np.float32]]


def train_step(model: keras.Model, optimizer: Any, loss: Loss) -> TrainStep:
    """Return a function that moves the weights by one batch and returns its loss."""
    return {"tensorflow": _tensorflow_step, "jax": _jax_step, "torch": _torch_step}[
        keras.backend.backend()
    ](model, optimizer, loss)


def forward(model: keras.Model) -> Forward:
    """Return a compiled forward pass without dropout."""
    return {"tensorflow": _tensorflow_forward, "jax": _jax_forward, "torch": _torch_forward}[
        keras.backend.backend()
    ](model)


@contextmanager
def deterministic() -> Iterator[None]:
    """Have the backend use operations whose result does not change from run to run.

    Only for as long as the block lasts: with them on, TensorFlow refuses any random operation of
    the caller's own that states no seed, such as the shuffling of `fit`.
    """
    backend = keras.backend.backend()
    switch = {"tensorflow": _tensorflow_determinism, "torch": _torch_determinism}.get(backend)
    before = switch(True) if switch else True
    try:
        yield
    finally:
        if switch:
            switch(before)


def _tensorflow_determinism(on: bool) -> bool:
    """Turn determinism on or off; return whether it was on."""
    # The public interface has no way back.
    from tensorflow.python.framework import config

    before = bool(config.is_op_determinism_enabled())
    (config.enable_op_determinism if on else config.disable_op_determinism)()
    return before


def _torch_determinism(on: bool) -> bool:
    """Turn determinism on or off; return whether it was on."""
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(on)
    return bool(before)


def _tensorflow_step(model: keras.Model, optimizer: Any, loss: Loss) -> TrainStep:
    import tensorflow as tf

    variables = model.trainable_variables

    # Moments, average and clipping are some twenty passes over every weight; compiled they are few.
    @tf.function(jit_compile=True)
    def update(gradients: Any) -> None:
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    # Stated shapes, so that a batch of another length is not traced anew.
    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None], tf.float32),
            tf.TensorSpec([None], tf.float32),
        ]
    )
    def step(tokens: Any, targets: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            value = loss(targets, model(tokens, training=True), weights)
        # Dense, because the norm of an embedding's sparse gradient counts a repeated token's
        # parts one by one, and clipping would depend on the backend.
        update([tf.convert_to_tensor(g) for g in tape.gradient(value, variables)])
        return value

    return lambda tokens, targets, weights: float(
        step(tokens, np.asarray(targets, np.float32), np.asarray(weights, np.float32))
    )


def _tensorflow_forward(model: keras.Model) -> Forward:
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def run(tokens: Any) -> Any:
        with graphs_stay_here():
            return model(tokens, training=False)

    return lambda tokens: np.asarray(run(tokens))


def _jax_step(model: keras.Model, optimizer: Any, loss: Loss) -> TrainStep:
    import jax

    def objective(trained: Any, rest: Any, tokens: Any, targets: Any, weights: Any) -> Any:
        logits, rest = model.stateless_call(trained, rest, tokens, training=True)
        return loss(targets, logits, weights), rest

    @jax.jit
    def step(state: Any, tokens: Any, targets: Any, weights: Any) -> Any:
        trained, rest, moments = state
        (value, rest), gradients = jax.value_and_grad(objective, has_aux=True)(
            trained, rest, tokens, targets, weights
        )
        trained, moments = optimizer.stateless_apply(moments, gradients, trained)
        return value, (trained, rest, moments)

    groups = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)

    def run(tokens: Any, targets: Any, weights: Any) -> float:
        state = tuple([v.value for v in group] for group in groups)
        value, state = step(state, tokens, targets, weights)
        for group, values in zip(groups, state, strict=True):
            for variable, new in zip(group, values, strict=True):
                variable.assign(new)
        return float(value)

    return run


def _jax_forward(model: keras.Model) -> Forward:
    import jax

    @jax.jit
    def run(trained: Any, rest: Any, tokens: Any) -> Any:
        return model.stateless_call(trained, rest, tokens, training=False)[0]

    def values(variables: Any) -> list[Any]:
        return [v.value for v in variables]

    return lambda tokens: np.asarray(
        run(values(model.trainable_variables), values(model.non_trainable_variables), tokens)
    )


def _torch_step(model: keras.Model, optimizer: Any, loss: Loss) -> TrainStep:
    import torch

    def run(tokens: Any, targets: Any, weights: Any) -> float:
        variables = model.trainable_variables
        model.zero_grad()
        value = loss(_torch(targets), model(_torch(tokens), training=True), _torch(weights))
        value.backward()
        with torch.no_grad():
            optimizer.apply([v.value.grad for v in variables], variables)
        return float(value.detach())

    return run


def _torch_forward(model: keras.Model) -> Forward:
    import torch

    def run(tokens: Any) -> NDArray[np.float32]:
        with torch.no_grad():
            return np.asarray(model(_torch(tokens), training=False).cpu().numpy())

    return run


def _torch(array: NDArray[Any]) -> Any:
    import torch

    dtype = torch.int32 if array.dtype.kind in "iu" and array.ndim == 2 else torch.float32
    return torch.as_tensor(array, dtype=dtype)
