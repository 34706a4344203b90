"""The most memory that each stage comes to hold, as a process of its own."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sentiment_lstm.bounded_lines import LONGEST
from tests.benchmarks.children import CLI, Ended, run_child
from tests.benchmarks.machine import Gemm
from tests.benchmarks.models import random_bundle
from tests.benchmarks.options import Options
from tests.benchmarks.reviews import SPLITS, repeated, vocabulary, write_table
from tests.benchmarks.table import Row

TRAINED, CLASSIFIED, LONG = (
    2_000,
    10_000,
    12,
)  # what training and classifying hold does not hang on texts
NOTE = "of the largest process"
COUNT = """
import json, sys
from sklearn.feature_extraction.text import CountVectorizer
with open(sys.argv[1], encoding="utf-8") as lines:
    CountVectorizer().fit_transform(json.loads(line)["text"] for line in lines)
"""


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield a row for preprocess and train, and two for classify."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        yield _preprocess(options, directory)
        yield _train(options, directory)
        bundle, _ = random_bundle(directory, options.units[0], vocabulary(options.source))
        yield _classify(options, directory, bundle)
        yield _classify_longest(options, directory, bundle)


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


def _classify(options: Options, directory: Path, bundle: Path) -> Row:
    texts = min(CLASSIFIED, options.texts or CLASSIFIED)
    table = directory / "classified.jsonl"
    write_table(table, repeated(options.source, texts))
    return _classified(f"{texts:,} texts", table, bundle)


def _classify_longest(options: Options, directory: Path, bundle: Path) -> Row:
    """Return the row of texts that no reader of rows lets be longer, of three-byte characters."""
    texts = min(LONG, options.texts or LONG)
    table = directory / "longest.txt"
    table.write_bytes(texts * (("\u2026" * (LONGEST // 3 - 1)).encode() + b"\n"))
    return _classified(f"{texts} texts of {LONGEST / 2**20:g} MiB", table, bundle)


def _classified(what: str, table: Path, bundle: Path) -> Row:
    ours = run_child([*CLI, "classify", "--model", bundle, "--input", table])
    others = {"import tensorflow": _importing().megabytes}
    return Row("memory", f"classify {what}", "MB", ours.megabytes, {}, others, NOTE)


def _importing() -> Ended:
    return run_child([sys.executable, "-c", "import tensorflow"])
