"""An exported model's answers from a process that has nothing of this package.

Run by its path, never imported:

    python -P fresh_answers.py FORMAT DIRECTORY TEXTS.json ANSWERS.json

TEXTS.json is a list of base64 strings. ANSWERS.json receives the model's inputs and outputs, and
every answer as a list, in the order of the texts. A SavedModel takes the texts themselves; the
other formats take token ids, which the tokeniser that stands beside the model makes.
"""

import base64
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

BATCH_TEXTS = 32
FORBIDDEN = ("sentiment_lstm", "pipelines")

Answers = dict[str, list[Any]]
Serve = Callable[[list[bytes]], Answers]
Described = dict[str, Any]  # a model's "input" and "outputs"
# Ids (batch, time) and lengths (batch,), int32 arrays, to the one output: (batch,) or (batch, n).
Network = Callable[[Any, Any], Any]


def main(form: str, directory: str, texts: str, answers: str) -> None:
    """Load, answer, write; leave with an error if this package can be imported."""
    forbid_imports()
    strings = [base64.b64decode(text) for text in json.loads(Path(texts).read_text("ascii"))]
    described, serve = FORMS[form](Path(directory))
    result = {**described, "answers": collect(serve, strings)}
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


def collect(serve: Serve, texts: list[bytes]) -> Answers:
    """Answer in batches: a batch of none, one alone, then `BATCH_TEXTS` at a time."""
    answers: Answers = {}
    for batch in batches(texts):
        for name, values in serve(batch).items():
            answers.setdefault(name, []).extend(values)
    return answers


def batches(texts: list[bytes]) -> Iterator[list[bytes]]:
    """Yield batches that hold all texts once."""
    bounds = [0, 0, 1, *range(1 + BATCH_TEXTS, len(texts), BATCH_TEXTS), len(texts)]
    for start, end in pairwise(bounds):
        yield texts[start:end]


def saved_model(directory: Path) -> tuple[Described, Serve]:
    """Open a SavedModel, which takes a string tensor `(batch,)`."""
    import tensorflow as tf

    signature = tf.saved_model.load(str(directory)).signatures["serving_default"]
    (spec,) = signature.structured_input_signature[1].values()
    if spec.dtype != tf.string or spec.shape.as_list() != [None]:
        raise SystemExit(f"the input is {spec}, not a string tensor of shape (None,)")

    def serve(texts: list[bytes]) -> Answers:
        outputs = signature(text=tf.constant(texts, tf.string, shape=[len(texts)]))
        listed = {name: output.numpy().tolist() for name, output in outputs.items()}
        return {name: [_decoded(value) for value in values] for name, values in listed.items()}

    outputs = signature.structured_outputs.items()
    described = {name: output.dtype.name for name, output in outputs}
    return {"input": [spec.name, spec.dtype.name], "outputs": described}, serve


def _decoded(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def onnx(directory: Path) -> tuple[Described, Serve]:
    """Open an ONNX model in ONNX Runtime."""
    import onnxruntime

    path = str(directory / "model.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def network(tokens: Any, lengths: Any) -> Any:
        return session.run(None, {"tokens": tokens, "lengths": lengths})[0]

    (output,) = session.get_outputs()
    described = {
        "input": [given.name for given in session.get_inputs()],
        "outputs": {output.name: output.type},
    }
    return described, of_token_ids(directory, network)


def keras(directory: Path) -> tuple[Described, Serve]:
    """Open a `.keras` file, as a program that does not trust it does."""
    import keras

    model = keras.saving.load_model(directory / "model.keras", safe_mode=True)

    def network(tokens: Any, _: Any) -> Any:
        return model.predict_on_batch(tokens)

    (given,) = model.inputs
    (output,) = model.outputs
    name = model.layers[-1].name  # the tensor's own is any number
    described = {"input": [given.name, given.dtype], "outputs": {name: output.dtype}}
    return described, of_token_ids(directory, network)


def litert(directory: Path) -> tuple[Described, Serve]:
    """Open a `.tflite` file in LiteRT's interpreter."""
    from ai_edge_litert.interpreter import Interpreter

    signature = Interpreter(str(directory / "model.tflite")).get_signature_runner()
    described = {
        "input": sorted(signature.get_input_details()),
        "outputs": {n: d["dtype"].__name__ for n, d in signature.get_output_details().items()},
    }
    (output,) = described["outputs"]

    def network(tokens: Any, lengths: Any) -> Any:
        return signature(tokens=tokens, lengths=lengths)[output]

    return described, of_token_ids(directory, network)


def of_token_ids(directory: Path, network: Network) -> Serve:
    """Return what answers texts by a network of token ids and the files that stand beside it."""
    import numpy as np

    config = json.loads((directory / "config.json").read_bytes())
    tokeniser = _imported(directory / "tokeniser.py").Tokeniser(directory)

    def serve(texts: list[bytes]) -> Answers:
        if not texts:
            return {}
        tokens, lengths = tokeniser.batch(texts)
        output = network(np.array(tokens, np.int32), np.array(lengths, np.int32))
        return named(config, np.asarray(output).reshape(len(texts), -1).tolist())

    return serve


def named(config: dict[str, Any], rows: list[list[float]]) -> Answers:
    """Return what a row of outputs says for each text, as a SavedModel names it."""
    labels = config["labels"]
    if config["task"] == "regression":
        return {"value": [value for (value,) in rows]}
    if len(labels) == 2:
        probabilities = [probability for (probability,) in rows]
        chosen = [labels[p >= config["threshold"]] for p in probabilities]
        return {"label": chosen, "probability": probabilities}
    chosen = [labels[row.index(max(row))] for row in rows]
    return {"label": chosen, "probability": [*map(max, rows)], "probabilities": rows}


def _imported(path: Path) -> ModuleType:
    """Import a module by its path, and leave nothing beside it."""
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FORMS = {"saved_model": saved_model, "onnx": onnx, "litert": litert, "keras": keras}

if __name__ == "__main__":
    main(*sys.argv[1:])
