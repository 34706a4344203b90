"""Evaluation of a run's model and of any model, against answers asked for one by one."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from pipelines.config import Recipe, load_recipe, load_section
from pipelines.evaluate_model import evaluate_model, execute
from pipelines.preprocess import execute as preprocess
from pipelines.rundir import RunDirectory
from sentiment_lstm.bundle import read_bundle
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.datasets import open_dataset
from sentiment_lstm.errors import DataError, SettingsError
from sentiment_lstm.progress import silent
from sentiment_lstm.text import Vocabulary

HISTORY = (
    {"epoch": 1, "loss": 0.7, "validation_loss": 0.65, "validation_accuracy": 0.6, "seconds": 1.0},
    {"epoch": 2, "loss": 0.6, "validation_loss": 0.55, "validation_accuracy": 0.7, "seconds": 1.0},
    {"epoch": 3, "loss": 0.5, "validation_loss": 0.57, "validation_accuracy": 0.8, "seconds": 1.0},
)
LONG = {"max_tokens": 128, "head_tokens": 64}


@pytest.fixture
def make_run(tmp_path, make_bundle):
    """Return a function that makes a run directory with a model of random weights in it."""

    def make(recipe, **changes):
        run = RunDirectory(tmp_path / "run")
        preprocess(recipe, run, silent)
        changes = LONG | {"data": recipe.section("data")} | changes
        make_bundle("run/bundle", vocabulary=Vocabulary.load(run.vocabulary), **changes)
        run.train.mkdir()
        run.history.write_text("".join(json.dumps(row) + "\n" for row in HISTORY), "utf-8")
        return run

    return make


@pytest.fixture
def demo():
    return load_recipe("quickstart", ["data.size=160"])


def answers(run, examples):
    return SentimentClassifier.load(run.bundle).classify([e.text for e in examples])


def card(run):
    return (run.bundle / "README.md").read_text("utf-8")


def test_the_figures_are_those_of_the_models_own_answers(make_run, demo):
    run = make_run(demo, temperature=2.5, threshold=0.6)
    execute(demo, run, silent)
    examples = list(open_dataset(demo.data).examples("test"))
    given = answers(run, examples)
    right = [p.label == e.label for p, e in zip(given, examples, strict=True)]
    squares = [
        (p.probability - (e.label == "positive")) ** 2 for p, e in zip(given, examples, strict=True)
    ]
    metrics = json.loads(run.metrics.read_text("utf-8"))
    assert metrics["count"] == 40
    assert metrics["accuracy"] == pytest.approx(np.mean(right))
    assert metrics["brier"] == pytest.approx(np.mean(squares), rel=1e-4)
    written = [json.loads(line) for line in run.predictions.read_text("utf-8").splitlines()]
    assert [row["label"] for row in written] == [p.label for p in given]


def test_the_baseline_learns_from_train_and_answers_for_test(make_run, demo):
    run = make_run(demo)
    execute(demo, run, silent)
    train, test = (list(open_dataset(demo.data).examples(s)) for s in ("train", "test"))
    vectors = TfidfVectorizer()
    model = LogisticRegression(max_iter=1000)
    model.fit(vectors.fit_transform([e.text for e in train]), [e.label for e in train])
    accuracy = model.score(vectors.transform([e.text for e in test]), [e.label for e in test])
    metrics = json.loads(run.metrics.read_text("utf-8"))
    assert metrics["baseline"]["accuracy"] == pytest.approx(accuracy)


def test_the_baseline_can_be_left_out(make_run):
    recipe = load_recipe("quickstart", ["data.size=160", "evaluate.baseline=false"])
    run = make_run(recipe)
    execute(recipe, run, silent)
    assert json.loads(run.metrics.read_text("utf-8"))["baseline"] is None
    assert "bag of words" not in card(run)


def test_the_card_states_what_was_measured_and_the_model_stays_sound(make_run, demo):
    run = make_run(demo)
    before = SentimentClassifier.load(run.bundle).classify(["good film"])
    execute(demo, run, silent)
    metrics = json.loads(run.metrics.read_text("utf-8"))
    assert f"| test accuracy | {metrics['accuracy']:.4f} |" in card(run)
    assert f"bag of words accuracy | {metrics['baseline']['accuracy']:.4f} |" in card(run)
    assert "| texts of train | 160 |" in card(run)
    assert "| validation loss | 0.5500 |" in card(run)
    read_bundle(run.bundle)
    assert SentimentClassifier.load(run.bundle).classify(["good film"]) == before


def test_the_card_certifies_that_padding_changes_nothing(make_run, demo, caplog):
    run = make_run(demo)
    execute(demo, run, silent)
    found = json.loads(run.metrics.read_text("utf-8"))["padding"]
    assert (found["difficult"], found["validation"]) == (32, 32)
    assert found["largest_difference"] < 1e-6
    figure = f"| most that padding changes an answer | {found['largest_difference']:.1e} (64 texts"
    assert figure in card(run)
    assert "padding" not in caplog.text


def test_the_card_of_a_model_that_does_not_mind_its_mask_says_so(
    make_run, demo, monkeypatch, caplog
):
    """Padding is a word like others to a network that is told so."""
    monkeypatch.setattr("sentiment_lstm.model.PAD", -1)
    run = make_run(demo)
    execute(demo, run, silent)
    found = json.loads(run.metrics.read_text("utf-8"))["padding"]["largest_difference"]
    assert found > 0.01
    assert f"| most that padding changes an answer | {found:.1e} (" in card(run)
    assert f"padding changes answers of this model by up to {found:.1e}" in caplog.text


def test_the_card_tells_of_the_epoch_that_was_kept(make_run):
    recipe = load_recipe("quickstart", ["data.size=160", "train.monitor=accuracy"])
    run = make_run(recipe)
    execute(recipe, run, silent)
    assert "| validation accuracy | 0.8000 |" in card(run)
    assert "| validation loss | 0.5700 |" in card(run)


def test_the_report_is_named_after_the_recipe(make_run, demo):
    run = make_run(demo)
    execute(demo, run, silent)
    assert "quickstart" in run.report.read_text("utf-8")


def test_a_regression_is_measured_in_the_units_of_its_targets(make_run, tmp_path):
    path = tmp_path / "numbers.csv"
    rows = [(f"a film of {n} minutes, good or bad", 10 + n / 7) for n in range(60)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    data = load_section("data", {"source": "files", "task": "regression", "train": str(path)}, [])
    recipe = Recipe("numbers", data=data)
    changes = {"task": "regression", "labels": (), "target_mean": 14.0, "target_scale": 2.5}
    run = make_run(recipe, **changes)
    execute(recipe, run, silent)
    examples = list(open_dataset(data).examples("test"))
    errors = [p.value - e.label for p, e in zip(answers(run, examples), examples, strict=True)]
    metrics = json.loads(run.metrics.read_text("utf-8"))
    assert metrics["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=1e-4)


def measure(model, labelled=None, overrides=(), output=None):
    return evaluate_model(str(model), labelled, overrides=overrides, output=output, progress=silent)


def test_any_model_is_measured_on_the_test_split_it_came_with(make_run, demo, tmp_path):
    run = make_run(demo)
    execute(demo, run, silent)
    staged = json.loads(run.metrics.read_text("utf-8"))
    for model in (run.path, run.bundle):
        found = measure(model, output=tmp_path / "figures")
        assert found["baseline"] is None
        assert found["accuracy"] == staged["accuracy"]
        assert found["log_loss"] == pytest.approx(staged["log_loss"])
        written = json.loads((tmp_path / "figures" / "metrics.json").read_text("utf-8"))
        assert written["accuracy"] == staged["accuracy"]
        assert (tmp_path / "figures" / "report.html").exists()


def test_a_setting_of_the_data_can_be_changed_and_no_other(make_run, demo):
    run = make_run(demo)
    assert measure(run.path, overrides=["data.limit=7"])["count"] == 7
    with pytest.raises(SettingsError, match="train"):
        measure(run.path, overrides=["train.epochs=7"])


def labelled_rows(tmp_path, rows, name="own.csv"):
    path = tmp_path / name
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("verdict", "review"), *rows])
    return path


OWN = ["data.text=review", "data.label=verdict"]


def test_any_model_is_measured_on_a_labelled_file(make_bundle, tmp_path, caplog):
    bundle = make_bundle()
    texts = ["good", "bad film", "not very good!", "the", ""]
    labels = [p.label for p in SentimentClassifier.load(bundle).classify(texts)]
    rows = [*zip(labels, texts, strict=True), ("middling", "x"), ("", "y")]
    found = measure(bundle, labelled_rows(tmp_path, rows), OWN)
    assert (found["count"], found["accuracy"]) == (5, 1.0)
    wrong = [("negative" if label == "positive" else "positive", t)
             for label, t in zip(labels, texts, strict=True)]  # fmt: skip
    assert measure(bundle, labelled_rows(tmp_path, wrong), OWN)["accuracy"] == 0.0
    assert "own.csv, line 7: unknown label 'middling'" in caplog.text
    assert "own.csv, line 8: no label" in caplog.text
    assert "2 rows left out" in caplog.text


def test_a_model_of_a_persons_own_files_needs_a_file_or_their_place(make_bundle, tmp_path):
    kept = {"source": "files", "text": "review", "label": "verdict", "test_fraction": 0.5}
    bundle = make_bundle(data=kept)
    rows = [(label, f"{label} {n}") for n in range(10) for label in ("positive", "negative")]
    path = labelled_rows(tmp_path, rows)
    assert measure(bundle, path)["count"] == 20
    with pytest.raises(
        DataError, match=r"your own files: give --input FILE, or --set data\.train="
    ):
        measure(bundle)
    assert measure(bundle, overrides=[f"data.train={path}"])["count"] == 10


def test_a_directory_with_other_files_is_not_written_over(make_bundle, tmp_path, monkeypatch):
    path = labelled_rows(tmp_path, [("positive", "good"), ("negative", "bad")])
    bundle, output = make_bundle(), tmp_path / "figures"
    output.mkdir()
    monkeypatch.chdir(output)
    for _ in range(2):  # into nothing, and over an earlier evaluation
        measure(bundle, path, OWN, Path())
        assert (output / "report.html").exists()
        monkeypatch.chdir(output)
    (output / "notes.txt").touch()
    with pytest.raises(SettingsError, match="figures holds other files: name an empty or a new"):
        measure(bundle, path, OWN, output)
    for entry in output.iterdir():
        if entry.name != "report.html":
            entry.unlink()
    with pytest.raises(SettingsError, match="holds other files"):
        measure(bundle, path, OWN, output)
    assert (output / "report.html").exists()


def test_a_folder_of_labels_is_a_labelled_file_too(make_bundle, tmp_path):
    for label in ("negative", "positive"):
        (tmp_path / "own" / label).mkdir(parents=True)
        (tmp_path / "own" / label / "1.txt").write_text("good film")
    assert measure(make_bundle(), tmp_path / "own")["accuracy"] == 0.5


def test_labels_that_are_not_the_models_are_refused(make_bundle, tmp_path):
    rows = labelled_rows(tmp_path, [("1", "good"), ("0", "bad")])
    with pytest.raises(DataError, match=r"own\.csv holds no labelled text"):
        measure(make_bundle(), rows, OWN)
    bundle = make_bundle(labels=("bad", "good"))
    with pytest.raises(DataError, match=r"'negative', 'positive'.*'bad', 'good'"):
        measure(bundle)


def test_a_model_that_names_no_data_asks_for_a_file(make_bundle):
    with pytest.raises(DataError, match="--input FILE"):
        measure(make_bundle(data={}))


def test_the_command_prints_the_table(invoke, make_bundle, tmp_path):
    path = labelled_rows(tmp_path, [("positive", "good"), ("negative", "bad")])
    options = [word for override in OWN for word in ("--set", override)]
    output = tmp_path / "figures"
    result = invoke(
        "evaluate", "--model", make_bundle(), "--input", path, "--output", output, *options
    )
    assert result.exit_code == 0, result.stderr
    assert "Accuracy" in result.stdout
    assert "LSTM" in result.stdout
    assert (output / "report.html").exists()
    assert result.stderr == ""
