"""What preprocessing found of each split: counts, lengths, unknown tokens; as JSON, as text."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sentiment_lstm.errors import suggestion

PERCENTILES = (5, 25, 50, 75, 95, 99)
REJECTIONS_SHOWN = 20
UNEVEN = 10  # times as many texts of one label as of another


@dataclass
class SplitSummary:
    """The figures of one split, gathered text by text.

    Lengths are kept as a histogram, so memory grows with the longest text, not with their number.
    """

    labels: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    unknown: int = 0
    truncated: int = 0

    def add(self, label: str, tokens: int, unknown: int, truncated: bool) -> None:
        """Count one text: its label or "", its tokens before truncation, how many are unknown."""
        if label:
            self.labels[label] += 1
        self.lengths[tokens] += 1
        self.unknown += unknown
        self.truncated += truncated

    def figures(self) -> dict[str, Any]:
        """Return the figures as JSON values; shares are between 0 and 1."""
        texts, tokens = self.lengths.total(), sum(n * c for n, c in self.lengths.items())
        return {
            "texts": texts,
            "labels": dict(sorted(self.labels.items())),
            "tokens": tokens,
            "unknown": self.unknown / max(tokens, 1),
            "truncated": self.truncated / max(texts, 1),
            "empty": self.lengths[0],
            "length": _lengths(self.lengths),
        }


def _lengths(histogram: Counter[int]) -> dict[str, float]:
    if not histogram:
        return {}
    mean = sum(n * c for n, c in histogram.items()) / histogram.total()
    ranks = {f"p{p}": percentile(histogram, p) for p in PERCENTILES}
    return {"mean": mean, **ranks, "max": max(histogram)}


def percentile(histogram: Mapping[int, int], percent: float) -> int:
    """Return the nearest-rank percentile: the least value that `percent` % do not exceed."""
    rank, seen = percent / 100 * sum(histogram.values()), 0
    for value in sorted(histogram):
        seen += histogram[value]
        if seen >= rank:
            return value
    raise ValueError("an empty histogram has no percentile")


def describe(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that people read of a summary."""
    vocabulary, splits = summary["vocabulary"], summary["splits"]
    size, distinct = vocabulary["size"], vocabulary["distinct"]
    yield f"vocabulary: {size:,} tokens, 2 of them special, of {distinct:,} distinct ones in train"
    yield from _table(["split", "texts", "truncated", "unknown", "median", "p99"], _rows(splits))
    for name, split in splits.items():
        if split["labels"]:
            counts = ", ".join(f"{label} {count:,}" for label, count in split["labels"].items())
            yield f"{name}: {counts}"
    if len(summary["labels"]) == 2:
        yield f"probability: that of {summary['labels'][1]!r}, the second label"
    yield from describe_balance(summary)
    yield from describe_left_out(summary)


def _rows(splits: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    for name, split in splits.items():
        shares = [f"{split[key]:.1%}" for key in ("truncated", "unknown")]
        lengths = [str(split["length"].get(key, "")) for key in ("p50", "p99")]
        yield [name, f"{split['texts']:,}", *shares, *lengths]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    cells = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for first, *rest in cells:
        numbers = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *numbers])


def describe_balance(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line on each label of train that is rare beside the most frequent one."""
    counts = summary["splits"]["train"]["labels"]
    most = max(counts.values(), default=0)
    for label, count in counts.items():
        if count * UNEVEN < most:
            share = count / sum(counts.values())
            common = [other for other, n in counts.items() if n > UNEVEN * count]
            nearest = suggestion(label, common)
            typo = f"; {nearest}" if nearest.startswith("did") else ""
            yield (
                f"few of train are {label!r}, {count:,} texts ({share:.1%}): accuracy tells "
                f"little of them, look at recall and PR-AUC{typo}"
            )


def describe_left_out(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that tell of texts and rows that came into no split."""
    for split, twins in summary["twins"].items():
        held_out = "test or validation" if split == "unlabelled" else "test"
        yield f"left out of {split}: {twins:,} texts that stand in {held_out} too"
    rejected = summary["rejections"]
    if rejected["total"]:
        yield f"rejected rows: {rejected['total']:,}"
        yield from (f"  {r['file']}, line {r['line']}: {r['reason']}" for r in rejected["first"])
    if rejected["total"] > len(rejected["first"]):
        yield "  …"
