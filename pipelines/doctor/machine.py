"""The machine: cores and threads, places that are written to, room on the disks."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipelines.doctor.finding import Finding, problem
from sentiment_lstm.parallel import cores

# What libraries read as a number of threads.
LIMITS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
THREADS = re.compile(r"\s*[1-9]\d*(\s*,\s*[1-9]\d*)*\s*")  # OpenMP takes a number for each level
LEAST_BYTES = 2**30  # token arrays, checkpoints and a SavedModel together take hundreds of MB


def threads() -> Iterator[Finding]:
    """Tell of the cores that may be used, and of what the environment makes of them."""
    given = {name: os.environ[name] for name in LIMITS if os.environ.get(name)}
    wrong = {name: value for name, value in given.items() if not THREADS.fullmatch(value)}
    for name, value in wrong.items():
        yield problem(name, f"{value!r} is no number of threads: unset it, or set it to 1 or more")
    if not wrong:
        limits = ", ".join(f"{name}={value}" for name, value in given.items())
        told = f"{cores()} of {os.cpu_count()} may be used"
        yield Finding("cores", f"{told}; {limits or 'no limit on threads is set'}")


def temporary_files() -> Iterator[Finding]:
    """Tell whether temporary files can be written, where the environment says."""
    asked = os.environ.get("TMPDIR")
    if asked and (refused := _refusal(Path(asked))):
        yield problem(
            "TMPDIR", f"{asked} takes no files ({refused}): set it to a directory that does"
        )
        return
    try:
        yield Finding("temporary", f"{tempfile.gettempdir()} can be written")
    except FileNotFoundError:
        yield problem("temporary", "no directory takes files: set TMPDIR to one that does")


def home() -> Iterator[Finding]:
    """Tell whether libraries can keep their settings and caches."""
    try:
        folder = Path.home()
    except RuntimeError:
        yield problem("HOME", "nobody knows it: set HOME to a directory of yours")
        return
    refused = _refusal(folder)
    if refused:
        yield problem(
            "HOME",
            f"{folder} takes no files ({refused}), and libraries keep settings and caches there: "
            "set HOME to a directory that can be written",
        )
    else:
        yield Finding("HOME", f"{folder} can be written")


def room(least: int = LEAST_BYTES) -> Iterator[Finding]:
    """Tell of the room where runs go, where temporary files go, and at home.

    Args:
        least: bytes that each has to have.
    """
    disks: dict[int, Path] = {}
    for folder in (Path(), Path(tempfile.gettempdir()), Path.home()):
        if folder.is_dir():
            disks.setdefault(folder.stat().st_dev, folder.absolute())
    free = {folder: shutil.disk_usage(folder).free for folder in disks.values()}
    scarce = {folder: size for folder, size in free.items() if size < least}
    for folder, size in scarce.items():
        yield problem(
            "disk",
            f"{_size(size)} free at {folder}, less than {_size(least)}: make room there",
        )
    if not scarce:
        yield Finding("disk", ", ".join(f"{_size(n)} free at {at}" for at, n in free.items()))


def _refusal(folder: Path) -> str | None:
    """Say why no file can be written into a directory; nothing if one can, which is tried."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"0")
    except OSError as error:
        return error.strerror or str(error)
    return None


def _size(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
