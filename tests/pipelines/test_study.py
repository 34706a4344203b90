"""The record of a search and what it proposes, on objectives whose answer is known."""

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("optuna", reason="a search wants pip install '.[tune]'")

from optuna.trial import TrialState

import pipelines
from pipelines.rundir import RunError
from pipelines.search_space import Range
from pipelines.study import (
    best,
    finished,
    importances,
    is_pruned,
    open_study,
    propose,
    value_of,
    values_of,
)
from pipelines.tune_settings import TuneSettings

SPACE = (
    Range("train.learning_rate", low=1e-4, high=1.0, log=True),
    Range("model.units", low=8, high=64, step=8),
    Range("model.pooling", choices=(("max",), ("max", "mean"))),
    Range("train.optimizer", choices=("adam", "sgd")),
)
OWN = {
    "train.learning_rate": 0.5,
    "model.units": 16,
    "model.pooling": ("max", "mean"),
    "train.optimizer": "sgd",
}


def bowl(values):
    """An objective that the learning rate decides, and nothing else much."""
    rate = math.log10(values["train.learning_rate"])
    return (rate + 2) ** 2 + values["model.units"] * 1e-4


def search(path, trials, settings=TuneSettings(), own=OWN, objective=bowl):  # noqa: B008 - frozen
    """Run trials until so many are finished; return the study."""
    study = open_study(path, "here", settings)
    while len(finished(study)) < trials:
        trial = propose(study, SPACE, settings.seed, own)
        study.tell(trial, objective(values_of(trial, SPACE)), TrialState.COMPLETE)
    return study


def tried(study):
    return [values_of(trial, SPACE) for trial in finished(study)]


def test_the_first_trial_has_the_own_values_and_all_lie_in_the_ranges(tmp_path):
    values = tried(search(tmp_path / "journal", 25))
    assert values[0] == OWN
    assert all(r.holds(v[r.key]) for v in values for r in SPACE)
    assert len({v["train.learning_rate"] for v in values}) == 25
    assert {v["model.pooling"] for v in values} == {("max",), ("max", "mean")}


def test_without_own_values_the_first_is_drawn(tmp_path):
    (first,) = tried(search(tmp_path / "journal", 1, own=None))
    assert first != OWN


def test_a_search_finds_what_is_best(tmp_path):
    leader = best(search(tmp_path / "journal", 40))
    assert leader.value < 0.05
    assert leader.params["train.learning_rate"] == pytest.approx(1e-2, rel=0.7)


def test_accuracy_is_made_large(tmp_path):
    settings = TuneSettings(objective="validation_accuracy")
    study = search(tmp_path / "journal", 15, settings, objective=lambda v: -bowl(v))
    assert best(study).value == max(trial.value for trial in finished(study))


def test_the_same_seed_tries_the_same_in_a_row_and_another_seed_does_not(tmp_path):
    first = tried(search(tmp_path / "a", 14))
    assert tried(search(tmp_path / "b", 14)) == first
    other = tried(search(tmp_path / "c", 14, TuneSettings(seed=1)))
    assert other[0] == first[0] == OWN
    assert all(mine != theirs for mine, theirs in zip(first[1:], other[1:], strict=True))


def test_a_search_that_goes_on_for_longer_begins_as_the_shorter_one(tmp_path):
    whole = tried(search(tmp_path / "whole", 16))
    search(tmp_path / "parts", 5)
    assert tried(search(tmp_path / "parts", 16)) == whole


def test_studies_of_other_names_stand_side_by_side(tmp_path):
    path = tmp_path / "journal"
    search(path, 3)
    assert finished(open_study(path, "there", TuneSettings())) == []
    assert len(finished(open_study(path, "here", TuneSettings()))) == 3


@pytest.mark.parametrize("at", [0, 3, 12])
def test_a_trial_that_was_interrupted_is_proposed_again_and_does_not_count(tmp_path, at):
    whole = tried(search(tmp_path / "whole", 14))
    study = search(tmp_path / "parts", at)
    interrupted = propose(study, SPACE, 0, OWN)
    interrupted.report(0.5, 1)
    assert values_of(interrupted, SPACE) == whole[at]
    study = search(tmp_path / "parts", 14)
    assert tried(study) == whole
    states = [trial.state for trial in study.get_trials()]
    assert states.count(TrialState.FAIL) == 1
    assert len(states) == 15


KILLED = """
import os, signal, sys
from pathlib import Path
from optuna.storages.journal import JournalFileBackend
sys.path.insert(0, sys.argv[1])
from test_study import search
written, append = 0, JournalFileBackend.append_logs
def count(self, logs):
    global written
    written += 1
    if written == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    append(self, logs)
JournalFileBackend.append_logs = count
search(Path(sys.argv[2]), 12)
"""


def test_a_search_killed_before_any_line_of_its_record_ends_as_one_that_was_not(tmp_path):
    whole = tried(search(tmp_path / "whole", 12))
    parts = tmp_path / "parts"
    here, root = Path(__file__).parent, Path(pipelines.__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(root)}
    for line in (2, 3, 5, 9, 14, 40):
        command = [sys.executable, "-c", KILLED, str(here), str(parts), str(line)]
        done = subprocess.run(command, env=environment, check=False)
        assert done.returncode == -signal.SIGKILL
    assert tried(search(parts, 12)) == whole


def test_a_torn_last_line_and_a_lock_left_behind_are_removed(tmp_path):
    path = tmp_path / "journal"
    whole = tried(search(tmp_path / "whole", 8))
    search(path, 4)
    with path.open("a") as file:
        file.write('{"op_code": 4, "wor')
    path.with_name("journal.lock").symlink_to(path)
    assert tried(search(path, 8)) == whole
    assert all(json.loads(line) for line in path.read_text().splitlines())


@pytest.mark.parametrize(
    "line",
    [
        "not JSON",
        "[1]",
        '{"op_code": 4}',
        '{"op_code": "x", "worker_id": "y"}',
        "[" * 100_000,
    ],
)
def test_a_damaged_record_is_refused_with_the_way_out(tmp_path, line):
    path = tmp_path / "journal"
    search(path, 2)
    content = path.read_text().splitlines()
    path.write_text("\n".join([*content[:4], line, *content[4:]]) + "\n")
    with pytest.raises(RunError) as caught:
        search(path, 3)
    assert str(path) in str(caught.value)
    assert "--force" in str(caught.value)


def test_importances_name_what_decided(tmp_path):
    shares = importances(search(tmp_path / "journal", 30))
    assert next(iter(shares)) == "train.learning_rate"
    assert shares["train.learning_rate"] > 0.8
    assert sum(shares.values()) == pytest.approx(1)
    assert set(shares) == {r.key for r in SPACE}


def test_importances_are_not_guessed_from_too_little(tmp_path):
    assert importances(search(tmp_path / "few", 3)) == {}
    assert importances(search(tmp_path / "equal", 8, objective=lambda _: 0.5)) == {}


def courses(study, worst):
    """Finish five trials whose losses fall, and return a sixth that has reported one epoch."""
    for n in range(5):
        trial = propose(study, SPACE, 0, OWN)
        for epoch in (1, 2, 3):
            trial.report(1 / epoch + n / 100, epoch)
        study.tell(trial, 1 / 3 + n / 100, TrialState.COMPLETE)
    last = propose(study, SPACE, 0, OWN)
    last.report(worst, 1)
    return last


def test_a_trial_that_does_worse_than_the_median_is_to_be_pruned_after_the_second_epoch(tmp_path):
    study = open_study(tmp_path / "journal", "here", TuneSettings())
    hopeless = courses(study, 9.0)
    assert not hopeless.should_prune()
    hopeless.report(0.53, 2)  # the median of the others is 0.52
    assert hopeless.should_prune()
    study.tell(hopeless, state=TrialState.PRUNED)
    assert [is_pruned(trial) for trial in finished(study)] == [False] * 5 + [True]
    assert best(study).number == 0


def test_a_trial_that_does_better_goes_on(tmp_path):
    hopeful = courses(open_study(tmp_path / "journal", "here", TuneSettings()), 9.0)
    hopeful.report(0.51, 2)
    assert not hopeful.should_prune()


def test_nothing_is_pruned_where_the_recipe_says_so(tmp_path):
    settings = TuneSettings(pruning=False)
    hopeless = courses(open_study(tmp_path / "journal", "here", settings), 9.0)
    hopeless.report(9.0, 2)
    assert not hopeless.should_prune()


def test_an_objective_that_is_no_number_is_never_best_and_harms_nothing(tmp_path):
    study = open_study(tmp_path / "journal", "here", TuneSettings())
    for n in range(14):
        trial = propose(study, SPACE, 0, OWN)
        trial.report((n, math.nan, math.inf)[n % 3], 1)
        study.tell(trial, None if n % 3 else n, TrialState.PRUNED if n % 3 else None)
    assert best(study).value == 0
    numbers = [n if n % 3 == 0 else None for n in range(14)]
    assert [value_of(trial) for trial in finished(study)] == numbers
    assert sum(importances(study).values()) == pytest.approx(1)
