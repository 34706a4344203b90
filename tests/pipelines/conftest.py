"""What the tests of the application share: tiny models, and the command line."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import pipelines
from pipelines.cli import cli
from sentiment_lstm.bundle import BundleConfig, write_bundle
from sentiment_lstm.text import SPECIAL_TOKENS, Vocabulary

WORDS = ("the", "film", "was", "good", "bad", "not", "very", "!", ".", ",", "é")
SMALL = {
    "labels": ("negative", "positive"),
    "max_tokens": 12,
    "head_tokens": 4,
    "embedding": 5,
    "units": 3,
    "pooling": ("max", "mean"),
    "data": {"source": "demo", "size": 20},
}


def write_tiny_bundle(directory, seed=0, vocabulary=None, **changes):
    """Write a bundle of random weights."""
    config = BundleConfig(**(SMALL | changes))
    vocabulary = vocabulary or Vocabulary([*SPECIAL_TOKENS, *WORDS])
    random = np.random.default_rng(seed)
    weights = {
        name: random.normal(scale=1.5, size=shape).astype(np.float32)
        for name, shape in config.weight_shapes(len(vocabulary)).items()
    }
    write_bundle(directory, config, weights, vocabulary, "# A tiny model\n")
    return directory


@pytest.fixture
def make_bundle(tmp_path):
    """Return a function that writes a bundle of random weights and returns its directory."""
    return lambda name="model", *arguments, **changes: write_tiny_bundle(
        tmp_path / name, *arguments, **changes
    )


@pytest.fixture(scope="session")
def make_shared_bundle(tmp_path_factory):
    """Return a function that does so for several tests."""
    return lambda name="model", **changes: write_tiny_bundle(
        tmp_path_factory.mktemp("bundles") / name, **changes
    )


@pytest.fixture
def invoke(monkeypatch):
    """Return a function that runs the command line in this process."""
    for name in ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # put back what a command sets
        monkeypatch.delenv(name)

    def run(*arguments, **options):
        result = CliRunner().invoke(cli, [str(a) for a in arguments], **options)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def command():
    """Return a function that runs the command line as a process of its own."""

    def run(*arguments, code="from pipelines.cli import main; main()", **options):
        root = str(Path(pipelines.__file__).parents[1])
        return subprocess.run(
            [sys.executable, "-c", code, *(str(a) for a in arguments)],
            env=os.environ | {"PYTHONPATH": root} | options.pop("env", {}),
            capture_output=True,
            check=False,
            **options,
        )

    return run
