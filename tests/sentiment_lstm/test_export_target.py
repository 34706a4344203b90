import json

import pytest

from sentiment_lstm.errors import ExportError, SettingsError
from sentiment_lstm.export_target import check_target, new_version, write_record


def test_a_version_appears_whole_beside_others(tmp_path):
    (tmp_path / "1").mkdir()
    with new_version(tmp_path, 2) as temporary:
        (temporary / "model").write_text("new")
        assert not (tmp_path / "2").exists()
    assert (tmp_path / "2" / "model").read_text() == "new"
    assert (tmp_path / "1").is_dir()


def test_a_failure_leaves_nothing_where_there_was_nothing(tmp_path):
    with pytest.raises(RuntimeError), new_version(tmp_path / "away" / "onnx", 1):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_what_stood_there(tmp_path):
    (tmp_path / "away" / "1").mkdir(parents=True)
    (tmp_path / "away" / "1" / "model").write_text("old")
    with pytest.raises(RuntimeError), new_version(tmp_path / "away", 1):
        raise RuntimeError
    assert (tmp_path / "away" / "1" / "model").read_text() == "old"


def test_a_model_of_the_same_format_may_be_replaced_and_nothing_else(tmp_path):
    check_target(tmp_path / "nowhere", 1, "model.onnx")
    (tmp_path / "1").mkdir()
    check_target(tmp_path, 1, "model.onnx")
    (tmp_path / "1" / "thesis").touch()
    with pytest.raises(ExportError, match="holds other files"):
        check_target(tmp_path, 1, "model.onnx")
    (tmp_path / "1" / "model.onnx").touch()
    check_target(tmp_path, 1, "model.onnx")


@pytest.mark.parametrize("version", [-1, True, "1", 1.0])
def test_a_version_that_is_no_number_is_refused(tmp_path, version):
    with pytest.raises(SettingsError, match="whole number"):
        check_target(tmp_path, version, "model")


def test_the_record_stands_beside_the_versions(tmp_path):
    write_record(tmp_path / "new", {"b": 1, "a": 0.5})
    assert json.loads((tmp_path / "new" / "export.json").read_bytes()) == {"a": 0.5, "b": 1}
