"""Checkpoints: whole or not at all, two kept, a damaged one passed over."""

import logging
import resource

import numpy as np
import pytest

from sentiment_lstm.checkpoints import load_checkpoint, remove_checkpoints, save_checkpoint


def save(directory, step):
    arrays = {"a": np.full(4, step, np.float32), "seed": np.array([step, 7], np.uint32)}
    save_checkpoint(directory, step, arrays, {"epoch": step, "loss": 0.1 + 0.2})


def test_the_newest_comes_back_exactly(tmp_path):
    for step in (9, 10, 100):
        save(tmp_path, step)
    arrays, position = load_checkpoint(tmp_path)
    np.testing.assert_array_equal(arrays["a"], np.full(4, 100, np.float32))
    assert arrays["seed"].dtype == np.uint32
    assert position == {"epoch": 100, "loss": 0.1 + 0.2}


def test_the_last_two_are_kept(tmp_path):
    for step in (1, 2, 3, 4):
        save(tmp_path, step)
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["step-000000003", "step-000000004"]


@pytest.mark.parametrize("file", ["arrays.safetensors", "position.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_one_is_named_and_the_one_before_it_used(tmp_path, caplog, file, damage):
    save(tmp_path, 1)
    save(tmp_path, 2)
    path = tmp_path / "step-000000002" / file
    data = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        data[20] ^= 0x40
        path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        _, position = load_checkpoint(tmp_path)
    assert position["epoch"] == 1
    assert "step-000000002" in caplog.text


def test_one_that_the_disk_does_not_take_says_so_and_leaves_the_one_before_it(tmp_path):
    save(tmp_path, 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            save(tmp_path, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(tmp_path / "step-000000002")
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000001"]


def test_none_is_found_where_there_is_none(tmp_path):
    assert load_checkpoint(tmp_path / "nowhere") is None


def test_removing_leaves_nothing(tmp_path):
    save(tmp_path / "c", 1)
    remove_checkpoints(tmp_path / "c")
    assert load_checkpoint(tmp_path / "c") is None


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_a_position_of_which_one_bit_turned_is_never_gone_on_from(tmp_path, place):
    save(tmp_path, 1)
    save(tmp_path, 2)
    path = tmp_path / "step-000000002" / "position.json"
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1
    path.write_bytes(data)
    assert load_checkpoint(tmp_path)[1] == {"epoch": 1, "loss": 0.1 + 0.2}


def test_a_loss_that_is_no_number_is_kept(tmp_path):
    save_checkpoint(tmp_path, 1, {"a": np.zeros(1)}, {"best": float("inf"), "loss": float("nan")})
    _, position = load_checkpoint(tmp_path)
    assert position["best"] == float("inf")
    assert np.isnan(position["loss"])
