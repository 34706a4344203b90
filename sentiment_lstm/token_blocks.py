"""Texts tokenised once, for both counting their tokens and encoding them later.

A vocabulary is known only when every text has been counted, and encoding needs the tokens again.
A block keeps them as numbers, 4 bytes a token, so that nothing is tokenised twice. It numbers its
own tokens, whatever other blocks hold: blocks may be made anywhere, in any order.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.text import Vocabulary, tokenise


@dataclass(frozen=True)
class TokenBlock:
    """Some texts as numbers of tokens.

    Attributes:
        tokens: the distinct tokens, in the order of their first occurrence.
        numbers: place in `tokens` of each token of all texts end to end, `(total,)`.
        lengths: tokens of each text, `(texts,)`.
    """

    tokens: tuple[str, ...]
    numbers: NDArray[np.uint32]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "TokenBlock":
        """Tokenise texts."""
        numbered, numbers, lengths = _Numbering(), array("I"), array("q")
        for text in texts:
            tokens = tokenise(text)
            numbers.extend(map(numbered.__getitem__, tokens))
            lengths.append(len(tokens))
        return cls(tuple(numbered), np.array(numbers, np.uint32), np.array(lengths, np.int64))

    @classmethod
    def from_bytes(cls, data: bytes) -> "TokenBlock":
        """Return the block that `to_bytes` was called on."""
        with np.load(BytesIO(data), allow_pickle=False) as arrays:
            tokens = arrays["tokens"].tobytes().decode("utf-8")
            # No token is empty or has a line end in it.
            return cls(
                tuple(tokens.split("\n") if tokens else ()), arrays["numbers"], arrays["lengths"]
            )

    def to_bytes(self) -> bytes:
        """Return the block as the bytes of a `.npz` file."""
        buffer = BytesIO()
        tokens = np.frombuffer("\n".join(self.tokens).encode("utf-8"), np.uint8)
        np.savez(buffer, tokens=tokens, numbers=self.numbers, lengths=self.lengths)
        return buffer.getvalue()

    def counts(self) -> dict[str, int]:
        """Return how often each token occurs."""
        counts = np.bincount(self.numbers, minlength=len(self.tokens))
        return dict(zip(self.tokens, counts.tolist(), strict=True))

    def ids(self, vocabulary: Vocabulary) -> Iterator[NDArray[np.int32]]:
        """Yield the ids of each text, `(tokens,)`: those of `vocabulary.ids(tokenise(text))`."""
        ids = np.array(vocabulary.ids(self.tokens), np.int32)[self.numbers]
        end = 0
        for length in self.lengths.tolist():
            end += length
            yield ids[end - length : end]


class _Numbering(dict[str, int]):
    """Gives each token that it is asked for the next number, from 0."""

    def __missing__(self, token: str) -> int:
        self[token] = number = len(self)
        return number
