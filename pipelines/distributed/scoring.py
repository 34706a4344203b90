"""One shard through a classifier: its answers, what became of its other rows, and its counts.

A shard's files are its answers (`part-00007.jsonl`), the rows that hold no text
(`part-00007.rejected.jsonl`, where there are any) and its report (`part-00007.json`), in this
order, each written aside and renamed. So a shard that has a report is finished, and one that was
begun again leaves the same bytes.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pipelines.answers import write_answers
from pipelines.classify import Classifier, classify_rows
from pipelines.distributed.shards import Shard, rows_of
from pipelines.distributed.stores import Folder
from sentiment_lstm.errors import DataError
from sentiment_lstm.records import Rejection, Row

SUFFIXES = {"text": "txt", "jsonl": "jsonl", "csv": "csv"}


@dataclass(frozen=True)
class Wish:
    """How texts are answered and answers written.

    Attributes:
        column: that holds the text.
        form: of the answers, one of `SUFFIXES`.
        threshold: see `sentiment_lstm.predictions.Answers`.
        abstain: see there.
        strict: whether a row that holds no text ends the work.
    """

    column: str = "text"
    form: str = "text"
    threshold: float | None = None
    abstain: float | None = None
    strict: bool = False


@dataclass(frozen=True)
class Report:
    """The counts of a shard.

    Attributes:
        number: of the shard.
        answered: rows that have an answer.
        rejected: rows that hold no text.
        notes: what answers could not keep of their rows.
    """

    number: int
    answered: int
    rejected: int
    notes: tuple[str, ...] = ()


def report_name(number: int) -> str:
    """Return the name of a shard's report."""
    return f"part-{number:05d}.json"


def read_report(output: Folder, number: int) -> Report:
    """Return the report of a finished shard."""
    values = json.loads(output.read(report_name(number)))
    return Report(values["shard"], values["answered"], values["rejected"], tuple(values["notes"]))


def score(number: int, shard: Shard, classifier: Classifier, wish: Wish, output: Folder) -> Report:
    """Answer about the rows of a shard, and leave its files.

    Raises:
        DataError: if the file is another one than was cut, or strict and a row holds no text.
    """
    rows = _Rows(shard, wish)
    choice = {"threshold": wish.threshold, "abstain": wish.abstain}
    answered = classify_rows(rows, classifier, **choice, rejected=rows.reject)
    notes: list[str] = []
    stem = f"part-{number:05d}"
    with (
        output.written(f"{stem}.{SUFFIXES[wish.form]}") as path,
        path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream,
    ):
        count = write_answers(stream, answered, classifier.config, wish.form, notes.append)
        rows.check(count)
    if rows.rejections:
        _write_lines(output, f"{stem}.rejected.jsonl", map(vars, rows.rejections))
    report = Report(number, count, len(rows.rejections), tuple(notes))
    _write_lines(output, report_name(number), [_report(report, shard)])
    return report


def _report(report: Report, shard: Shard) -> dict[str, Any]:
    return {
        "shard": report.number,
        "source": shard.source,
        "line": shard.line,
        "answered": report.answered,
        "rejected": report.rejected,
        "notes": report.notes,
    }


def _write_lines(output: Folder, name: str, values: Iterable[Any]) -> None:
    with output.written(name) as path:
        lines = (json.dumps(value, ensure_ascii=False) + "\n" for value in values)
        path.write_text("".join(lines), "utf-8", errors="backslashreplace")


@dataclass
class _Rows:
    """The rows of a shard as they are read, counted."""

    shard: Shard
    wish: Wish
    rejections: list[Rejection] = field(default_factory=list)
    read: int = 0

    def __iter__(self) -> Iterator[Row | Rejection]:
        for row in rows_of(self.shard, self.wish.column):
            self.read += 1
            yield row

    def reject(self, rejection: Rejection) -> None:
        """Take note of a row that holds no text."""
        if self.wish.strict:
            raise DataError(
                f"{self.shard.source}, line {rejection.line}: {rejection.reason}: mend the row, "
                "or leave out --strict"
            )
        self.rejections.append(rejection)

    def check(self, answered: int) -> None:
        """See that every row that was cut was read, and every one that was read came out."""
        found = answered + len(self.rejections)
        cut = self.read if self.shard.rows is None else self.shard.rows
        if not cut == self.read == found:
            raise DataError(
                f"{self.shard.source} had {cut} rows from line {self.shard.line} on when it was "
                f"cut, and has {found} now: leave it as it is meanwhile, and begin anew"
            )
