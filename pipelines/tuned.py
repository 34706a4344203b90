"""What a search leaves: a table of its trials, the recipe of the best, and two plots."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.config import Recipe, dump
from pipelines.rundir import RunDirectory
from pipelines.search_space import Range, names, shown
from pipelines.study import best, finished, importances, is_pruned, value_of, values_of
from pipelines.trial import FIGURES
from sentiment_lstm.atomic import replaced_file

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

COMPLETE, PRUNED = "complete", "pruned"


def trial_recipe(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """Return what a trial trains: a recipe with the values that it tries, by key."""
    epochs = {"train.epochs": recipe.tune.epochs} if recipe.tune.epochs else {}
    return recipe.with_values({**epochs, **values})


def told(study: "Study", trial: "FrozenTrial", space: Sequence[Range]) -> str:
    """Return what there is to say of a finished trial, in one line."""
    figures, leads = trial.user_attrs[FIGURES], best(study)
    epochs, seconds = figures["epochs"], figures["seconds"]
    plural = "" if epochs == 1 else "s"
    ended = f"pruned after epoch {epochs}" if is_pruned(trial) else f"{epochs} epoch{plural}"
    first = " (best so far)" if leads and leads.number == trial.number else ""
    tried = ", ".join(f"{k} {_brief(v)}" for k, v in values_of(trial, space).items())
    return f"{_reached(figures)}{first}; {ended}, {seconds:.0f} s; {tried}"


def _reached(figures: Mapping[str, Any]) -> str:
    named = ((k.replace("_", " "), v) for k, v in figures.items() if k.startswith("validation_"))
    return ", ".join(f"{name} {float(value):.4f}" for name, value in named)


def _brief(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else shown(value)


def remove_results(run: RunDirectory) -> None:
    """Remove what an earlier search has left, so that none of it passes for this one's."""
    for path in [run.trials, run.best_recipe, *run.tune.glob("*.png")]:
        path.unlink(missing_ok=True)


def leave_table(recipe: Recipe, run: RunDirectory, study: "Study") -> None:
    """Write the trials, and the recipe of the best of them."""
    with (
        replaced_file(run.trials) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        rows = [_row(n, t, recipe.space) for n, t in enumerate(finished(study), 1)]
        columns = dict.fromkeys(["trial", "state", *(k for row in rows for k in row)])
        writer = csv.DictWriter(file, list(columns))
        writer.writeheader()
        writer.writerows(rows)
    leads = best(study)
    if leads is not None:
        with replaced_file(run.best_recipe) as temporary:
            temporary.write_text(_best_recipe(recipe, study, leads), "utf-8")


def leave_plots(recipe: Recipe, run: RunDirectory, study: "Study") -> None:
    """Draw how the search went and, where it can be told, what mattered; nothing without trials."""
    from sentiment_lstm.plots import save_plots
    from sentiment_lstm.search_plots import Tried, history_plot, importances_plot

    if best(study) is None:
        return
    tried = [
        Tried(number, value, is_pruned(trial))
        for number, trial in enumerate(finished(study), 1)
        if (value := value_of(trial)) is not None
    ]
    plots = [history_plot(tried, recipe.tune.objective, maximizes=recipe.tune.maximizes)]
    shares = importances(study)
    plots += [importances_plot(shares, recipe.tune.objective, len(tried))] if shares else []
    save_plots(run.tune, plots)


def search_results(recipe: Recipe, run: RunDirectory) -> Iterator[str]:
    """Yield the lines that name what a search has left, the best trial first."""
    if run.best_recipe.is_file():
        yield f"best        {run.best_recipe}: {_best_line(recipe, run)}"
        yield f"trials      {run.trials}"
        yield from (f"plot        {path}" for path in sorted(run.tune.glob("*.png")))


def _best_line(recipe: Recipe, run: RunDirectory) -> str:
    with run.trials.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    sign = -1 if recipe.tune.maximizes else 1
    ended = (row for row in rows if row["state"] == COMPLETE)
    row = min(ended, key=lambda row: sign * float(row[recipe.tune.objective]))
    return f"{_reached(row)}, trial {row['trial']} of {len(rows)}"


def _row(number: int, trial: "FrozenTrial", space: Sequence[Range]) -> dict[str, Any]:
    values = values_of(trial, space)
    state = PRUNED if is_pruned(trial) else COMPLETE
    tried = {key: shown(values[key]) for key in names(space)}
    return {"trial": number, "state": state, **trial.user_attrs[FIGURES], **tried}


def _best_recipe(recipe: Recipe, study: "Study", trial: "FrozenTrial") -> str:
    """Return the best trial's recipe as TOML, under a name of its own: it runs beside the first."""
    trained = trial_recipe(recipe, values_of(trial, recipe.space))
    named = replace(trained, name=f"{recipe.name}-best", tune=recipe.tune)
    reached = _reached(trial.user_attrs[FIGURES])
    return f"# The best of {len(finished(study))} trials: {reached}.\n{dump(named)}"
