"""How preprocessing and classifying grow from 10⁴ to 10⁶ texts: time a text, and memory."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.benchmarks.children import CLI, run_child
from tests.benchmarks.machine import Gemm
from tests.benchmarks.memory import recipe
from tests.benchmarks.models import random_bundle
from tests.benchmarks.options import Options
from tests.benchmarks.reviews import repeated, vocabulary, write_table
from tests.benchmarks.table import Row

SIZES = (10**4, 10**5, 10**6)
Command = Callable[[int], Sequence[str | Path]]


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield a row for each number of texts, first of preprocess, then of classify."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        yield from _grown("preprocess", lambda n: _preprocess(options, directory, n), options)
        yield from _grown("classify", lambda n: _classify(options, directory, n), options)


def _grown(what: str, command: Command, options: Options) -> Iterator[Row]:
    first = 0.0
    for texts in sorted({n for n in SIZES if n <= options.cap} | {options.cap}):
        ended = run_child([*CLI, *command(texts)])
        each = ended.seconds / texts
        first = first or each
        note = (
            f"{ended.seconds:.1f} s, ×{each / first:.2f} a text; {ended.megabytes:.0f} MB at most"
        )
        yield Row("growth", f"{what} {texts:,} texts", "texts/s", 1 / each, note=note)


def _preprocess(options: Options, directory: Path, texts: int) -> list[str | Path]:
    return ["preprocess", *recipe(options, directory, texts)]


def _classify(options: Options, directory: Path, texts: int) -> list[str | Path]:
    table = directory / f"{texts}.jsonl"
    if not table.exists():
        write_table(table, repeated(options.source, texts))
    bundle, _ = random_bundle(directory, options.units[0], vocabulary(options.source))
    return ["classify", "--model", bundle, "--input", table, "--output", directory / "answers"]
