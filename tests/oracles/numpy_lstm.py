"""The LSTM and its backpropagation through time in float64 numpy, one step after the other.

Written for the tests alone and sharing no line with the package: what the layer is held against.
"""

from dataclasses import dataclass

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@dataclass
class Run:
    h: np.ndarray  # (batch, time, units), held where masked
    c: np.ndarray
    cache: list


def forward(x, W, U, b, *, h0=None, c0=None, mask=None, recurrent_mask=None):
    """Read x (batch, time, features); gates in the order i, f, g, o."""
    x, W, U, b = (np.asarray(a, np.float64) for a in (x, W, U, b))
    batch, time, _ = x.shape
    units = U.shape[0]
    h = np.zeros((batch, units)) if h0 is None else np.asarray(h0, np.float64)
    c = np.zeros((batch, units)) if c0 is None else np.asarray(c0, np.float64)
    r = np.ones((batch, units)) if recurrent_mask is None else np.asarray(recurrent_mask)
    mask = np.ones((batch, time), bool) if mask is None else mask
    hs, cs, cache = [], [], []
    for t in range(time):
        z = x[:, t] @ W + (h * r) @ U + b
        i = sigmoid(z[:, :units])
        f = sigmoid(z[:, units : 2 * units])
        g = np.tanh(z[:, 2 * units : 3 * units])
        o = sigmoid(z[:, 3 * units :])
        new_c = f * c + i * g
        new_h = o * np.tanh(new_c)
        keep = mask[:, t, None]
        cache.append((h * r, c, i, f, g, o, new_c, keep, r))
        h, c = np.where(keep, new_h, h), np.where(keep, new_c, c)
        hs.append(h)
        cs.append(c)
    return Run(np.stack(hs, 1), np.stack(cs, 1), cache)


def backward(run, x, W, U, dh_all, dh_last=0, dc_last=0):
    """Return gradients with respect to x, W, U, b, h0 and c0.

    Of sum(dh_all * h) + sum(dh_last * h[:, -1]) + sum(dc_last * c[:, -1]).
    """
    x, W, U = (np.asarray(a, np.float64) for a in (x, W, U))
    dx, dW, dU = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U)
    db = np.zeros(W.shape[1])
    dh = np.zeros_like(run.h[:, 0]) + dh_last
    dc = np.zeros_like(run.h[:, 0]) + dc_last
    for t in reversed(range(x.shape[1])):
        seen, c_before, i, f, g, o, new_c, keep, r = run.cache[t]
        dh = dh + dh_all[:, t]
        tanh_c = np.tanh(new_c)
        d_new_c = dc + dh * o * (1 - tanh_c**2)
        dz = np.concatenate(
            [
                d_new_c * g * i * (1 - i),
                d_new_c * c_before * f * (1 - f),
                d_new_c * i * (1 - g**2),
                dh * tanh_c * o * (1 - o),
            ],
            axis=1,
        )
        dz = np.where(keep, dz, 0)
        dx[:, t] = dz @ W.T
        dW += x[:, t].T @ dz
        dU += seen.T @ dz
        db += dz.sum(0)
        dh = np.where(keep, dz @ U.T * r, dh)
        dc = np.where(keep, d_new_c * f, dc)
    return dx, dW, dU, db, dh, dc
