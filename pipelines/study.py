"""The record of a search on disk, Optuna's study, and what it proposes to try next.

What is proposed follows from the seed and from the finished trials alone. So a trial that was
interrupted is proposed once more, and a search that was killed ends as one that was not.
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.rundir import RunError
from pipelines.search_space import Range
from pipelines.tune_settings import TuneSettings

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.distributions import BaseDistribution
    from optuna.pruners import BasePruner
    from optuna.trial import FrozenTrial

# What a record that was altered makes of its reader.
DAMAGE = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)
DRAWN = 6  # trials before the first that follows from others: a search of 20 affords no more
UNPRUNED = 5  # trials that are to be complete before the first is stopped early
FIRST_PRUNED = 2  # epoch: the losses of the first, while the rate still rises, tell little
FEWEST_JUDGED = 4  # trials below which the importance of a key is nobody's guess


def open_study(path: Path, name: str, settings: TuneSettings) -> "Study":
    """Open the study of a name in a record, or begin it; what was interrupted counts as failed.

    Args:
        path: of the record, which holds other studies too; whoever calls has it to itself.
        name: of this very search.
        settings: its objective, and whether it prunes.

    Raises:
        RunError: if the record is damaged.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path.parent.mkdir(parents=True, exist_ok=True)
    _mend(path)
    try:
        study = optuna.create_study(
            storage=optuna.storages.JournalStorage(JournalFileBackend(str(path))),
            study_name=name,
            direction="maximize" if settings.maximizes else "minimize",
            pruner=_pruner(settings),
            load_if_exists=True,
        )
        _give_up_interrupted(study)
    except DAMAGE as error:
        raise RunError(
            f"{path} is damaged ({error}): remove it, or search anew with --force"
        ) from None
    return study


def finished(study: "Study") -> "list[FrozenTrial]":
    """Return the trials that count, in their order: those that ended or were stopped early."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def best(study: "Study") -> "FrozenTrial | None":
    """Return the best of the trials that ended, or None without one."""
    ended = [trial for trial in finished(study) if not is_pruned(trial)]
    return study.best_trial if ended else None


def is_pruned(trial: "FrozenTrial") -> bool:
    """Tell whether a trial was stopped early."""
    from optuna.trial import TrialState

    return trial.state == TrialState.PRUNED


def value_of(trial: "FrozenTrial") -> float | None:
    """Return the objective of a trial, if it is a number that others can be held against."""
    value = trial.value
    return value if value is not None and math.isfinite(value) else None


def propose(
    study: "Study", space: Sequence[Range], seed: int, own: Mapping[str, Any] | None
) -> "Trial":
    """Begin the next trial.

    Args:
        study: the trials so far.
        space: what is searched.
        seed: of the search.
        own: values that the first trial takes, by key; None to draw them too.
    """
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    done = len(finished(study))
    drawn = np.random.SeedSequence((seed, done)).generate_state(1)
    study.sampler = TPESampler(n_startup_trials=DRAWN, seed=int(drawn[0]))
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    if own is not None and not done and not waiting:
        study.enqueue_trial({key: _named(value) for key, value in own.items()})
    return study.ask({r.key: _distribution(r) for r in space})


def values_of(trial: "Trial | FrozenTrial", space: Sequence[Range]) -> dict[str, Any]:
    """Return the values that a trial tries, by key of the recipe."""
    named = {r.key: {_named(choice): choice for choice in r.choices} for r in space}
    return {key: named[key].get(value, value) for key, value in trial.params.items()}


def importances(study: "Study") -> dict[str, float]:
    """Return the share of each key in how the figures of the trials differ, the largest first.

    That is fANOVA's (Hutter, Hoos & Leyton-Brown 2014). Trials that were stopped early count by
    their last figure, as it is the worst settings that they tell of. Empty where there are too few
    trials, or all are equal.
    """
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    trials = [t for t in finished(study) if value_of(t) is not None]
    if len(trials) < FEWEST_JUDGED or len({t.value for t in trials}) == 1:
        return {}
    judged = optuna.create_study(direction=study.direction)
    judged.add_trials(
        optuna.trial.create_trial(params=t.params, distributions=t.distributions, value=t.value)
        for t in trials
    )
    return get_param_importances(judged, evaluator=FanovaImportanceEvaluator(seed=0))


def _mend(path: Path) -> None:
    """Remove what a kill may have left: Optuna's own lock, and the beginning of a last line."""
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
    if path.is_file():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(path, whole)


def _give_up_interrupted(study: "Study") -> None:
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)


def _pruner(settings: TuneSettings) -> "BasePruner":
    from optuna.pruners import MedianPruner, NopPruner

    if not settings.pruning:
        return NopPruner()
    return MedianPruner(n_startup_trials=UNPRUNED, n_warmup_steps=FIRST_PRUNED)


def _distribution(tried: Range) -> "BaseDistribution":
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if tried.low is None or tried.high is None:
        return CategoricalDistribution([_named(choice) for choice in tried.choices])
    if tried.is_integer:
        ends = int(tried.low), int(tried.high)
        return IntDistribution(*ends, log=tried.log, step=int(tried.step or 1))
    return FloatDistribution(tried.low, tried.high, log=tried.log, step=tried.step)


def _named(choice: Any) -> Any:
    """Return a value as Optuna can record it: a list by its JSON."""
    return json.dumps(choice) if isinstance(choice, tuple) else choice
