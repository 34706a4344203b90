"""The chain: runs the stages in order and leaves out what is up to date."""

import logging
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from time import monotonic

import sentiment_lstm
from pipelines.amending import settle
from pipelines.config import Recipe, dump
from pipelines.distributed.engine import LOCAL, Engine
from pipelines.lock import locked
from pipelines.logs import handled, log_file, native_messages_in
from pipelines.own_process import choose_backend, needs_own_process, run_in_own_process
from pipelines.rundir import RunDirectory, RunError
from pipelines.stages import STAGES, TUNE, Stage
from pipelines.stamp import (
    Stamp,
    changes,
    digests,
    input_changes,
    output_changes,
    read_stamp,
    settings_changes,
    write_stamp,
)
from pipelines.surroundings import surroundings
from pipelines.tracking.following import FOLLOWED, require_trackers
from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.errors import Paused, SettingsError, suggestion
from sentiment_lstm.progress import Progress, silent

__all__ = ["STAGES", "run_stages"]

log = logging.getLogger(__name__)

TEMPORARY = re.compile(r"\..+\.\d+\.tmp")  # as `sentiment_lstm.atomic` names them


def run_stages(
    recipe: Recipe,
    run: RunDirectory,
    *,
    until: str | None = None,
    only: str | None = None,
    force: bool = False,
    max_minutes: float | None = None,
    progress: Progress = silent,
    announce: Callable[[str], None] = log.info,
    stages: Sequence[Stage] = STAGES,
    engine: Engine = LOCAL,
) -> bool:
    """Run every stage that is not up to date, in order.

    Args:
        recipe: what to do; a copy goes into the run directory.
        run: where to do it; made if need be.
        until: the last stage to run; all by default.
        only: the one stage to run.
        force: run the stages even where they are up to date, training from its start.
        max_minutes: after which a training stops, to go on from there the next time.
        progress: shows how far a stage is.
        announce: told what happens, one line at a time.
        stages: the whole chain.
        engine: what does the work of stages that can be distributed.

    Returns:
        Whether all is done; not if a training has stopped, and no stage after it has run.

    Raises:
        RunError: if another command works on the directory, or what `only` reads is missing.
        SettingsError: if a package that is to follow the trainings is not installed.
        SentimentError: whatever a stage raises.
    """
    chosen = _chosen(stages, until, only)
    if only is None:
        chosen = [stage for stage in chosen if stage.wanted(recipe)]
    if any(stage.name in FOLLOWED for stage in chosen):
        require_trackers(recipe)
    with _working_on(run, recipe) as lock:
        named = {s.name: s for s in stages}
        chain = _Chain(recipe, run, named, progress, announce, lock, max_minutes, engine)
        try:
            for stage in chosen:
                chain.bring_up_to_date(stage, force=force)
        except Paused as paused:
            announce(str(paused))
            return False
    return True


def _chosen(stages: Sequence[Stage], until: str | None, only: str | None) -> Sequence[Stage]:
    names = [stage.name for stage in stages]
    for name in (until, only):
        if name is not None and name not in names:
            raise SettingsError(f"unknown stage {name!r}: {suggestion(name, names)}")
    if only is not None:
        return [stages[names.index(only)]]
    return stages if until is None else stages[: names.index(until) + 1]


@contextmanager
def _working_on(run: RunDirectory, recipe: Recipe) -> Iterator[int]:
    """Have the run directory to ourselves, its log open, the recipe written into it."""
    run.path.mkdir(parents=True, exist_ok=True)
    with locked(run.lock) as lock, handled(log_file(run.log)):
        _remove_unfinished(run)
        settle(run)
        with replaced_file(run.recipe) as temporary:
            temporary.write_text(dump(recipe), "utf-8")
        yield lock


def _remove_unfinished(run: RunDirectory) -> None:
    """Remove what commands that were killed have left, except in what is no stage's directory."""
    below = (run.stage(stage.name).rglob(".*.tmp") for stage in (*STAGES, TUNE))
    for path in [*run.path.glob(".*.tmp"), *chain.from_iterable(below)]:
        if TEMPORARY.fullmatch(path.name):
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Chain:
    """The stages of one recipe over one run directory, which we hold the lock of."""

    recipe: Recipe
    run: RunDirectory
    stages: dict[str, Stage]
    progress: Progress
    announce: Callable[[str], None]
    lock: int
    max_minutes: float | None = None
    engine: Engine = LOCAL

    def bring_up_to_date(self, stage: Stage, *, force: bool) -> None:
        """Run a stage if there is a reason to."""
        reason = "as told" if force else self.reason_to_run(stage)
        if reason is None or not stage.wanted(self.recipe):
            self.announce(f"{stage.name}: up to date")
        else:
            self.make(stage, reason, afresh=force)

    def reason_to_run(self, stage: Stage) -> str | None:
        """Say why a stage is to run; nothing if it is up to date."""
        self._require_inputs(stage)
        recorded = read_stamp(self.run.stamp(stage.name))
        if recorded is None:
            return "not done yet"
        wanted = self._stamp(stage, self._inputs(stage), self._kept(recorded))
        return next(changes(recorded, wanted), None)

    def make(self, stage: Stage, reason: str, *, afresh: bool) -> None:
        """Run a stage and record what it was made from and what it made."""
        self._require_inputs(stage)
        self.announce(f"{stage.name}: running ({reason})")
        started = monotonic()
        self.run.stamp(stage.name).unlink(missing_ok=True)
        leftover = stage.resumes(self.run)
        if afresh and leftover is not None:
            shutil.rmtree(leftover, ignore_errors=True)
        read = self._execute(stage)
        made = digests(self.run.path, stage.outputs(self.recipe, self.run))
        made_with = surroundings(stage.backend(self.recipe)) | self._engine(stage)
        stamp = replace(self._stamp(stage, read, made), made_with=made_with)
        write_stamp(self.run.stamp(stage.name), stamp)
        self.announce(f"{stage.name}: done in {monotonic() - started:.1f} s")

    def _engine(self, stage: Stage) -> dict[str, str]:
        """Return what to record of the engine, whose sums round as many workers have it."""
        if not (stage.distributes and self.engine.distributed):
            return {}
        return {"engine": f"{self.engine.name}, {self.engine.workers or 'all'} workers"}

    def _kept(self, recorded: Stamp) -> dict[str, str]:
        """Return the digests of a stage's outputs as they lie on disk."""
        return digests(self.run.path, (self.run.path / name for name in recorded.outputs))

    def _inputs(self, stage: Stage) -> dict[str, str]:
        return stage.inputs(self.recipe, self.run)

    def _stamp(self, stage: Stage, inputs: dict[str, str], outputs: dict[str, str]) -> Stamp:
        settings = stage.settings(self.recipe)
        return Stamp(sentiment_lstm.__version__, settings, inputs, outputs)

    def _execute(self, stage: Stage) -> dict[str, str]:
        """Do the work here, or elsewhere if this process is bound to another Keras backend.

        Returns:
            The digests of the inputs from before: one that is edited meanwhile has then changed.
        """
        backend = stage.backend(self.recipe)
        elsewhere = stage.distributes and self.engine.distributed  # Keras is imported there alone
        if not elsewhere and backend is not None and needs_own_process(backend):
            inputs = self._inputs(stage)
            minutes = self.max_minutes if stage.pauses else None
            run_in_own_process(stage.name, self.run, backend, self.lock, minutes)
            return inputs
        # Reading IMDB imports TensorFlow and with it Keras: not under a backend left from before.
        choose_backend(backend or "tensorflow")
        with native_messages_in(self.run.log):
            inputs = self._inputs(stage)
            stage.execute(self.recipe, self.run, self.progress, self.max_minutes, self.engine)
        return inputs

    def _require_inputs(self, stage: Stage) -> None:
        """Check that all stages before this one are done, and of the same settings and inputs.

        Raises:
            RunError: naming the command that makes what is missing.
        """
        for name, lack in self._lacks(stage):
            argument = self.recipe.origin or self.recipe.name
            raise RunError(
                f"{stage.name} cannot run, {lack}: run `sentiment-lstm {name} {argument}` "
                "first, with the same options"
            )

    def _lacks(self, stage: Stage) -> Iterator[tuple[str, str]]:
        """Yield the earlier stages that are not as they should be, the first of the chain first."""
        for name in stage.after:
            earlier = self.stages[name]
            if not earlier.wanted(self.recipe):
                continue
            yield from self._lacks(earlier)
            lack = self._lack(earlier)
            if lack is not None:
                yield name, lack

    def _lack(self, stage: Stage) -> str | None:
        recorded = read_stamp(self.run.stamp(stage.name))
        if recorded is None:
            return f"{self.run.path} holds no finished {stage.name}"
        harmed = next(output_changes(recorded.outputs, self._kept(recorded)), None)
        if harmed is not None:
            return f"{self.run.path}/{harmed}"
        wanted = stage.settings(self.recipe)
        changed = next(settings_changes(recorded.settings, wanted), None)
        if changed is not None:
            return f"{stage.name} was done with other settings ({changed})"
        if not stage.after:  # its inputs are data from outside, which take long to read
            return None
        changed = next(input_changes(recorded.inputs, self._inputs(stage)), None)
        return changed and f"{stage.name} is out of date ({changed})"
