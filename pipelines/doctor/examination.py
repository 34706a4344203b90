"""The checks, in their order: those that take no time first."""

from collections.abc import Callable, Iterator

from pipelines.doctor.finding import Finding, unseen
from pipelines.doctor.probes import Probes

BACKENDS = ("tensorflow", "jax", "torch")

Check = Callable[[], Iterator[Finding]]


def examine(model: str | None = None, seconds: float = 120.0) -> Iterator[Finding]:
    """Yield what each check found, as soon as it has.

    Args:
        model: a bundle, a SavedModel or a run directory to look at too.
        seconds: that the import of a backend, or another look of its kind, may take.
    """
    asked = [["models", *([model] if model else [])], ["compiler"]]
    with Probes([*asked, *(["backend", name] for name in BACKENDS)], seconds) as probes:
        for subject, check in _quick().items():
            yield from _guarded(subject, check)
        yield from probes.findings()


def _quick() -> dict[str, Check]:
    from pipelines.doctor import machine

    return {
        "Python": _python,
        "packages": _packages,
        "cores": machine.threads,
        "temporary": machine.temporary_files,
        "HOME": machine.home,
        "disk": machine.room,
        "IMDB": _reviews,
    }


def _python() -> Iterator[Finding]:
    from pipelines.doctor.packages import python

    return python()


def _packages() -> Iterator[Finding]:
    from pipelines.doctor.packages import packages

    return packages()


def _reviews() -> Iterator[Finding]:
    from pipelines.doctor.imdb import reviews

    return reviews()


def _guarded(subject: str, check: Check) -> Iterator[Finding]:
    """Make a check; one that an installation is too broken for is a line too."""
    try:
        yield from check()
    except Exception as error:
        yield unseen(subject, error)
