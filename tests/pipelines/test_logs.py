"""Where messages of our own and of native code go, and that all is as before afterwards."""

import logging
import os
from pathlib import Path

import pytest

from pipelines.logs import handled, log_file, native_messages_held_back
from sentiment_lstm.errors import DataError


def test_loggers_are_afterwards_as_they_were():
    ours = logging.getLogger("pipelines")
    below = logging.getLogger("pipelines.run")
    before = (ours.level, ours.propagate, list(ours.handlers))
    assert not below.isEnabledFor(logging.INFO)
    with handled(logging.NullHandler()):
        assert below.isEnabledFor(logging.INFO)
    assert not below.isEnabledFor(logging.INFO)
    assert (ours.level, ours.propagate, ours.handlers) == before


def test_native_messages_of_work_that_succeeds_are_not_shown(capfd):
    with native_messages_held_back():
        os.write(2, b"native\n")
    assert capfd.readouterr().err == ""


def test_native_messages_of_work_that_fails_are_shown(capfd):
    with pytest.raises(ValueError, match="failed"), native_messages_held_back():
        os.write(2, b"native\n")
        raise ValueError("failed")
    assert capfd.readouterr().err == "native\n"


@pytest.mark.parametrize("error", [DataError("of our own"), PermissionError(13, "not for you")])
def test_an_error_that_tells_itself_stands_without_them(capfd, error):
    with pytest.raises(type(error)), native_messages_held_back():
        os.write(2, b"native\n")
        raise error
    assert capfd.readouterr().err == ""


def test_a_log_that_the_disk_does_not_take_costs_no_traceback(capfd):
    with handled(log_file(Path("/dev/full"))):
        logging.getLogger("pipelines").info("lost")
    assert capfd.readouterr().err == ""


def test_a_record_that_cannot_be_put_into_words_is_still_told_of(tmp_path, capfd):
    with handled(log_file(tmp_path / "log.txt")):
        logging.getLogger("pipelines").info("%d", "no number")
    assert "no number" in capfd.readouterr().err
