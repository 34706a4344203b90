"""What a check has to say."""

from collections.abc import Sequence
from dataclasses import dataclass

AGAIN = "pip install --force-reinstall sentiment-lstm, or `pip install .` in a checkout"


@dataclass(frozen=True)
class Finding:
    """The outcome of a check.

    Attributes:
        subject: what was looked at, in a word or two.
        told: how it is; where something is wrong, what, and the way out.
        ok: whether nothing is wrong.
    """

    subject: str
    told: str
    ok: bool = True

    def __str__(self) -> str:
        return f"{'ok' if self.ok else 'problem':<8} {self.subject:<14} {self.told}"


def problem(subject: str, told: str) -> Finding:
    """Return the finding that something is wrong."""
    return Finding(subject, told, ok=False)


def unseen(subject: str, error: BaseException) -> Finding:
    """Return the finding that an installation is too broken for a check."""
    return problem(subject, f"cannot be looked at, {reason(error)}: {AGAIN}")


def reason(error: BaseException) -> str:
    """Return an exception as part of a line: its kind and the first line of what it says."""
    lines = str(error).strip().splitlines()
    return ": ".join([type(error).__name__, *lines[:1]])


def subject_of(words: Sequence[str]) -> str:
    """Return what a probe that is told such words looks at."""
    kind, *rest = words
    return rest[0] if kind == "backend" else kind
