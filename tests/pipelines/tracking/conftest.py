"""What the tests of tracking share: a store of MLflow in a directory, TensorBoard's own reader."""

import sys
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def environment():
    """Return a function that gives the variables of a store in a directory.

    Files, as a data base is made in a dozen seconds; what is logged is the same.
    """
    return lambda directory: {
        "MLFLOW_TRACKING_URI": (directory / "mlruns").as_uri(),
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


@pytest.fixture
def read_events(monkeypatch):
    """Return TensorBoard's reader of a directory; such a module keeps it from TensorFlow."""
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", ModuleType("notf"))
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="pip install '.[tensorboard]'",
    )
    return lambda directory: reader.EventAccumulator(str(directory)).Reload()


@pytest.fixture
def store(environment, monkeypatch, tmp_path):
    """Return MLflow's client of a store that the code under test logs to."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    mlflow = pytest.importorskip("mlflow", reason="pip install '.[mlflow]'")
    return mlflow.MlflowClient()
