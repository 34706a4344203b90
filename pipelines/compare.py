"""The compare command: measures an LSTM against a plain RNN, judges, and writes one report.

Each measurement is kept as soon as it is made, so that a comparison that was stopped goes on, and
one that asks for more makes only what is new.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.kept import Kept
from pipelines.lock import locked
from pipelines.measuring import Measurers, Task
from pipelines.rundir import RunDirectory, RunError
from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.progress import Progress
from sentiment_lstm.sources import imdb_root, is_prepared_imdb

if TYPE_CHECKING:
    from sentiment_lstm.lesson_plan import Measurement, Plan, Scale
    from sentiment_lstm.lesson_verdicts import Verdict

RESULTS, REPORT, KEPT, LOG = "results.json", "report.html", "measurements.json", "log.txt"
CORPORA = ("imdb", "demo")
RECIPES = {"imdb": "imdb-scratch", "demo": "quickstart"}
# Validation is what accuracy is measured on: more of it than a recipe has, and shorter texts.
OVERRIDES = ("data.validation_fraction=0.2", "text.max_tokens=400", "text.head_tokens=200")
HOW_TO_GET_IMDB = (
    "the IMDB reviews are not prepared in {root}: sentiment-lstm preprocess imdb-scratch "
    "downloads them, then run this again; or give --corpus demo"
)
# What measurements come from; when one of them changes, those that were kept are made anew.
MEASURING = (
    "batching",
    "bias_gradient",
    "bptt",
    "bptt_back",
    "bptt_kernels",
    "bptt_ops",
    "bptt_words",
    "compared_nets",
    "endless_training",
    "gradient_flow",
    "length_accuracy",
    "losses",
    "lstm",
    "memory_tasks",
    "metrics",
    "model",
    "precision",
    "step_cost",
    "steps",
    "tiles",
    "training",
    "trials",
    "truncated_lstm",
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """What is compared, and where it goes.

    Attributes:
        sections: names in `lesson_plan.SECTIONS`, in the order of the report.
        scale: how much is measured.
        output: the directory of the report.
        run: a run directory whose token arrays are read in place of the corpus.
    """

    sections: Sequence[str]
    scale: "Scale"
    output: Path
    run: Path | None = None


def compare_networks(comparison: Comparison, progress: Progress) -> list["Verdict"]:
    """Measure what is not kept yet, write results.json, the figures and report.html.

    Returns:
        The verdict of each section.

    Raises:
        RunError: if another command works on the directory, a measurement failed, or `run` holds
            no token arrays of two labels.
    """
    from sentiment_lstm.lesson_plan import plan
    from sentiment_lstm.lesson_verdicts import judge

    comparison.output.mkdir(parents=True, exist_ok=True)
    with locked(comparison.output / ".lock", "--output"):
        plans = {section: plan(section, comparison.scale) for section in comparison.sections}
        arrays, why_not = _arrays(comparison, plans, progress)
        if why_not:
            plans["accuracy"] = {}
            log.warning("accuracy is left out: %s", why_not)
        measured = _measure(comparison.output, plans, arrays, progress)
        verdicts = [judge(section, measured[section], why_not) for section in plans]
        _write(comparison, verdicts, measured)
    return verdicts


def verdict_lines(verdicts: Sequence["Verdict"], output: Path) -> Iterator[str]:
    """Yield the verdicts as lines of text, columns aligned, and where the report is."""
    for verdict in verdicts:
        yield f"{verdict.section:<10}  {verdict.word:<13}  {verdict.number}"
    yield f"report      {output / REPORT}"


def _arrays(
    comparison: Comparison, plans: Mapping[str, "Plan"], progress: Progress
) -> tuple[Path | None, str]:
    """Return the run whose token arrays are read, or why there is none."""
    if not plans.get("accuracy"):
        return None, ""
    if comparison.run is not None:
        _check_run(comparison.run)
        return comparison.run, ""
    corpus, root = comparison.scale.corpus, imdb_root("")
    if corpus == "imdb" and not is_prepared_imdb(root):
        return None, HOW_TO_GET_IMDB.format(root=root)
    return _preprocessed(comparison.output / corpus, corpus, progress), ""


def _check_run(path: Path) -> None:
    none = f"{path} holds no token arrays: run sentiment-lstm preprocess first"
    try:
        labels = json.loads(RunDirectory(path).summary.read_text("utf-8"))["labels"]
    except (OSError, ValueError, LookupError, TypeError):
        raise RunError(none) from None
    if len(labels) != 2:
        raise RunError(f"{path} has {len(labels)} labels: compare reads texts of two")
    if not all(file.is_file() for file in _read_of(path)):
        raise RunError(none)


def _preprocessed(directory: Path, corpus: str, progress: Progress) -> Path:
    """Bring the token arrays of a corpus up to date in a run directory of their own."""
    from pipelines.config import load_recipe
    from pipelines.logs import native_messages_held_back
    from pipelines.run import run_stages

    recipe = load_recipe(RECIPES[corpus], OVERRIDES)
    with native_messages_held_back():  # reading IMDB imports TensorFlow
        run_stages(recipe, RunDirectory(directory), only="preprocess", progress=progress)
    return directory


def _measure(
    output: Path, plans: Mapping[str, "Plan"], arrays: Path | None, progress: Progress
) -> dict[str, dict[Any, Any]]:
    """Return the figures of every measurement, by section and name."""
    kept = Kept(output / KEPT, _measuring_digest())
    wanted = [m for plan in plans.values() for m in plan.values()]
    texts = "" if arrays is None else _texts_digest(arrays)
    keys = {id(m): _key(m, texts) for m in wanted}
    missing = {
        json.dumps(keys[id(m)], sort_keys=True): m for m in wanted if not kept.get(keys[id(m)])
    }
    # What takes long goes first; what is timed has the machine to itself.
    queue = sorted(missing.values(), key=_expense, reverse=True)
    timed = [m for m in queue if m.kind == "cost"]
    rest = [m for m in queue if m.kind != "cost"]
    with Measurers(output / LOG) as measurers:
        done = (pair for part in (timed, rest) for pair in _figures(measurers, part, arrays))
        for m, figures in progress(done, total=len(queue), label="compare"):
            kept.put(keys[id(m)], figures)
    return {
        section: {name: kept.get(keys[id(m)]) for name, m in plan.items()}
        for section, plan in plans.items()
    }


def _figures(
    measurers: Measurers, measurements: Sequence["Measurement"], arrays: Path | None
) -> Iterator[tuple["Measurement", Any]]:
    directory = "" if arrays is None else str(arrays.resolve())
    tasks = [Task(m.kind, m.settings, directory) for m in measurements]
    for number, figures in measurers.results(tasks):
        yield measurements[number], figures


def _key(measurement: "Measurement", texts: str) -> dict[str, Any]:
    """Return what a measurement is kept by: the texts that it reads belong to it."""
    return asdict(measurement) | ({"texts": texts} if measurement.kind == "reading" else {})


def _read_of(path: Path) -> list[Path]:
    """Return the files of a run that a reading opens."""
    run = RunDirectory(path)
    arrays = [
        run.preprocess / f"{split}.{part}.npy"
        for split in ("train", "validation")
        for part in ("tokens", "offsets", "targets")
    ]
    return [run.vocabulary, *arrays]


def _texts_digest(path: Path) -> str:
    digest = hashlib.sha256()
    for file in _read_of(path):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _expense(measurement: "Measurement") -> float:
    """Return what a measurement takes beside others, roughly."""
    settings = measurement.settings
    if measurement.kind != "trial":
        return float("inf")
    return float(settings["lag"] * settings["steps"] * settings["seeds"])


def _measuring_digest() -> str:
    import sentiment_lstm

    package = Path(sentiment_lstm.__file__).parent
    sources = b"".join((package / f"{name}.py").read_bytes() for name in MEASURING)
    versions = " ".join(f"{name} {version(name)}" for name in ("tensorflow", "keras", "numpy"))
    return hashlib.sha256(sources + versions.encode()).hexdigest()


def _write(
    comparison: Comparison, verdicts: Sequence["Verdict"], measured: Mapping[str, dict[Any, Any]]
) -> None:
    """Write the results, the figures and the page, each whole or not at all."""
    from sentiment_lstm.lesson_page import lesson_page
    from sentiment_lstm.lesson_plots import lesson_plot
    from sentiment_lstm.plots import save_plots
    from sentiment_lstm.report import Picture

    output, facts = comparison.output, _facts(comparison)
    plots = {section: lesson_plot(section, of) for section, of in measured.items() if of}
    save_plots(output, list(plots.values()))
    pictures = {
        section: Picture.load(output / plot.file, plot.description)
        for section, plot in plots.items()
    }
    results = {
        "facts": facts,
        "verdicts": [asdict(v) | {"word": v.word} for v in verdicts],
        "measured": {
            section: [{"name": list(name), "figures": of} for name, of in parts.items()]
            for section, parts in measured.items()
        },
    }
    _write_text(output / RESULTS, json.dumps(results, indent=1, allow_nan=False) + "\n")
    _write_text(output / REPORT, lesson_page(verdicts, pictures, facts) + "\n")


def _write_text(path: Path, content: str) -> None:
    with replaced_file(path) as temporary:
        temporary.write_text(content, "utf-8")


def _facts(comparison: Comparison) -> dict[str, str]:
    """Return how each section was measured, as the report tells it."""
    from sentiment_lstm.lesson_conditions import conditions

    scale = comparison.scale
    facts = {section: conditions(section, scale) for section in comparison.sections}
    if "accuracy" in facts:
        texts = str(comparison.run) if comparison.run else _CORPUS_NAMES[scale.corpus]
        facts["accuracy"] = f"{texts}; {facts['accuracy']}"
    return facts


_CORPUS_NAMES = {
    "imdb": "IMDB reviews (Maas et al. 2011), of a long one the first and the last 200 tokens",
    "demo": "the generated demo corpus, not IMDB",
}
