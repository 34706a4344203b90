"""Event files as TensorBoard itself reads them."""

import os
import subprocess
import sys

import pytest

from pipelines.tracking.tensorboard import TensorBoardTracker
from pipelines.tracking.tracker import Subject

PARAMETERS = {"train.epochs": 3, "train.strict": True, "model.pooling": ["max"], "data.dir": ""}


@pytest.fixture
def tracker(tmp_path):
    return TensorBoardTracker(
        Subject("films", PARAMETERS, {}, tmp_path / "record.json", tmp_path / "events")
    )


@pytest.fixture
def held(read_events, tmp_path):
    """Return a function that gives steps and values by tag."""

    def read():
        events = read_events(tmp_path / "events")
        tags = events.Tags()["scalars"]
        return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in tags}

    return read


def test_figures_are_read_back_at_their_steps_while_the_file_is_open(held, tracker):
    tracker.open()
    tracker.log({"loss": 0.5, "validation_loss": 0.25}, 1)
    tracker.log({"loss": float("inf")}, 2)
    assert tracker.steps() == {1, 2}
    assert held() == {
        "loss": [(1, 0.5), (2, float("inf"))], "validation_loss": [(1, 0.25)],
    }  # fmt: skip
    tracker.close(finished=True)


def test_what_is_opened_again_holds_nothing_from_before(held, tracker):
    for _ in range(2):
        tracker.open()
        assert not tracker.steps()
        tracker.log({"loss": 0.5}, 1)
        tracker.close(finished=False)
    assert held() == {"loss": [(1, 0.5)]}


def test_parameters_stand_in_the_table_of_hyperparameters(read_events, tracker, tmp_path):
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    tracker.open()
    tracker.close(finished=True)
    events = read_events(tmp_path / "events")
    content = events.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    told = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    assert told["model.pooling"].string_value == "['max']"
    assert told["train.epochs"].number_value == 3
    assert told["train.strict"].bool_value is True
    assert set(told) == set(PARAMETERS)


def test_writing_imports_no_tensorflow(read_events, tmp_path):
    code = (
        "import sys; from pathlib import Path;"
        "from pipelines.tracking.tensorboard import TensorBoardTracker;"
        "from pipelines.tracking.tracker import Subject;"
        "place = Path(sys.argv[1]);"
        "tracker = TensorBoardTracker(Subject('x', {'train.epochs': 3}, {}, place, place));"
        "tracker.open(); tracker.log({'loss': 1.0}, 1); tracker.close(finished=True);"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    asked = [sys.executable, "-P", "-c", code, str(tmp_path / "events")]
    subprocess.run(asked, env=environment, check=True)
    assert read_events(tmp_path / "events").Tags()["scalars"] == ["loss"]
