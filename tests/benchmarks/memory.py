"""The most memory that each stage comes to hold, as a process of its own."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import CLI, Ended, run_child
from tests.benchmarks.machine import Gemm
from tests.benchmarks.models import random_bundle
from tests.benchmarks.options import Options
from tests.benchmarks.reviews import SPLITS, repeated, vocabulary, write_table
from tests.benchmarks.table import Row

TRAINED, CLASSIFIED = 2_000, 10_000  # what training and classifying hold does not hang on texts
NOTE = "of the largest process"
COUNT = """
import json, sys
from sklearn.feature_extraction.text import CountVectorizer
with open(sys.argv[1], encoding="utf-8") as lines:
    CountVectorizer().fit_transform(json.loads(line)["text"] for line in lines)
"""


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield a row for preprocess, train and classify."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        yield _preprocess(options, directory)
        yield _train(options, directory)
        yield _classify(options, directory)


def recipe(options: Options, directory: Path, texts: int) -> list[str | Path]:
    """Write so many reviews to disk; return what makes a run of them, after a stage's name."""
    table = directory / f"{texts}.jsonl"
    write_table(table, repeated(options.source, texts))
    settings = [
        "data.source=files",
        f"data.train={table}",
        "train.epochs=1",
        f"model.units={options.units[0]}",
        f"model.embedding={options.units[0]}",
    ]
    sets = [argument for setting in settings for argument in ("--set", setting)]
    return ["imdb-scratch", *sets, "--run-dir", directory / f"run-{texts}"]


def _preprocess(options: Options, directory: Path) -> Row:
    texts = options.texts or len(SPLITS) * 33_334
    ours = run_child([*CLI, "preprocess", *recipe(options, directory, texts)])
    peer = run_child([sys.executable, "-c", COUNT, directory / f"{texts}.jsonl"])
    peers = {"CountVectorizer": peer.megabytes}
    return Row("memory", f"preprocess {texts:,} texts", "MB", ours.megabytes, peers, note=NOTE)


def _train(options: Options, directory: Path) -> Row:
    texts = min(TRAINED, options.texts or TRAINED)
    arguments = recipe(options, directory, texts)
    run_child([*CLI, "preprocess", *arguments])
    ours = run_child([*CLI, "train", *arguments])
    others = {"import tensorflow": _importing().megabytes}
    return Row("memory", f"train on {texts:,} texts", "MB", ours.megabytes, {}, others, NOTE)


def _classify(options: Options, directory: Path) -> Row:
    texts = min(CLASSIFIED, options.texts or CLASSIFIED)
    table, units = directory / "classified.jsonl", options.units[0]
    write_table(table, repeated(options.source, texts))
    bundle, _ = random_bundle(directory, units, vocabulary(options.source))
    ours = run_child([*CLI, "classify", "--model", bundle, "--input", table])
    others = {"import tensorflow": _importing().megabytes}
    return Row("memory", f"classify {texts:,} texts", "MB", ours.megabytes, {}, others, NOTE)


def _importing() -> Ended:
    return run_child([sys.executable, "-c", "import tensorflow"])
