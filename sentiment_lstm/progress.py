"""How long work tells its progress without knowing of terminals."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Passes items through while it shows how many have gone by."""

    def __call__(self, items: Iterable[T], *, total: int | None, label: str) -> Iterator[T]:
        """Yield each item; `total` is their number where known, `label` names the work."""
        ...  # pragma: no cover


def silent(items: Iterable[T], *, total: int | None, label: str) -> Iterator[T]:  # noqa: ARG001
    """Show nothing: the default of every library function."""
    yield from items
