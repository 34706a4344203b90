"""A SavedModel's answers from a process that has TensorFlow and nothing of this package.

Run by its path, never imported:

    python -P fresh_answers.py SAVED_MODEL TEXTS.json ANSWERS.json

TEXTS.json is a list of base64 strings. ANSWERS.json receives the signature's input and outputs,
and every output as a list, in the order of the texts.
"""

import base64
import importlib
import json
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

BATCH_TEXTS = 32
FORBIDDEN = ("sentiment_lstm", "pipelines")


def main(saved_model: str, texts: str, answers: str) -> None:
    """Load, answer, write; leave with an error if this package can be imported."""
    forbid_imports()
    import tensorflow as tf

    strings = [base64.b64decode(text) for text in json.loads(Path(texts).read_text("ascii"))]
    serve = tf.saved_model.load(saved_model).signatures["serving_default"]
    (spec,) = serve.structured_input_signature[1].values()
    if spec.dtype != tf.string or spec.shape.as_list() != [None]:
        raise SystemExit(f"the input is {spec}, not a string tensor of shape (None,)")
    result = {
        "input": [spec.name, spec.dtype.name],
        "outputs": {name: output.dtype.name for name, output in serve.structured_outputs.items()},
        "answers": collect(serve, strings),
    }
    Path(answers).write_text(json.dumps(result), "ascii")


def forbid_imports() -> None:
    """Make this package unimportable in this process, and prove it."""
    for name in FORBIDDEN:
        sys.modules[name] = None  # type: ignore[assignment]  # what stops an import
    for name in FORBIDDEN:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        raise SystemExit(f"{name} can be imported")


def collect(serve: Any, texts: list[bytes]) -> dict[str, list[Any]]:
    """Answer in batches: a batch of none, one alone, then `BATCH_TEXTS` at a time."""
    answers: dict[str, list[Any]] = {}
    for batch in batches(texts):
        for name, output in serve(text=batch).items():
            values = output.numpy().tolist()
            decoded = [v.decode() if isinstance(v, bytes) else v for v in values]
            answers.setdefault(name, []).extend(decoded)
    return answers


def batches(texts: list[bytes]) -> Iterator[Any]:
    """Yield string tensors that hold all texts once."""
    import tensorflow as tf

    bounds = [0, 0, 1, *range(1 + BATCH_TEXTS, len(texts), BATCH_TEXTS), len(texts)]
    for start, end in pairwise(bounds):
        yield tf.constant(texts[start:end], tf.string, shape=[end - start])


if __name__ == "__main__":
    main(*sys.argv[1:])
