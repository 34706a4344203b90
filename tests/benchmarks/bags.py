"""The honest other end: models that count words, and read them in no order."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sentiment_lstm.baseline import fit_baseline

Classify = Callable[[Sequence[str]], Any]


def bags(texts: Sequence[str], targets: Sequence[int]) -> dict[str, Classify]:
    """Return classifiers fitted to some texts, by name: TF-IDF, and fastText where installed."""
    tfidf = fit_baseline(texts, targets, "classification", classes=2)
    return {"TF-IDF + LR": tfidf.probabilities, **_fasttext(texts, targets)}


def _fasttext(texts: Sequence[str], targets: Sequence[int]) -> dict[str, Classify]:
    try:
        import fasttext
    except ImportError:
        return {}
    with tempfile.TemporaryDirectory() as directory:
        table = Path(directory) / "train.txt"
        lines = (f"__label__{t} {_line(text)}\n" for text, t in zip(texts, targets, strict=True))
        table.write_text("".join(lines), "utf-8")
        model = fasttext.train_supervised(str(table), epoch=1, thread=2, verbose=0)
    # A list: for a single text its Python side needs numpy 1.
    return {"fastText": lambda texts: model.predict([_line(text) for text in texts], k=2)}


def _line(text: str) -> str:
    return " ".join(text.split())
