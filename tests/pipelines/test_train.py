"""The train stage on a real run directory: killed with SIGKILL, resumed, and never confused."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from pipelines.config import load_recipe
from pipelines.resuming import own_checkpoints
from pipelines.rundir import RunDirectory

TINY = [
    "data.size=300",
    "text.max_tokens=60",
    "text.head_tokens=30",
    "model.embedding=8",
    "model.units=6",
    "model.recurrent_dropout=0.1",
    "model.embedding_dropout=0.1",
    "train.epochs=3",
    "train.batch_size=16",
    "train.average=0.9",
    "train.token_dropout=0.1",
    "train.checkpoint_minutes=0",
]


def command(directory, *extra, stage="train"):
    options = [part for setting in (*TINY, *extra) for part in ("--set", setting)]
    return [
        *(sys.executable, "-m", "pipelines", stage, "quickstart"),
        *("--run-dir", str(directory), *options),
    ]


def run(directory, *extra, stage="train"):
    return subprocess.run(
        command(directory, *extra, stage=stage), capture_output=True, text=True, check=True
    )


def weights_digest(directory):
    return hashlib.sha256((directory / "bundle" / "weights.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a run that was never interrupted."""
    directory = tmp_path_factory.mktemp("whole")
    run(directory, stage="preprocess")
    run(directory)
    return directory


def test_leaves_a_bundle_and_its_history(whole):
    lines = (whole / "train" / "history.jsonl").read_text().splitlines()
    history = [json.loads(line) for line in lines]
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert {"loss", "validation_loss", "validation_accuracy"} <= set(history[0])
    config = json.loads((whole / "bundle" / "config.json").read_text())
    assert config["labels"] == ["negative", "positive"]
    assert not {"dir", "train", "validation", "test"} & set(config["data"])
    assert not (whole / "train" / "checkpoint").exists()


def test_killed_and_resumed_ends_with_the_same_weights(whole, tmp_path):
    run(tmp_path, stage="preprocess")
    for checkpoints in (3, 9):  # kill it once so many steps are safe on disk
        child = subprocess.Popen(command(tmp_path), stderr=subprocess.DEVNULL)
        while child.poll() is None and last_step(tmp_path) < checkpoints:
            time.sleep(0.005)
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert not (tmp_path / "bundle").exists()
    assert last_step(tmp_path) >= 9
    run(tmp_path)
    assert weights_digest(tmp_path) == weights_digest(whole)
    assert losses(tmp_path) == losses(whole)  # the best weights may be older than a kill


def losses(directory):
    rows = map(json.loads, (directory / "train" / "history.jsonl").read_text().splitlines())
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def last_step(directory):
    saved = (directory / "train" / "checkpoint").glob("*/step-*")
    return max((int(path.name.removeprefix("step-")) for path in saved), default=0)


def test_a_checkpoint_of_other_settings_is_not_resumed(whole, tmp_path):
    run(tmp_path, stage="preprocess")
    child = subprocess.Popen(command(tmp_path, "train.seed=7"), stderr=subprocess.DEVNULL)
    while child.poll() is None and last_step(tmp_path) < 3:
        time.sleep(0.005)
    child.kill()
    child.wait()
    run(tmp_path)
    assert weights_digest(tmp_path) == weights_digest(whole)
    assert not (tmp_path / "train" / "checkpoint").exists()


@pytest.mark.parametrize("changed", ["package", "keras"])
def test_a_checkpoint_of_another_version_is_left_for_that_version(
    whole, monkeypatch, caplog, changed
):
    recipe, directory = load_recipe("quickstart", TINY), RunDirectory(whole)
    before = own_checkpoints("train", recipe, directory)
    before.mkdir(parents=True)
    assert own_checkpoints("train", recipe, directory) == before
    assert not caplog.records
    if changed == "package":
        monkeypatch.setattr("sentiment_lstm.__version__", "99.0")
    else:
        monkeypatch.setattr("pipelines.resuming.version", lambda _: "99.0")
    assert own_checkpoints("train", recipe, directory) != before
    assert "train starts anew" in caplog.text
    assert before.is_dir()
    shutil.rmtree(before.parent)


def test_tensorboard_logs_are_written_on_request(whole, tmp_path):
    pytest.importorskip("tensorboard", reason="pip install '.[tensorboard]'")
    run(tmp_path, stage="preprocess")
    run(tmp_path, "train.epochs=1", "train.tensorboard=true")
    assert list((tmp_path / "train" / "tensorboard").glob("events.*"))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_trains_under_another_backend_without_being_asked_twice(tmp_path, backend):
    pytest.importorskip(backend, reason="pip install '.[peers]'")
    run(tmp_path, stage="preprocess")
    run(tmp_path, f"train.backend={backend}", "train.epochs=1")
    assert (tmp_path / "bundle" / "manifest.json").exists()
