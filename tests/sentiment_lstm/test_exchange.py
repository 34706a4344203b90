"""Directories that change places in one step."""

import ctypes
import sys

import pytest

from sentiment_lstm.exchange import exchanged


def two(tmp_path):
    """Make two directories, each with a file of its name."""
    for name in ("one", "ôther"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    return tmp_path / "one", tmp_path / "ôther"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the step")
def test_two_directories_change_places(tmp_path):
    one, other = two(tmp_path)
    before = one.stat().st_ino, other.stat().st_ino
    assert exchanged(one, other)
    assert (other.stat().st_ino, one.stat().st_ino) == before
    assert (one / "ôther").exists()
    assert (other / "one").exists()


def test_with_one_missing_nothing_moves(tmp_path):
    one, _ = two(tmp_path)
    assert not exchanged(one, tmp_path / "nowhere")
    assert (one / "one").exists()
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("error", [OSError, AttributeError, TypeError])
def test_without_the_step_nothing_moves(tmp_path, monkeypatch, error):
    def library(name):
        raise error

    monkeypatch.setattr(ctypes, "CDLL", library)
    one, other = two(tmp_path)
    assert not exchanged(one, other)
    assert (one / "one").exists()
