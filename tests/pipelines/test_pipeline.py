"""The whole pipeline as a person runs it: real processes, a real training, a real export."""

import json

import pytest

TINY = (
    "data.size=60",
    "text.max_tokens=40",
    "text.head_tokens=20",
    "model.embedding=4",
    "model.units=3",
    "train.epochs=1",
    "train.batch_size=32",
    "evaluate.baseline=false",
)
SET = [word for override in TINY for word in ("--set", override)]
HEAVY = ("tensorflow", "keras", "sklearn", "scipy", "matplotlib", "tensorflow_datasets")
LOADED = f"""
import sys
from pipelines.cli import main
try:
    main()
finally:
    print("loaded:", *(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return a run directory that `sentiment-lstm run` has filled, and what it printed."""
    return tmp_path_factory.mktemp("pipeline") / "run", {}


def ran(command, finished):
    """Run the pipeline the first time it is asked for."""
    directory, kept = finished
    if not kept:
        kept["result"] = command("run", "quickstart", "--run-dir", directory, *SET)
    return directory, kept["result"]


def test_run_makes_everything_and_says_where_it_is(command, finished):
    directory, result = ran(command, finished)
    shown, told = result.stdout.decode(), result.stderr.decode()
    assert result.returncode == 0, told
    assert "Accuracy" in shown
    for made in ("bundle", "evaluate/report.html", "export/1"):
        assert str(directory / made) in shown
        assert (directory / made).exists()
    assert [line for line in told.splitlines() if line.endswith("(not done yet)")] == [
        f"{stage}: running (not done yet)"
        for stage in ("preprocess", "train", "evaluate", "export")
    ]
    assert "epoch 1: loss" in told
    assert not (directory / "train" / "checkpoint").exists()


def test_what_native_code_says_is_in_the_log_and_not_on_the_terminal(command, finished):
    directory, result = ran(command, finished)
    assert b"oneDNN" not in result.stderr
    assert b"cuda" not in result.stderr
    assert "preprocess: running" in (directory / "log.txt").read_text("utf-8")


def test_a_second_run_finds_everything_up_to_date_without_heavy_imports(command, finished):
    directory, first = ran(command, finished)
    result = command("run", "quickstart", "--run-dir", directory, *SET, code=LOADED)
    stages = ("preprocess", "train", "evaluate", "export")
    assert result.stderr.decode().splitlines() == [
        *(f"{stage}: up to date" for stage in stages),
        "loaded:",
    ]
    assert result.stdout == first.stdout


def test_single_stages_print_their_own_results(command, finished):
    directory, _ = ran(command, finished)
    parts = {
        "preprocess": "vocabulary: ",
        "train": str(directory / "bundle"),
        "evaluate": "Accuracy",
        "export": str(directory / "export" / "1"),
    }
    for stage, part in parts.items():
        result = command(stage, "quickstart", "--run-dir", directory, *SET)
        assert result.stderr.decode().strip() == f"{stage}: up to date"
        assert part in result.stdout.decode()


def test_a_decision_is_noticed_by_what_was_made_from_the_model(command, finished):
    directory, _ = ran(command, finished)
    done = command("decide", directory, "--aim", "accuracy", "--abstain", "0.001")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines()[-1] == f"model       {directory / 'bundle'}"
    again = command("run", "quickstart", "--run-dir", directory, *SET)
    said = [x for x in again.stderr.decode().splitlines() if "done in" not in x]
    assert said == [
        "preprocess: up to date",
        "train: up to date",
        "evaluate: running (bundle changed)",
        "export: running (bundle changed)",
    ]
    assert "decided " in again.stdout.decode()
    card = (directory / "bundle" / "README.md").read_text("utf-8")
    assert "| decision aim | accuracy |" in card
    assert "| test accuracy |" in card
    assert "| test decided coverage |" in card


def test_the_model_the_bundle_and_the_saved_model_answer_alike(command, finished):
    directory, _ = ran(command, finished)
    texts = b"The film was good, I loved it.\nI had hoped for more.\n\n"
    answers = {}
    for model in ("", "bundle", "export"):
        result = command("classify", "--model", directory / model, "--format", "jsonl", input=texts)
        assert result.returncode == 0, result.stderr
        answers[model] = [json.loads(line) for line in result.stdout.splitlines()]
        told = result.stderr.decode().splitlines()
        assert ["is a program" in line for line in told] == [True] * (model == "export")
    assert len(answers[""]) == 3
    for other in answers.values():
        for mine, theirs in zip(answers[""], other, strict=True):
            assert mine["label"] == theirs["label"]
            assert mine["probability"] == pytest.approx(theirs["probability"], abs=1e-5)
