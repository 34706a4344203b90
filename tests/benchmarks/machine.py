"""The machine that a run was made on, and the most it can do."""

import os
import platform
from importlib import metadata
from pathlib import Path
from statistics import median

import numpy as np

from sentiment_lstm.parallel import cores
from tests.benchmarks.timing import seconds_of

PACKAGES = (
    "numpy", "numba", "tensorflow", "keras", "torch", "onnxruntime", "scikit-learn",
    "fasttext-wheel",
)  # fmt: skip


class Gemm:
    """numpy's float32 product of two square matrices: the peak that a layer is held against.

    Called between the rounds of a benchmark, it meets the machine as the contenders do.

    Args:
        size: rows and columns.
    """

    def __init__(self, size: int) -> None:
        random = np.random.default_rng(0)
        self._a, self._b = random.random((2, size, size), np.float32)
        self._out = np.empty_like(self._a)
        self._flops = 2.0 * size**3
        self.seconds: list[float] = []

    def __call__(self) -> None:
        """Take one product, and remember its time."""
        self.seconds.append(seconds_of(lambda: np.matmul(self._a, self._b, out=self._out)))

    @property
    def peak(self) -> float:
        """Operations a second, by the median of all products so far."""
        return self._flops / median(self.seconds)

    def since(self, first: int) -> float:
        """Return the peak by those products alone that came after the first so many."""
        return self._flops / median(self.seconds[first:])

    def describe(self) -> str:
        """Return the peak, and the best and worst product, in words."""
        best, worst = (self._flops / 1e9 / f(self.seconds) for f in (min, max))
        return (
            f"float32 GEMM {len(self._a)}³ by numpy: median {self.peak / 1e9:.0f} GFLOP/s of "
            f"{len(self.seconds)} ({worst:.0f} to {best:.0f})"
        )


def describe_machine() -> str:
    """Return processor, cores, how busy they were just before, and versions."""
    load = f"load average {os.getloadavg()[0]:.1f} before the run"
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return (
        f"{_processor()}, {cores()} cores, {load}\nPython {platform.python_version()}, {versions}"
    )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """Return the processor's name, and its family and model: clouds sell many under one name."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = {
        key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)
    }
    name = facts.get("model name", platform.machine())
    return f"{name} (family {facts.get('cpu family')}, model {facts.get('model')})"
