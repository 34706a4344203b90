"""A file system of its own, which can be small, full or read-only."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILLER = "filler"


class MountError(Exception):
    """The kernel allows no mount here; the text is why."""


class SmallDisk:
    """A mounted tmpfs."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def leave(self, size: int) -> None:
        """Fill it until so many bytes are left."""
        filler = self.root / FILLER
        filler.unlink(missing_ok=True)
        free = shutil.disk_usage(self.root).free
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(free - size, 1))

    def freeze(self) -> None:
        """Make it read-only."""
        _mount("-o", "remount,ro", str(self.root))


@contextmanager
def small_disk(root: Path, size: int) -> Iterator[SmallDisk]:
    """Have a file system of so many bytes at an empty directory.

    Raises:
        MountError: where that is not allowed.
    """
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(root))
    try:
        yield SmallDisk(root)
    finally:
        subprocess.run(["umount", str(root)], check=True)


def _mount(*options: str) -> None:
    try:
        subprocess.run(["mount", *options], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", b"").decode(errors="replace").strip()
        raise MountError(told or str(error)) from error
