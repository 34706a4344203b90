"""How functions are compiled by numba."""

from numba import njit


def _can_cache() -> bool:
    """Tell whether machine code can be kept for the next process, here or for the user."""
    try:
        njit(cache=True)(_can_cache)
    except RuntimeError:  # neither place can be written
        return False
    return True


# What a compiler may do to sums and products; NaN and infinity stay what they are, so that a
# training that diverges shows it. Divisions by zero give infinity, as in numpy, and not an
# exception, which would forbid vector instructions.
_FAST = {"contract", "reassoc", "nsz", "arcp"}
OPTIONS = {"fastmath": _FAST, "error_model": "numpy", "nogil": True, "cache": _can_cache()}
