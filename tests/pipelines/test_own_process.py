"""A stage in a process of its own: how it ends, what it holds, what it says."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pipelines
from pipelines.config import Recipe, dump, load_recipe, load_section
from pipelines.lock import locked
from pipelines.own_process import run_in_own_process
from pipelines.rundir import RunDirectory, RunError
from sentiment_lstm.batching import TokenArrays

ROOT = str(Path(pipelines.__file__).parents[1])


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path)


def in_own_process(run, recipe, stage="preprocess"):
    run.recipe.write_text(dump(recipe), "utf-8")
    with locked(run.lock) as lock:
        run_in_own_process(stage, run, "tensorflow", lock)


def test_the_stage_is_done_and_logged(run):
    in_own_process(run, load_recipe("quickstart", ["data.size=20"]))
    assert len(TokenArrays.load(run.preprocess, "train")) == 20
    assert "texts: train 20" in run.log.read_text("utf-8")


def test_files_in_the_current_directory_pass_for_no_packages(run, tmp_path, monkeypatch):
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "__init__.py").write_text("raise RuntimeError")
    (tmp_path / "numpy.py").write_text("raise RuntimeError")
    monkeypatch.chdir(tmp_path)
    in_own_process(run, load_recipe("quickstart", ["data.size=20"]))
    assert run.summary.exists()


def test_its_error_is_ours_in_one_line(run):
    data = load_section("data", {"source": "files", "train": "nowhere.csv"}, [])
    with pytest.raises(RunError) as caught:
        in_own_process(run, Recipe("x", data=data))
    assert "nowhere.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_error_of_the_system_is_one_line_too(run, capfd):
    run.log.mkdir()
    with pytest.raises(RunError, match=r"log\.txt: Is a directory"):
        in_own_process(run, load_recipe("quickstart"))
    assert capfd.readouterr().err == ""


def test_an_end_without_words_names_the_log(run, capfd):
    with pytest.raises(RunError, match=r"nothing ended with status 1: see .*log\.txt"):
        in_own_process(run, load_recipe("quickstart"), stage="nothing")
    assert "Traceback" in capfd.readouterr().err


PARENT = """
import sys
from pathlib import Path
from pipelines.lock import locked
from pipelines.own_process import run_in_own_process
from pipelines.rundir import RunDirectory
run = RunDirectory(Path(sys.argv[1]))
with locked(run.lock) as lock:
    run_in_own_process("preprocess", run, "tensorflow", lock)
"""


@pytest.fixture
def busy_parent(run):
    """Yield a process whose child preprocesses more than it can in the time of a test."""
    run.recipe.write_text(dump(load_recipe("quickstart", ["data.size=10000000"])), "utf-8")
    environment = os.environ | {"PYTHONPATH": ROOT}
    command = [sys.executable, "-c", PARENT, str(run.path)]
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, start_new_session=True
    ) as parent:
        wait_until(lambda: any(run.path.glob(".preprocess.*.tmp/train.texts.jsonl")))
        yield parent
        if parent.poll() is None:
            os.killpg(parent.pid, signal.SIGKILL)


def wait_until(happened):
    for _ in range(1500):
        if happened():
            return
        time.sleep(0.02)
    raise AssertionError("it never happened")


def is_free(run):
    try:
        with locked(run.lock):
            return True
    except RunError:
        return False


def test_the_directory_stays_locked_while_the_child_works(run, busy_parent):
    assert not is_free(run)


def test_the_child_ends_when_its_parent_is_killed(run, busy_parent):
    busy_parent.send_signal(signal.SIGKILL)
    wait_until(lambda: is_free(run))


def test_ctrl_c_ends_both(run, busy_parent):
    os.killpg(busy_parent.pid, signal.SIGINT)
    shown = busy_parent.communicate()[1].decode()
    assert busy_parent.returncode != 0
    assert shown.rstrip().endswith("KeyboardInterrupt")
    assert is_free(run)
    assert not list(run.path.glob(".preprocess.*.tmp"))


BINDING = """
import sys
from pipelines.own_process import choose_backend, needs_own_process
assert not needs_own_process("jax")
choose_backend("tensorflow")
import keras
print(keras.config.backend(), *(needs_own_process(b) for b in ("numpy", "jax", "tensorflow")))
"""


def test_a_process_is_bound_to_the_backend_that_keras_was_imported_with():
    environment = os.environ | {"PYTHONPATH": ROOT, "KERAS_BACKEND": "jax"}
    result = subprocess.run(
        [sys.executable, "-c", BINDING], env=environment, capture_output=True, check=True
    )
    assert result.stdout.split() == [b"tensorflow", b"True", b"True", b"False"]
