"""Runs of MLflow as its own client reads them."""

import json
import os
import subprocess
import sys

import pytest

from pipelines.tracking.mlflow import AT_ONCE, EXPERIMENT, MlflowTracker, shown
from pipelines.tracking.tracker import Subject


def subject(directory, **changes):
    settings = {
        "title": "films",
        "parameters": {"train.epochs": 3, "model.pooling": ["max", "mean"], "data.dir": ""},
        "notes": {"stage": "train"},
        "record": directory / "checkpoint" / "tracked.json",
        "events": directory / "events",
    }
    return Subject(**(settings | changes))


def runs(store):
    experiment = store.get_experiment_by_name(EXPERIMENT)
    return store.search_runs([experiment.experiment_id])


def steps(store, run, name):
    return [(m.step, m.value) for m in store.get_metric_history(run.info.run_id, name)]


def test_parameters_figures_and_notes_are_read_back(store, tmp_path):
    tracker = MlflowTracker(subject(tmp_path))
    tracker.open()
    tracker.log({"loss": 0.5, "seconds": 3}, 1)
    tracker.log({"loss": 0.25}, 2)
    tracker.close(finished=True)
    (run,) = runs(store)
    assert run.info.run_name == "films"
    assert run.info.status == "FINISHED"
    assert run.data.tags["stage"] == "train"
    assert run.data.params == {
        "train.epochs": "3", "model.pooling": "['max', 'mean']", "data.dir": "",
    }  # fmt: skip
    assert steps(store, run, "loss") == [(1, 0.5), (2, 0.25)]
    assert steps(store, run, "seconds") == [(1, 3)]


def test_a_training_that_goes_on_goes_on_in_its_run(store, tmp_path):
    first = MlflowTracker(subject(tmp_path))
    first.open()
    first.log({"loss": 0.5}, 1)
    first.close(finished=False)
    assert [run.info.status for run in runs(store)] == ["KILLED"]
    changed = {"train.epochs": 9, "evaluate.baseline": False}  # a parameter is told once
    second = MlflowTracker(subject(tmp_path, parameters=changed))
    second.open()
    assert second.steps() == {1}
    (run,) = runs(store)
    assert run.info.status == "RUNNING"
    assert run.data.params["train.epochs"] == "3"
    assert run.data.params["evaluate.baseline"] == "False"


@pytest.mark.parametrize("lost", ["deleted", "unknown", "elsewhere", "damaged"])
def test_a_run_that_is_not_there_is_begun_anew(store, tmp_path, lost):
    tracker = MlflowTracker(subject(tmp_path))
    tracker.open()
    (before,) = runs(store)
    record = tmp_path / "checkpoint" / "tracked.json"
    noted = json.loads(record.read_text())
    if lost == "deleted":
        store.delete_run(before.info.run_id)
    noted |= {"unknown": {"run": "0" * 32}, "elsewhere": {"store": "http://x"}}.get(lost, {})
    record.write_text("{" if lost == "damaged" else json.dumps(noted))
    tracker.open()
    others = [run.info.run_id for run in runs(store) if run.info.run_id != before.info.run_id]
    assert [json.loads(record.read_text())["run"]] == others


def test_more_parameters_than_a_request_may_have_are_told(store, tmp_path):
    many = {f"model.key{n}": n for n in range(2 * AT_ONCE + 1)}
    MlflowTracker(subject(tmp_path, parameters=many)).open()
    (run,) = runs(store)
    assert len(run.data.params) == len(many)


def test_an_experiment_may_be_named(store, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    MlflowTracker(subject(tmp_path)).open()
    assert store.get_experiment_by_name(EXPERIMENT) is None
    assert store.get_experiment_by_name("mine") is not None


def test_no_name_and_password_of_an_address_are_shown():
    assert shown("postgresql://me:secret@host/db refused") == "postgresql://host/db refused"
    assert shown("sqlite:////a/b@c.db") == "sqlite:////a/b@c.db"


def test_telemetry_is_off_whatever_the_environment_says(store, tmp_path):
    code = (
        "from pipelines.tracking.mlflow import _client; _client();"
        "from mlflow.telemetry.client import get_telemetry_client as client;"
        "import threading; assert client() is None, client();"
        "assert threading.active_count() == 1, threading.enumerate()"
    )
    unset = ("CI", "GITHUB_ACTIONS", "PYTEST_CURRENT_TEST", "DO_NOT_TRACK")
    environment = {k: v for k, v in os.environ.items() if k not in unset}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "false", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-P", "-c", code], env=environment, check=True)
