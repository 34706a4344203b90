"""Exports read by their own runtimes: `python -m tests.benchmarks.formats [MODEL]`.

Each format in a process of its own, on one thread: reviews of IMDB's train split from text to
answer, 32 alike in length at once, in a second of the processor's time; the median of some
readings of all of them. Tokenising is part of it (`tokeniser.py` beside the file; in the graph of a
SavedModel).
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import process_time

import click

from sentiment_lstm import fresh_answers
from tests.benchmarks.children import CLI, ROOT
from tests.benchmarks.reviews import texts

BATCH = 32
# What the command line calls it, further options, where it stands below the output, its reader.
FORMATS = {
    "SavedModel": (("savedmodel",), "1", "saved_model"),
    "ONNX": (("onnx",), "onnx/1", "onnx"),
    "ONNX, int8": (("onnx", "--weights", "int8"), "onnx/1", "onnx"),
    "LiteRT": (("litert",), "litert/1", "litert"),
    "Keras": (("keras",), "keras/1", "keras"),
}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
READ = "from tests.benchmarks.formats import reading; reading()"


@click.command()
@click.argument("model", default="imdb-tiny")
@click.option("--source", type=click.Choice(["imdb", "demo"]), default="imdb", show_default=True)
@click.option("--reviews", default=256, show_default=True, help="Texts that are read.")
@click.option("--rounds", default=3, show_default=True, help="Readings of all of them.")
def main(model: str, source: str, reviews: int, rounds: int) -> None:
    """Print how many reviews a second each exported format of a MODEL reads on one core."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        chosen = [base64.b64encode(t.encode()).decode() for t in texts(source, "train", reviews)]
        (place / "texts.json").write_text(json.dumps(chosen))
        click.echo("| format | reviews/s |\n| --- | --- |")
        for label, (options, below, reader) in FORMATS.items():
            output = place / label
            export = [*CLI, "export", "--model", model, "--output", output, "--format", *options]
            subprocess.run(export, check=True, cwd=ROOT, capture_output=True)
            command = [sys.executable, "-c", READ, reader, output / below, place, str(rounds)]
            run = subprocess.run(
                command, check=True, cwd=ROOT, capture_output=True, env=os.environ | ONE_THREAD
            )
            click.echo(f"| {label} | {float(run.stdout.splitlines()[-1]):,.0f} |")


def reading() -> None:
    """Be the process that reads one format: reader, directory, place of the texts, rounds."""
    if hasattr(os, "sched_setaffinity"):  # runtimes that count cores by it start no more threads
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    reader, directory, place, rounds = sys.argv[1:]
    stored = json.loads((Path(place) / "texts.json").read_text())
    batches = list(_alike([base64.b64decode(text) for text in stored]))
    _, serve = fresh_answers.FORMS[reader](Path(directory))
    for batch in batches:  # what is compiled for a shape at its first call is not counted
        serve(batch)
    taken = []
    for _ in range(int(rounds)):
        started = process_time()
        for batch in batches:
            serve(batch)
        taken.append(process_time() - started)
    click.echo(len(stored) / median(taken))


def _alike(strings: list[bytes]) -> Iterator[list[bytes]]:
    """Yield batches of texts that are alike in length."""
    ordered = sorted(strings, key=len)
    yield from (ordered[n : n + BATCH] for n in range(0, len(ordered), BATCH))


if __name__ == "__main__":
    main()
