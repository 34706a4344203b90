"""Parts of compiled code, for tests to call."""

from numba import njit


def called(part):
    """Return a function that calls a part, which only compiled code can."""

    @njit
    def call(*arguments):
        return part(*arguments)

    return call
