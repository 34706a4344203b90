"""What of an LSTM's training is compiled: all of it made at once, and a sign left that it is there.

`python -m sentiment_lstm.making FORM` is the process that `sentiment_lstm.made_aside`
begins.
"""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
from llvmlite import binding

from sentiment_lstm import bptt, bptt_back, bptt_words
from sentiment_lstm.compiled import kept_in, stamp
from sentiment_lstm.precision import NARROW, SINGLE, Form, narrow_fits

FORMS = {"float32": SINGLE, "bfloat16": NARROW}


def form_of(precision: str, units: int) -> str:
    """Return in which form a layer's products take their numbers, a key of `FORMS`.

    Args:
        precision: dtype policy of the layer.
        units: width of its state.
    """
    return "bfloat16" if precision != "float32" and narrow_fits(units) else "float32"


def is_made(form: str) -> bool:
    """Tell whether there is code, or no place to keep any."""
    place = sign(form)
    return place is None or place.exists()


def sign(form: str) -> Path | None:
    """Return the file that says that the code of these sources is there.

    For this processor, numba and Python: of another one numba takes none.
    """
    place = kept_in()
    features = binding.get_host_cpu_features().flatten()
    makers = (stamp(), numba.__version__, sys.version, binding.get_host_cpu_name(), features)
    digest = hashlib.sha256("\n".join(makers).encode()).hexdigest()
    return None if place is None else place / f"made-{form}-{digest[:16]}"


def make(form: Form) -> None:
    """Go forth and back through an LSTM that is as small as can be, which compiles all of it."""
    width = form.breadth
    numbers = [np.zeros(shape, form.stored) for shape in ((1, 1, width), *2 * [(width, 4 * width)])]
    bias, state = np.zeros(4 * width, np.float32), np.zeros((1, width), np.float32)
    batch = bptt.Batch(numbers[0], np.ones((1, 1), np.bool_), np.zeros((1, 0), np.float32))
    weights = bptt.Weights(numbers[1], numbers[2], bias)
    outputs, tape = bptt.forward(batch, weights, state, state)
    _ = bptt_back.backward(batch, weights, tape, outputs)
    of_words = replace(batch, sequences=numbers[0][0], words=np.zeros((1, 1), np.int32))
    outputs, tape = bptt.forward(*bptt_words.started(of_words, weights), state, state)
    _ = bptt_words.backward(of_words, weights, tape, outputs)


def main(form: str) -> None:
    """Make the code of a form, and say so where it is kept."""
    make(FORMS[form])
    place = sign(form)
    if place is not None:
        place.touch()


if __name__ == "__main__":
    # numba would load SciPy's linear algebra, which takes longer than some of our functions, to see
    # whether compiled code could call it. Ours does not.
    sys.modules["scipy"] = None  # type: ignore[assignment]
    main(*sys.argv[1:])
