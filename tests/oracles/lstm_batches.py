"""Random batches for the written-out LSTM, and what the oracle makes of them."""

from dataclasses import replace

import numpy as np
import numpy_lstm
from hypothesis import strategies as st
from ml_dtypes import bfloat16

from sentiment_lstm import bptt, precision

CASES = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "rows": st.integers(1, 21),
        "time": st.integers(1, 9),
        "features": st.integers(1, 70),
        # From less than a panel to several, whole and in part.
        "units": st.sampled_from([1, 3, 16, 17, 65, 100, 130]),
        "mask": st.sampled_from(["none", "ragged", "anywhere", "all"]),
        "dropout": st.booleans(),
        "backwards": st.booleans(),
    }
)


TOLERANCE = 1e-5  # of the largest entry
CANCELLED = 0.25  # of the size of what sums of bfloat16 add up, where they come to less


def random_batch(seed, rows, time, features, units, mask, *, dropout=False, backwards=False):
    rng = np.random.default_rng(seed)
    draw = lambda *shape: rng.normal(size=shape).astype("float32")  # noqa: E731
    scale = np.float32(1 / np.sqrt(units + features))
    weights = bptt.Weights(
        draw(features, 4 * units) * scale, draw(units, 4 * units) * scale, draw(4 * units)
    )
    keep = {
        "none": np.ones((rows, time), bool),
        "ragged": np.arange(time)[None] < rng.integers(0, time + 1, rows)[:, None],
        "anywhere": rng.random((rows, time)) < 0.6,
        "all": np.zeros((rows, time), bool),
    }[mask]
    dropped = (rng.random((rows, units)) < 0.7).astype("float32") / np.float32(0.7)
    sequences = draw(rows, time, features)
    batch = bptt.Batch(sequences, keep, dropped if dropout else dropped[:, :0], backwards)
    return batch, weights, draw(rows, units), draw(rows, units), draw


def oracle(batch, weights, h, c):
    """Return the oracle's run and its inputs in reading order."""
    x, keep = batch.sequences, batch.keep
    if batch.backwards:
        x, keep = x[:, ::-1], keep[:, ::-1]
    factors = batch.dropped if batch.dropped.shape[1] else None
    W, U, b = weights.kernel, weights.recurrent_kernel, weights.bias
    run = numpy_lstm.forward(x, W, U, b, h0=h, c0=c, mask=keep, recurrent_mask=factors)
    return run, x


def assert_close(actual, expected, walk=0.0):
    """Compare; walk is how far the terms of a sum would lead if each led anywhere at random."""
    assert actual.shape == expected.shape
    # A sum may cancel to less than its terms, which are of the size of a tenth to one.
    allowed = TOLERANCE * max(np.abs(expected).max(initial=0), walk, 0.1)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=allowed)


MULTIPLIED = ("sequences", "kernel", "recurrent_kernel")


def bits_of(array):
    return array.astype(bfloat16).view(np.uint16)


def through_bits(array):
    return array.astype(bfloat16).astype(np.float32)


def narrowed(given):
    return replace(given, **{k: bits_of(v) for k, v in vars(given).items() if k in MULTIPLIED})


def rounded(given):
    return replace(given, **{k: through_bits(v) for k, v in vars(given).items() if k in MULTIPLIED})


def cut_into_pieces(patch, rows):
    """Have the way back take so many rows at once, in either form of the products."""
    for name in ("SINGLE", "NARROW"):
        form = getattr(precision, name)
        patch.setattr(precision, name, replace(form, at_once=rows))
