"""The model that serves: a bundle with what answers from it."""

import os
from dataclasses import dataclass
from pathlib import Path

from sentiment_lstm.bundle import RUN_BUNDLE, SHIPPED, read_bundle
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.explain import Explainer


@dataclass(frozen=True)
class ServedModel:
    """A model in memory.

    Attributes:
        version: counts from 1, one more with each replacement.
        classifier: answers.
        explainer: takes answers apart.
    """

    version: int
    classifier: SentimentClassifier
    explainer: Explainer

    @property
    def config(self) -> BundleConfig:
        """Labels, temperature, sizes."""
        return self.classifier.config


def load_model(directory: Path, version: int, *, compiled: bool) -> ServedModel:
    """Read a bundle and have it answer a first text, which sets up what is set up once.

    Args:
        directory: of the bundle.
        version: that it gets.
        compiled: run the network compiled, else by numpy alone.

    Raises:
        BundleError: if it is missing or not sound.
    """
    bundle = read_bundle(directory)
    model = ServedModel(version, SentimentClassifier(bundle, compiled=compiled), Explainer(bundle))
    model.classifier.classify(["A first text."])
    return model


def model_name(directory: Path) -> str:
    """Return the name that a bundle is served by: its directory's, or that of its run."""
    place = Path(os.path.abspath(directory))  # noqa: PTH100 - a link keeps its name
    if place.name == RUN_BUNDLE and place.parent != SHIPPED and place.parent.name:
        return place.parent.name
    return place.name
