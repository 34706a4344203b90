"""Word vectors that a person brings along, to start the embedding from."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.errors import DataError
from sentiment_lstm.text import Vocabulary


@dataclass(frozen=True)
class WordVectors:
    """Vectors for the words of a vocabulary that a file holds.

    Attributes:
        rows: ids of the words found, `(found,)`.
        vectors: their vectors, `(found, width)`.
    """

    rows: NDArray[np.int64]
    vectors: NDArray[np.float32]

    def placed_in(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `(vocabulary, width)` embeddings with the found rows replaced.

        The found vectors are scaled as a whole so that their standard deviation is that of the
        embeddings they join: known and unknown words then speak equally loud.
        """
        placed = embeddings.copy()
        spread = float(self.vectors.std())
        placed[self.rows] = self.vectors * (float(embeddings.std()) / spread if spread else 1.0)
        return placed


def read_word_vectors(path: Path, vocabulary: Vocabulary, width: int) -> WordVectors:
    """Read the vectors of a vocabulary's words from a text file, a word and its numbers a line.

    Both GloVe's format and word2vec's text format (whose first line holds two counts) are read.

    Args:
        path: the file, UTF-8.
        vocabulary: the words that are wanted; others are passed over.
        width: numbers each vector must have.

    Raises:
        DataError: the file is missing, a vector has another width, or no word of the vocabulary
            is in it.
    """
    ids = {token: i for i, token in enumerate(vocabulary.tokens)}
    found: dict[int, NDArray[np.float32]] = {}
    for line, word, numbers in _lines(path):
        if word in ids and ids[word] not in found:
            found[ids[word]] = _vector(path, line, numbers, width)
    if not found:
        raise DataError(f"{path} holds no word of the vocabulary: check its format and language")
    rows = sorted(found)
    return WordVectors(np.array(rows, np.int64), np.stack([found[r] for r in rows]))


def _lines(path: Path) -> Iterator[tuple[int, str, list[str]]]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, text in enumerate(file, 1):
                word, *numbers = text.rstrip().split(" ")
                if not (number == 1 and len(numbers) == 1):
                    yield number, word, numbers
    except OSError as error:
        raise DataError(
            f"word vectors {str(path)!r} cannot be read ({error.strerror}): "
            "give model.embeddings the path of a GloVe or word2vec text file"
        ) from None


def _vector(path: Path, line: int, numbers: list[str], width: int) -> NDArray[np.float32]:
    if len(numbers) != width:
        raise DataError(
            f"{path} line {line} holds {len(numbers)} numbers and model.embedding is {width}: "
            "set model.embedding to the width of the vectors"
        )
    try:
        return np.array(numbers, np.float32)
    except ValueError:
        raise DataError(f"{path} line {line} holds something that is not a number") from None
