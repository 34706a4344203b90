"""How much of a gradient is left k steps back: the norm of ∂h_T/∂h_{T-k}, from exact Jacobians.

The Jacobian over k steps is the product of those of each step (Bengio, Simard & Frasconi 1994). An
LSTM carries h and c, so a step's Jacobian has four blocks; with z the pre-activations, U the
recurrent kernel and a prime for the derivative:

    ∂c_t/∂c_{t-1} = f_t
    ∂c_t/∂h_{t-1} = (g_t i'_t , c_{t-1} f'_t , i_t g'_t) · U
    ∂h_t/∂c_{t-1} = o_t tanh'(c_t) ∂c_t/∂c_{t-1}
    ∂h_t/∂h_{t-1} = o_t tanh'(c_t) ∂c_t/∂h_{t-1} + tanh(c_t) o'_t · U

Norms are Frobenius's over the square root of the width of h, so that the identity has 1, and the
geometric mean over sequences. All is float64, as products of many small numbers must be.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
LEAST = 1e-300  # what a norm of 0 counts as in a geometric mean


class Flow(NamedTuple):
    """Norms for k = 0, 1, …, of the gradient with respect to the state, and to the cell.

    Attributes:
        h: of ∂h_T/∂h_{T-k}.
        c: of ∂h_T/∂c_{T-k}; none for a plain RNN.
    """

    h: list[float]
    c: list[float]


def lstm_flow(weights: Sequence[Any], inputs: Any, keep: Any, back: int) -> Flow:
    """Return the norms of an LSTM.

    Args:
        weights: kernel, recurrent kernel and bias, gates in the order i, f, g, o.
        inputs: `(batch, time, features)`.
        keep: true up to each sequence's end T, `(batch, time)`; each is at least `back` long.
        back: the largest k, 1 or more.
    """
    units = len(weights[1])
    products = _products(_lstm_jacobians(weights, *_end_aligned(inputs, keep)), units, back)
    return Flow(_norms(products, slice(0, units)), _norms(products, slice(units, 2 * units)))


def rnn_flow(weights: Sequence[Any], inputs: Any, keep: Any, back: int) -> Flow:
    """Return the norms of a plain RNN; arguments are those of `lstm_flow`."""
    units = len(weights[1])
    products = _products(_rnn_jacobians(weights, *_end_aligned(inputs, keep)), units, back)
    return Flow(_norms(products, slice(0, units)), [])


def _end_aligned(inputs: Any, keep: Any) -> tuple[Floats, NDArray[np.bool_]]:
    """Move the padding before each sequence, so that all end at the same step."""
    moved, kept = np.array(inputs, np.float64), np.array(keep)
    for row, padding in enumerate((~kept).sum(axis=1)):
        moved[row], kept[row] = np.roll(moved[row], padding, axis=0), np.roll(kept[row], padding)
    return moved, kept


def _lstm_jacobians(
    weights: Sequence[Any], inputs: Floats, keep: NDArray[np.bool_]
) -> Iterator[Floats]:
    """Yield ∂(h_t, c_t)/∂(h_{t-1}, c_{t-1}) of each step, `(batch, 2 * units, 2 * units)`."""
    W, U, b = (np.asarray(w, np.float64) for w in weights)
    h = c = np.zeros((len(inputs), len(U)))
    by_gate = [part.T for part in np.split(U, 4, axis=1)]  # (units, units): of z by h
    for x, real in zip(inputs.swapaxes(0, 1), keep.T[..., None], strict=True):
        zi, zf, zg, zo = np.split(x @ W + h @ U + b, 4, axis=1)
        i, f, g, o = expit(zi), expit(zf), np.tanh(zg), expit(zo)
        new_c = f * c + i * g
        shown = np.tanh(new_c)
        along = (g * i * (1 - i), c * f * (1 - f), i * (1 - g**2))
        c_by_h = sum(_rows(d) * part for d, part in zip(along, by_gate[:3], strict=True))
        c_by_c = _rows(f) * np.eye(len(U))
        passed = _rows(o * (1 - shown**2))
        h_by_h = passed * c_by_h + _rows(shown * o * (1 - o)) * by_gate[3]
        yield np.block([[h_by_h, passed * c_by_c], [c_by_h, c_by_c]])
        h, c = np.where(real, o * shown, h), np.where(real, new_c, c)


def _rnn_jacobians(
    weights: Sequence[Any], inputs: Floats, keep: NDArray[np.bool_]
) -> Iterator[Floats]:
    """Yield ∂h_t/∂h_{t-1} of each step, `(batch, units, units)`."""
    W, U, b = (np.asarray(w, np.float64) for w in weights)
    h = np.zeros((len(inputs), len(U)))
    for x, real in zip(inputs.swapaxes(0, 1), keep.T[..., None], strict=True):
        new = np.tanh(x @ W + h @ U + b)
        yield _rows(1 - new**2) * U.T
        h = np.where(real, new, h)


def _rows(diagonal: Floats) -> Floats:
    """Return what a diagonal matrix on the left multiplies each row by, `(batch, units, 1)`."""
    return diagonal[..., None]


def _products(steps: Iterable[Floats], units: int, back: int) -> list[Floats]:
    """Return ∂h_T/∂(h_{T-k}, c_{T-k}) for k = 0 to `back`, from the Jacobians of every step."""
    last = deque(steps, maxlen=back)
    batch, width, _ = last[0].shape
    products = [np.tile(np.eye(units, width), (batch, 1, 1))]
    for step in reversed(last):
        products.append(products[-1] @ step)
    return products


def _norms(products: Sequence[Floats], columns: slice) -> list[float]:
    """Return each product's norm over some columns, as a mean over the batch."""
    blocks = np.stack([product[..., columns] for product in products])
    norms = np.linalg.norm(blocks, axis=(2, 3)) / np.sqrt(blocks.shape[2])
    means: list[float] = np.exp(np.log(np.maximum(norms, LEAST)).mean(axis=1)).tolist()
    return means
