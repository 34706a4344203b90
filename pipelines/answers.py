"""How predictions are written: lines for people, JSON Lines, CSV."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.classifier import Prediction
from sentiment_lstm.records import Row

FORMATS = ("text", "jsonl", "csv")
KEPT_PREFIX = "input_"  # of an input column whose name the answer needs

Answered = Iterable[tuple[Row, Prediction]]
Note = Callable[[str], None]


def write_answers(
    stream: TextIO, answered: Answered, config: BundleConfig, form: str, note: Note
) -> int:
    """Write each row with its prediction as it comes; return how many there were.

    Args:
        stream: where to.
        answered: rows and their predictions.
        config: of the model that answered.
        form: one of `FORMATS`.
        note: told what could not be kept, one line.
    """
    if form == "csv":
        return _write_csv(stream, answered, config, note)
    line = _json_line if form == "jsonl" else _text_line
    count = 0
    for row, prediction in answered:
        stream.write(line(row, prediction, config) + "\n")
        count += 1
    return count


def _text_line(row: Row, prediction: Prediction, config: BundleConfig) -> str:
    """Return label, probability and text, tabs between; the text printable and on one line."""
    shown = "".join(c if c.isprintable() else " " for c in row.text)
    answer = _rounded(prediction, config)
    return "\t".join([*answer.values(), " ".join(shown.split())])


def _rounded(prediction: Prediction, config: BundleConfig) -> dict[str, str]:
    if config.task == "regression":
        return {"value": f"{prediction.value:.4f}"}
    return {"label": prediction.label, "probability": f"{prediction.probability:.4f}"}


def _json_line(row: Row, prediction: Prediction, config: BundleConfig) -> str:
    answer = exact_answer(prediction, config)
    return json.dumps(answer | kept(row.fields, answer), ensure_ascii=False)


def exact_answer(prediction: Prediction, config: BundleConfig) -> dict[str, Any]:
    """Return an answer as JSON holds it, its numbers with 6 digits after the point."""
    if prediction.value is not None:
        return {"value": round(prediction.value, 6)}
    answer = {"label": prediction.label, "probability": round(prediction.probability, 6)}
    if len(config.labels) == 2:
        return answer
    each = zip(config.labels, prediction.probabilities, strict=True)
    return answer | {"probabilities": {label: round(p, 6) for label, p in each}}


def kept(fields: Mapping[str, Any], answer: Iterable[str]) -> dict[str, Any]:
    """Return the input's columns, those that bear a name of the answer under another one."""
    taken = {*answer, *fields}
    result = {}
    for name, value in fields.items():
        free = name
        while free in answer or (free != name and free in taken):
            free = KEPT_PREFIX + free
        result[free] = value
    return result


def _write_csv(stream: TextIO, answered: Answered, config: BundleConfig, note: Note) -> int:
    """The first row names the columns: a CSV file has its header before its rows."""
    writer: csv.DictWriter[str] | None = None
    count = dropped = 0
    for row, prediction in answered:
        answer = _columns(prediction, config)
        values = {name: _cell(value) for name, value in kept(row.fields, answer).items()} | answer
        writer = writer or _csv_writer(stream, values)
        dropped += not values.keys() <= set(writer.fieldnames)
        writer.writerow(values)
        count += 1
    if dropped:
        note(f"{dropped} rows have keys that the first lacks and CSV leaves out: use jsonl")
    return count


def _csv_writer(stream: TextIO, columns: Iterable[str]) -> "csv.DictWriter[str]":
    """Write the header; lines end as RFC 4180 has it, which gets either character quoted."""
    writer = csv.DictWriter(
        stream, list(columns), restval="", extrasaction="ignore", lineterminator="\r\n"
    )
    writer.writeheader()
    return writer


def _columns(prediction: Prediction, config: BundleConfig) -> dict[str, str]:
    rounded = _rounded(prediction, config)
    if len(config.labels) <= 2:
        return rounded
    each = zip(config.labels, prediction.probabilities, strict=True)
    return rounded | {f"p_{label}": f"{p:.4f}" for label, p in each}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
