"""Where texts stand: a table, a folder of labels, or IMDB; each read in one order every time.

A source knows nothing of splits. It yields what it finds, with the place of it, and can tell the
digest of its files without reading them as data.
"""

import hashlib
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from sentiment_lstm.bounded_lines import LONGEST, TOO_LONG
from sentiment_lstm.errors import DataError, suggestion
from sentiment_lstm.records import Rejection, kind_of, read_rows

IMDB = "imdb_reviews/plain_text"
IMDB_ADDRESS = "http://ai.stanford.edu/~amaas/data/sentiment/"
IMDB_LABELS = ("negative", "positive")  # 0 and 1 in the records
IMDB_BATCH = 512

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Example:
    """A text with its label, its number (regression), or None (the unlabelled split)."""

    text: str
    label: str | float | None


@dataclass(frozen=True)
class Found:
    """A text at its place, with its label as the file gives it."""

    file: str
    line: int
    text: str
    label: Any


@dataclass(frozen=True)
class RejectedRow:
    """A row that cannot be used: its file, the line it starts on (from 1) and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


class Source(Protocol):
    """Texts that can be read again and again, in the same order."""

    def rows(self) -> Iterator[Found | RejectedRow]:
        """Yield every row as a text with its label, or as rejected."""
        ...  # pragma: no cover

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of each file, by name; no data library is imported for it."""
        ...  # pragma: no cover


@dataclass(frozen=True)
class TableSource:
    """A CSV, TSV or JSON Lines file with a column of texts and one of labels."""

    path: Path
    text: str
    label: str

    def rows(self) -> Iterator[Found | RejectedRow]:
        """Yield every row.

        Raises:
            DataError: if the file cannot be read or lacks a column.
        """
        kind = kind_of(self.path)
        if kind == "txt":
            raise DataError(f"{self.path} holds no labels: give a .csv, .tsv, .jsonl or a folder")
        for row in read_rows(self.path, kind, text_column=self.text):
            if isinstance(row, Rejection):
                yield RejectedRow(str(self.path), row.line, row.reason)
            elif self.label in row.fields:
                yield Found(str(self.path), row.line, row.text, row.fields[self.label])
            else:
                lacking = f"no column {self.label!r}: {suggestion(self.label, row.fields)}"
                if kind != "jsonl":
                    raise DataError(f"{self.path} has {lacking}")
                yield RejectedRow(str(self.path), row.line, lacking)

    def digests(self) -> dict[str, str]:
        """Return the digest of the one file."""
        return {str(self.path): file_digest(self.path)}


@dataclass(frozen=True)
class TextSource:
    """A text, CSV, TSV or JSON Lines file of texts without labels."""

    path: Path
    text: str

    def rows(self) -> Iterator[Found | RejectedRow]:
        """Yield every row, its label None.

        Raises:
            DataError: if the file cannot be read or lacks the column.
        """
        for row in read_rows(self.path, kind_of(self.path), text_column=self.text):
            if isinstance(row, Rejection):
                yield RejectedRow(str(self.path), row.line, row.reason)
            else:
                yield Found(str(self.path), row.line, row.text, None)

    def digests(self) -> dict[str, str]:
        """Return the digest of the one file."""
        return {str(self.path): file_digest(self.path)}


@dataclass(frozen=True)
class FolderSource:
    """A folder that holds one folder of `.txt` files, a text each, for every label."""

    path: Path

    def rows(self) -> Iterator[Found | RejectedRow]:
        """Yield every file, by label and name; other files are rejected, hidden ones passed over.

        Raises:
            DataError: if there is no folder inside.
        """
        if not any(entry.is_dir() for entry in _visible(self.path)):
            raise DataError(
                f"{self.path} holds no folders: make one for each label, as pos and neg"
            )
        for entry in _visible(self.path):
            if entry.is_dir():
                yield from map(_found_file, _visible(entry))
            else:
                yield RejectedRow(str(entry), 1, "it stands in no label's folder")

    def digests(self) -> dict[str, str]:
        """Return one digest for the folder, made of the names and the digests of its files."""
        folders = (entry for entry in _visible(self.path) if entry.is_dir())
        whole = hashlib.sha256()
        for file in chain.from_iterable(map(_visible, folders)):
            if file.is_file():
                name = file.relative_to(self.path).as_posix()
                whole.update(f"{file_digest(file)}  {name}\n".encode("utf-8", "surrogateescape"))
        return {str(self.path): whole.hexdigest()}


def _visible(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"cannot read the folder {folder}: {error.strerror}") from error


def _found_file(path: Path) -> Found | RejectedRow:
    if path.suffix.lower() != ".txt":
        return RejectedRow(str(path), 1, "not a .txt file")
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
        if len(content) > LONGEST:
            return RejectedRow(str(path), 1, TOO_LONG)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return RejectedRow(str(path), line, f"not UTF-8: byte 0x{error.object[error.start]:02x}")
    except OSError as error:
        return RejectedRow(str(path), 1, f"cannot be read: {error.strerror}")
    return Found(str(path), 1, text.rstrip("\r\n"), path.parent.name)


@dataclass(frozen=True)
class ImdbSource:
    """One split of the IMDB reviews of Maas et al. (2011), through tensorflow_datasets.

    Attributes:
        root: folder that holds, or will hold, `imdb_reviews/plain_text/VERSION`.
        split: train, test or unsupervised, whose texts have the label None.
    """

    root: Path
    split: str

    def rows(self) -> Iterator[Found]:
        """Yield every review, in the order of the records.

        Raises:
            DataError: if the data are neither prepared nor to be had.
        """
        import tensorflow_datasets as tfds

        builder = tfds.builder_from_directory(str(prepared_imdb(self.root)))
        # One call for many records; and no copy of them all in memory for a second reading.
        records = builder.as_dataset(
            split=self.split,
            batch_size=IMDB_BATCH,
            shuffle_files=False,
            read_config=tfds.ReadConfig(try_autocache=False),
        )
        batches = tfds.as_numpy(records)
        pairs = (pair for b in batches for pair in zip(b["text"], b["label"], strict=True))
        for number, (text, label) in enumerate(pairs, start=1):
            name = None if self.split == "unsupervised" else IMDB_LABELS[label]
            yield Found(f"IMDB {self.split}", number, text.decode("utf-8"), name)

    def digests(self) -> dict[str, str]:
        """Return the digests of this split's records and of the descriptions beside them."""
        folder = prepared_imdb(self.root)
        files = [*folder.glob(f"*-{self.split}.*"), *folder.glob("*.json")]
        return {path.name: file_digest(path) for path in sorted(files)}


def imdb_root(directory: str) -> Path:
    """Return the folder of tensorflow_datasets: as given, else by environment, else at home."""
    return Path(
        directory or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    ).expanduser()


def is_prepared_imdb(root: Path) -> bool:
    """Tell whether the IMDB reviews are in a folder of tensorflow_datasets."""
    return bool(_imdb_versions(root))


def prepared_imdb(root: Path) -> Path:
    """Return the folder of the prepared IMDB reviews; download them if they are not there.

    Raises:
        DataError: if they cannot be downloaded.
    """
    if not is_prepared_imdb(root):
        _download_imdb(root)
    return _imdb_versions(root)[-1]


def _imdb_versions(root: Path) -> list[Path]:
    return sorted(info.parent for info in (root / IMDB).glob("*/dataset_info.json"))


def _download_imdb(root: Path) -> None:
    """Let tensorflow_datasets fetch and prepare the reviews, with its talk on standard error."""
    try:
        _ask_for(IMDB_ADDRESS)
        import tensorflow_datasets as tfds

        log.info("downloading the IMDB reviews (80 MB) into %s", root)
        tfds.disable_progress_bar()
        with redirect_stdout(sys.stderr):
            tfds.builder(IMDB, data_dir=str(root)).download_and_prepare()
    except Exception as error:  # whatever the network, the disk or the library answers with
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"the IMDB reviews are not prepared in {root} and cannot be downloaded ({reason}): "
            "set data.dir or TFDS_DATA_DIR to the folder that holds imdb_reviews"
        ) from error


def _ask_for(address: str) -> None:
    """See that an address answers, which tensorflow_datasets takes minutes to give up on."""
    import urllib.request

    with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=30):
        pass


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
