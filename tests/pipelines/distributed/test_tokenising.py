"""Preprocessing on a cluster leaves what preprocessing on one machine leaves, byte for byte."""

import os
import signal

import pytest

from pipelines import token_workers
from pipelines.config import load_recipe
from pipelines.distributed import tokenising
from pipelines.distributed.engine import LOCAL
from pipelines.preprocess import execute
from pipelines.rundir import RunDirectory
from pipelines.stamp import read_stamp
from sentiment_lstm.progress import silent

RECIPE = load_recipe("quickstart", ["data.size=200"])


@pytest.fixture(autouse=True)
def small_packs(monkeypatch):
    """Have texts go out in many packs."""
    monkeypatch.setattr(token_workers, "PACK_BYTES", 3000)


def files(run):
    return {path.name: path.read_bytes() for path in run.preprocess.iterdir()}


@pytest.fixture
def expected(tmp_path):
    """Return the files that one machine leaves."""
    run = RunDirectory(tmp_path / "local")
    execute(RECIPE, run, silent, LOCAL)
    return files(run)


def test_files_are_those_of_one_machine(cluster, tmp_path, expected):
    run = RunDirectory(tmp_path / "cluster")
    execute(RECIPE, run, silent, cluster.engine)
    assert files(run) == expected


def test_a_killed_process_changes_nothing(cluster, tmp_path, monkeypatch, expected):
    died = tmp_path / "died"

    def dying(pack):
        if not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return token_workers.tokenised(pack)

    monkeypatch.setattr(tokenising, "tokenised", dying)
    run = RunDirectory(tmp_path / "cluster")
    execute(RECIPE, run, silent, cluster.engine)
    assert died.exists()
    assert files(run) == expected


def test_the_command_line_takes_a_cluster(cluster, tmp_path, invoke, expected):
    setting = ("--set", "data.size=200")
    done = invoke(
        "preprocess", "quickstart", "--run-dir", tmp_path / "cluster", *setting, *cluster.options
    )
    assert done.exit_code == 0
    run = RunDirectory(tmp_path / "cluster")
    made = files(run)
    assert {name: made[name] for name in expected} == expected
    assert read_stamp(run.stamp("preprocess")).made_with["engine"] == "ray, 2 workers"
