"""The whole network on one text at a time in float64, without padding: what exports are held to.

Written for the tests alone and sharing no line with the package.
"""

import numpy as np
import numpy_lstm


def answers(config, weights, texts):
    """Return what a file of the network gives for texts of ids: a row of numbers each."""
    return np.stack([answer(config, logits(config, weights, ids)) for ids in texts])


def answer(config, z):
    if config.task == "regression":
        return z * config.target_scale + config.target_mean
    z = z / config.temperature
    if len(z) == 1:
        return 1 / (1 + np.exp(-z))
    return np.exp(z) / np.exp(z).sum()


def logits(config, weights, ids):
    width = config.directions * config.units
    pools = {kind: np.zeros(width) for kind in config.pooling}
    if len(ids):
        x = weights["embedding"][np.asarray(ids)].astype(float)
        for index in range(config.layers):
            x = layer(config, weights, index, x)
        last = np.concatenate([x[-1, : config.units], x[0, config.units :]])
        pools |= {"last": last, "max": x.max(0), "mean": x.mean(0)}
    pooled = np.concatenate([pools[kind] for kind in config.pooling])
    return pooled @ weights["head.kernel"].astype(float) + weights["head.bias"]


def layer(config, weights, index, x):
    """Return h of each direction side by side at every token, `(tokens, width)`."""
    sides = []
    for direction in ("forward", "backward")[: config.directions]:
        parts = ("kernel", "recurrent_kernel", "bias")
        arrays = [weights[f"lstm.{index}.{direction}.{part}"] for part in parts]
        turn = slice(None, None, 1 if direction == "forward" else -1)
        sides.append(numpy_lstm.forward(x[turn][None], *arrays).h[0, turn])
    return np.concatenate(sides, axis=-1)
