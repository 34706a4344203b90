"""What both stages that train do around it: rows, checkpoints, what one that fails leaves."""

import json

import pytest

from pipelines.config import load_recipe
from pipelines.distributed.engine import LOCAL
from pipelines.rundir import RunDirectory
from pipelines.training_stage import train_stage

ROWS = [{"epoch": n, "loss": 1 / n, "validation_loss": 0.5, "seconds": 1.5} for n in (1, 2)]


@pytest.fixture
def run(tmp_path, invoke):
    """Return a run directory with the inputs of a training."""
    invoke("preprocess", "quickstart", "--run-dir", tmp_path / "run", "--set", "data.size=60")
    return RunDirectory(tmp_path / "run")


def work(*, fails=False):
    """Return what trains here: it leaves a checkpoint and tells of each row."""

    def here(checkpoints, tell):
        checkpoints.mkdir(parents=True)
        (checkpoints / "step-000000001").mkdir()
        for row in ROWS:
            tell(row)
        if fails:
            raise KeyboardInterrupt
        return ROWS

    return here


def history_of(run, stage):
    return {"train": run.history, "pretrain": run.pretrain_history}[stage]


def checkpoints_of(run, stage):
    return {"train": run.checkpoint, "pretrain": run.pretrain_checkpoint}[stage]


@pytest.mark.parametrize("stage", ["train", "pretrain"])
def test_a_row_an_epoch_stays_and_no_checkpoint(run, stage, caplog):
    caplog.set_level("INFO")
    recipe, history = load_recipe("quickstart"), history_of(run, stage)
    train_stage(stage, recipe, run, history, work(), max_minutes=None, engine=LOCAL)
    assert [json.loads(line) for line in history.read_text().splitlines()] == ROWS
    assert not checkpoints_of(run, stage).exists()
    told = [r.getMessage() for r in caplog.records if r.getMessage().startswith("epoch ")]
    assert told == [
        "epoch 1: loss 1.0000, validation loss 0.5000 (2 s)",
        "epoch 2: loss 0.5000, validation loss 0.5000 (2 s)",
    ]


@pytest.mark.parametrize("stage", ["train", "pretrain"])
def test_of_one_that_fails_the_checkpoints_stay_and_no_row(run, stage):
    recipe, history = load_recipe("quickstart"), history_of(run, stage)
    with pytest.raises(KeyboardInterrupt):
        train_stage(stage, recipe, run, history, work(fails=True), max_minutes=None, engine=LOCAL)
    assert not history.exists()
    assert list(checkpoints_of(run, stage).glob("*/step-000000001"))
