"""The ladder's rungs add up, its results are kept whole, its differences are paired."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score

from pipelines.config import load_recipe
from tests.ladder.kept import KEPT, Result, keep, read
from tests.ladder.rungs import RECIPE, ladder
from tests.ladder.table import HEADINGS, delta, render
from tests.resilience.commands import environment

SMALL = (
    "data.source=demo",
    "data.size=120",
    "text.min_count=1",
    "model.units=4",
    "model.embedding=4",
    "train.precision=float32",
)


def a_result(right, rung="scratch", seed=0):
    return Result(rung, seed, 2, validation=0.75, ece=0.01, right=np.asarray(right, bool))


def test_each_rung_changes_the_recipe_up_to_the_whole_of_it_and_then_to_a_student():
    rungs = ladder()
    recipes = [load_recipe(RECIPE, rung.settings) for rung in rungs]
    assert len(set(map(repr, recipes))) == len(rungs)
    start = ("pretrain.epochs=0", "model.start=imdb")
    whole = load_recipe(RECIPE, (*start, "train.virtual_adversarial=4"))
    assert recipes[-2] == whole
    taught = load_recipe(RECIPE, (*start, "teach.models=['imdb']", "teach.ngrams=0.25"))
    assert recipes[-1] == taught
    assert taught.data.unlabelled
    assert not taught.train.virtual_adversarial


@given(arrays(bool, st.integers(1, 40)))
def test_what_is_kept_is_read_again(tmp_path_factory, right):
    path = tmp_path_factory.mktemp("kept") / "kept.jsonl"
    keep([a_result(right), a_result(~right, "schedule", seed=3)], path)
    first, second = read(path)
    assert first.right.tolist() == right.tolist()
    assert second.right.tolist() == (~right).tolist()
    assert (second.rung, second.seed, second.epochs, second.validation) == ("schedule", 3, 2, 0.75)


def test_a_difference_is_that_of_accuracies_and_its_interval_that_of_pairs():
    rng = np.random.default_rng(3)
    lower = [a_result(rng.random(5000) < 0.8, seed=s) for s in (0, 1)]
    upper = [a_result(lower[0].right | (rng.random(5000) < 0.3), "schedule")]
    told, _, half = delta(upper, lower).split()
    wanted = 100 * (upper[0].right.mean() - np.mean([r.right.mean() for r in lower]))
    assert float(told) == pytest.approx(wanted, abs=0.006)
    again = [
        upper[0].right[at].mean() - np.mean([r.right[at].mean() for r in lower])
        for at in rng.integers(5000, size=(2000, 5000))
    ]
    bootstrap = 100 * (np.quantile(again, 0.975) - np.quantile(again, 0.025)) / 2
    assert float(half) == pytest.approx(bootstrap, rel=0.1)


def test_a_rung_without_a_result_is_left_out_and_the_next_is_held_against_the_one_below():
    right = np.arange(100) % 4 > 0
    results = [a_result(right), a_result(np.ones(100), "schedule")]
    lines = list(render(ladder(), results))
    assert len(lines) == 4
    assert lines[2].endswith("|  |")
    assert "+25.00" in lines[3]


def test_the_command_trains_what_is_not_kept_and_prints_a_table(tmp_path):
    kept = tmp_path / "kept.jsonl"
    settings = [word for setting in SMALL for word in ("--set", setting)]
    command = [sys.executable, "-m", "tests.ladder", "scratch", "--seeds", "1", "--epochs", "1"]
    places = ["--runs", str(tmp_path / "runs"), "--kept", str(kept)]
    for _ in range(2):  # the second time nothing is left to train
        done = subprocess.run(
            [*command, *places, *settings], env=environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0] == f"| {' | '.join(HEADINGS)} |"
    (found,) = read(kept)
    told = (tmp_path / "runs/scratch-0/evaluate/predictions.jsonl").read_text()
    rows = [json.loads(line) for line in told.splitlines()]
    expected = accuracy_score([r["target"] for r in rows], [r["label"] for r in rows])
    assert found.test == pytest.approx(expected)
    assert f"{expected:.4f}" in done.stdout
    assert "preprocess" not in done.stderr


def test_what_the_readme_tells_of_the_ladder_is_what_was_kept():
    if not KEPT.exists():
        pytest.skip("no rung was kept yet")
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    epochs = {result.epochs for result in read()}
    assert len(epochs) == 1
    for line in list(render(ladder(), read()))[2:]:
        assert line in readme
