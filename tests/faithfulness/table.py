"""What the experiment found, as one Markdown table."""

from collections.abc import Mapping, Sequence
from statistics import mean, median, stdev

from tests.faithfulness.experiment import Outcome

HEADINGS = ("method", "comprehensiveness", "sufficiency", "ms a text")
Z = 1.96  # of a normal interval at 95 %


def render(outcomes: Mapping[str, Outcome]) -> str:
    """Return a row a method: means with 95 % intervals over the texts, and the median cost."""
    lines = [HEADINGS, ["---"] * len(HEADINGS)]
    for name, outcome in outcomes.items():
        figures = (with_interval(outcome.comprehensiveness), with_interval(outcome.sufficiency))
        lines.append([name, *figures, f"{1000 * median(outcome.seconds):.1f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_interval(values: Sequence[float]) -> str:
    """Return a mean and half the width of its interval."""
    half = Z * stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return f"{mean(values):.3f} ± {half:.3f}"
