"""A run made once more from its own recipe, and its files held against what it recorded."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from pipelines.config import Recipe, TrackSettings, load_recipe
from pipelines.run import run_stages
from pipelines.rundir import RunDirectory, RunError
from pipelines.stages import DERIVED, STAGES, Stage, stage_named
from pipelines.stamp import (
    Stamp,
    digests,
    input_changes,
    output_changes,
    read_stamp,
    settings_changes,
    text_digest,
)
from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.progress import Progress, silent

log = logging.getLogger(__name__)

Records = dict[str, Stamp]


@dataclass(frozen=True)
class Outcome:
    """What came of making a run once more.

    Attributes:
        identical: whether all that was compared is the same.
        told: lines that say so, or what differs first and what is likely to be the reason.
    """

    identical: bool
    told: str


def reproduce_run(
    directory: Path, output: Path | None = None, *, progress: Progress = silent
) -> Outcome:
    """Make a run once more, stage by stage, until one leaves other files than it recorded.

    Args:
        directory: the run; it is read, and not written to.
        output: where the second run goes; by default beside the first, its name ending in
            `-again`. One that was interrupted goes on there.
        progress: shows how far a stage is.

    Raises:
        RunError: if the run is not whole, was made with another recipe than it holds, or from
            inputs that have changed since; or if `output` holds other files.
        SentimentError: whatever a stage raises.
    """
    first = RunDirectory(directory)
    recipe = _recipe(first)
    records = _records(recipe, first)
    _require_inputs(recipe, first, records)
    _warn_of_harm(first, records)
    again = RunDirectory(output or _beside(directory))
    with _reserved(again, records):
        for name, recorded in records.items():
            run_stages(recipe, again, only=name, progress=progress)
            made = read_stamp(again.stamp(name))
            assert made is not None, "a stage that has run left its record"
            differing = _differing(stage_named(name), recorded, made)
            if differing:
                return Outcome(False, _difference(name, differing, recorded, made))
    return Outcome(True, _sameness(records, again))


def _beside(directory: Path) -> Path:
    """Return the default place of the second run."""
    place = directory if directory.name not in ("", "..") else directory.resolve()
    return place.with_name(f"{place.name}-again")


def _recipe(run: RunDirectory) -> Recipe:
    if not run.recipe.is_file():
        raise RunError(f"{run.path} is no run directory (no {run.recipe.name}): give one")
    return replace(load_recipe(str(run.recipe)), track=TrackSettings())  # a check is no experiment


def _records(recipe: Recipe, run: RunDirectory) -> Records:
    """Return what each finished stage recorded, after it agrees with the recipe.

    Raises:
        RunError: if no stage is finished, or one that another needs is not.
    """
    finished = [s for s in STAGES if s.wanted(recipe) and run.stamp(s.name).exists()]
    records = {stage.name: _record(stage, recipe, run) for stage in finished}
    needed = [name for stage in finished for name in stage.after]
    wanted = [name for name in needed or ["preprocess"] if stage_named(name).wanted(recipe)]
    for name in wanted:
        if name not in records:
            raise RunError(f"{run.path} holds no finished {name}: {_finish(run)} first")
    return records


def _record(stage: Stage, recipe: Recipe, run: RunDirectory) -> Stamp:
    path = run.stamp(stage.name)
    recorded = read_stamp(path)
    if recorded is None:
        raise RunError(f"{path} was altered, and tells nothing any more: {_finish(run)}")
    told = stage.settings(recipe)
    known = {name: {k: v for k, v in values.items() if k in recorded.settings.get(name, {})}
             for name, values in told.items()}  # fmt: skip
    kept = {name: values for name, values in recorded.settings.items() if name in told}
    changed = next(settings_changes(kept, known), None)
    if changed is not None:
        raise RunError(
            f"{run.recipe} is not what {stage.name} was made with ({changed}): put that back, or "
            f"{_finish(run)}"
        )
    return recorded


def _finish(run: RunDirectory) -> str:
    return f"run `sentiment-lstm run {run.recipe} --run-dir {run.path}`"


def _require_inputs(recipe: Recipe, run: RunDirectory, records: Records) -> None:
    """See that whatever came from outside of the run is what it was, before anything is made.

    Raises:
        RunError: naming what has changed.
    """
    own = {*DERIVED, *(name for record in records.values() for name in record.outputs)}
    for name, recorded in records.items():
        before = {what: digest for what, digest in recorded.inputs.items() if what not in own}
        if not before:
            continue
        now = stage_named(name).inputs(recipe, run)
        changed = [*input_changes(before, {what: now.get(what, "") for what in before})]
        if changed:
            raise RunError(
                f"{run.path} cannot be made once more, {', '.join(changed)} since its {name}: put "
                "back what it read then"
            )


def _warn_of_harm(run: RunDirectory, records: Records) -> None:
    for recorded in records.values():
        kept = digests(run.path, (run.path / name for name in recorded.outputs))
        for harm in output_changes(recorded.outputs, kept):
            log.warning("%s/%s: what was recorded of it is compared", run.path, harm)


@contextmanager
def _reserved(again: RunDirectory, records: Records) -> Iterator[None]:
    """Have a new directory, or one where the same was interrupted; it says so until it is done.

    Raises:
        RunError: if it holds anything else.
    """
    identity = text_digest(json.dumps({n: asdict(r) for n, r in records.items()}, sort_keys=True))
    mark = again.reproduces
    begun = mark.is_file() and mark.read_text("utf-8", errors="replace") == identity
    if again.path.exists() and not begun and any(again.path.iterdir()):
        raise RunError(f"{again.path} holds other files: remove it, or give another --output")
    with replaced_file(mark) as temporary:
        temporary.write_text(identity, "utf-8")
    yield
    mark.unlink()


def _compared(stage: Stage, outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the outputs that come out the same, byte for byte, whenever they are made."""
    return {name: digest for name, digest in outputs.items()
            if not any(fnmatch(name, pattern) for pattern in stage.varies)}  # fmt: skip


def _differing(stage: Stage, recorded: Stamp, made: Stamp) -> list[str]:
    old, new = (_compared(stage, stamp.outputs) for stamp in (recorded, made))
    return [name for name in sorted(old | new) if old.get(name) != new.get(name)]


def _difference(name: str, differing: list[str], recorded: Stamp, made: Stamp) -> str:
    reasons = "; ".join(_reasons(recorded, made)) or (
        "nothing that is recorded of versions, machine and backend: its files or its record were "
        "altered, or it depends on something that is not recorded"
    )
    return f"differs: {', '.join(differing)} of {name}\nreason: {reasons}"


def _reasons(recorded: Stamp, made: Stamp) -> Iterator[str]:
    """Say which versions, and what of the machine, are not as recorded."""
    if recorded.version != made.version:
        yield f"made with sentiment-lstm {recorded.version}, here {made.version}"
    if not recorded.made_with:
        yield "the versions and the machine that it was made with are not recorded"
        return
    for what in recorded.made_with | made.made_with:
        old, new = (stamp.made_with.get(what, "unknown") for stamp in (recorded, made))
        if old != new:
            yield f"made with {what} {old}, here {new}"


def _sameness(records: Records, again: RunDirectory) -> str:
    compared = {n: len(_compared(stage_named(n), r.outputs)) for n, r in records.items()}
    left_out = sum(len(record.outputs) for record in records.values()) - sum(compared.values())
    files = ", ".join(f"{name} {count}" for name, count in compared.items())
    return (
        f"identical: files of {files}; made once more in {again.path}\n"
        f"left out: {left_out} files that tell seconds, or whose names are numbered anew"
    )
