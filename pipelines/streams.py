"""The three standard streams, whatever the process was started with."""

import os
import sys


def open_standard_streams() -> None:
    """Have descriptors 0 to 2 taken, and something to write to.

    Where one is closed, as after `2>&-`, the next file that is opened would get its number, and
    what native code writes to standard error would go into it. Standard input that was closed stays
    None for whoever wants to read.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def forget_output() -> None:
    """Keep the interpreter from flushing what cannot be written once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def output_is_lost() -> bool:
    """Tell whether standard output takes no more, and forget what it has not taken."""
    try:
        sys.stdout.flush()
    except OSError:
        forget_output()
        return True
    return False
