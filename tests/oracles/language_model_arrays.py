"""The arrays of a small language model, drawn at random."""

import numpy as np

from sentiment_lstm.text import SPECIAL_TOKENS

WIDTH, UNITS = 5, 3
TOKENS = (*SPECIAL_TOKENS, "good", "bad", "film", "the")


def random_arrays(directions=("forward", "backward"), kind="float16"):
    """Return them by the names that they have on disk."""
    draw = np.random.default_rng(0).normal
    arrays = {"embedding": draw(size=(len(TOKENS), WIDTH)), "softmax.bias": draw(size=len(TOKENS))}
    for name in directions:
        arrays[f"lstm.0.{name}.kernel"] = draw(size=(WIDTH, 4 * UNITS))
        arrays[f"lstm.0.{name}.recurrent_kernel"] = draw(size=(UNITS, 4 * UNITS))
        arrays[f"lstm.0.{name}.bias"] = draw(size=4 * UNITS)
        arrays[f"projection.{name}"] = draw(size=(UNITS, WIDTH))
    return {name: array.astype(kind) for name, array in arrays.items()}
