"""One training step and one forward pass, in a form for each Keras backend.

Keras 3 has no gradient that works on every backend, so this is the one place that differentiates.
Each form runs the same `keras.ops` network and loss.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bptt_ops import graphs_stay_here
from sentiment_lstm.groups import ALONE, Group
from sentiment_lstm.losses import Loss
from sentiment_lstm.lstm import Tensor

# An array, or a dictionary of arrays: what a network takes.
Inputs = Any
# The network in training, as a function of its inputs. What it drops is drawn once a step: called
# more than once, it drops the same, so that answers differ by the inputs alone.
Network = Callable[[Inputs], Tensor]
# (the network in training, arrays of a batch) -> what one step makes smaller
Objective = Callable[..., Tensor]
# Of a function (network, point) -> value, at a point: the value, its gradients by the trained
# variables, in their order, and that by the point.
Differentiate = Callable[
    [Callable[[Network, Tensor], Tensor], Tensor], tuple[Tensor, list[Tensor], Tensor]
]
# (Differentiate, arrays of a batch) -> loss, and the gradients to move the variables by
Program = Callable[..., tuple[Tensor, list[Tensor]]]
# (arrays of a batch) -> loss
Step = Callable[..., float]
# tokens (batch, time), or whatever the network takes -> its outputs, (batch, outputs)
Forward = Callable[[Inputs], NDArray[np.float32]]


def train_step(model: keras.Model, optimizer: Any, loss: Loss, group: Group = ALONE) -> Step:
    """Return a function that moves a classifier's weights by one batch and returns its loss.

    The function takes tokens `(batch, time)`, targets `(batch,)` and weights `(batch,)`; for
    `group` see `program_step`.
    """

    def objective(run: Any, tokens: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        return loss(targets, run(tokens), weights)

    return of_texts(objective_step(model, optimizer, objective, group))


def of_texts(step: Step) -> Step:
    """Return a step that takes tokens, targets and weights of whatever types, and others as is."""
    return lambda tokens, targets, weights, *others: step(
        np.asarray(tokens, np.int32),
        np.asarray(targets, np.float32),
        np.asarray(weights, np.float32),
        *others,
    )


def objective_step(
    model: keras.Model, optimizer: Any, objective: Objective, group: Group = ALONE
) -> Step:
    """Return a function that moves the weights by one batch and returns its loss.

    Args:
        model: the network; its trained variables are moved.
        optimizer: built for them.
        objective: in `keras.ops`, of the network as a function of its inputs and of the arrays
            that the function is given, each an array or a dictionary of arrays whose type and
            number of dimensions stay the same.
        group: see `program_step`.
    """

    def program(differentiate: Differentiate, *arrays: Any) -> tuple[Tensor, list[Tensor]]:
        nowhere = keras.ops.zeros(())
        return differentiate(lambda network, _: objective(network, *arrays), nowhere)[:2]

    return program_step(model, optimizer, program, group)


def program_step(
    model: keras.Model, optimizer: Any, program: Program, group: Group = ALONE
) -> Step:
    """Return a function that moves the weights by one batch, whose gradients a program finds.

    Args:
        model: the network; its trained variables are moved.
        optimizer: built for them.
        program: in `keras.ops` and with what it is given to differentiate, of the arrays that the
            function is given; see `objective_step`.
        group: processes whose losses and gradients are summed before the weights are moved.
    """
    kinds: dict[str, Callable[..., Step]] = {
        "tensorflow": _tensorflow_step,
        "jax": _jax_step,
        "torch": _torch_step,
    }
    return kinds[keras.backend.backend()](model, optimizer, program, group)


def _summed(group: Group, value: Any, gradients: list[Any]) -> tuple[float, list[Any]]:
    """Return a loss and gradients summed over a group; what they hold is in numpy before."""
    loss, *sums = group.summed([np.asarray(x, np.float32) for x in (value, *gradients)])
    return float(loss), sums


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
    """Turn determinism on or off; return whether it was on.

    On a GPU some operations have no such form: there PyTorch warns of them and goes on.
    """
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    # Read by cuBLAS when it is first used; without it the products refuse.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(on, warn_only=torch.cuda.is_available())
    return bool(before)


def _tensorflow_step(model: keras.Model, optimizer: Any, program: Program, group: Group) -> Step:
    import tensorflow as tf

    from sentiment_lstm.tensorflow_update import compiled_update

    variables, others = model.trainable_variables, model.non_trainable_variables
    update = compiled_update(optimizer, variables)

    def differentiate(network: Network, function: Any, point: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(point)
            value = function(network, point)
        *gradients, by_point = tape.gradient(value, [*variables, point])
        # Dense, because the norm of an embedding's sparse gradient counts a repeated token's
        # parts one by one, and clipping would depend on the backend.
        return value, [tf.convert_to_tensor(g) for g in gradients], by_point

    def find(*arrays: Any) -> Any:
        network = _repeatable(model, [tf.identity(v.value) for v in others])
        return program(partial(differentiate, network), *arrays)

    def step(*arrays: Any) -> Any:
        value, gradients = find(*arrays)
        update(gradients)
        return value

    if group.size == 1:
        run = _tensorflow_graph(step)
        return lambda *arrays: float(run(*arrays))
    found = _tensorflow_graph(find)

    def run_in_group(*arrays: Any) -> float:
        value, gradients = _summed(group, *found(*arrays))
        update([tf.constant(gradient) for gradient in gradients])
        return value

    return run_in_group


def _repeatable(model: keras.Model, values: list[Any]) -> Network:
    """Return the network in training, its variables that are not trained set anew at each call."""

    def network(inputs: Any) -> Any:
        for variable, value in zip(model.non_trainable_variables, values, strict=True):
            variable.assign(value)
        return model(inputs, training=True)

    return network


def _tensorflow_forward(model: keras.Model) -> Forward:
    def run(inputs: Any) -> Any:
        with graphs_stay_here():
            return model(inputs, training=False)

    graph = _tensorflow_graph(run)
    return lambda inputs: np.asarray(graph(inputs))


def _tensorflow_graph(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function at its first call, its arrays' shapes left open.

    So that a batch of another length is not traced anew.
    """
    import tensorflow as tf

    graphs: list[Any] = []

    def run(*arrays: Any) -> Any:
        if not graphs:
            signature = keras.tree.map_structure(
                lambda array: tf.TensorSpec([None] * array.ndim, array.dtype), arrays
            )
            graphs.append(tf.function(function, input_signature=signature, autograph=False))
        return graphs[0](*arrays)

    return run


def _jax_step(model: keras.Model, optimizer: Any, program: Program, group: Group) -> Step:
    import jax

    def find(trained: Any, rest: Any, arrays: Any) -> Any:
        kept = list(rest)
        value, gradients = program(_jax_differentiate(model, trained, kept), *arrays)
        return value, gradients, kept

    def update(moments: Any, gradients: Any, trained: Any) -> Any:
        return optimizer.stateless_apply(moments, gradients, trained)

    @jax.jit
    def step(state: Any, arrays: Any) -> Any:
        trained, rest, moments = state
        value, gradients, kept = find(trained, rest, arrays)
        trained, moments = update(moments, gradients, trained)
        return value, (trained, kept, moments)

    found, updated = jax.jit(find), jax.jit(update)

    def step_in_group(state: Any, arrays: Any) -> Any:
        trained, rest, moments = state
        value, gradients, kept = found(trained, rest, arrays)
        value, gradients = _summed(group, value, gradients)
        trained, moments = updated(moments, gradients, trained)
        return value, (trained, kept, moments)

    move = step if group.size == 1 else step_in_group
    kinds = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)

    def run(*arrays: Any) -> float:
        state = tuple([v.value for v in kind] for kind in kinds)
        value, state = move(state, arrays)
        for kind, values in zip(kinds, state, strict=True):
            for variable, new in zip(kind, values, strict=True):
                variable.assign(new)
        return float(value)

    return run


def _jax_differentiate(model: keras.Model, trained: Any, kept: list[Any]) -> Differentiate:
    """Return what differentiates; `kept` holds the other variables, and then their new values."""
    import jax

    rest = list(kept)

    def differentiate(function: Any, point: Any) -> Any:
        def value_of(trained: Any, point: Any, rest: Any) -> Any:
            after = [rest]

            def network(inputs: Any) -> Any:
                outputs, after[0] = model.stateless_call(trained, rest, inputs, training=True)
                return outputs

            return function(network, point), after[0]

        both = jax.value_and_grad(value_of, argnums=(0, 1), has_aux=True)
        (value, kept[:]), (gradients, by_point) = both(trained, point, rest)
        return value, gradients, by_point

    return differentiate


def _jax_forward(model: keras.Model) -> Forward:
    import jax

    @jax.jit
    def run(trained: Any, rest: Any, inputs: Any) -> Any:
        return model.stateless_call(trained, rest, inputs, training=False)[0]

    def values(variables: Any) -> list[Any]:
        return [v.value for v in variables]

    return lambda inputs: np.asarray(
        run(values(model.trainable_variables), values(model.non_trainable_variables), inputs)
    )


def _torch_step(model: keras.Model, optimizer: Any, program: Program, group: Group) -> Step:
    import torch

    variables, others = model.trainable_variables, model.non_trainable_variables

    def differentiate(network: Network, function: Any, point: Any) -> Any:
        point = point.detach().requires_grad_()
        value = function(network, point)
        sources = [*(v.value for v in variables), point]
        *gradients, by_point = torch.autograd.grad(value, sources, allow_unused=True)
        return value.detach(), gradients, by_point

    def run(*arrays: Any) -> float:
        network = _repeatable(model, [v.value.clone() for v in others])
        value, gradients = program(partial(differentiate, network), *_torch(arrays, model))
        if group.size > 1:
            value, sums = _summed(group, value.cpu(), [g.cpu() for g in gradients])
            gradients = [torch.as_tensor(total, device=v.value.device)
                         for total, v in zip(sums, variables, strict=True)]  # fmt: skip
        with torch.no_grad():
            optimizer.apply(gradients, variables)
        return float(value)

    return run


def _torch_forward(model: keras.Model) -> Forward:
    import torch

    def run(inputs: Any) -> NDArray[np.float32]:
        with torch.no_grad():
            return np.asarray(model(_torch(inputs, model), training=False).cpu().numpy())

    return run


def _torch(arrays: Any, model: keras.Model) -> Any:
    """Return arrays as tensors where a model's weights are."""
    import torch

    device = model.trainable_variables[0].value.device
    return keras.tree.map_structure(partial(torch.as_tensor, device=device), arrays)
