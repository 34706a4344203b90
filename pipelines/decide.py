"""The decide command: a threshold and a margin, chosen on labelled texts, written into a model."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.amending import amending, settle
from pipelines.config import load_section
from pipelines.labelled import labelled_file
from pipelines.lock import locked
from pipelines.rundir import RunDirectory, RunError
from pipelines.stamp import digests, input_changes, output_changes, read_stamp
from sentiment_lstm.batching import PARTS, TokenArrays, part_path
from sentiment_lstm.bundle import (
    CONFIG,
    RUN_BUNDLE,
    check_target,
    is_shipped,
    resolve_model,
)
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.deciding import FIGURES, Decision, Wish, decide, write_decision
from sentiment_lstm.errors import DataError, SettingsError
from sentiment_lstm.progress import Progress
from sentiment_lstm.strict_json import canonical_json
from sentiment_lstm.text import Encoder

TITLES = {"accuracy": "accuracy", "f1": "F1", "precision": "precision", "recall": "recall"}


@dataclass(frozen=True)
class Decided:
    """What was decided, on which texts, and where the model stands that decides so."""

    decision: Decision
    chosen_on: str
    bundle: Path


def decide_model(
    model: str,
    wish: Wish,
    *,
    labelled: Path | None,
    columns: Mapping[str, str | None],
    output: Path | None,
    progress: Progress,
) -> Decided:
    """Choose how a model decides and write the model that decides so.

    Of a run directory the validation split is read and its model changed in place, all of it or
    nothing; the run's record of its training goes with it, so that what was made from the model is
    out of date and the model is not. The test split is never read.

    Args:
        model: as `sentiment_lstm.bundle.resolve_model` takes it.
        wish: what is wanted.
        labelled: a file of labelled texts to choose on; by default the run's validation split.
        columns: names of the columns `text` and `label` in it; None takes those of the model's
            own data.
        output: where the model goes; by default back into its run directory.
        progress: shows how far it is.

    Raises:
        BundleError: if there is no such model, or `output` is no place for one.
        DataError: if there are no labelled texts.
        RunError: if another command works on the run, or its model is not that of its texts.
        SettingsError: for a model that ships or that no run has made, without an `output`; for
            what `sentiment_lstm.deciding.decide` cannot do.
    """
    bundle = resolve_model(model)
    run = RunDirectory(Path(model)) if bundle == Path(model) / RUN_BUNDLE else None
    target = _target(model, bundle, run, output)
    with _held(run if output is None else None):
        classifier = SentimentClassifier.load(bundle)
        if labelled is not None:
            arrays, chosen_on = _of_file(classifier, labelled, columns, progress), labelled.name
        else:
            arrays, chosen_on = _validation(model, run), "validation"
        decision = decide(
            classifier.config, _logits(classifier, arrays, progress), arrays.targets, wish
        )
        with _recorded(run if output is None else None, decision.config):
            write_decision(bundle, target, decision, chosen_on)
    return Decided(decision, chosen_on, target)


def _target(model: str, bundle: Path, run: RunDirectory | None, output: Path | None) -> Path:
    """Return where the model goes; what cannot be written is refused before any work."""
    if output is None and run is None:
        what = "ships with the package" if is_shipped(bundle) else "is no run directory"
        raise SettingsError(f"{model} {what} and stays as it is: give --output DIR")
    target = bundle if output is None else output
    check_target(target)
    if is_shipped(target):
        raise SettingsError(f"{target} ships with the package and stays as it is: name another")
    return target


@contextmanager
def _held(run: RunDirectory | None) -> Iterator[None]:
    """Have the run directory to ourselves, if one is changed."""
    if run is None:
        yield
        return
    with locked(run.lock, "MODEL"):
        settle(run)
        yield


def _recorded(run: RunDirectory | None, config: BundleConfig) -> AbstractContextManager[None]:
    if run is None:
        return nullcontext()
    return amending(run, run.bundle / CONFIG, canonical_json(config.to_json()))


def _of_file(
    classifier: SentimentClassifier,
    path: Path,
    columns: Mapping[str, str | None],
    progress: Progress,
) -> TokenArrays:
    config = classifier.config
    told = {key: config.data[key] for key in columns if key in config.data}
    told |= {key: name for key, name in columns.items() if name is not None}
    data = load_section("data", {"source": "files", "train": str(path), **told}, [])
    found = labelled_file(path, data, config)
    encode = Encoder(classifier.vocabulary, config.max_tokens, config.head_tokens)
    encoded = [encode(t) for t in progress(found.texts, total=len(found.texts), label="encode")]
    return TokenArrays.of(encoded, found.targets)


def _validation(model: str, run: RunDirectory | None) -> TokenArrays:
    """Return the validation split that the run's model was trained beside.

    Raises:
        DataError: if the model came without one.
        RunError: if the model was trained beside another one, or is not as training left it.
    """
    if run is None:
        raise DataError(f"{model} is no run directory, which has a validation split: give --input")
    parts = [part_path(run.preprocess, "validation", part) for part in PARTS]
    again = f"run `sentiment-lstm train {run.recipe} --run-dir {run.path}` first"
    recorded = read_stamp(run.stamp("train"))
    if recorded is None:
        raise RunError(f"{run.path} holds no finished train: {again}, or give --input")
    read = digests(run.path, [run.vocabulary, *parts])
    made = digests(run.path, map(run.path.joinpath, recorded.outputs))
    trained_beside = {name: recorded.inputs.get(name, "") for name in read}
    found = chain(input_changes(trained_beside, read), output_changes(recorded.outputs, made))
    if change := next(found, None):
        raise RunError(f"{run.path}/{change} since its model was trained: {again}")
    return TokenArrays.load(run.preprocess, "validation")


def _logits(classifier: SentimentClassifier, arrays: TokenArrays, progress: Progress) -> Any:
    ids = (arrays[i] for i in range(len(arrays)))
    shown = progress(ids, total=len(arrays), label="decide")
    return np.asarray(classifier.logits_of_ids(shown), np.float64)


def decision_lines(decided: Decided) -> Iterator[str]:
    """Yield the lines that tell what was decided."""
    decision, band = decided.decision, decided.decision.band
    yield f"chosen on   {decided.chosen_on}: {band.texts:,} texts"
    if decision.cut:
        aim = f" for {decision.aim}" if decision.aim else ", as it was"
        yield f"threshold   {decision.cut.threshold:.4f}{aim}"
        yield from _table(decision)
    yield f"abstain     {_told(decision)}"
    yield f"model       {decided.bundle}"


def _table(decision: Decision) -> Iterator[str]:
    """Yield the figures and counts at the threshold and at 0.5; positive is the second label."""
    cuts = [cut for cut in (decision.cut, decision.half) if cut]
    yield "".join([" " * 16, *(f"at {cut.threshold:.4f}".rjust(12) for cut in cuts)])
    for name in FIGURES:
        yield "".join([TITLES[name].ljust(16), *(f"{cut.figure(name):12.4f}" for cut in cuts)])
    for name in vars(cuts[0].counts):
        cells = (f"{getattr(cut.counts, name):12,}" for cut in cuts)
        yield "".join([name.replace("_", " ").ljust(16), *cells])


def _told(decision: Decision) -> str:
    band = decision.band
    if not band.abstain:
        return f"0: every text is decided, {band.accuracy:.4f} of them rightly"
    if not band.decided:
        return f"{band.abstain:.4f}: none of the {band.texts:,} texts is decided"
    undecided = band.texts - band.decided
    return (
        f"{band.abstain:.4f}: {band.decided:,} texts are decided, {band.accuracy:.4f} of them "
        f"rightly; {undecided:,} ({undecided / band.texts:.2%}) stay unsure"
    )
