"""The decide command: what it chooses, what it writes, and that a run notices."""

import csv
import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from pipelines.config import load_recipe
from pipelines.json_lines import json_lines
from pipelines.lock import locked
from pipelines.preprocess import execute as preprocess
from pipelines.run import run_stages
from pipelines.rundir import RunDirectory
from pipelines.stages import STAGES
from sentiment_lstm.bundle import SHIPPED, read_bundle
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.progress import silent
from sentiment_lstm.text import Vocabulary

RECIPE = load_recipe("quickstart", ["data.size=240"])
NOTHING = "def execute(recipe, run, progress, **limits):\n    pass\n"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the step")
KILLED_AT_RENAME = """
import itertools, os, sys
from sentiment_lstm import atomic
at, how, renames = int(sys.argv.pop()), sys.argv.pop(), itertools.count()
if how == "in two steps":
    atomic.exchanged = lambda new, path: False
def hook(event, arguments):
    if event == "os.rename" and next(renames) == at:
        os._exit(9)
sys.addaudithook(hook)
from pipelines.cli import main; main()
"""


@pytest.fixture
def stages(tmp_path, monkeypatch):
    """Return the stages of a run, of which preprocessing alone does its work."""
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")  # which the chain sets, put back after
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "does_nothing.py").write_text(NOTHING)
    return [s if s.name == "preprocess" else replace(s, module="does_nothing") for s in STAGES]


@pytest.fixture
def done(tmp_path, make_bundle, stages):
    """Return a finished run with a model of random weights in it."""
    run = RunDirectory(tmp_path / "run")
    preprocess(RECIPE, run, silent)
    settings = {"max_tokens": 128, "head_tokens": 64, "data": RECIPE.section("data")}
    make_bundle("run/bundle", vocabulary=Vocabulary.load(run.vocabulary), **settings)
    said(run, stages)
    return run


def said(run, stages):
    """Run what is not up to date, and return what was said of each stage."""
    lines = []
    run_stages(RECIPE, run, stages=stages, announce=lines.append)
    return [line for line in lines if "done in" not in line]


def validation(run, bundle=None):
    """Return P(positive) and the targets of the validation texts, as the classifier has them."""
    texts = list(json_lines(run.texts("validation")))
    answers = SentimentClassifier.load(bundle or run.bundle).classify(texts)
    targets = np.load(run.preprocess / "validation.targets.npy")
    return np.array([answer.probability for answer in answers]), targets.astype(int)


def best_f1(p, y):
    """Return the most F1 that a threshold has, tried at and beside every probability."""
    places = {0.0, 0.5, 1.0, *p.tolist(), *np.nextafter(p, 2).tolist()}
    return max(f1_score(y, p >= t, zero_division=0) for t in places)


FRESH = ["preprocess: up to date", "train: up to date"]
STALE = [*FRESH, "evaluate: running (bundle changed)", "export: running (bundle changed)"]


def test_a_run_is_decided_on_its_validation_split_and_notices(invoke, done, stages):
    for part in done.preprocess.glob("test.*"):
        part.write_bytes(b"nobody reads this")
    before, (p, y) = read_bundle(done.bundle), validation(done)
    result = invoke("decide", done.path, "--aim", "f1")
    assert (result.exit_code, result.stderr) == (0, "")
    after = read_bundle(done.bundle)
    assert f1_score(y, p >= after.config.threshold) == pytest.approx(best_f1(p, y))
    assert replace(after.config, threshold=0.5) == before.config
    for name, array in before.weights.items():
        np.testing.assert_array_equal(after.weights[name], array)
    shutil.rmtree(done.preprocess)
    preprocess(RECIPE, done, silent)
    assert said(done, stages)[1:] == ["train: up to date", *STALE[2:]]
    assert said(done, stages)[1:] == [f"{s}: up to date" for s in ("train", "evaluate", "export")]


def test_the_figures_are_printed_there_and_at_a_half(invoke, done):
    p, y = validation(done)
    invoke("decide", done.path, "--aim", "recall=0.9")
    threshold = read_bundle(done.bundle).config.threshold
    width = round(float(np.median(np.abs(p - threshold))), 6)
    options = ("--aim", "recall=0.9", "--abstain", width)
    lines = invoke("decide", done.path, *options).stdout.splitlines()
    assert lines[0] == f"chosen on   validation: {len(y)} texts"
    assert lines[1] == f"threshold   {threshold:.4f} for recall=0.9"
    table = {line[:16].strip(): line[16:].split() for line in lines[3:11]}
    for column, t in enumerate((threshold, 0.5)):
        chosen = p >= t
        figures = {"accuracy": accuracy_score(y, chosen), "F1": f1_score(y, chosen)}
        assert {name: table[name][column] for name in figures} == {
            name: f"{value:.4f}" for name, value in figures.items()
        }
        assert int(table["true positives"][column]) == (chosen & (y == 1)).sum()
        assert int(table["false positives"][column]) == (chosen & (y == 0)).sum()
        assert int(table["false negatives"][column]) == (~chosen & (y == 1)).sum()
        assert int(table["true negatives"][column]) == (~chosen & (y == 0)).sum()
    assert float(table["recall"][0]) >= 0.9
    sure = np.abs(p - threshold) >= width
    right = ((p >= threshold) == y)[sure].mean()
    left = (~sure).sum()
    assert lines[11] == (
        f"abstain     {width:.4f}: {sure.sum()} texts are decided, {right:.4f} of them rightly; "
        f"{left} ({left / len(y):.2%}) stay unsure"
    )
    assert lines[12:] == [f"model       {done.bundle}"]
    none = invoke("decide", done.path, "--abstain", "0.499").stdout
    assert f"abstain     0.4990: none of the {len(y)} texts is decided" in none


def test_the_narrowest_band_for_an_accuracy_is_written(invoke, done):
    p, y = validation(done)
    margins, right = np.abs(p - 0.5), (p >= 0.5) == y
    most = max(right[margins >= m].mean() for m in margins)
    wanted = np.floor(100 * most) / 100
    expected = min(m for m in (0.0, *margins) if right[margins >= m].mean() >= wanted)
    result = invoke("decide", done.path, "--abstain-accuracy", wanted)
    assert result.exit_code == 0, result.stderr
    config = read_bundle(done.bundle).config
    assert config.threshold == 0.5
    assert (margins >= config.abstain).sum() == (margins >= expected).sum()
    assert "threshold   0.5000, as it was" in result.stdout
    answers = SentimentClassifier.load(done.path).classify(json_lines(done.texts("validation")))
    assert [a.unsure for a in answers] == (margins < config.abstain).tolist()


def test_an_aim_out_of_reach_changes_nothing(invoke, done, stages):
    before = {path: path.read_bytes() for path in done.bundle.iterdir()}
    result = invoke("decide", done.path, "--aim", "precision=1", "--abstain-accuracy", "1")
    if result.exit_code == 0:
        pytest.fail("random weights have found the positive texts")
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in done.bundle.iterdir()} == before
    assert said(done, stages) == [*FRESH, "evaluate: up to date", "export: up to date"]


# The stamp that is to be, the model in one step or in two, the stamp that is.
@pytest.mark.parametrize(
    ("how", "renames", "kill"),
    [
        *(pytest.param("in one step", 3, kill, marks=LINUX) for kill in range(4)),
        *(("in two steps", 4, kill) for kill in range(5)),
    ],
)
def test_a_command_killed_at_any_rename_leaves_a_run_that_knows_what_it_is(
    command, done, stages, how, renames, kill
):
    before = read_bundle(done.bundle).config
    arguments = ("decide", done.path, "--aim", "f1", "--abstain", "0.1", how, kill)
    status = command(*arguments, code=KILLED_AT_RENAME).returncode
    assert status == (9 if kill < renames else 0)
    told, config = said(done, stages), read_bundle(done.bundle).config
    if kill < renames - 1:
        assert config == before
        assert told == [*FRESH, "evaluate: up to date", "export: up to date"]
    else:
        assert config.abstain == 0.1
        assert told == STALE
    assert not done.amended_stamp("train").exists()


def test_a_run_that_was_changed_otherwise_is_refused(invoke, done, make_bundle):
    texts = done.preprocess / "validation.targets.npy"
    kept = texts.read_bytes()
    texts.write_bytes(kept[:-1] + b"\1")
    result = invoke("decide", done.path, "--aim", "f1")
    assert result.exit_code == 1
    assert "preprocess/validation.targets.npy changed since its model was trained" in result.stderr
    texts.write_bytes(kept)
    make_bundle("run/bundle", seed=1, vocabulary=Vocabulary.load(done.vocabulary))
    result = invoke("decide", done.path, "--aim", "f1")
    assert result.exit_code == 1
    assert "bundle/config.json is missing or altered" in result.stderr
    done.stamp("train").unlink()
    assert "holds no finished train" in invoke("decide", done.path, "--aim", "f1").stderr


def test_a_run_in_use_is_left_alone(invoke, done):
    with locked(done.lock):
        result = invoke("decide", done.path, "--aim", "f1")
    assert result.exit_code == 1
    assert "is in use by process" in result.stderr


# --- any other model ---


def labelled(tmp_path, columns=("text", "label")):
    random, path = np.random.default_rng(3), tmp_path / "mine.csv"
    words = ("the film was good", "bad", "not very good", "!", "very bad", "film")
    rows = [
        (words[n % 6] + " ." * n, ("negative", "positive")[random.integers(2)]) for n in range(60)
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path, rows


@pytest.mark.parametrize("columns", [("text", "label"), ("review", "verdict")])
def test_any_model_is_decided_on_a_labelled_file_into_another_place(
    invoke, make_bundle, tmp_path, columns
):
    bundle, output = make_bundle(), tmp_path / "decided"
    path, rows = labelled(tmp_path, columns)
    before = {p: p.read_bytes() for p in bundle.iterdir()}
    names = () if columns[0] == "text" else ("--text-column", "review", "--label-column", "verdict")
    result = invoke("decide", bundle, "--aim", "f1", "--input", path, "--output", output, *names)
    assert (result.exit_code, result.stderr) == (0, "")
    answers = SentimentClassifier.load(bundle).classify([text for text, _ in rows])
    p, y = np.array([a.probability for a in answers]), np.array([r[1] == "positive" for r in rows])
    found = f1_score(y, p >= read_bundle(output).config.threshold)
    assert found == pytest.approx(best_f1(p, y))
    assert "| decision chosen on | mine.csv, 60 texts |" in (output / "README.md").read_text()
    assert {p: p.read_bytes() for p in bundle.iterdir()} == before


def test_a_run_decided_into_another_place_stays_as_it_is(invoke, done, stages, tmp_path):
    result = invoke("decide", done.path, "--aim", "f1", "--output", tmp_path / "decided")
    assert result.exit_code == 0, result.stderr
    assert read_bundle(tmp_path / "decided").config != read_bundle(done.bundle).config
    assert said(done, stages) == [*FRESH, "evaluate: up to date", "export: up to date"]


def test_many_labels_have_a_margin_and_no_threshold(invoke, make_bundle, tmp_path):
    bundle = make_bundle(labels=("bad", "fair", "good"))
    path = tmp_path / "mine.jsonl"
    texts = ["the film was good", "bad", "very", "not good !", "film film", ""]
    answers = SentimentClassifier.load(bundle).classify(texts)
    rows = [{"text": t, "label": a.label} for t, a in zip(texts, answers, strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ("--input", path, "--output", tmp_path / "decided")
    lines = invoke("decide", bundle, "--abstain-accuracy", "1", *options).stdout.splitlines()
    assert lines[1] == "abstain     0: every text is decided, 1.0000 of them rightly"
    refused = invoke("decide", bundle, "--aim", "f1", *options)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "the model has 3 labels" in refused.stderr


def test_what_is_missing_or_may_not_be_written_is_one_line(invoke, make_bundle, tmp_path):
    bundle = make_bundle()
    path, _ = labelled(tmp_path)
    given, out = ("--aim", "f1", "--input", path), ("--output", tmp_path / "out")
    cases = [
        ((bundle, *given), "is no run directory and stays as it is: give --output DIR"),
        ((bundle, "--aim", "f1", *out), "which has a validation split: give --input"),
        (("imdb-tiny", *given), "imdb-tiny ships with the package and stays as it is"),
        ((bundle, *given, "--output", SHIPPED / "imdb-tiny"), "ships with the package"),
        ((bundle, "--aim", "f-1", "--input", path, *out), "did you mean 'f1'?"),
        ((bundle, "--aim", "f1", "--input", tmp_path / "none.csv", *out), "none.csv"),
        ((bundle, *given, "--output", tmp_path), "holds other files"),
    ]
    for arguments, part in cases:
        result = invoke("decide", *arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert part in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_a_shipped_model_is_not_reached_through_a_run_either(invoke, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "bundle").symlink_to(SHIPPED / "imdb-tiny")
    path, _ = labelled(tmp_path)
    result = invoke("decide", tmp_path / "run", "--aim", "f1", "--input", path)
    assert result.exit_code == 1
    assert "ships with the package and stays as it is" in result.stderr
