"""Progress bars and messages on standard error; results alone go to standard output."""

import logging
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from sentiment_lstm.progress import Progress, silent

T = TypeVar("T")


def terminal_progress() -> Progress:
    """Return bars where standard error is a terminal, and silence elsewhere."""
    return _bar if sys.stderr.isatty() else silent


def _bar(items: Iterable[T], *, total: int | None, label: str) -> Iterator[T]:
    from tqdm import tqdm

    yield from tqdm(items, total=total, desc=label, leave=False, dynamic_ncols=True)


class MessageHandler(logging.Handler):
    """Shows log records on standard error as plain lines, above a bar where one is drawn."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        prefix = "warning: " if record.levelno >= logging.WARNING else ""
        try:
            _write_line(prefix + self.format(record))
        except BrokenPipeError:  # nobody listens any more: the work goes on
            pass
        except Exception:
            self.handleError(record)


def _write_line(line: str) -> None:
    bars = sys.modules.get("tqdm")
    if bars is not None and sys.stderr.isatty():
        bars.tqdm.write(line, file=sys.stderr)
    else:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is where messages come out
