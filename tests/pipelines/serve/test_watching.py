"""The watch over a model's directory: what is judged, how often, and what is told."""

import logging
import shutil

import pytest

from pipelines.serve.watching import ModelWatch, footprint
from sentiment_lstm.bundle import read_bundle


class Watched:
    """A directory under watch that reads what is found, and counts."""

    def __init__(self, directory):
        self.directory, self.read, self.refused = directory, [], 0
        judged = footprint(directory)
        self.watch = ModelWatch(directory, judged, self.replace, self.refuse, seconds=3600)

    def replace(self):
        self.read.append(read_bundle(self.directory).config.units)

    def refuse(self):
        self.refused += 1

    def look(self, times):
        for _ in range(times):
            self.watch.look()
        return self.read, self.refused


@pytest.fixture
def watched(make_bundle):
    return Watched(make_bundle())


def test_what_stays_is_not_read_again(watched):
    assert watched.look(3) == ([], 0)


def test_a_new_model_is_read_once_it_stands_still(watched, make_bundle):
    make_bundle(units=7)
    assert watched.look(1) == ([], 0)
    assert watched.look(1) == ([7], 0)
    assert watched.look(3) == ([7], 0)


def test_a_model_that_is_being_copied_is_not_judged_by_its_half(watched, make_bundle):
    other = make_bundle("other", units=7)
    for path in sorted(other.iterdir()):
        shutil.copy(path, watched.directory / path.name)
        assert watched.look(1) == ([], 0)
    assert watched.look(1) == ([7], 0)


@pytest.mark.parametrize("name", ["weights.safetensors", "config.json", "manifest.json"])
def test_a_broken_model_is_told_of_in_one_line_and_once(watched, caplog, name):
    path = watched.directory / name
    path.write_bytes(path.read_bytes()[:-1])
    with caplog.at_level(logging.INFO, "pipelines"):
        assert watched.look(5) == ([], 1)
    (record,) = caplog.records
    assert "the model that serves stays" in record.message
    assert name in record.message
    assert "\n" not in record.message


def test_a_directory_that_is_gone_is_told_of_and_one_that_returns_is_read(
    watched, make_bundle, caplog
):
    shutil.rmtree(watched.directory)
    assert watched.look(4) == ([], 1)
    assert "no model at" in caplog.text
    make_bundle(units=4)
    assert watched.look(4) == ([4], 1)
