"""A SavedModel of this package behind the interface of `SentimentClassifier`.

A SavedModel is a program that TensorFlow runs: load only one whose maker you trust.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sentiment_lstm.bundle import MOST_TEXT
from sentiment_lstm.bundle_config import BundleConfig, config_from_json
from sentiment_lstm.errors import BundleError
from sentiment_lstm.manifest import check_tree
from sentiment_lstm.predictions import Answers, Prediction, of_value
from sentiment_lstm.streaming import Text, TextClassifier
from sentiment_lstm.strict_json import strict_json

SIGNATURE = "serving_default"
MODEL = "saved_model.pb"
# Where the format lets a model carry files that its graph does not read.
CONFIG = Path("assets.extra", "config.json")
SEAL = "assets.extra/manifest.json"

BATCH_TEXTS = 64


class SavedModelClassifier(TextClassifier):
    """Answers about texts by running an exported model under TensorFlow.

    Args:
        config: of the model that was exported.
        serve: its signature, from ``text`` to named tensors.
    """

    def __init__(self, config: BundleConfig, serve: Any) -> None:
        self.config = config
        self._serve = serve

    @classmethod
    def load(cls, directory: str | Path) -> "SavedModelClassifier":
        """Load a SavedModel, or the highest version in a directory of them.

        Raises:
            BundleError: if there is none, or it is not as this package exported it.
        """
        found = find_saved_model(Path(directory))
        if found is None:
            raise BundleError(f"no SavedModel at {str(directory)!r}: give DIR or DIR/VERSION")
        config = _config(found)
        import tensorflow as tf

        try:
            loaded = tf.saved_model.load(str(found))
            return cls(config, _Kept(loaded))
        except (KeyError, OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise BundleError(f"{found}: TensorFlow cannot load it: {first}") from error

    def _read(self, text: Text) -> bytes:
        """Return UTF-8; a lone surrogate's bytes are read by the graph as it is read in str."""
        return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")

    def _predictions(self, chunk: list[bytes], answers: Answers) -> list[Prediction]:
        """Answer in batches of texts alike in length, which saves padding."""
        order = sorted(range(len(chunk)), key=lambda i: len(chunk[i]))
        predictions: dict[int, Prediction] = {}
        for start in range(0, len(order), BATCH_TEXTS):
            members = order[start : start + BATCH_TEXTS]
            outputs = self._serve([chunk[i] for i in members])
            predictions.update(zip(members, self._of_outputs(outputs, answers), strict=True))
        return [predictions[i] for i in range(len(chunk))]

    def _of_outputs(self, outputs: dict[str, Any], answers: Answers) -> list[Prediction]:
        if self.config.task == "regression":
            return [of_value(value) for value in outputs["value"]]
        if self.config.outputs == 1:
            return [answers.of_two(probability) for probability in outputs["probability"]]
        return [answers.of_many(probabilities) for probabilities in outputs["probabilities"]]


class _Kept:
    """A signature together with the loaded model, whose variables live as long as it does."""

    def __init__(self, loaded: Any) -> None:
        self._loaded = loaded
        self._signature = loaded.signatures[SIGNATURE]

    def __call__(self, texts: Sequence[bytes]) -> dict[str, Any]:
        """Return each output as a list, one entry a text."""
        import tensorflow as tf

        outputs = self._signature(text=tf.constant(texts, tf.string))
        return {name: np.asarray(output).tolist() for name, output in outputs.items()}


def find_saved_model(directory: Path) -> Path | None:
    """Return the SavedModel at `directory`, or the highest version below it, or None."""
    numbers = [path for path in directory.glob("*") if path.name.isdecimal()]
    versions = sorted(numbers, key=lambda path: int(path.name), reverse=True)
    candidates = (path for path in (directory, *versions) if (path / MODEL).is_file())
    return next(candidates, None)


def _config(directory: Path) -> BundleConfig:
    """Return the configuration, after every file has been found as it was exported."""
    if not (directory / SEAL).is_file():
        raise BundleError(
            f"{directory}: not a SavedModel of this package (no {SEAL}): export the model again"
        )
    seal = check_tree(directory, SEAL)
    try:
        return config_from_json(strict_json(seal.read(CONFIG.as_posix(), MOST_TEXT)))
    except (KeyError, ValueError, BundleError) as error:
        raise BundleError(
            f"{directory}: not a SavedModel of this package ({error}): export the model again"
        ) from error
