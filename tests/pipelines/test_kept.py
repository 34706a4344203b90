"""Measurements that are kept from one command to the next."""

import pytest

from pipelines.kept import Kept


def test_what_is_put_is_there_for_the_next(tmp_path):
    path = tmp_path / "kept.json"
    Kept(path, "1").put({"b": 1, "a": [2]}, {"loss": 0.5})
    Kept(path, "1").put({"c": 1}, 3)
    kept = Kept(path, "1")
    assert kept.get({"a": [2], "b": 1}) == {"loss": 0.5}
    assert kept.get({"c": 1}) == 3
    assert kept.get({"a": [2]}) is None
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept.json"]


def test_what_other_code_has_measured_is_not_taken(tmp_path):
    path = tmp_path / "kept.json"
    Kept(path, "1").put("x", 1)
    assert Kept(path, "2").get("x") is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"version": "1"}', '{"version": "1", "figures": 3}']
)
def test_a_file_that_is_none_of_ours_counts_as_empty(tmp_path, content):
    path = tmp_path / "kept.json"
    path.write_text(content)
    kept = Kept(path, "1")
    assert kept.get("x") is None
    kept.put("x", 1)
    assert Kept(path, "1").get("x") == 1
