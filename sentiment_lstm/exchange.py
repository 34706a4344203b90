"""Two directories that change places in one step, where the kernel can do that.

Linux has `renameat2` with `RENAME_EXCHANGE` (rename(2), since Linux 3.15), reached through the C
library as Python has no function for it. Other systems, older kernels and some file systems have
no such step: there the caller is told so, and goes another way.
"""

import ctypes
import os
import sys
from pathlib import Path

AT_FDCWD = -100  # fcntl.h: a relative path begins at the working directory
RENAME_EXCHANGE = 2  # linux/fs.h


def exchanged(one: Path, other: Path) -> bool:
    """Have two directories of one file system change places, so that neither is ever missing.

    Returns:
        Whether they did; if not, both stand where they stood.
    """
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except (
        AttributeError,
        OSError,
        TypeError,
    ):  # a C library without it; Windows has no CDLL(None)
        return False
    sys.audit("os.rename", one, other, -1, -1)  # as Python's own functions that rename
    names = (os.fsencode(one), os.fsencode(other))
    return bool(renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0)
