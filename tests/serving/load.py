"""Load: clients that ask as fast as they are answered, and what it costs."""

import itertools
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import httpx

from sentiment_lstm.demo import generate
from tests.serving.running import Running

TEXTS = [text for text, _ in generate("test", 400, seed=5)]
MEMORY = "process_resident_memory_bytes "
BATCHES = ("sentiment_lstm_batch_texts_sum ", "sentiment_lstm_batch_texts_count ")


@dataclass
class Load:
    """What clients saw.

    Attributes:
        seconds: of each request that was answered.
        others: how often each other status came, and connections broke.
        memory: of the server in MB, from time to time.
        lasted: seconds in all.
        together: texts in a batch, on average.
    """

    seconds: list[float] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    memory: list[float] = field(default_factory=list)
    lasted: float = 0.0
    together: float = 0.0

    def lines(self) -> Iterator[str]:
        """Yield what there is to say."""
        cuts = statistics.quantiles(self.seconds, n=100)
        yield f"{len(self.seconds):,} texts in {self.lasted:.0f} s: {self.rate:.0f} texts/s"
        p50, p99, most = (1e3 * s for s in (cuts[49], cuts[98], max(self.seconds)))
        yield f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {most:.0f} ms"
        yield f"{self.together:.1f} texts in a batch; other answers: {dict(self.others) or 'none'}"
        first, last = self.memory[0], self.memory[-1]
        drift = last / first - 1
        yield f"memory {first:.0f} MB after the start, {last:.0f} MB at the end ({drift:+.1%})"

    @property
    def rate(self) -> float:
        """Texts a second."""
        return len(self.seconds) / self.lasted


def loaded(server: Running, clients: int, minutes: float) -> Load:
    """Have clients ask about one text after another for so long."""
    load, started = Load(), time.perf_counter()
    until = started + 60 * minutes
    threads = [threading.Thread(target=_ask, args=(server, n, until, load)) for n in range(clients)]
    for thread in threads:
        thread.start()
    with httpx.Client(base_url=server.address, timeout=60) as client:
        while any(thread.is_alive() for thread in threads):
            time.sleep(min(5.0, 15 * minutes))
            load.memory.append(_metric(client, MEMORY) / 2**20)
        load.lasted = time.perf_counter() - started
        texts, batches = (_metric(client, name) for name in BATCHES)
    load.together = texts / batches
    return load


def _ask(server: Running, number: int, until: float, load: Load) -> None:
    texts = itertools.islice(itertools.cycle(TEXTS), number, None)
    with httpx.Client(base_url=server.address, timeout=60) as client:
        while time.perf_counter() < until:
            before = time.perf_counter()
            status = _status(client, next(texts))
            if status == "200":
                load.seconds.append(time.perf_counter() - before)
            else:
                load.others[status] += 1


def _status(client: httpx.Client, text: str) -> str:
    """Return the status of an answer, or how the connection broke."""
    try:
        return str(client.post("/v1/classify", json={"text": text}).status_code)
    except httpx.TransportError as error:
        return type(error).__name__


def _metric(client: httpx.Client, name: str) -> float:
    lines: Sequence[str] = client.get("/metrics").text.splitlines()
    return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))
