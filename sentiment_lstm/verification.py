"""Whether an exported model answers as the one it came from, on texts made to be difficult."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm import fresh_answers
from sentiment_lstm.bundle import Bundle
from sentiment_lstm.bundle_config import UNSURE, BundleConfig
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.errors import ExportError
from sentiment_lstm.metrics import margins
from sentiment_lstm.predictions import Answers, Prediction
from sentiment_lstm.progress import Progress, silent
from sentiment_lstm.text import SPECIAL_TOKENS, Encoder, Vocabulary

Network = Callable[[NDArray[np.int32]], Any]

TOLERANCE = 1e-5
SENTENCES = RANDOM_TEXTS = 120
BATCH_TEXTS = 32

PECULIAR = (
    b"",
    b" ",
    b" \t\r\n\x0b\x0c\x1c\x85 ",
    "\u2003\u3000\u200b\u00a0".encode(),
    b"zxqj vvkq qqqz",
    b"\x00",
    b"good\x00bad \x00 film",
    b"\xff\xfe\xc3\x28 good \xe2\x82",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xf8\x88\x80\x80\x80",
    "😀😀 🤷🏽‍♀️ 🇫🇷 good".encode(),
    b"<br /><br/><BR> good<br />film <p class='x'>&amp;</p>",
    "\u202e\u05ea\u05e8\u05e1 \u05d8\u05d5\u05d1\u202c \u0641\u064a\u0644\u0645".encode(),
    "e\u0301 \u0301\u0302 n\u0303o z\u0335\u0336a\u0337l\u0338g\u0334o".encode(),
    "\u0130STANBUL \u0131I \u017ftra\u00dfe \u1e9e \u03a3\u0391\u03a3 \ufb01lm \u01c5".encode(),
    "didn’t didn't DIDN`T it's IT’S 'quoted' rock'n'roll '' ’".encode(),
    b"!!!!!!!!!! ??? ... --- ***** ______ $$$ 10/10 7.5",
    "映画は面白い ภาพยนตร์ดี 영화".encode(),
    "\ufeffgood \ufffd film\u00ad\u200d".encode(),
    b"\x96 \x93quoted\x94 \x80",
    b"a" * 100_000,
    b"good bad film not " * 5_600,
    ("☃" * 33_000).encode(),
    b"\xff" * 5_000,
    b" " * 5_000 + b"good",
)
"""Texts that are empty, unknown, long, or no text at all."""


def verify_saved_model(
    directory: Path, bundle: Bundle, network: Network, progress: Progress = silent
) -> dict[str, Any]:
    """Compare a SavedModel's answers with the numpy classifier's and the Keras model's.

    Args:
        directory: the SavedModel.
        bundle: the model it was made from.
        network: the same in Keras, from padded ids `(n, time)` to logits `(n, outputs)`.
        progress: shows the texts that the two answer.

    Returns:
        The signature, how many texts were answered, and the largest difference from each.

    Raises:
        ExportError: if an answer differs by more than the tolerance, or none comes.
    """
    texts = verification_texts(bundle.vocabulary)
    fresh = answers_of_fresh_process("saved_model", directory, texts)
    expected = {
        "numpy": numpy_logits(bundle, texts, progress),
        "keras": keras_logits(bundle, network, texts, progress),
    }
    return {
        "input": fresh["input"],
        "outputs": fresh["outputs"],
        "texts": len(texts),
        "tolerance": TOLERANCE,
        "largest_difference": {
            name: compare(bundle.config, fresh["answers"], logits, name, texts)
            for name, logits in expected.items()
        },
    }


def verify_token_model(
    form: str, directory: Path, bundle: Bundle, exported: Bundle, progress: Progress = silent
) -> dict[str, Any]:
    """Compare what takes token ids, with the tokeniser beside it, with the numpy classifier.

    Args:
        form: of the file, as `fresh_answers` knows it.
        directory: holds it.
        bundle: the model it was made from.
        exported: the same with the weights that the file holds; `bundle` if it holds them all.
        progress: shows the texts that are answered.

    Returns:
        The signature, how many texts were answered, and the largest difference from `exported`;
        if the file holds other weights, also what that costs: the `loss` from `bundle`.

    Raises:
        ExportError: if an answer differs from that of `exported` by more than the tolerance, or
            none comes.
    """
    texts = verification_texts(bundle.vocabulary)
    fresh = answers_of_fresh_process(form, directory, texts)
    by_numpy = numpy_logits(exported, texts, progress)
    difference = compare(exported.config, fresh["answers"], by_numpy, "numpy", texts)
    record = {
        "input": fresh["input"],
        "outputs": fresh["outputs"],
        "texts": len(texts),
        "tolerance": TOLERANCE,
        "largest_difference": {"numpy": difference},
    }
    if exported is bundle:
        return record
    return {**record, "loss": loss(bundle.config, fresh["answers"], numpy_logits(bundle, texts))}


def numpy_logits(
    bundle: Bundle, texts: Sequence[bytes], progress: Progress = silent
) -> NDArray[np.float32]:
    """Return the numpy classifier's logits `(n, outputs)`."""
    classifier = SentimentClassifier(bundle, compiled=False)
    return classifier.logits(texts, progress).reshape(len(texts), -1)


def verification_texts(vocabulary: Vocabulary, seed: int = 0) -> list[bytes]:
    """Return several hundred texts: peculiar ones, sentences of known tokens, random Unicode."""
    generator = np.random.default_rng(seed)
    sentences = _sentences(vocabulary.tokens[len(SPECIAL_TOKENS) :], generator)
    return [*PECULIAR, *sentences, *_random_unicode(generator), *_random_bytes(generator)]


def answers_of_fresh_process(form: str, directory: Path, texts: Sequence[bytes]) -> dict[str, Any]:
    """Return what `fresh_answers` writes about a model of a format that it knows.

    Raises:
        ExportError: if the process fails; its last line says why.
    """
    with TemporaryDirectory() as name:
        questions, answers = Path(name, "texts.json"), Path(name, "answers.json")
        encoded = [base64.b64encode(text).decode("ascii") for text in texts]
        questions.write_text(json.dumps(encoded), "ascii")
        script = Path(fresh_answers.__file__)
        command = [sys.executable, "-P", *map(str, (script, form, directory, questions, answers))]
        done = subprocess.run(
            command, env=_environment(), capture_output=True, text=True, errors="replace"
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
            raise ExportError(f"the exported model does not load without this package: {lines[-1]}")
        answered: dict[str, Any] = json.loads(answers.read_text("ascii"))
        return answered


def keras_logits(
    bundle: Bundle, network: Network, texts: Sequence[bytes], progress: Progress = silent
) -> NDArray[np.float32]:
    """Return the Keras model's logits `(n, outputs)` of texts encoded by the Python encoder."""
    config = bundle.config
    encode = Encoder(bundle.vocabulary, config.max_tokens, config.head_tokens)
    ids = [encode(text) for text in progress(texts, total=len(texts), label="verify")]
    parts = []
    for start in range(0, len(ids), BATCH_TEXTS):
        batch = ids[start : start + BATCH_TEXTS]
        time = max(1, *(len(i) for i in batch))
        padded = np.stack([np.pad(i, (0, time - len(i))) for i in batch])
        parts.append(np.asarray(network(padded)))
    return np.concatenate(parts)


def compare(
    config: BundleConfig,
    answers: Mapping[str, Sequence[Any]],
    logits: NDArray[np.float32],
    source: str,
    texts: Sequence[bytes],
) -> float:
    """Return the largest difference between answers and those that logits give.

    A probability may differ by the tolerance; a regression's value by as much of its own size
    or of the target scale. A label may differ where its probability is that close to deciding.

    Raises:
        ExportError: names the first text that is answered otherwise.
    """
    largest = 0.0
    predictions = Answers(config)(logits)
    for index, expected in enumerate(predictions):
        answer = {name: values[index] for name, values in answers.items()}
        difference = _difference(config, answer, expected)
        largest = max(largest, difference)
        if not difference <= TOLERANCE:
            raise ExportError(
                f"the exported model answers {_short(texts[index])} with {answer}, the {source} "
                f"model with {expected}: differs by {difference:.2g}, more than {TOLERANCE:g}"
            )
    return largest


def loss(
    config: BundleConfig, answers: Mapping[str, Sequence[Any]], logits: NDArray[np.float32]
) -> dict[str, Any]:
    """Return how far answers are from those that logits give: at most, and in how many labels."""
    largest, labels = 0.0, 0
    for index, expected in enumerate(Answers(config)(logits)):
        answer = {name: values[index] for name, values in answers.items()}
        largest = max(largest, _distance(config, answer, expected))
        labels += answer.get("label", "") != expected.label
    return {"largest_difference": largest, "other_labels": labels}


def _difference(config: BundleConfig, answer: Mapping[str, Any], expected: Prediction) -> float:
    """Return the distance of an answer; without end if its label is wrong beyond the tolerance."""
    agrees = expected.value is not None or answer["label"] == expected.label
    if not (agrees or _is_close(config, answer, expected)):
        return float("inf")
    return _distance(config, answer, expected)


def _distance(config: BundleConfig, answer: Mapping[str, Any], expected: Prediction) -> float:
    if expected.value is not None:
        size = max(1.0, config.target_scale, abs(expected.value))
        return abs(float(answer["value"]) - expected.value) / size
    difference = abs(float(answer["probability"]) - expected.probability)
    if "probabilities" in answer:
        pairs = zip(answer["probabilities"], expected.probabilities, strict=True)
        difference = max(difference, *(abs(a - e) for a, e in pairs))
    return difference


def _is_close(config: BundleConfig, answer: Mapping[str, Any], expected: Prediction) -> bool:
    """Whether both labels are right within the tolerance."""
    if config.abstain and UNSURE in (answer["label"], expected.label):
        margin = margins([expected.probabilities], config.threshold)[0]
        return bool(abs(margin - config.abstain) <= TOLERANCE)
    if config.outputs == 1:
        return abs(expected.probability - config.threshold) <= TOLERANCE
    if answer["label"] not in config.labels:
        return False
    rival = expected.probabilities[config.labels.index(answer["label"])]
    return expected.probability - rival <= TOLERANCE


def _environment() -> dict[str, str]:
    """Return an environment without accelerators, and without warnings turned into errors."""
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONWARNINGS"}
    return {**inherited, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}


def _sentences(tokens: Sequence[str], generator: np.random.Generator) -> Iterator[bytes]:
    """Yield sentences of known tokens, frequent ones more often, some longer than is read."""
    for length in generator.geometric(0.02, SENTENCES):
        places = (len(tokens) * generator.random(length) ** 3).astype(int)
        yield " ".join(tokens[i] for i in places).encode()


def _random_unicode(generator: np.random.Generator) -> Iterator[bytes]:
    for length in generator.integers(1, 60, RANDOM_TEXTS):
        highest = generator.choice([0x80, 0x250, 0x3000, 0x110000])
        points = generator.integers(0, highest, length)
        yield "".join(map(chr, points)).encode("utf-8", "surrogatepass")


def _random_bytes(generator: np.random.Generator) -> Iterator[bytes]:
    for length in generator.integers(1, 60, RANDOM_TEXTS):
        yield generator.bytes(length)


def _short(text: bytes) -> str:
    return repr(text if len(text) <= 40 else text[:40] + b"...")
