"""What a stage runs with beside its settings: versions and machine, told without importing any.

The same recipe, seed, machine, backend and versions give the same weights; this is what to look
at where weights came out otherwise.
"""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sentiment_lstm.parallel import cores

# What computes, or draws, whatever the backend.
PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "scikit-learn", "matplotlib")
OF_BACKEND = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "torch": ("torch",)}
CPU_INFO = Path("/proc/cpuinfo")


def surroundings(backend: str | None) -> dict[str, str]:
    """Return versions and machine by name, as people know them.

    Args:
        backend: of Keras, None where Keras plays no part.
    """
    packages = [*PACKAGES, *(("keras", *OF_BACKEND[backend]) if backend else ())]
    told = {"Python": platform.python_version()} | {name: _version(name) for name in packages}
    told |= {"backend": backend} if backend else {}
    return told | {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": str(cores()),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """Return the processor's name, with the numbers that tell apart those of one name."""
    try:
        lines = CPU_INFO.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    pairs = (line.partition(":") for line in reversed(lines))
    told = {key.strip(): value.strip() for key, _, value in pairs}
    parts = [told.get("model name", platform.processor() or "unknown")]
    parts += [f"{key} {told[key]}" for key in ("cpu family", "model") if key in told]
    return ", ".join(parts)
