"""From nothing to a verdict: the command line's cold start beside importing TensorFlow."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import CLI, run_child
from tests.benchmarks.machine import Gemm
from tests.benchmarks.models import random_bundle
from tests.benchmarks.options import Options
from tests.benchmarks.reviews import vocabulary
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians, round_robin

TEXT = "I have to say that the ending was lovely."


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield one row."""
    with tempfile.TemporaryDirectory() as directory:
        words = vocabulary(options.source)
        bundle, _ = random_bundle(Path(directory), options.units[0], words)
        commands = {
            "ours": [*CLI, "classify", "--model", bundle, TEXT],
            "import tensorflow": [sys.executable, "-c", "import tensorflow"],
            "python alone": [sys.executable, "-c", "pass"],
        }
        runs = {name: lambda c=command: run_child(c) for name, command in commands.items()}
        found = medians(round_robin(runs, rounds=options.rounds, between=gemm))
    ours, alone = found.pop("ours"), found.pop("python alone")
    note = f"whole processes, files in the page cache; python alone takes {alone:.3f} s"
    yield Row("start", f"classify, {options.units[0]} units", "s", ours, found, note=note)
