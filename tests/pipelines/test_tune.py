"""The tune command on a small corpus, as a person runs it: whole, stopped, killed and gone on."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from random import Random

import pytest

pytest.importorskip("optuna", reason="a search wants pip install '.[tune]'")

import optuna
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

import pipelines
from pipelines.config import load_recipe
from pipelines.rundir import RunDirectory

ROOT = str(Path(pipelines.__file__).parents[1])
# Ranges in which some trials learn at once and others cannot, so that these are stopped.
RECIPE = """
[data]
source = "files"
train = "{texts}"

[text]
min_count = 1
max_tokens = 12
head_tokens = 6

[model]
embedding = 8
units = 4
dropout = 0.1

[train]
epochs = 4
batch_size = 32
learning_rate = 3e-2
token_dropout = 0.05
checkpoint_minutes = 0

[tune]
trials = 8
"train.learning_rate" = {{ low = 1e-7, high = 0.1, log = true }}
"model.units" = {{ low = 3, high = 6 }}
"model.pooling" = {{ choices = [["max", "mean"], ["last"]] }}
"""
TRIALS = 8
EPOCH = 11  # steps
WORDS = {"good": 1, "fine": 1, "bad": 0, "dull": 0}


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """Return a recipe, and texts whose last word tells their label, most of the time."""
    directory, random = tmp_path_factory.mktemp("recipe"), Random(3)
    with (directory / "texts.csv").open("w", newline="") as file:
        csv.writer(file).writerow(["text", "label"])
        for n in range(400):
            word = random.choice(list(WORDS))
            label = WORDS[word] ^ (random.random() < 0.05)
            csv.writer(file).writerow([f"film {n} was {word}", ("no", "yes")[label]])
    path = directory / "small.toml"
    path.write_text(RECIPE.format(texts=directory / "texts.csv"))
    return path


def command(recipe, directory, *options):
    return [
        *(sys.executable, "-m", "pipelines", "tune", str(recipe)),
        *("--run-dir", str(directory), *options),
    ]


@pytest.fixture(scope="module")
def environment():
    return os.environ | {"PYTHONPATH": ROOT}


@pytest.fixture(scope="module")
def whole(recipe, environment, tmp_path_factory):
    """Return what an uninterrupted search printed, and its run directory."""
    directory = tmp_path_factory.mktemp("whole")
    done = subprocess.run(
        command(recipe, directory), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done, RunDirectory(directory)


def rows(run):
    with run.trials.open(newline="") as file:
        return list(csv.DictReader(file))


def without_seconds(run):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows(run)]


def test_every_file_that_a_search_leaves_is_named_on_standard_output(whole):
    done, run = whole
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["best", "trials", "plot", "plot"]
    named = [re.match(r"\w+ +(\S+?)(:|$)", line).group(1) for line in lines]
    names = ("best.toml", "trials.csv", "history.png", "importances.png")
    assert named == [str(run.tune / name) for name in names]
    for name in named[2:]:
        assert Path(name).read_bytes().startswith(b"\x89PNG")
    assert not list(run.tune.rglob("*.tmp"))
    assert not run.trial.train.exists()


def test_each_trial_is_told_in_one_line_and_stands_in_the_table(whole):
    done, run = whole
    told = [line for line in done.stderr.splitlines() if line.startswith("trial ")]
    table = rows(run)
    assert [row["trial"] for row in table] == [str(n) for n in range(1, TRIALS + 1)]
    assert len(told) == TRIALS
    assert "Warning" not in done.stderr
    for n, (line, row) in enumerate(zip(told, table, strict=True), 1):
        assert line.startswith(f"trial {n} of {TRIALS}: validation loss ")
        assert f"{float(row['validation_loss']):.4f}" in line
        assert ("pruned" in line) == (row["state"] == "pruned")
        assert f"model.units {row['model.units']}" in line


def test_the_first_trial_is_the_recipe_as_it_stands(whole):
    first = rows(whole[1])[0]
    assert float(first["train.learning_rate"]) == 3e-2
    assert (first["model.units"], first["model.pooling"]) == ("4", "max+mean")


def test_hopeless_trials_are_stopped_early_and_others_are_not(whole):
    table = rows(whole[1])
    pruned = [row for row in table if row["state"] == "pruned"]
    assert pruned
    assert all(2 <= int(row["epochs"]) < 4 for row in pruned)
    ended = [row for row in table if row["state"] == "complete"]
    assert all(row["epochs"] == "4" for row in ended)
    assert len(ended) >= 5


def test_a_trial_is_worth_what_its_best_epoch_was(whole, tmp_path):
    journal = shutil.copy(whole[1].study, tmp_path)  # opening it for reading may mend it
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(journal)))
    trials = optuna.load_study(study_name=None, storage=storage).get_trials()
    ended = [t for t in trials if t.state == TrialState.COMPLETE]
    assert any(t.value != t.intermediate_values[4] for t in ended)
    for trial in ended:
        assert trial.value == min(trial.intermediate_values.values())
        assert list(trial.intermediate_values) == [1, 2, 3, 4]


def test_preprocessing_is_done_once_and_nothing_is_trained_or_tested_beside(whole):
    done, run = whole
    assert done.stderr.count("preprocess: running") == 1
    assert not run.bundle.exists()
    assert not run.evaluate.exists()


def test_the_best_recipe_is_that_of_the_best_trial_and_whole(whole, recipe):
    _, run = whole
    found, start = load_recipe(str(run.best_recipe)), load_recipe(str(recipe))
    ended = [row for row in rows(run) if row["state"] == "complete"]
    best = min(ended, key=lambda row: float(row["validation_loss"]))
    assert found.train.learning_rate == float(best["train.learning_rate"])
    assert found.model.units == int(best["model.units"])
    assert found.model.pooling == tuple(best["model.pooling"].split("+"))
    assert (found.name, found.text, found.tune) == ("small-best", start.text, start.tune)
    document = tomllib.loads(run.best_recipe.read_text())
    assert "momentum" in document["train"]
    assert best["validation_loss"][:6] in run.best_recipe.read_text().splitlines()[0]


def test_the_best_recipe_trains_to_the_same_validation_loss(whole, environment, tmp_path):
    _, run = whole
    arguments = ["run", str(run.best_recipe), "--run-dir", str(tmp_path), "--until", "train"]
    subprocess.run([sys.executable, "-m", "pipelines", *arguments], env=environment, check=True)
    history = map(json.loads, RunDirectory(tmp_path).history.read_text().splitlines())
    losses = [float(row["validation_loss"]) for row in rows(run) if row["state"] == "complete"]
    assert min(row["validation_loss"] for row in history) == min(losses)


def test_a_finished_search_is_up_to_date_and_prints_the_same(whole, recipe, environment):
    done, run = whole
    again = subprocess.run(
        command(recipe, run.path), env=environment, capture_output=True, text=True, check=True
    )
    assert again.stdout == done.stdout
    assert "tune: up to date" in again.stderr


def wait_for(condition, child):
    while child.poll() is None and not condition():
        time.sleep(0.01)
    assert child.poll() is None, "it ended before it could be interrupted"


def in_trial(run, number):
    """Tell whether a trial is in its second epoch, and has a checkpoint to go on from."""
    if not run.trials.is_file() or len(rows(run)) != number - 1:
        return False
    steps = (path.name.removeprefix("step-") for path in run.trial.checkpoint.glob("*/step-*"))
    return any(int(step) > EPOCH for step in steps)


@pytest.fixture(scope="module")
def interrupted(recipe, environment, tmp_path_factory):
    """Return what a search said that was stopped, killed, interrupted and gone on with."""
    run, said = RunDirectory(tmp_path_factory.mktemp("interrupted")), []
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    stopped = command(recipe, run.path, "--max-minutes", "0.0001")
    said.append(subprocess.run(stopped, env=environment, check=False, **pipes))
    for number, sent in ((2, signal.SIGKILL), (3, signal.SIGINT)):
        with subprocess.Popen(command(recipe, run.path), env=environment, **pipes) as child:
            wait_for(lambda n=number: in_trial(run, n), child)
            child.send_signal(sent)
            said.append(subprocess.CompletedProcess([], *_ended(child)))
    last = command(recipe, run.path)
    said.append(subprocess.run(last, env=environment, check=False, **pipes))
    return said, run


def _ended(child):
    output, errors = child.communicate()
    return child.returncode, output, errors


def test_max_minutes_stops_cleanly_and_says_how_to_go_on(interrupted):
    stopped = interrupted[0][0]
    assert stopped.returncode == 0
    assert "minutes at trial 1 of 8: run the same command to go on" in stopped.stderr
    assert stopped.stdout == ""  # no trial has ended yet


def test_ctrl_c_is_one_line_that_says_how_to_go_on(interrupted):
    pressed = interrupted[0][2]
    assert pressed.returncode == 128 + signal.SIGINT
    line = pressed.stderr.splitlines()[-1]
    assert re.match(r"error: interrupted: trial \d of 8: stopped .*run the same command", line)


def test_no_trial_is_lost_or_doubled_and_each_is_as_if_nothing_had_happened(whole, interrupted):
    said, run = interrupted
    assert said[1].returncode == -signal.SIGKILL
    assert said[-1].returncode == 0, said[-1].stderr
    assert without_seconds(run) == without_seconds(whole[1])
    assert run.best_recipe.read_text() == whole[1].best_recipe.read_text()
    assert "starts anew" not in run.log.read_text()  # each went on from its checkpoint
    assert re.search(r"tune: goes on after [23] of 8 trials", said[-1].stderr)


def test_more_trials_go_on_from_those_there_are(interrupted, whole, recipe, environment):
    run = interrupted[1]
    more = command(recipe, run.path, "--trials", "9")
    done = subprocess.run(more, env=environment, capture_output=True, text=True, check=True)
    assert "tune: running (tune.trials was 8)" in done.stderr
    assert [line[:12] for line in done.stderr.splitlines() if "trial" in line[:6]] == [
        "trial 9 of 9"
    ]
    assert without_seconds(run)[:8] == without_seconds(whole[1])


def test_a_search_can_be_made_in_a_process_of_its_own(recipe, invoke, monkeypatch, tmp_path):
    monkeypatch.setattr("pipelines.run.needs_own_process", lambda _: True)
    options = ("--trials", "1", "--set", "train.epochs=1")
    done = invoke("tune", recipe, "--run-dir", tmp_path, *options)
    assert done.exit_code == 0, done.stderr
    assert "tune: in a process of its own" in done.stderr
    assert done.stdout.startswith(f"best        {tmp_path}/tune/best.toml: validation loss")
    assert len(rows(RunDirectory(tmp_path))) == 1


def test_a_search_has_its_directory_to_itself(whole, recipe, invoke):
    from pipelines.lock import locked

    run = whole[1]
    with locked(run.lock):
        refused = invoke("tune", recipe, "--run-dir", run.path)
    assert refused.exit_code == 1
    assert re.match(r"error: \S+ is in use by process \d+", refused.stderr)


def test_without_optuna_one_line_says_how_to_get_it(recipe, invoke, monkeypatch, tmp_path):
    monkeypatch.setattr("pipelines.tune.find_spec", lambda _: None)
    refused = invoke("tune", recipe, "--run-dir", tmp_path / "run")
    assert refused.exit_code == 1
    assert refused.stderr == (
        "error: tune needs optuna, which is not installed: pip install '.[tune]'\n"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("tune.train.lerning_rate={low=1, high=2}", "did you mean 'train.learning_rate'"),
        ("tune.trails=3", "did you mean 'trials'"),
        ("tune.model.dropout={low=0.5, high=0.1}", "low is to be less than high"),
        ("tune.text.max_tokens={low=5, high=10}", "same texts"),
    ],
)
def test_a_wrong_range_is_one_line_and_nothing_is_begun(recipe, invoke, tmp_path, override, part):
    refused = invoke("tune", recipe, "--run-dir", tmp_path / "run", "--set", override)
    assert refused.exit_code == 1
    assert part in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()
