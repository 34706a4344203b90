"""Bars on a terminal and nowhere else, held against a real pseudo-terminal."""

import logging
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

import pipelines
from pipelines.logs import handled, log_file
from pipelines.terminal import MessageHandler

CODE = """
import logging, sys
from pipelines.logs import handled
from pipelines.terminal import MessageHandler, terminal_progress
with handled(MessageHandler()):
    for item in terminal_progress()(range(3), total=3, label="working"):
        logging.getLogger("pipelines.x").info("item %d", item)
    print("tqdm" in sys.modules)
"""


def run(stderr):
    environment = os.environ | {"PYTHONPATH": str(Path(pipelines.__file__).parents[1])}
    command = [sys.executable, "-c", CODE]
    return subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=stderr, check=True, text=True
    )


def test_a_terminal_shows_a_bar_and_the_messages():
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))  # a new one has no columns to draw in
    result = run(theirs)
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "working" in shown
    assert "item 2" in shown
    assert result.stdout == "True\n"


def test_elsewhere_there_are_only_the_messages():
    result = run(subprocess.PIPE)
    assert result.stderr == "item 0\nitem 1\nitem 2\n"
    assert result.stdout == "False\n"


def test_a_warning_says_that_it_is_one(capsys):
    with handled(MessageHandler()):
        logging.getLogger("sentiment_lstm.x").warning("look out")
        logging.getLogger("sentiment_lstm.x").debug("no")
        logging.getLogger("another.library").warning("not ours")
    assert capsys.readouterr().err.splitlines()[0] == "warning: look out"


def test_messages_end_with_the_block_and_loggers_are_as_before(capsys):
    logger = logging.getLogger("pipelines")
    before = (logger.level, logger.propagate, list(logger.handlers))
    with pytest.raises(ZeroDivisionError), handled(MessageHandler()):
        _ = 1 / 0
    assert (logger.level, logger.propagate, logger.handlers) == before


def test_a_log_file_is_appended_to_and_holds_any_text(tmp_path):
    for line in ("first", "half a character \ud800"):
        with handled(log_file(tmp_path / "log.txt")):
            logging.getLogger("pipelines.x").info("%s", line)
    first, second = (tmp_path / "log.txt").read_text("utf-8").splitlines()
    assert first.endswith("INFO pipelines.x: first")
    assert second.endswith("half a character \\ud800")
