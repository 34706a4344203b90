"""The loss of a language model in float64 numpy, one text and one token after the other.

Written for the tests alone and sharing no line with the package: what the model is held against.
"""

import numpy as np
import numpy_lstm


def cross_entropies(text, weights, direction, lessened=None, candidates=None):
    """Return -log p of each token that a direction reads ahead to, in the order it reads.

    A text is a list of ids; after its last one the end, id 0, is to be told. `lessened` and
    `candidates` are those of a sampled softmax; without them it is the whole one.
    """
    E = np.asarray(weights["embedding"], np.float64)
    bias = np.asarray(weights["softmax.bias"], np.float64)
    bias = bias if lessened is None else bias - lessened
    read = list(text) if direction == "forward" else list(text)[::-1]
    parts = ("kernel", "recurrent_kernel", "bias")
    W, U, b = (weights[f"lstm.0.{direction}.{part}"] for part in parts)
    run = numpy_lstm.forward(E[read][None], W, U, b)
    losses = []
    for h, target in zip(run.h[0], [*read[1:], 0], strict=True):
        logits = E @ (h @ np.asarray(weights[f"projection.{direction}"], np.float64)) + bias
        told = range(len(E)) if candidates is None else {*candidates, target}
        top = max(logits[i] for i in told)
        losses.append(top + np.log(sum(np.exp(logits[i] - top) for i in told)) - logits[target])
    return np.array(losses)
