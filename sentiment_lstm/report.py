"""An evaluation as one HTML page that stands alone (see `pages`)."""

import base64
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentiment_lstm import __version__
from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.baseline import NAMES
from sentiment_lstm.metrics import MEASURES, formatted, number
from sentiment_lstm.pages import page

LONGEST_TEXT = 1500  # characters of a text that the page shows


@dataclass(frozen=True)
class Mistake:
    """A text that the model judged wrongly.

    `score` is the probability of the wrong verdict, or the absolute error of a regression, whose
    `label` and `verdict` are the true and the predicted value.
    """

    text: str
    label: str
    verdict: str
    score: float


@dataclass(frozen=True)
class Picture:
    """A whole PNG as a data URI, its pixels, and what it shows for one who cannot see it."""

    source: str
    width: int
    height: int
    description: str

    @classmethod
    def load(cls, path: Path, description: str) -> "Picture":
        """Read a PNG, whose first chunk opens with width and height (ISO 15948, 11.2.2)."""
        content = path.read_bytes()
        width, height = struct.unpack(">II", content[16:24])
        encoded = base64.b64encode(content).decode("ascii")
        return cls(f"data:image/png;base64,{encoded}", width, height, description)


def write_report(
    path: Path,
    *,
    metrics: Mapping[str, Any],
    labels: Sequence[str] = (),
    pictures: Sequence[Picture] = (),
    mistakes: Sequence[Mistake] = (),
    history: Sequence[Mapping[str, Any]] = (),
    title: str = "Evaluation",
) -> None:
    """Write the page, whole or not at all.

    Args:
        path: the HTML file.
        metrics: what `metrics.json` holds: `task`, the figures, `baseline` (figures or None), and
            for a classification `accuracy_by_length` and `calibration`.
        labels: names of the classes; empty for a regression.
        pictures: shown in this order.
        mistakes: shown in this order, each text cut at `LONGEST_TEXT` characters.
        history: a row an epoch, shown as the text form of the learning curves.
        title: heading of the page.
    """
    content = page(
        "report.html.j2",
        {"excerpt": excerpt, "number": number},
        title=title,
        version=__version__,
        metrics=metrics,
        measures=_measures(metrics),
        undefined=_undefined(metrics),
        names={"model": "LSTM", "baseline": NAMES[metrics["task"]]},
        labels=labels,
        pictures=pictures,
        mistakes=mistakes,
        history=history,
    )  # fmt: skip
    with replaced_file(path) as temporary:
        temporary.write_text(content, encoding="utf-8")


def excerpt(text: str) -> str:
    """Return at most `LONGEST_TEXT` characters of a text, an ellipsis marking the cut."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT].rstrip()} …"


def _measures(metrics: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return a row a measure: its title, which way is better, both models' figures as text."""
    baseline = metrics["baseline"]
    return [
        {
            "title": measure.title,
            "better": measure.better,
            "model": _unbroken(formatted(metrics, measure.key)),
            "baseline": _unbroken(formatted(baseline, measure.key)) if baseline else "",
        }
        for measure in MEASURES[metrics["task"]]
    ]


def _unbroken(figure: str) -> str:
    """Keep both ends of an interval on one line."""
    return figure.replace(", ", ",\u00a0")


def _undefined(metrics: Mapping[str, Any]) -> list[str]:
    """Return why figures are missing, the model's first; what holds for both is said once."""
    titles = {measure.key: measure.title for measure in MEASURES[metrics["task"]]}
    own, other = metrics["undefined"], (metrics["baseline"] or {}).get("undefined", {})
    reasons = [f"{titles[key]}: {reason}" for key, reason in own.items()]
    name = NAMES[metrics["task"]]
    return reasons + [
        f"{titles[key]} of {name}: {reason}"
        for key, reason in other.items()
        if own.get(key) != reason
    ]
