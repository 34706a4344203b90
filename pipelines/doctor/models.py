"""Models and run directories: whether every byte is as it was written."""

from collections.abc import Callable, Iterator
from pathlib import Path

from pipelines.doctor.finding import AGAIN, Finding, problem
from pipelines.rundir import RunDirectory
from pipelines.stages import STAGES
from pipelines.stamp import digests, output_changes, read_stamp
from sentiment_lstm import bundle, language_models
from sentiment_lstm.errors import BundleError
from sentiment_lstm.manifest import check_tree
from sentiment_lstm.saved_model import SEAL, find_saved_model


def shipped_models() -> Iterator[Finding]:
    """Tell of the models that ship, those that lost their manifest among them."""
    kinds: list[tuple[Path, Callable[[Path], object]]] = [
        (bundle.SHIPPED, bundle.read_bundle),
        (language_models.SHIPPED, language_models.read_language_model),
    ]
    whole = []
    for place, read in kinds:
        for directory in sorted(place.iterdir()) if place.is_dir() else ():
            try:
                read(directory)
            except BundleError as error:
                yield problem("models", f"{error}; of one that ships: {AGAIN}")
            else:
                whole.append(f"{place.name}/{directory.name}")
    if whole:
        yield Finding("models", f"whole: {', '.join(whole)}")


def given_model(name: str) -> Iterator[Finding]:
    """Tell of a bundle, a SavedModel, or a run directory and each of its stages."""
    try:
        yield Finding("model", f"{_checked(name)} is whole")
    except BundleError as error:
        yield problem("model", str(error))
    yield from _stages(RunDirectory(Path(name)))


def _checked(name: str) -> Path:
    """Return the directory that a name means, after all of it is found as it was written."""
    try:
        found = bundle.resolve_model(name)
    except BundleError:
        saved = find_saved_model(Path(name))
        if saved is None:
            raise
        check_tree(saved, SEAL)
        return saved
    bundle.read_bundle(found)
    return found


def _stages(run: RunDirectory) -> Iterator[Finding]:
    again = f"`sentiment-lstm run {run.recipe} --run-dir {run.path}` makes it anew"
    for stage in STAGES:
        stamp = run.stamp(stage.name)
        if not stamp.is_file():
            continue
        recorded = read_stamp(stamp)
        if recorded is None:
            yield problem(stage.name, f"{stamp} was altered: {again}")
            continue
        kept = digests(run.path, (run.path / path for path in recorded.outputs))
        harmed = next(output_changes(recorded.outputs, kept), None)
        count = len(recorded.outputs)
        yield (
            problem(stage.name, f"{run.path}/{harmed}: {again}")
            if harmed
            else Finding(stage.name, f"{count} files of {run.path} are as they were left")
        )
