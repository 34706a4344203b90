"""What a benchmark found: one row a case, ours beside every peer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

HEADINGS = ("section", "case", "ours", "ahead", "peers", "note")


@dataclass(frozen=True)
class Row:
    """One case.

    Attributes:
        section: the benchmark's name.
        case: what was measured.
        unit: of all values; more is better where it ends with "/s" or "%", else less is.
        ours: our value.
        peers: values of those that do the same work.
        others: values of those that do something else for the same purpose.
        note: whatever else is to be known.
    """

    section: str
    case: str
    unit: str
    ours: float
    peers: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    def ratio(self, value: float) -> float:
        """Return how many times better than a value ours is."""
        return self.ours / value if self.unit.endswith(("/s", "%")) else value / self.ours

    def ratios(self, kind: str = "") -> list[float]:
        """Return the ratios to all peers whose names begin with `kind`."""
        return [self.ratio(v) for name, v in self.peers.items() if name.startswith(kind)]

    def cells(self) -> tuple[str, ...]:
        """Return the row as text, as many cells as `HEADINGS`."""
        ahead = f"×{min(self.ratios()):.2f}" if self.peers else ""
        peers = " · ".join(f"{name} {self._beside(v)}" for name, v in self.peers.items())
        others = "".join(f"; {name} {self._beside(v)}" for name, v in self.others.items())
        ours = f"{number(self.ours)} {self.unit}"
        return self.section, self.case, ours, ahead, (peers + others).lstrip("; "), self.note

    def _beside(self, value: float) -> str:
        return f"{number(value)} (×{self.ratio(value):.2f})"


def number(value: float) -> str:
    """Return a value to three figures, never fewer than its whole part has."""
    digits = next((d for d, least in enumerate((100, 10, 1)) if value >= least), 3)
    return f"{value:,.{digits}f}"


def render(rows: Iterable[Row]) -> str:
    """Return the rows as one Markdown table, its columns aligned."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    padded = [[cell.ljust(w) for cell, w in zip(line, widths, strict=True)] for line in lines]
    padded.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


LEGEND = (
    "(×r): ours is r times as good as that peer in the same run. ahead: r for the best peer that "
    "does the same work; what stands after a semicolon does something else for the same purpose."
)
