"""Moves the weights of one LSTM direction to and from the layout of `torch.nn.LSTM`.

PyTorch keeps the gates in the same order i, f, g, o, its matrices transposed, and two biases where
one is enough: their sum is ours. Arrays in, arrays out; PyTorch itself is not needed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Sequence[NDArray[Any]]


def to_torch(weights: Arrays, layer: int = 0, *, reverse: bool = False) -> dict[str, NDArray[Any]]:
    """Return entries of a `state_dict` from kernel, recurrent kernel and bias.

    Args:
        weights: `(features, 4 * units)`, `(units, 4 * units)` and `(4 * units,)`, as
            `LSTM.get_weights` gives them.
        layer: number of the layer in the PyTorch module.
        reverse: whether they are of its backward direction.
    """
    kernel, recurrent_kernel, bias = weights
    suffix = _suffix(layer, reverse)
    return {
        f"weight_ih_{suffix}": np.ascontiguousarray(kernel.T),
        f"weight_hh_{suffix}": np.ascontiguousarray(recurrent_kernel.T),
        f"bias_ih_{suffix}": bias.copy(),
        f"bias_hh_{suffix}": np.zeros_like(bias),
    }


def from_torch(
    state: Mapping[str, Any], layer: int = 0, *, reverse: bool = False
) -> list[NDArray[Any]]:
    """Return kernel, recurrent kernel and bias, for `LSTM.set_weights`, from a `state_dict`.

    Args:
        state: tensors on the CPU, or arrays, by PyTorch's names.
        layer: number of the layer in the PyTorch module.
        reverse: whether the backward direction is wanted.

    Raises:
        KeyError: the module has no such layer or direction.
    """
    suffix = _suffix(layer, reverse)
    parts = (f"weight_ih_{suffix}", f"weight_hh_{suffix}", f"bias_ih_{suffix}", f"bias_hh_{suffix}")
    w_ih, w_hh, b_ih, b_hh = (np.asarray(state[name]) for name in parts)
    return [w_ih.T.copy(), w_hh.T.copy(), b_ih + b_hh]


def _suffix(layer: int, reverse: bool) -> str:
    return f"l{layer}_reverse" if reverse else f"l{layer}"
