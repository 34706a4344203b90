"""Event files for TensorBoard, written without TensorFlow.

An event file is a row of records, each with its length and check sums around it (TFRecord). The
`tensorboard` package has the events and the sums; its own writer would import TensorFlow.
"""

import os
import shutil
import struct
import time
from collections.abc import Mapping, Set
from typing import Any

from pipelines.tracking.tracker import Subject

VERSION = "brain.Event:2"  # of the format, in the first record of each file


class TensorBoardTracker:
    """Writes one event file.

    It holds what has been logged since it was opened and nothing from before, so an epoch never
    stands there twice: whoever goes on with a training logs its earlier epochs again.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._steps: set[int] = set()

    def open(self) -> None:
        """Begin a new file in place of those that are there."""
        from tensorboard.compat.proto import event_pb2

        directory = self._subject.events
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        self._steps.clear()
        path = directory / f"events.out.tfevents.{int(time.time())}.{os.getpid()}"
        self._file = path.open("wb", buffering=0)  # a kill loses nothing that was logged
        self._write(event_pb2.Event(wall_time=time.time(), file_version=VERSION))
        self._write_summary(_parameters(self._subject.parameters), 0)

    def steps(self) -> Set[int]:
        """Return the epochs that were logged."""
        return self._steps

    def log(self, figures: Mapping[str, float], step: int) -> None:
        """Write figures in one record."""
        from tensorboard.compat.proto import summary_pb2

        values = [summary_pb2.Summary.Value(tag=k, simple_value=v) for k, v in figures.items()]
        self._write_summary(summary_pb2.Summary(value=values), step)
        self._steps.add(step)

    def close(self, *, finished: bool) -> None:  # noqa: ARG002 - a file knows no difference
        """Close the file."""
        self._file.close()

    def _write_summary(self, summary: Any, step: int) -> None:
        from tensorboard.compat.proto import event_pb2

        self._write(event_pb2.Event(wall_time=time.time(), step=step, summary=summary))

    def _write(self, event: Any) -> None:
        self._file.write(record(event.SerializeToString()))


def record(content: bytes) -> bytes:
    """Return content as a TFRecord: its length, a check sum of that, itself, a check sum of it."""
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    length = struct.pack("<Q", len(content))
    sums = [struct.pack("<I", masked_crc32c(part)) for part in (length, content)]
    return length + sums[0] + content + sums[1]


def _parameters(parameters: Mapping[str, Any]) -> Any:
    """Return the summary that TensorBoard's table of hyperparameters reads."""
    from tensorboard.compat.proto import summary_pb2
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    started = plugin_data_pb2.SessionStartInfo(start_time_secs=time.time())
    for key, value in parameters.items():
        _set(started.hparams[key], value)
    told = plugin_data_pb2.HParamsPluginData(session_start_info=started)
    value = summary_pb2.Summary.Value(
        tag=metadata.SESSION_START_INFO_TAG,
        metadata=metadata.create_summary_metadata(told),
        tensor=metadata.NULL_TENSOR,
    )
    return summary_pb2.Summary(value=[value])


def _set(slot: Any, value: Any) -> None:
    if isinstance(value, bool):
        slot.bool_value = value
    elif isinstance(value, int | float):
        slot.number_value = value
    else:
        slot.string_value = str(value)
