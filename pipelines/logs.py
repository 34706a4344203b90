"""Where messages go: to the run's log file, and to people who watch."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from sentiment_lstm.errors import SentimentError

# What other libraries log is not ours to keep.
OURS = ("pipelines", "sentiment_lstm")


@contextmanager
def handled(handler: logging.Handler) -> Iterator[None]:
    """Hand our records of level INFO and above to `handler` meanwhile, and close it after.

    They go no further up: TensorFlow brings a handler for everything, which would repeat them.
    """
    loggers = [logging.getLogger(name) for name in OURS]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate
        handler.close()


def log_file(path: Path) -> logging.Handler:
    """Return a handler that appends to a run's log file as far as the disk takes it."""
    handler = _LogFile(path, encoding="utf-8", errors="backslashreplace")
    form = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(form)
    return handler


class _LogFile(logging.FileHandler):
    """A log that a full disk ends: what else cannot be written there says so in its own line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def native_messages_in(path: Path) -> Iterator[None]:
    """Append to a file what native code writes to descriptor 2 meanwhile.

    TensorFlow announces processors and drivers there before any of its settings count. Python's
    own standard error goes on where it went.
    """
    kept, before = os.dup(2), sys.stderr
    with path.open("ab") as log:
        os.dup2(log.fileno(), 2)
    try:
        with open(kept, "w", 1, errors="backslashreplace", closefd=False) as rebound:
            sys.stderr = rebound if _descriptor(before) == 2 else before
            yield
    finally:
        sys.stderr = before
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def native_messages_held_back() -> Iterator[None]:
    """Keep from people what native code writes to descriptor 2 meanwhile, unless the work fails.

    An error that people can cause tells all in its one line.
    """
    with TemporaryDirectory() as directory:
        path = Path(directory) / "native.txt"
        try:
            with native_messages_in(path):
                yield
        except (SentimentError, OSError):
            raise
        except Exception:
            sys.stderr.write(path.read_text("utf-8", errors="backslashreplace"))
            raise


def _descriptor(stream: TextIO) -> int | None:
    """Return the descriptor that a stream writes to, if it is one that has any."""
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None
