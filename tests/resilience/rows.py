"""Tables and JSON Lines with bad rows: each comes out, or is rejected by its line and a reason."""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.resilience.commands import Ended, refusal_fault, within
from tests.resilience.tally import Tally
from tests.resilience.workshop import Workshop

IDEA = "bad rows"
REPORTED = re.compile(r"line (\d+): (.+)")
BAD_IN_FILE = 40

# A line of each way to be no row of `number,text,note`. None holds what could close a quote that
# an earlier one has opened in a way that makes a row.
BAD_TABLE = {
    "too few columns": b"7{0}alone",
    "too many columns": b"7{0}a{0}b{0}c",
    "a quote that never closes": b'7{0}"open{0}b',
    "text after a quote": b'7{0}"a" b{0}c',
    "Latin-1": b"7{0}caf\xe9{0}b",
    "half of a UTF-8 character": b"7{0}\xe2\x82{0}b",
    "UTF-16": "7{0}a{0}b".encode("utf-16-le").replace(b"\n", b""),
    "a carriage return inside": b"7{0}a\rb{0}c",
    "blank": b"",
}
BAD_JSON = {
    "no JSON": b"text: good",
    "a list": b'["good"]',
    "a number": b"7",
    "null": b"null",
    "no text": b'{"txt": "good"}',
    "text is null": b'{"text": null}',
    "text is a number": b'{"text": 5}',
    "text is a list": b'{"text": ["good"]}',
    "cut off": b'{"text": "go',
    "a comma too many": b'{"text": "good",}',
    "single quotes": b"{'text': 'good'}",
    "two on a line": b'{"text": "a"} {"text": "b"}',
    "half a character": b'{"text": "\\ud83d"}',
    "Latin-1": b'{"text": "caf\xe9"}',
    "a control character": b'{"text": "a\x01b"}',
    "nested without end": b'{"text": "a", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "a number without end": b'{"text": "a", "x": ' + b"9" * 5000 + b"}",
    "blank": b"  ",
}
BAD_TEXT = {
    "Latin-1": b"caf\xe9",
    "half of a UTF-8 character": b"good \xe2\x82",
    "UTF-8 of a surrogate": b"\xed\xa0\x80",
}
BAD = {"csv": BAD_TABLE, "tsv": BAD_TABLE, "jsonl": BAD_JSON, "txt": BAD_TEXT}
DELIMITERS = {"csv": ",", "tsv": "\t"}


@dataclass(frozen=True)
class Made:
    """A file with bad rows, and what is known of it from its making."""

    content: bytes
    texts: list[str]
    bad: dict[int, str]


def made(kind: str, random: np.random.Generator, bad: int, end: bytes, bom: bytes) -> Made:
    """Return a file of so many bad rows among as many good ones, in random order."""
    delimiter = DELIMITERS.get(kind, "")
    lines = [] if kind in ("txt", "jsonl") else [delimiter.join(("n", "text", "note")).encode()]
    known = Made(b"", [], {})
    bad_kinds = sorted(BAD[kind])
    for n in random.permutation(2 * bad).tolist():
        if n < bad:
            name = bad_kinds[int(random.integers(len(bad_kinds)))]
            known.bad[len(lines) + 1] = name
            lines.append(BAD[kind][name].replace(b"{0}", delimiter.encode()))
        else:
            text = f"good film {n}, {'é😀ß'[n % 3]}"
            known.texts.append(text)
            lines.append(_good(kind, n, text))
    lines.append(_good(kind, 0, "the last"))  # blank lines at a file's end are nobody's rows
    known.texts.append("the last")
    return Made(bom + b"".join(line + end for line in lines), known.texts, known.bad)


def _good(kind: str, number: int, text: str) -> bytes:
    if kind == "txt":
        return text.encode()
    if kind == "jsonl":
        return json.dumps({"n": number, "text": text}, ensure_ascii=number % 2 == 0).encode()
    line = io.StringIO()
    csv.writer(line, delimiter=DELIMITERS[kind], lineterminator="").writerow([number, text, "x"])
    return line.getvalue().encode()


def fault_of(file: Made, ended: Ended, output: Path) -> str:
    """Say what does not add up: rows in are rows out and rows rejected, each by its line."""
    if ended.escaped is not None or ended.status:
        return f"status {ended.status}, {ended.escaped}: {ended.last()}"
    rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    if [row["text"] for row in rows] != file.texts:
        return f"{len(rows)} rows out where {len(file.texts)} are good"
    told = ended.told.splitlines()
    reported = [REPORTED.fullmatch(line) for line in told[:-1]]
    if [int(match[1]) if match else 0 for match in reported] != list(file.bad):
        wanted = [line for line in file.bad if not any(m and int(m[1]) == line for m in reported)]
        return f"{len(told) - 1} rejected where {len(file.bad)} are bad, not {wanted[:5]}"
    if told[-1] != f"{len(file.bad)} rows left out, {len(rows)} answered":
        return told[-1]
    return "" if all(0 <= row["probability"] <= 1 for row in rows) else "no probability"


def run(workshop: Workshop, *, bad: int) -> Iterator[Tally]:
    """Classify files of every kind until so many bad rows were met; then typos of labels."""
    directory = workshop.fresh("rows")
    strict = Tally(IDEA, "--strict stops at the first")
    each = -(-bad // len(BAD))
    for kind in BAD:
        tally = Tally(IDEA, f"{kind}: rows in = rows out + rows rejected")
        for number in range(-(-each // BAD_IN_FILE)):
            random = np.random.default_rng([ord(kind[0]), number])
            end = (b"\n", b"\r\n")[number % 2]
            bom = b"\xef\xbb\xbf" if number % 3 == 1 else b""
            file = made(kind, random, min(BAD_IN_FILE, each), end, bom)
            path = directory / f"rows-{number}.{kind}{'.gz' if number % 4 == 3 else ''}"
            path.write_bytes(gzip.compress(file.content) if path.suffix == ".gz" else file.content)
            _classify(workshop, path, file, tally, strict)
        yield tally
    yield strict
    yield typos(workshop, min(bad, 200))


def _classify(workshop: Workshop, path: Path, file: Made, tally: Tally, strict: Tally) -> None:
    output = path.with_name("answers")
    asked = ("classify", "--model", workshop.bundle, "--input", path, "--format", "jsonl")
    fault = fault_of(file, within(*asked, "--output", output), output)
    for line, name in file.bad.items():
        tally.count(f"{path.name}, line {line}, {name}", fault)
    output.unlink(missing_ok=True)
    ended = within(*asked, "--output", output, "--strict")
    first = next(iter(file.bad))
    refusal = refusal_fault(ended, f"line {first}: ")
    strict.count(path.name, refusal or ("wrote answers" if output.exists() else ""))


def typos(workshop: Workshop, count: int) -> Tally:
    """Misspell labels: each row is rejected with the label that was meant."""
    tally = Tally(IDEA, "labels misspelt: the nearest is suggested")
    random, known = np.random.default_rng(count), ("positive", "negative")
    path = workshop.root / "typos.csv"
    wanted = {}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for n in range(2 * count):
            label = known[n % 2]
            if n >= count:
                place = int(random.integers(len(label)))
                wanted[n + 2] = label
                label = label[:place] + label[place + 1 :]
            writer.writerow([f"film {n}", label])
    ended = within("evaluate", "--model", workshop.bundle, "--input", path)
    for line, label in wanted.items():
        told = [t for t in ended.told.splitlines() if f"line {line}: unknown label" in t]
        right = len(told) == 1 and told[0].endswith(f"did you mean {label!r}?")
        tally.count(f"line {line}", "" if right and not ended.status else f"told {told}")
    return tally
