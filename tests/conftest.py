"""Every test that uses Keras in this process does so on one backend, stated before its import."""

import os
import signal

from hypothesis import settings

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# A shell has what it runs in the background ignore Ctrl-C, and what that starts inherits it: the
# tests that send one need it heard.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's affair.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# Files that take minutes: where processes share the tests, none is left with one at the end.
LONG = ("test_backends.py", "test_readme.py", "test_notebooks.py", "test_killed.py")


def pytest_collection_modifyitems(items):
    """Begin with the long files."""
    items.sort(key=lambda item: item.path.name not in LONG)
