"""Sentiment analysis with an LSTM written from its equations.

    LSTM                  the layer, a drop-in for `keras.layers.LSTM`
    SentimentClassifier   classifies texts from a bundle, without TensorFlow
    Prediction            what it answers
    train                 texts and labels in, a bundle out
    Explainer             tells why it answers so: shares of words, gates, running verdict
    SentimentError        base of every error that an input, a file or a setting can cause

Each name is imported when it is first asked for: classifying needs no TensorFlow, so
`import sentiment_lstm` must not load it. For the same reason a `.keras` file that holds the layer
needs `from sentiment_lstm import LSTM` before it is loaded.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentiment_lstm.api import train
    from sentiment_lstm.classifier import Prediction, SentimentClassifier
    from sentiment_lstm.errors import SentimentError
    from sentiment_lstm.explain import Explainer
    from sentiment_lstm.lstm import LSTM

__version__ = "0.1.0"

__all__ = ["LSTM", "Explainer", "Prediction", "SentimentClassifier", "SentimentError", "train"]

_HOMES = {
    "LSTM": "lstm",
    "Explainer": "explain",
    "Prediction": "classifier",
    "SentimentClassifier": "classifier",
    "SentimentError": "errors",
    "train": "api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
