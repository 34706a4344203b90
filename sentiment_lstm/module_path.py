"""Where this process finds its modules, for a process that it begins."""

import os
import sys
from pathlib import Path


def module_path() -> str:
    """Return the module search path as `PYTHONPATH` takes it, this package's place first."""
    return os.pathsep.join([str(Path(__file__).resolve().parents[1]), *filter(None, sys.path)])
