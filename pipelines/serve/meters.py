"""What is counted, in Prometheus's form."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

PREFIX = "sentiment_lstm"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Meters:
    """The counters of one service; a registry of their own, so that services do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = self._counter("requests", "Requests answered.", "route", "status")
        self.seconds = Histogram(
            f"{PREFIX}_request_seconds",
            "From the head of a request to the end of its answer.",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.texts = self._counter("texts", "Texts answered about.", "work")
        self.batches = Histogram(
            f"{PREFIX}_batch_texts",
            "Texts classified together.",
            buckets=TEXTS,
            registry=self.registry,
        )
        self.models = self._counter("models", "Models found in the directory.", "outcome")
        self.version = Gauge(
            f"{PREFIX}_model_version", "The model that serves.", registry=self.registry
        )

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", told, labels, registry=self.registry)

    def watch_queue(self, work: str, waiting: Callable[[], float]) -> None:
        """Show how many texts wait for a kind of work."""
        name = f"{PREFIX}_waiting_texts_{work}"
        Gauge(name, "Texts that wait.", registry=self.registry).set_function(waiting)

    def page(self) -> bytes:
        """Return all of them as Prometheus reads them."""
        return generate_latest(self.registry)
