"""Tokenising on every core: processes that get texts and answer with token blocks.

A text goes through Python's interpreter, so threads would wait for each other. The processes are
neither forked, which TensorFlow's threads do not survive, nor made by `multiprocessing`, which runs
the caller's main script again: each is this module, started by name, between two pipes. It has
nothing of TensorFlow, and ends when its input does, however its parent went.
"""

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import BinaryIO, cast

from pipelines.rundir import RunError
from sentiment_lstm.module_path import module_path
from sentiment_lstm.parallel import cores
from sentiment_lstm.token_blocks import TokenBlock

PACK_BYTES = 2**20
# Below this, a process takes longer to start than it saves.
START_AFTER_BYTES = 2**23
# One process can read texts for about so many that tokenise them.
MOST_WORKERS = 4


def packs(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join lines until they are `PACK_BYTES` together."""
    pack, size = list[bytes](), 0
    for line in lines:
        pack.append(line)
        size += len(line)
        if size >= PACK_BYTES:
            yield b"".join(pack)
            pack, size = [], 0
    if pack:
        yield b"".join(pack)


def tokenised(pack: bytes) -> bytes:
    """Return the token block of texts that stand as JSON strings on lines of their own."""
    # Not splitlines(), which also parts at characters that a JSON string may hold.
    lines = pack.decode("utf-8").removesuffix("\n").split("\n")
    return TokenBlock.of(map(json.loads, lines)).to_bytes()


class TokenWorkers:
    """Makes token blocks: the first here, those of a longer input in processes of their own.

    Args:
        workers: processes at most; one for each core by default, and none where there is one core.
        start_after: bytes of texts that are tokenised here before any process is started.
    """

    def __init__(self, workers: int | None = None, start_after: int = START_AFTER_BYTES) -> None:
        count = min(cores(), MOST_WORKERS) if workers is None else workers
        self._here = start_after if count > 1 else sys.maxsize
        self._ahead = 2 * count
        self._threads = ThreadPoolExecutor(max(count, 1))
        self._own = threading.local()
        self._workers: list[_Worker] = []

    def __enter__(self) -> "TokenWorkers":
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes, whatever they are at: there is nothing that they could lose."""
        self._end()
        self._threads.shutdown(cancel_futures=True)
        self._end()  # one that was just starting

    def _end(self) -> None:
        for worker in list(self._workers):
            worker.end()

    def running(self) -> int:
        """Return how many processes there are."""
        return sum(worker.running() for worker in self._workers)

    def blocks(self, texts: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what `tokenised` makes of each pack, in order; a few are read ahead.

        Raises:
            RunError: if a process ends before its time.
        """
        begun: deque[Future[bytes]] = deque()
        for pack in texts:
            begun.append(self._begin(pack))
            while begun and (begun[0].done() or len(begun) > self._ahead):
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()

    def _begin(self, pack: bytes) -> Future[bytes]:
        if self._here <= 0:
            return self._threads.submit(self._ask, pack)
        self._here -= len(pack)
        done: Future[bytes] = Future()
        done.set_result(tokenised(pack))
        return done

    def _ask(self, pack: bytes) -> bytes:
        """Have a pack tokenised by the process that belongs to this thread."""
        if not hasattr(self._own, "worker"):
            try:
                self._own.worker = _Worker()
            except OSError:  # no process to be had: then slower, in this one
                return tokenised(pack)
            self._workers.append(self._own.worker)
        return cast(bytes, self._own.worker(pack))


class _Worker:
    """A process that tokenises one pack after the other."""

    def __init__(self) -> None:
        # -P: files in the current directory must not pass for packages. A session of its own:
        # Ctrl-C is for the parent to answer.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
        )

    def __call__(self, pack: bytes) -> bytes:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            send(cast(BinaryIO, process.stdin), pack)
            answer = receive(cast(BinaryIO, process.stdout))
        except OSError:
            answer = None
        if answer is None:
            raise RunError(
                f"a process that tokenises ended with status {process.wait()}, for want of memory "
                "perhaps: run the command again"
            )
        return answer

    def running(self) -> bool:
        """Tell whether the process has not ended."""
        return self._process.poll() is None

    def end(self) -> None:
        """Kill the process and wait until it is gone."""
        self._process.kill()
        with suppress(OSError), self._process:  # what it was not sent any more
            self._process.wait()


def _environment() -> dict[str, str]:
    """Return this process's environment, with its module search path spelled out."""
    # No product of matrices is computed here: threads for it would only take memory.
    return os.environ | {"PYTHONPATH": module_path(), "OPENBLAS_NUM_THREADS": "1"}


def send(stream: BinaryIO, message: bytes) -> None:
    """Write a message after its length."""
    stream.write(len(message).to_bytes(8, "little"))
    stream.write(message)
    stream.flush()


def receive(stream: BinaryIO) -> bytes | None:
    """Read the next message; None where the stream ends before it does."""
    header = stream.read(8)
    size = int.from_bytes(header, "little")
    message = stream.read(size)
    return message if len(header) == 8 and len(message) == size else None


def main() -> None:
    """Be the process: answer each pack on standard input until there are no more."""
    with (
        suppress(BrokenPipeError),  # the parent is gone
        open(0, "rb", closefd=False) as asked,
        open(1, "wb", closefd=False) as answered,
    ):
        while (pack := receive(asked)) is not None:
            send(answered, tokenised(pack))


if __name__ == "__main__":
    main()
