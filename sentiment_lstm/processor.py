"""What this process may use of its processor."""

import ctypes
import sys
from functools import cache

from llvmlite import binding

# Linux gives the matrix unit's registers, 8 KiB for each thread, to those that ask: arch_prctl(2).
_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA = 158, 0x1023, 18


@cache
def has_matrix_unit() -> bool:
    """Tell whether there is Intel's matrix unit for bfloat16, and this process may use it."""
    features = binding.get_host_cpu_features()
    if sys.platform != "linux" or not (features.get("amx-tile") and features.get("amx-bf16")):
        return False
    answer = ctypes.CDLL(None).syscall(_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA)
    return int(answer) == 0
