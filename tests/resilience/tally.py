"""What was tried, what survived, what was lost: the lines of the table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass
class Tally:
    """One line of the table.

    Attributes:
        idea: the part that the line belongs to, such as `damage`.
        name: what was tried.
        tried: how often.
        lost: a line for each try that did not go as promised.
    """

    idea: str
    name: str
    tried: int = 0
    lost: list[str] = field(default_factory=list)

    def count(self, case: str, fault: str) -> None:
        """Count one try; a fault is what went wrong, empty if nothing did."""
        self.tried += 1
        if fault:
            self.lost.append(f"{case}: {fault}")

    @property
    def survived(self) -> int:
        """Tries that went as promised."""
        return self.tried - len(self.lost)


def table(tallies: Iterable[Tally]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield "| idea | case | tried | survived | lost |"
    yield "| --- | --- | --- | --- | --- |"
    for t in tallies:
        yield f"| {t.idea} | {t.name} | {t.tried:,} | {t.survived:,} | {len(t.lost):,} |"
