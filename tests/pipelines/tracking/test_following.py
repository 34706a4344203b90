"""Trainings that are followed: killed and gone on, beside a server that goes away, and without."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipelines.cli import TRACKERS as OFFERED
from pipelines.config import TRACKERS, load_recipe
from pipelines.rundir import RunDirectory, RunError
from pipelines.stages import stage_named
from pipelines.tracking.following import FOLLOWED, KINDS, followed

TINY = [
    "data.size=300",
    "text.max_tokens=60",
    "text.head_tokens=30",
    "model.embedding=8",
    "model.units=6",
    "pretrain.negatives=50",
    "train.epochs=3",
    "train.batch_size=16",
    "train.checkpoint_minutes=0",
    "evaluate.baseline=false",
]
ROWS = [{"epoch": n, "loss": 1 / n, "validation_loss": 0.5, "seconds": n} for n in (1, 2, 3, 4)]
BOTH = ("--track", "tensorboard", "--track", "mlflow")


def test_what_the_command_offers_is_what_a_recipe_takes_and_there_is():
    assert OFFERED == TRACKERS == tuple(KINDS)
    for name in FOLLOWED:
        assert not [s for s in stage_named(name).sections if s.startswith("track")]


def test_each_tracker_follows_once_and_the_older_key_asks_for_one():
    recipe = load_recipe("quickstart", ['track.to=["mlflow", "mlflow"]', "train.tensorboard=true"])
    assert recipe.trackers == ("mlflow", "tensorboard")
    assert load_recipe("quickstart").trackers == ()


# --- the commands ---


def command(directory, *options, stage="run"):
    settings = [part for setting in TINY for part in ("--set", setting)]
    return [
        *(sys.executable, "-P", "-m", "pipelines", stage, "quickstart"),
        *("--run-dir", str(directory), *settings, *options),
    ]


@pytest.fixture(scope="module")
def needed():
    """Skip where an extra is not installed."""
    for name in ("tensorboard", "mlflow"):
        pytest.importorskip(name, reason=f"pip install '.[{name}]'")


@pytest.fixture(scope="module")
def ran(environment, tmp_path_factory):
    """Return a function that runs a command with a store of its own, and where that is."""
    home = tmp_path_factory.mktemp("home")
    variables = os.environ | environment(home) | {"PYTHONPATH": os.pathsep.join(sys.path)}

    def run(*arguments, **options):
        return subprocess.run(
            command(*arguments, **options), env=variables, capture_output=True, text=True,
            check=True,
        )  # fmt: skip

    run.home, run.variables = home, variables
    return run


@pytest.fixture(scope="module")
def plain(needed, ran, tmp_path_factory):
    """Return a run that nothing follows."""
    directory = tmp_path_factory.mktemp("plain")
    ran(directory, "--until", "evaluate")
    return RunDirectory(directory)


@pytest.fixture(scope="module")
def tracked(ran, plain, tmp_path_factory):
    """Return the same run, followed, killed after its first epoch, and gone on."""
    run = RunDirectory(tmp_path_factory.mktemp("tracked"))
    shutil.copytree(plain.preprocess, run.preprocess)
    asked = command(run.path, "--until", "evaluate", *BOTH)
    with subprocess.Popen(asked, env=ran.variables, stderr=subprocess.PIPE, text=True) as child:
        while not child.stderr.readline().startswith("epoch 1:"):
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
    assert list(run.checkpoint.glob("*/step-*"))
    ran(run.path, "--until", "evaluate", *BOTH)
    return run


@pytest.fixture
def client(ran, tracked, monkeypatch):
    import mlflow

    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_ALLOW_FILE_STORE", "MLFLOW_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, ran.variables[name])
    return mlflow.MlflowClient()


def expected(run):
    """Return steps and values by name, as the run directory itself tells them."""
    rows = [json.loads(line) for line in run.history.read_text().splitlines()]
    told = {k: [(row["epoch"], row[k]) for row in rows] for k in rows[0] if k != "epoch"}
    metrics = json.loads(run.metrics.read_text())
    last = rows[-1]["epoch"]
    return told | {f"test_{k}": [(last, metrics[k])] for k in ("accuracy", "f1", "log_loss")}


def test_following_changes_no_bit_of_the_weights(plain, tracked):
    weights = [run.bundle / "weights.safetensors" for run in (plain, tracked)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_mlflow_holds_each_epoch_once_in_one_run(client, tracked):
    experiment = client.get_experiment_by_name("sentiment-lstm")
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_name, run.info.status) == ("quickstart", "FINISHED")
    for name, values in expected(tracked).items():
        history = client.get_metric_history(run.info.run_id, name)
        assert [(m.step, m.value) for m in history] == values, name
    assert run.data.params["train.epochs"] == "3"
    assert run.data.params["model.pooling"] == "['max', 'mean']"
    assert not [name for name in run.data.params if name.startswith(("track.", "tune."))]


def test_tensorboard_holds_each_epoch_once(read_events, tracked):
    events = read_events(tracked.events("train"))
    for name, values in expected(tracked).items():
        held = [(e.step, e.value) for e in events.Scalars(name)]
        assert held == [(step, pytest.approx(value)) for step, value in values], name


def test_a_stage_is_up_to_date_whatever_follows_it(invoke, plain, tracked):
    settings = [part for setting in TINY for part in ("--set", setting)]
    for run, options in ((plain, BOTH), (tracked, ())):
        done = invoke(
            *("run", "quickstart", "--run-dir", run.path, *settings, *options),
            *("--until", "evaluate"),
        )
        assert done.stderr.splitlines() == [
            f"{name}: up to date" for name in ("preprocess", "train", "evaluate")
        ]


def test_a_pretraining_is_followed_too(ran, client, plain, tmp_path):
    run = RunDirectory(tmp_path)
    shutil.copytree(plain.preprocess, run.preprocess)
    ran(run.path, "--track", "mlflow", "--set", "pretrain.epochs=1", stage="pretrain")
    (found,) = client.search_runs(["0", *(e.experiment_id for e in client.search_experiments())],
                                  "tags.stage = 'pretrain'")  # fmt: skip
    (row,) = map(json.loads, run.pretrain_history.read_text().splitlines())
    assert found.info.run_name == "quickstart pretrain"
    assert found.data.metrics == {name: value for name, value in row.items() if name != "epoch"}


def test_a_tracker_that_is_not_installed_is_told_before_anything_is_done(
    invoke, monkeypatch, tmp_path
):
    monkeypatch.setattr("pipelines.tracking.following.find_spec", lambda _: None)
    refused = invoke("run", "quickstart", "--run-dir", tmp_path / "run", "--track", "mlflow")
    assert refused.exit_code == 1
    assert refused.stderr == (
        "error: --track mlflow needs mlflow, which is not installed: "
        "pip install 'sentiment-lstm[mlflow]'\n"
    )
    assert not (tmp_path / "run").exists()


# --- a server that goes away ---


class Server(ThreadingHTTPServer):
    """As much of a tracking server as a training asks, over its protocol; `up` until it is not."""

    def __init__(self):
        self.up, self.logged = True, []
        super().__init__(("127.0.0.1", 0), Handler)

    def answer(self, method, asked):
        run = {"info": {"run_id": "r", "run_uuid": "r", "experiment_id": "1", "status": "RUNNING",
                        "lifecycle_stage": "active"}, "data": {}}  # fmt: skip
        if method == "runs/log-batch":
            self.logged += [(m["key"], m["step"]) for m in asked.get("metrics", ())]
        metrics = [{"key": k, "value": 0.0, "timestamp": 0, "step": s} for k, s in self.logged]
        return {
            "experiments/get-by-name": {"experiment": {"experiment_id": "1", "name": "x"}},
            "metrics/get-history": {"metrics": [m for m in metrics if m["key"] == "loss"]},
        }.get(method, {"run": run})


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        size = int(self.headers.get("content-length") or 0)
        asked = json.loads(self.rfile.read(size) or b"{}")
        method = self.path.partition("/mlflow/")[2].partition("?")[0]
        body = json.dumps(self.server.answer(method, asked)).encode() if self.server.up else b"{}"
        self.send_response(200 if self.server.up else 500)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - as the library calls it

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    pytest.importorskip("mlflow", reason="pip install '.[mlflow]'")
    with Server() as started:
        thread = threading.Thread(target=started.serve_forever)
        thread.start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:pw@127.0.0.1:{started.server_port}")
        yield started
        started.shutdown()
        thread.join()


@pytest.fixture
def recipe():
    return load_recipe("quickstart", ['track.to=["mlflow"]'])


def test_a_server_that_goes_away_costs_one_warning_and_gets_all_when_it_is_back(
    server, recipe, tmp_path, caplog
):
    run = RunDirectory(tmp_path)
    with caplog.at_level("WARNING"), followed("train", recipe, run, run.checkpoint) as tell:
        tell(ROWS[0])
        server.up = False
        tell(ROWS[1])
        tell(ROWS[2])
        (warning,) = caplog.messages
        assert warning.startswith("mlflow does not take the figures (")
        assert "\n" not in warning
        assert "pw@" not in warning
        server.up = True
        tell(ROWS[3])
    assert len(caplog.messages) == 1
    names = [name for name in ROWS[0] if name != "epoch"]
    assert server.logged == [(name, step) for step in (1, 2, 3, 4) for name in names]


def test_a_server_that_is_not_there_is_told_before_the_training(
    server, recipe, tmp_path, monkeypatch
):
    run = RunDirectory(tmp_path)
    server.up = False
    with (
        pytest.raises(RunError, match=r"^mlflow does not take the figures \(.*or leave --track"),
        followed("train", recipe, run, run.checkpoint),
    ):
        pytest.fail("it was trained")
