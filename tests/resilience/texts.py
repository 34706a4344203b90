"""Texts of every kind: answered with a probability, and alike by every form of the model."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from sentiment_lstm.classifier import SentimentClassifier
from tests.resilience.commands import environment
from tests.resilience.tally import Tally
from tests.resilience.workshop import Workshop

IDEA = "bad text"
TOLERANCE = 1e-5
BATCH = 25

Probabilities = Callable[[Sequence[str | bytes]], Sequence[float]]

_PIECES = (
    "<br />", "<BR>", "&amp;", "<p class='x'>", "\x00", "\u202e", "\u200f", "\u0301", "\u200d",
    "😀", "🤷🏽‍♀️", "🇫🇷", "שלום", "مرحبا", "é", "e\u0301", "n't", "!!!!", "…", "İ", "ẞ", "\ufeff",
    "映画", "ภาพ", "\u0000", "\ud800", "\U0010ffff", "good", "bad", "not", "film", " ", "\r\n",
)  # fmt: skip

unicode_texts = st.lists(st.sampled_from(_PIECES) | st.text(max_size=8), max_size=30).map("".join)
unknown_words = st.lists(st.from_regex(r"[qxz]{5,9}", fullmatch=True), max_size=20).map(" ".join)
byte_texts = st.binary(max_size=60)
texts = st.one_of(unicode_texts, unknown_words, byte_texts, st.text(max_size=200))

LONG = (
    b"", b"a" * 10_000_000, b"good bad " * 1_200_000, "\U0001f600".encode() * 2_500_000,
    b"\xff" * 10_000_000, b"<br />" * 1_700_000, b"\x00" * 10_000_000, b" " * 10_000_000,
    ("e" + "\u0301" * 5_000_000).encode(), b"!" * 10_000_000,
)  # fmt: skip


def drawn(count: int, start: int = 0) -> list[str | bytes]:
    """Return so many texts that hypothesis draws, the same ones every time."""
    kept: list[str | bytes] = []

    @seed(start)
    @settings(
        max_examples=-(-count // BATCH), database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(texts, min_size=BATCH, max_size=BATCH))
    def draw(some: list[str | bytes]) -> None:
        kept.extend(some)

    while len(kept) < count:
        draw()
        start += 1
    return kept[:count]


def single(classifier: SentimentClassifier) -> Probabilities:
    """Return a function that asks for each text alone."""
    return lambda asked: [classifier.classify([text])[0].probability for text in asked]


def together(classifier: object) -> Probabilities:
    """Return a function that asks for all texts at once."""
    return lambda asked: [answer.probability for answer in classifier.classify(asked)]  # type: ignore[attr-defined]


def compared(
    tally: Tally, asked: Sequence[str | bytes], expected: Sequence[float], form: Probabilities
) -> None:
    """Count each text: its probability is one, and that of numpy's batch."""
    try:
        found = form(asked)
    except Exception as error:
        tally.count(f"all of {len(asked)}", f"{type(error).__name__}: {error}")
        return
    for text, p, q in zip(asked, expected, found, strict=True):
        right = 0 <= q <= 1 and abs(p - q) <= TOLERANCE
        tally.count(ascii(text[:60]), "" if right else f"{q} where numpy in a batch has {p}")


def run(workshop: Workshop, *, count: int, heavy: bool) -> Iterator[Tally]:
    """Ask every form of the model about texts that hypothesis draws, and about long ones."""
    by_numpy = SentimentClassifier.load(workshop.bundle, compiled=False)
    compiled = SentimentClassifier.load(workshop.bundle, compiled=True)
    asked = drawn(count)
    expected = together(by_numpy)(asked)
    forms = {"numpy, one by one": single(by_numpy), "compiled": together(compiled)}
    for name, form in (forms | (_heavy_forms(workshop) if heavy else {})).items():
        tally = Tally(IDEA, f"{name}: as numpy in a batch")
        compared(tally, asked, expected, form)
        yield tally
    tally = Tally(IDEA, "texts of 10 MB: numpy and compiled")
    for text in LONG if heavy else LONG[:3]:
        compared(tally, [text], together(by_numpy)([text]), together(compiled))
    yield tally
    if heavy and importlib.util.find_spec("atheris"):
        yield fuzzed(workshop, count)


def _heavy_forms(workshop: Workshop) -> dict[str, Probabilities]:
    from sentiment_lstm.bundle import read_bundle
    from sentiment_lstm.export import keras_model, traced
    from sentiment_lstm.saved_model import SavedModelClassifier
    from sentiment_lstm.verification import keras_logits

    bundle = read_bundle(workshop.bundle)
    network = traced(keras_model(bundle))

    def by_keras(asked: Sequence[str | bytes]) -> list[float]:
        whole = [t if isinstance(t, bytes) else t.encode("utf-8", "surrogatepass") for t in asked]
        logits = keras_logits(bundle, network, whole)[:, 0].astype(np.float64)
        return (1 / (1 + np.exp(-logits / bundle.config.temperature))).tolist()

    saved = SavedModelClassifier.load(workshop.saved_model)
    return {"Keras": by_keras, "SavedModel": together(saved)}


def fuzzed(workshop: Workshop, count: int) -> Tally:
    """Let a fuzzer that follows coverage look for a text that breaks the tokeniser or the model."""
    tally = Tally(IDEA, "a fuzzer guided by coverage (atheris)")
    corpus = workshop.fresh("corpus")
    command = [
        sys.executable, "-P", "-m", "tests.resilience.fuzzing", str(workshop.bundle),
        f"-runs={count}", "-seed=1", "-max_len=200", f"-artifact_prefix={corpus}/", str(corpus),
    ]  # fmt: skip
    done = subprocess.run(command, env=environment(), capture_output=True, check=False)
    lines = done.stderr.decode(errors="replace").splitlines()
    runs = next((int(line.split()[1]) for line in lines if line.startswith("Done ")), 0)
    tally.tried = max(runs, 1)
    if done.returncode or not runs:
        tally.lost.append(" ".join(lines[-8:])[:400])
    return tally
