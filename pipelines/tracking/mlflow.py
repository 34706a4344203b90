"""A run of MLflow, in its local store or on the server that MLFLOW_TRACKING_URI names."""

import json
import os
import re
import time
from collections.abc import Mapping, Set
from typing import Any

from pipelines.tracking.tracker import Subject
from sentiment_lstm.atomic import replaced_file

EXPERIMENT = "sentiment-lstm"  # unless MLFLOW_EXPERIMENT_NAME says otherwise
AT_ONCE = 100  # parameters of one request, at most
# What a training may wait for a server that does not answer is a few seconds, not MLflow's many
# minutes: its figures are offered again after the next epoch.
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


class MlflowTracker:
    """Logs to one run, and finds it again when the training goes on."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def open(self) -> None:
        """Begin a run, or go on with the one that this training has, if that is still there."""
        self._client = _client()
        self._run = self._known() or self._begun()
        there = self._client.get_run(self._run).data.params
        self._log_parameters({k: v for k, v in _told(self._subject).items() if k not in there})

    def steps(self) -> Set[int]:
        """Return the epochs whose loss the run holds; the store alone knows what reached it."""
        return {metric.step for metric in self._client.get_metric_history(self._run, "loss")}

    def log(self, figures: Mapping[str, float], step: int) -> None:
        """Log figures in one request."""
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        metrics = [Metric(name, float(value), now, step) for name, value in figures.items()]
        self._client.log_batch(self._run, metrics=metrics)

    def close(self, *, finished: bool) -> None:
        """Have the run shown as finished, or as killed until it goes on."""
        self._client.set_terminated(self._run, "FINISHED" if finished else "KILLED")

    def _known(self) -> str | None:
        """Return the run that the record names, running again; None where there is none."""
        from mlflow.exceptions import MlflowException

        try:
            noted = json.loads(self._subject.record.read_text("utf-8"))
            if noted["store"] != shown(self._client.tracking_uri):
                return None
            found = self._client.get_run(noted["run"])
        except (OSError, ValueError, LookupError, TypeError):
            return None
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        if found.info.lifecycle_stage != "active":
            return None
        self._client.update_run(found.info.run_id, status="RUNNING")
        return str(found.info.run_id)

    def _begun(self) -> str:
        """Begin a run and note which one it is."""
        subject = self._subject
        begun = self._client.create_run(
            _experiment(self._client), run_name=subject.title, tags=dict(subject.notes)
        )
        noted = {"store": shown(self._client.tracking_uri), "run": begun.info.run_id}
        with replaced_file(subject.record) as temporary:
            temporary.write_text(json.dumps(noted), "utf-8")
        return str(begun.info.run_id)

    def _log_parameters(self, parameters: Mapping[str, str]) -> None:
        from mlflow.entities import Param

        told = [Param(key, value) for key, value in parameters.items()]
        for first in range(0, len(told), AT_ONCE):
            self._client.log_batch(self._run, params=told[first : first + AT_ONCE])


def shown(text: str) -> str:
    """Return an address, or a text that holds one, without a user's name and password."""
    return re.sub(r"(?<=://)[^/@\s]+@", "", text)


def _client() -> Any:
    """Return MLflow's client; nothing is told to anybody but the store."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    return MlflowClient()


def _experiment(client: Any) -> str:
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
    found = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if found is None else found.experiment_id)


def _told(subject: Subject) -> dict[str, str]:
    return {key: str(value) for key, value in subject.parameters.items()}
