"""How TensorFlow moves variables by their gradients: compiled, but for the gradients' norm."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

Tensor = Any


def compiled_update(optimizer: Any, variables: list[Any]) -> Callable[[list[Tensor]], None]:
    """Return a function that moves variables by gradients, in their order, as an optimizer does.

    Moments and average are some twenty passes over every weight; compiled they are few. The norm
    that gradients are clipped by is found before: compiled, its sum takes one core, and as long as
    all the rest.

    Args:
        optimizer: of Keras, built for the variables.
        variables: trained ones.
    """

    def whole(gradients: list[Tensor]) -> None:
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    def scaled(share: Tensor, gradients: list[Tensor]) -> None:
        with _without_clipping(optimizer):
            optimizer.apply_gradients(zip([g * share for g in gradients], variables, strict=True))

    move, move_by = (tf.function(way, jit_compile=True, autograph=False) for way in (whole, scaled))

    def update(gradients: list[Tensor]) -> None:
        if _is_clipped_first(optimizer):
            move_by(_share(gradients, optimizer.global_clipnorm), gradients)
        else:
            move(gradients)

    return update


def _is_clipped_first(optimizer: Any) -> bool:
    """Tell whether an optimizer bounds the norm of all gradients before it does anything else."""
    does_more = optimizer.loss_scale_factor or optimizer.gradient_accumulation_steps
    return bool(optimizer.global_clipnorm) and not does_more


def _share(gradients: list[Tensor], most: float) -> Tensor:
    """Return by what gradients are multiplied to have no larger norm than `most`.

    Where the norm is no number, or too large for one, it is none either, as in Keras: a training
    that diverges shows it.
    """
    norm = tf.linalg.global_norm(gradients)
    return most / tf.maximum(norm, most) + (norm - norm)


@contextmanager
def _without_clipping(optimizer: Any) -> Iterator[None]:
    """Have an optimizer leave the norm of gradients alone inside the block."""
    before, optimizer.global_clipnorm = optimizer.global_clipnorm, None
    try:
        yield
    finally:
        optimizer.global_clipnorm = before
