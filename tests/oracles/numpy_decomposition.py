"""Contextual decomposition as its authors' program has it: one word, one phrase, both parts kept.

Written for the tests alone and sharing no line with the package. After Murdoch, Liu & Yu, ICLR
2018, section 3; for a stack, the layer below hands on its two parts.
"""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def three(a, b, c, act):
    """The parts of act(a + b + c) due to a, to b and to the bias c."""
    of_a = 0.5 * (act(a + c) - act(c) + act(a + b + c) - act(b + c))
    of_b = 0.5 * (act(b + c) - act(c) + act(a + b + c) - act(a + c))
    return of_a, of_b, act(c)


def two(a, b):
    """The parts of tanh(a + b) due to a and to b."""
    return (
        0.5 * (np.tanh(a) + np.tanh(a + b) - np.tanh(b)),
        0.5 * (np.tanh(b) + np.tanh(a + b) - np.tanh(a)),
    )


def layer(rel_x, irr_x, W, U, b, inside):
    """Return relevant and irrelevant states, each a list; gates in the order i, f, g, o."""
    W, U, b = (np.asarray(a, np.float64) for a in (W, U, b))
    H = len(U)
    rel_h = irr_h = rel_c = irr_c = np.zeros(H)
    rels, irrs = [], []
    for rel, irr, within in zip(rel_x, irr_x, inside, strict=True):
        rel_z, irr_z = rel @ W + rel_h @ U, irr @ W + irr_h @ U
        gates = [slice(k * H, (k + 1) * H) for k in range(4)]
        (ri, ii, bi), (rf, if_, bf), (rg, ig, bg) = (
            three(rel_z[k], irr_z[k], b[k], act)
            for k, act in zip(gates[:3], (sigmoid, sigmoid, np.tanh), strict=True)
        )
        new_rel = ri * (rg + bg) + bi * rg + (rf + bf) * rel_c
        new_irr = ii * (rg + ig + bg) + (ri + bi) * ig
        new_irr = new_irr + (rf + if_ + bf) * irr_c + if_ * rel_c
        if within:
            new_rel = new_rel + bi * bg
        else:
            new_irr = new_irr + bi * bg
        o = sigmoid(rel_z[gates[3]] + irr_z[gates[3]] + b[gates[3]])
        rel_c, irr_c = new_rel, new_irr
        shown = two(rel_c, irr_c)
        rel_h, irr_h = o * shown[0], o * shown[1]
        rels.append(rel_h)
        irrs.append(irr_h)
    return rels, irrs


def decompose(config, weights, ids, start, end):
    """Return what is due to tokens start to end of each output, and what to the rest."""
    inside = [start <= t < end for t in range(len(ids))]
    x = [weights["embedding"][i].astype(np.float64) for i in ids]
    rel = [v if within else 0 * v for v, within in zip(x, inside, strict=True)]
    irr = [0 * v if within else v for v, within in zip(x, inside, strict=True)]
    parts = ("kernel", "recurrent_kernel", "bias")
    for index in range(config.layers):
        sides = []
        for direction in ("forward", "backward")[: config.directions]:
            turn = slice(None, None, -1 if direction == "backward" else 1)
            arrays = (weights[f"lstm.{index}.{direction}.{part}"] for part in parts)
            found = layer(rel[turn], irr[turn], *arrays, inside[turn])
            sides.append([np.array(part)[turn] for part in found])
        rel, irr = ([*np.concatenate([s[k] for s in sides], axis=1)] for k in (0, 1))
    return _outputs(config, weights, np.array(rel), np.array(irr))


def _outputs(config, weights, rel, irr):
    H, h = config.units, rel + irr
    pooled = {"rel": [], "irr": []}
    for kind in config.pooling:
        for u in range(h.shape[1]):
            last = -1 if u < H else 0  # the backward direction ends at the first token
            at = {"last": last, "max": h[:, u].argmax()}.get(kind)
            for name, states in (("rel", rel), ("irr", irr)):
                column = states[:, u]
                pooled[name].append(column.mean() if kind == "mean" else column[at])
    head = weights["head.kernel"].astype(np.float64)
    return np.array(pooled["rel"]) @ head, np.array(pooled["irr"]) @ head + weights["head.bias"]
