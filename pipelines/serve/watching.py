"""A model directory under watch: what is sound there takes the place of what serves."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from sentiment_lstm.bundle import FILES
from sentiment_lstm.errors import SentimentError
from sentiment_lstm.manifest import MANIFEST

Footprint = tuple[tuple[int, int, int] | None, ...]

log = logging.getLogger(__name__)


def footprint(directory: Path) -> Footprint:
    """Return what changes when a bundle is replaced or altered: each file's id, size and time."""
    paths = (directory, *(directory / name for name in (*FILES, MANIFEST)))
    return tuple(_status(path) for path in paths)


def _status(path: Path) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - the path may be a link, and may be missing
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


class ModelWatch:
    """Looks at a directory again and again, in a thread of its own.

    What is found is judged when it has stood still from one look to the next, so that a model that
    is being copied is not judged by its half, and judged once.

    Args:
        directory: of the bundle.
        judged: its footprint when the model that serves was read.
        replace: reads the bundle and has it serve.
        refused: told of a bundle that cannot serve.
        seconds: between two looks.
    """

    def __init__(
        self,
        directory: Path,
        judged: Footprint,
        replace: Callable[[], None],
        refused: Callable[[], None],
        seconds: float,
    ) -> None:
        self._directory, self._judged, self._seen = directory, judged, judged
        self._replace, self._refused, self._seconds = replace, refused, seconds
        self._ended = Event()
        self._thread = Thread(target=self._watch, name="watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, when the look that is being taken has been taken."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(self._seconds):
            self.look()

    def look(self) -> None:
        """Look once."""
        before, self._seen = self._seen, footprint(self._directory)
        if self._seen == before and self._seen != self._judged:
            self._judged = self._seen
            self._judge()

    def _judge(self) -> None:
        try:
            self._replace()
        except (SentimentError, OSError, MemoryError) as error:
            self._refused()
            reason = " ".join(str(error).split()) or type(error).__name__
            log.warning("the model that serves stays: %s", reason)
