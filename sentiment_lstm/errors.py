"""The errors that a person can cause, each of one line that names the value and the way out."""

import difflib
from collections.abc import Iterable


class SentimentError(Exception):
    """Base of every error that a person's input, file or setting can cause.

    Its text is one line: what was wrong, with the value, and what to do. The command line
    prints it without a traceback and leaves with status 1.
    """


class SettingsError(SentimentError):
    """A recipe holds an unknown key, a value of the wrong type or an impossible value."""


class DataError(SentimentError):
    """A data set is missing, or holds nothing that the task can use."""


class BundleError(SentimentError):
    """A model on disk is missing, incomplete, altered or not one of ours."""


class GroupError(SentimentError):
    """Processes that train one network together do not have the same weights."""


class ExportError(SentimentError):
    """An exported model does not answer as the model it came from."""


class Paused(Exception):  # noqa: N818 - nothing is wrong
    """A training took as long as it may, and saved where it stands: one line that says where."""


def suggestion(value: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the nearest known name, or a list of all of them."""
    names = sorted(known)
    nearest = difflib.get_close_matches(value, names, n=1)
    return f"did you mean {nearest[0]!r}?" if nearest else f"known: {', '.join(names)}"


def system_message(error: OSError) -> str:
    """Return what the system refused as a person reads it: the file, if there is one, and why."""
    name = f"{error.filename}: " if error.filename else ""
    return f"{name}{error.strerror or error}"
