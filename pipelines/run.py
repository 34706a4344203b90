"""The chain: runs the stages in order and leaves out what is up to date."""

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

import sentiment_lstm
from pipelines.config import Recipe, dump
from pipelines.lock import locked
from pipelines.logs import handled, log_file, native_messages_in
from pipelines.own_process import choose_backend, needs_own_process, run_in_own_process
from pipelines.rundir import RunDirectory, RunError
from pipelines.stages import STAGES, Stage
from pipelines.stamp import (
    Stamp,
    changes,
    digests,
    read_stamp,
    settings_changes,
    write_stamp,
)
from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.errors import SettingsError, suggestion
from sentiment_lstm.progress import Progress, silent

__all__ = ["STAGES", "run_stages"]

log = logging.getLogger(__name__)


def run_stages(
    recipe: Recipe,
    run: RunDirectory,
    *,
    until: str | None = None,
    only: str | None = None,
    force: bool = False,
    progress: Progress = silent,
    announce: Callable[[str], None] = log.info,
    stages: Sequence[Stage] = STAGES,
) -> None:
    """Run every stage that is not up to date, in order.

    Args:
        recipe: what to do; a copy goes into the run directory.
        run: where to do it; made if need be.
        until: the last stage to run; all by default.
        only: the one stage to run.
        force: run the stages even where they are up to date, training from its start.
        progress: shows how far a stage is.
        announce: told what happens, one line at a time.
        stages: the whole chain.

    Raises:
        RunError: if another command works on the directory, or what `only` reads is missing.
        SentimentError: whatever a stage raises.
    """
    chosen = _chosen(stages, until, only)
    with _working_on(run, recipe) as lock:
        chain = _Chain(recipe, run, {s.name: s for s in stages}, progress, announce, lock)
        for stage in chosen:
            reason = "as told" if force else chain.reason_to_run(stage)
            if reason is None:
                announce(f"{stage.name}: up to date")
            else:
                chain.make(stage, reason, afresh=force)


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
        for unfinished in run.path.glob(".*.tmp"):  # left by a command that was killed
            shutil.rmtree(unfinished, ignore_errors=True)
        with replaced_file(run.recipe) as temporary:
            temporary.write_text(dump(recipe), "utf-8")
        yield lock


@dataclass(frozen=True)
class _Chain:
    """The stages of one recipe over one run directory, which we hold the lock of."""

    recipe: Recipe
    run: RunDirectory
    stages: dict[str, Stage]
    progress: Progress
    announce: Callable[[str], None]
    lock: int

    def reason_to_run(self, stage: Stage) -> str | None:
        """Say why a stage is to run; nothing if it is up to date."""
        self._require_inputs(stage)
        recorded = read_stamp(self.run.stamp(stage.name))
        if recorded is None:
            return "not done yet"
        kept = digests(self.run.path, (self.run.path / name for name in recorded.outputs))
        return next(changes(recorded, self._stamp(stage, kept)), None)

    def make(self, stage: Stage, reason: str, *, afresh: bool) -> None:
        """Run a stage and record what it was made from and what it made."""
        self._require_inputs(stage)
        self.announce(f"{stage.name}: running ({reason})")
        started = monotonic()
        self.run.stamp(stage.name).unlink(missing_ok=True)
        leftover = stage.resumes(self.run)
        if afresh and leftover is not None:
            shutil.rmtree(leftover, ignore_errors=True)
        self._execute(stage)
        made = digests(self.run.path, stage.outputs(self.recipe, self.run))
        write_stamp(self.run.stamp(stage.name), self._stamp(stage, made))
        self.announce(f"{stage.name}: done in {monotonic() - started:.1f} s")

    def _stamp(self, stage: Stage, outputs: dict[str, str]) -> Stamp:
        settings = {name: self.recipe.section(name) for name in stage.sections}
        inputs = stage.inputs(self.recipe, self.run)
        return Stamp(sentiment_lstm.__version__, settings, inputs, outputs)

    def _execute(self, stage: Stage) -> None:
        """Do the work here, or elsewhere if this process is bound to another Keras backend."""
        backend = stage.backend(self.recipe)
        if backend is not None and needs_own_process(backend):
            run_in_own_process(stage.name, self.run, backend, self.lock)
            return
        # Reading IMDB imports TensorFlow and with it Keras: not under a backend left from before.
        choose_backend(backend or "tensorflow")
        with native_messages_in(self.run.log):
            stage.execute(self.recipe, self.run, self.progress)

    def _require_inputs(self, stage: Stage) -> None:
        """Check that the stages before this one are done, and for the same settings.

        Raises:
            RunError: naming the command that makes what is missing.
        """
        for name in stage.after:
            lack = self._lack(self.stages[name])
            if lack is not None:
                argument = self.recipe.origin or self.recipe.name
                raise RunError(
                    f"{stage.name} cannot run, {lack}: run `sentiment-lstm {name} {argument}` "
                    "first, with the same options"
                )

    def _lack(self, stage: Stage) -> str | None:
        recorded = read_stamp(self.run.stamp(stage.name))
        if recorded is None:
            return f"{self.run.path} holds no finished {stage.name}"
        missing = [name for name in recorded.outputs if not (self.run.path / name).exists()]
        if missing:
            return f"{self.run.path / missing[0]} is missing"
        wanted = {name: self.recipe.section(name) for name in stage.sections}
        changed = next(settings_changes(recorded.settings, wanted), None)
        return changed and f"{stage.name} was done with other settings ({changed})"
