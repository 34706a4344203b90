"""Training by several processes: the losses of one, equal weights on each, whatever is killed."""

import json
import signal
import subprocess
import sys

import psutil
import pytest

from pipelines.config import load_recipe
from pipelines.distributed.cluster import cores_each
from pipelines.distributed.engine import LOCAL
from pipelines.distributed.training import Lost, while_checkpoints_come
from pipelines.run import run_stages
from pipelines.rundir import RunDirectory, RunError
from pipelines.tracking import following
from tests.distributed.clusters import when
from tests.resilience.commands import environment

EPOCHS = 8
SETTINGS = [
    "data.size=61",  # of batches of 12 the last has one text, which two processes share
    "text.max_tokens=20",
    "text.head_tokens=5",
    "model.embedding=4",
    "model.units=3",
    "model.dropout=0.2",
    "train.token_dropout=0.1",
    "train.batch_size=12",
    f"train.epochs={EPOCHS}",
    f"train.patience={EPOCHS}",
    "train.checkpoint_minutes=0",
]
UNDROPPED = [*SETTINGS, "model.dropout=0", "model.embedding_dropout=0", "model.recurrent_dropout=0"]


def prepared(path, settings=SETTINGS):
    """Return a recipe and a run directory with its token arrays."""
    recipe, run = load_recipe("quickstart", settings), RunDirectory(path)
    run_stages(recipe, run, only="preprocess")
    return recipe, run


def train(recipe, run, engine):
    run_stages(recipe, run, only="train", engine=engine)
    return weights(run), [json.loads(line) for line in run.history.read_text().splitlines()]


def weights(run):
    return (run.bundle / "weights.safetensors").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(cluster, tmp_path_factory):
    """Return the weights that a cluster comes to."""
    return train(*prepared(tmp_path_factory.mktemp("undisturbed")), cluster.engine)[0]


def test_losses_are_those_of_one_process(cluster, tmp_path):
    _, alone = train(*prepared(tmp_path / "one", UNDROPPED), LOCAL)
    _, together = train(*prepared(tmp_path / "two", UNDROPPED), cluster.engine)
    assert len(together) == len(alone) == EPOCHS
    for found, wanted in zip(together, alone, strict=True):
        assert {**found, "seconds": 0} == pytest.approx({**wanted, "seconds": 0}, abs=1e-5)


def test_a_lost_worker_changes_nothing_and_the_other_ends(
    cluster, tmp_path, monkeypatch, undisturbed
):
    epochs, alive = [], []

    def killing(row):
        epochs.append(row["epoch"])
        if row["epoch"] == 1:
            first, other = cluster.actors("Trainer")
            first.kill()
            alive.append(other)

    monkeypatch.setattr(following, "announce_epoch", killing)
    found, _ = train(*prepared(tmp_path / "run"), cluster.engine)
    assert psutil.wait_procs(alive, timeout=120)[1] == []
    assert len(alive) == 1
    assert epochs == [*range(1, EPOCHS + 1)]
    assert found == undisturbed


def test_a_killed_command_goes_on_from_its_checkpoint(cluster, tmp_path, undisturbed):
    recipe, run = prepared(tmp_path / "run")
    program = tmp_path / "killed.py"
    program.write_text(KILLED.format(settings=SETTINGS, run=str(run.path), engine=cluster.engine))
    done = subprocess.run([sys.executable, program], env=environment())
    assert done.returncode == -signal.SIGKILL
    assert list(run.checkpoint.glob("*/step-*"))
    assert not run.history.exists()
    when(lambda: not cluster.actors("Trainer"), 120)
    assert train(recipe, run, cluster.engine)[0] == undisturbed


KILLED = """
import os, signal
from pathlib import Path
from pipelines.config import load_recipe
from pipelines.distributed.engine import Engine
from pipelines.run import run_stages
from pipelines.rundir import RunDirectory
from pipelines.tracking import following

def killing(row):
    os.kill(os.getpid(), signal.SIGKILL)

following.announce_epoch = killing
recipe = load_recipe("quickstart", {settings!r})
run_stages(recipe, RunDirectory(Path({run!r})), only="train", engine={engine!r})
"""


def test_pretraining_is_that_of_one_process(cluster, tmp_path):
    settings, found = [*UNDROPPED, "pretrain.epochs=1", "pretrain.batch_size=12"], []
    for name, engine in (("one", LOCAL), ("two", cluster.engine)):
        recipe, run = prepared(tmp_path / name, settings)
        run_stages(recipe, run, only="pretrain", engine=engine)
        row = json.loads(run.pretrain_history.read_text())
        found.append({**row, "seconds": 0})
    assert found[1] == pytest.approx(found[0], rel=1e-5)


def test_work_that_never_comes_on_is_given_up(tmp_path):
    tries = []

    def attempt():
        tries.append(len(tries))
        if len(tries) == 3:
            (tmp_path / "step-000000001").mkdir()
        raise Lost("a process of the cluster ended")

    with pytest.raises(RunError, match=r"^a process of the cluster ended, 4 times in turn: "):
        while_checkpoints_come(attempt, tmp_path)
    assert len(tries) == 2 + 4


def test_work_that_comes_on_is_tried_as_often_as_it_takes(tmp_path):
    def attempt():
        done = len(list(tmp_path.iterdir()))
        if done == 9:
            return "done"
        (tmp_path / f"step-{done:09d}").mkdir()
        raise Lost("a process of the cluster ended")

    assert while_checkpoints_come(attempt, tmp_path) == "done"


@pytest.mark.parametrize(
    ("machines", "processes", "cores"),
    [([2], 2, 1), ([16, 16], 2, 16), ([16, 16], 3, 8), ([8, 4], 2, 4), ([2], 5, 1), ([], 1, 1)],
)
def test_processes_get_the_cores_that_each_can_have(machines, processes, cores):
    assert cores_each(machines, processes) == cores
