"""The tune command: a search over keys of a recipe, each trial a training on the same texts.

It is judged on validation alone. A search that was killed or stopped goes on with the same command
and tries what it would have tried.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from time import monotonic
from typing import TYPE_CHECKING, Any

from pipelines.config import Recipe
from pipelines.resuming import identity
from pipelines.run import run_stages
from pipelines.rundir import RunDirectory, RunError
from pipelines.search_space import Range
from pipelines.stages import STAGES, TUNE
from sentiment_lstm.errors import Paused, SettingsError
from sentiment_lstm.progress import Progress

if TYPE_CHECKING:
    from optuna import Study

log = logging.getLogger(__name__)

CHAIN = (*(stage for stage in STAGES if stage.name in TUNE.after), TUNE)


def tune_recipe(
    recipe: Recipe,
    run: RunDirectory,
    *,
    force: bool,
    max_minutes: float | None,
    progress: Progress,
) -> bool:
    """Search for better settings of a recipe; make first, once, what all trials share.

    Args:
        recipe: what the search starts from; its section tune says what is tried.
        run: where to do it.
        force: search anew.
        max_minutes: after which it stops.
        progress: shows the steps of each trial.

    Returns:
        Whether all trials are finished.

    Raises:
        SettingsError: without the extra that it needs.
        RunError: if another command works on the directory, or no trial has ended.
    """
    if find_spec("optuna") is None:
        raise SettingsError("tune needs optuna, which is not installed: pip install '.[tune]'")
    return run_stages(
        recipe, run, force=force, max_minutes=max_minutes, progress=progress, stages=CHAIN
    )


def execute(
    recipe: Recipe, run: RunDirectory, progress: Progress, max_minutes: float | None = None
) -> None:
    """Run the trials that are not finished yet; leave table, best recipe and plots.

    Raises:
        Paused: after `max_minutes`; what there is is left all the same.
        RunError: if the record of the search is damaged, or no trial has ended.
    """
    from pipelines.study import finished, open_study
    from pipelines.tuned import leave_plots, leave_table, remove_results

    study = open_study(run.study, _search_identity(recipe, run), recipe.tune)
    remove_results(run)
    leave_table(recipe, run, study)
    search = _Search(recipe, run, study, progress, _Clock(max_minutes))
    search.announce()
    try:
        while len(finished(study)) < recipe.tune.trials:
            search.run_next()
            leave_table(recipe, run, study)
    finally:
        leave_plots(recipe, run, study)
    _require_best(recipe, study)


def _search_identity(recipe: Recipe, run: RunDirectory) -> str:
    """Return what tells this search from others; one that is to go on for longer is the same."""
    same = replace(recipe, tune=replace(recipe.tune, trials=1))
    return identity(TUNE.name, same, run)


def _require_best(recipe: Recipe, study: "Study") -> None:
    from pipelines.study import best

    if best(study) is None:
        raise RunError(
            f"none of {recipe.tune.trials} trials ended with a finite {recipe.tune.objective}: "
            "narrow the ranges of [tune], train.learning_rate first"
        )


@dataclass(frozen=True)
class _Clock:
    """How long a search may still take."""

    max_minutes: float | None
    started: float = field(default_factory=monotonic)

    def left(self) -> float | None:
        """Return the minutes that are left; None for any number."""
        if self.max_minutes is None:
            return None
        return self.max_minutes - (monotonic() - self.started) / 60


@dataclass(frozen=True)
class _Search:
    """The trials of one recipe, one after the other."""

    recipe: Recipe
    run: RunDirectory
    study: "Study"
    progress: Progress
    clock: _Clock

    @property
    def space(self) -> Sequence[Range]:
        return self.recipe.space

    def announce(self) -> None:
        """Say what is searched, and where the search stands."""
        from pipelines.study import finished

        done = len(finished(self.study))
        log.info("tune: searches %s", "; ".join(map(str, self.space)))
        if done:
            log.info("tune: goes on after %d of %d trials", done, self.recipe.tune.trials)
        elif self._own() is None:
            log.info("tune: the recipe's own values are not all in their ranges: none begins")

    def run_next(self) -> None:
        """Run one trial, or go on with the one that was interrupted.

        Raises:
            Paused: if there is no time left for it.
        """
        from pipelines.study import finished, propose

        number = len(finished(self.study)) + 1
        where = f"trial {number} of {self.recipe.tune.trials}"
        try:
            left = self.clock.left()
            if left is not None and left <= 0:
                raise Paused
            trial = propose(self.study, self.space, self.recipe.tune.seed, self._own())
            self._run(trial, where, left)
        except Paused:
            raise Paused(
                f"stopped after {self.clock.max_minutes:g} minutes at {where}: run the same "
                "command to go on"
            ) from None
        except KeyboardInterrupt as stop:
            at = str(stop) or "stopped: run the same command to go on"
            raise KeyboardInterrupt(f"{where}: {at}") from None

    def _run(self, trial: Any, where: str, max_minutes: float | None) -> None:
        from optuna.trial import TrialState

        from pipelines.study import values_of
        from pipelines.trial import labelled, run_trial
        from pipelines.tuned import trial_recipe

        value = run_trial(
            trial,
            trial_recipe(self.recipe, values_of(trial, self.space)),
            self.run.trial,
            self.recipe.tune.objective,
            labelled(self.progress, where + self._best_so_far()),
            max_minutes,
        )
        self.study.tell(trial, value, TrialState.PRUNED if value is None else TrialState.COMPLETE)
        self._tell_people(where)

    def _best_so_far(self) -> str:
        from pipelines.study import best

        leader = best(self.study)
        return "" if leader is None else f" (best {leader.value:.4f})"

    def _tell_people(self, where: str) -> None:
        from pipelines.study import finished
        from pipelines.tuned import told

        log.info("%s: %s", where, told(self.study, finished(self.study)[-1], self.space))

    def _own(self) -> dict[str, Any] | None:
        """Return the recipe's own values, if the search may try them."""
        own = {r.key: self.recipe.value(r.key) for r in self.space}
        return own if all(r.holds(own[r.key]) for r in self.space) else None
