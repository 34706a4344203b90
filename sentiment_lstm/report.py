"""An evaluation as one HTML page that stands alone: no script, no file beside it, no network.

Texts of a data set are somebody else's words: every value is escaped by the template, and a
content security policy forbids the page to load anything even so.
"""

import base64
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from sentiment_lstm import __version__
from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.baseline import NAMES
from sentiment_lstm.metrics import MEASURES, formatted, number

LONGEST_TEXT = 1500  # characters of a text that the page shows
# What HTML cannot hold: controls but for tab and line ends, and halves of surrogate pairs.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


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
    page = _environment().from_string(_template()).render(
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
        temporary.write_text(page, encoding="utf-8")


def _environment() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True,
        finalize=_printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(excerpt=excerpt, number=number)
    return environment


def _template() -> str:
    return (resources.files("sentiment_lstm") / "templates" / "report.html.j2").read_text("utf-8")


def _printable(value: Any) -> Any:
    """Replace what an HTML page cannot hold; the template escapes the rest."""
    return _UNPRINTABLE.sub("\ufffd", value) if isinstance(value, str) else value


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
