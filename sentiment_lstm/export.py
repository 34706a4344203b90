"""A bundle as a SavedModel that takes raw strings, and the proof that it answers alike.

The network is built anew under TensorFlow from the bundle's weights; tokenisation, temperature,
threshold and margin stand in the same graph. What was written then answers several hundred texts in
a fresh process that has TensorFlow and not this package, and is kept only if its answers are
those of the numpy classifier and of the Keras model.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from sentiment_lstm.bundle import Bundle, payload_digest, read_bundle
from sentiment_lstm.bundle_config import UNSURE, BundleConfig
from sentiment_lstm.errors import ExportError
from sentiment_lstm.export_target import check_target, new_version, write_record
from sentiment_lstm.manifest import files_below, write_manifest
from sentiment_lstm.model import keras_model
from sentiment_lstm.progress import Progress, silent
from sentiment_lstm.saved_model import CONFIG, MODEL, SEAL, SIGNATURE
from sentiment_lstm.strict_json import canonical_json
from sentiment_lstm.text import PAD
from sentiment_lstm.text_graph import GraphEncoder
from sentiment_lstm.verification import verify_saved_model

Tensors = dict[str, tf.Tensor]


def export_saved_model(
    bundle_directory: Path, target: Path, *, version: int = 1, progress: Progress = silent
) -> dict[str, Any]:
    """Write ``target/version``, the layout of TensorFlow Serving, and the record beside it.

    Its signature ``serving_default`` takes ``text``, a string tensor `(n,)`, and gives `label`
    (string) and `probability` (float32), each `(n,)`, with more than two labels also
    `probabilities` `(n, labels)`; for a regression `value` (float32) alone. The
    label of a model that abstains may be "unsure".

    Args:
        bundle_directory: the model.
        target: base directory; other versions in it stay as they are.
        version: number of the directory to write; a SavedModel that stands there is replaced.
        progress: shows the texts that are verified.

    Returns:
        What was verified and how close it came; ``export.json`` holds the same.

    Raises:
        BundleError: if the model is not sound.
        ExportError: if what was written answers otherwise; nothing of it stays then. Also if
            ``target/version`` holds what is no SavedModel; it stays as it is.
        SettingsError: for a version that is no number from 0.
    """
    check_target(target, version, MODEL)
    if keras.backend.backend() != "tensorflow":
        raise ExportError(
            f"Keras runs on {keras.backend.backend()}: set KERAS_BACKEND=tensorflow to export"
        )
    bundle = read_bundle(bundle_directory)
    with new_version(target, version) as temporary:
        model = keras_model(bundle)
        with _refusals_of_the_disk(target / str(version)):
            write_saved_model(bundle, model, temporary)
        record = {
            "format": "saved_model",
            "version": version,
            "model": payload_digest(bundle_directory),
            "tensorflow": tf.__version__,
            **verify_saved_model(temporary, bundle, traced(model), progress),
        }
    write_record(target, record)
    return record


def traced(model: keras.Model) -> Callable[..., tf.Tensor]:
    """Return the network as one graph for ids of every shape `(n, time)`."""
    signature = [tf.TensorSpec([None, None], tf.int32)]
    graph: Callable[..., tf.Tensor] = tf.function(
        lambda ids: model(ids, training=False), input_signature=signature, autograph=False
    )
    return graph


def write_saved_model(bundle: Bundle, model: keras.Model, directory: Path) -> None:
    """Write the network of `keras_model`, from raw strings to answers, as a SavedModel.

    The bundle's configuration goes with it, in ``assets.extra``, for those who want to know
    the labels, and a manifest of all files; the graph reads neither.
    """
    config = bundle.config
    module = tf.Module(name="sentiment")
    module.encode = GraphEncoder(bundle.vocabulary.tokens, config.max_tokens, config.head_tokens)
    module.weights = [variable.value for variable in model.variables]
    answer = answer_function(config)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)
    def serve(text: tf.Tensor) -> Tensors:
        ids = module.encode(text).to_tensor(default_value=PAD)
        # One column more: a recurrent layer needs a step, and texts may all be empty.
        return answer(model(tf.pad(ids, [[0, 0], [0, 1]]), training=False))

    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(directory), {SIGNATURE: serve}, options)
    extra = directory / CONFIG
    extra.parent.mkdir()
    extra.write_bytes(canonical_json(config.to_json()))
    write_manifest(directory, files_below(directory), SEAL)


def answer_function(config: BundleConfig) -> Callable[[tf.Tensor], Tensors]:
    """Return the graph form of `predictions.Answers`: logits `(n, outputs)` to named tensors."""
    labels = tf.constant(config.labels, tf.string)

    def decided(label: tf.Tensor, margin: Callable[[], tf.Tensor]) -> tf.Tensor:
        # Without a margin the graph is what it was before there were any.
        return tf.where(margin() < config.abstain, UNSURE, label) if config.abstain else label

    def of_two(logits: tf.Tensor) -> Tensors:
        probability = tf.sigmoid(logits[:, 0] / config.temperature)
        label = tf.where(probability >= config.threshold, labels[1], labels[0])
        label = decided(label, lambda: tf.abs(probability - config.threshold))
        return {"label": label, "probability": probability}

    def of_many(logits: tf.Tensor) -> Tensors:
        probabilities = tf.nn.softmax(logits / config.temperature)
        label = tf.gather(labels, tf.argmax(probabilities, axis=-1))
        return {
            "label": decided(label, lambda: _lead(probabilities)),
            "probability": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
        }

    def of_value(logits: tf.Tensor) -> Tensors:
        return {"value": logits[:, 0] * config.target_scale + config.target_mean}

    if config.task == "regression":
        return of_value
    return of_two if config.outputs == 1 else of_many


def _lead(probabilities: tf.Tensor) -> tf.Tensor:
    """Return by how much the likeliest label is ahead of the next, `(n,)`."""
    largest = tf.math.top_k(probabilities, 2).values
    return largest[:, 0] - largest[:, 1]


@contextmanager
def _refusals_of_the_disk(target: Path) -> Iterator[None]:
    """Have an error that TensorFlow meets while it writes be one of ours, and name `target`."""
    try:
        yield
    except tf.errors.OpError as error:
        reason = error.message.splitlines()[0].rpartition("; ")[2].partition(" [Op")[0]
        raise ExportError(f"{target} cannot be written: {reason}") from error
