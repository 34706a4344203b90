"""Token arrays on disk, and the batches that training draws from them.

A split is three `.npy` files: all ids end to end, where each text starts, and the targets. They are
memory-mapped, so a split may be larger than memory. The order of batches is a function of
(seed, epoch) and of nothing else, which is what makes a resumed training repeat itself exactly.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.settings import SHORT

# Lengths are padded to a multiple of this: few distinct shapes, so few compilations.
LENGTH_STEP = 32
# Batches whose texts are sorted by length together: more wastes less padding, fewer mixes better.
POOL_BATCHES = 50

PARTS = ("tokens", "offsets", "targets")


def part_path(directory: Path, split: str, part: str) -> Path:
    """Return where one part of a split's arrays stands."""
    return directory / f"{split}.{part}.npy"


@dataclass(frozen=True)
class TokenArrays:
    """The token ids and targets of one split.

    Attributes:
        tokens: ids of all texts end to end, `(total,)`, unsigned integers.
        offsets: where each text starts, and the end of the last, `(texts + 1,)`.
        targets: label index or real number of each text, `(texts,)`.
    """

    tokens: NDArray[Any]
    offsets: NDArray[np.int64]
    targets: NDArray[Any]

    @classmethod
    def load(cls, directory: Path, split: str) -> "TokenArrays":
        """Map the three files of a split into memory."""
        loaded = [
            np.load(part_path(directory, split, part), mmap_mode="r", allow_pickle=False)
            for part in PARTS
        ]
        return cls(*loaded)

    @classmethod
    def of(cls, sequences: Sequence[NDArray[Any]], targets: Sequence[float | int]) -> "TokenArrays":
        """Build the arrays in memory from one id sequence and one target a text."""
        ends = np.cumsum([len(s) for s in sequences], dtype=np.int64)
        flat = np.concatenate([*sequences, np.empty(0, np.int32)]).astype(np.int32)
        return cls(flat, np.concatenate([np.zeros(1, np.int64), ends]), np.asarray(targets))

    @classmethod
    def joined(cls, parts: Sequence["TokenArrays"]) -> "TokenArrays":
        """Return the texts of several splits, one after the other, in memory."""
        starts = np.cumsum([0, *(int(part.offsets[-1]) for part in parts)])
        moved = [p.offsets[1:] + start for p, start in zip(parts, starts[:-1], strict=True)]
        return cls(
            np.concatenate([part.tokens[: part.offsets[-1]] for part in parts]),
            np.concatenate([np.zeros(1, np.int64), *moved]),
            np.concatenate([part.targets for part in parts]),
        )

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of tokens of each text, `(texts,)`."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> NDArray[Any]:
        return self.tokens[self.offsets[index] : self.offsets[index + 1]]

    def pad(self, indices: NDArray[np.int64], length_step: int = LENGTH_STEP) -> NDArray[np.int32]:
        """Return the texts at `indices` as `(batch, time)`, zeros after each one's end.

        `time` is the longest text's length rounded up to a multiple of `length_step`.
        """
        longest = max(1, *(int(self.offsets[i + 1] - self.offsets[i]) for i in indices))
        batch = np.zeros((len(indices), -(-longest // length_step) * length_step), np.int32)
        for row, index in enumerate(indices):
            ids = self[index]
            batch[row, : len(ids)] = ids
        return batch


class TokenWriter:
    """Writes one split's arrays as its texts come by, without holding them in memory."""

    def __init__(self, directory: Path, split: str, vocabulary_size: int) -> None:
        self._paths = {part: part_path(directory, split, part) for part in PARTS}
        self._dtype = np.dtype(np.uint16 if vocabulary_size <= 2**16 else np.uint32)
        self._files = ExitStack()
        self._tokens: BinaryIO | None = None
        self._offsets: list[int] = [0]
        self._targets: list[float | int] = []

    def __enter__(self) -> "TokenWriter":
        self._tokens = self._files.enter_context(self._paths["tokens"].open("w+b"))
        self._write_header(0)
        return self

    def append(self, ids: NDArray[Any], target: float | int) -> None:
        """Add one text: its ids `(tokens,)` and its label index or real number."""
        assert self._tokens is not None, "append is for use inside the with block"
        self._tokens.write(np.asarray(ids, self._dtype).tobytes())
        self._offsets.append(self._offsets[-1] + len(ids))
        self._targets.append(target)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._files:
            if kind is None:
                self._write_header(self._offsets[-1])
                np.save(self._paths["offsets"], np.asarray(self._offsets, np.int64))
                np.save(self._paths["targets"], np.asarray(self._targets))

    def _write_header(self, count: int) -> None:
        """Write the header of a `.npy` file; its length does not change with the count."""
        assert self._tokens is not None
        self._tokens.seek(0)
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (count,),
        }
        np.lib.format.write_array_header_1_0(self._tokens, header)


@dataclass(frozen=True)
class BatchSizes:
    """How many texts a batch takes.

    Attributes:
        size: texts of a batch.
        short: of texts of at most `SHORT` tokens, whose step costs little more however many there
            are; 0 makes no difference between texts.
    """

    size: int
    short: int = 0

    @property
    def longest_short(self) -> int:
        """The most tokens of a text that counts as short; below 0, none does."""
        return SHORT if self.short else -1


@dataclass(frozen=True)
class Batch:
    """One step's worth of texts.

    Attributes:
        tokens: padded ids, `(batch, time)`.
        targets: label index or real number, `(batch,)`.
        indices: which texts of the split these are, `(batch,)`.
    """

    tokens: NDArray[np.int32]
    targets: NDArray[Any]
    indices: NDArray[np.int64]


def training_order(
    lengths: NDArray[np.int64], sizes: BatchSizes, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Return the index arrays of an epoch's batches, alike in length, in random order.

    The texts are shuffled, sorted by length within pools of `POOL_BATCHES` batches, cut, and the
    batches shuffled. Only the last batch of the split may be smaller, or of each of its two parts,
    the short texts and the others, where short ones have a size of their own. Every text comes
    once.
    """
    generator = np.random.default_rng([seed, epoch])
    order = generator.permutation(len(lengths))
    short = lengths[order] <= sizes.longest_short
    parts = [(order[~short], sizes.size), (order[short], sizes.short or sizes.size)]
    batches = [batch for part, size in parts for batch in _cut(part, lengths, size)]
    return [batches[i] for i in generator.permutation(len(batches))]


def _cut(
    order: NDArray[np.int64], lengths: NDArray[np.int64], size: int
) -> Iterator[NDArray[np.int64]]:
    """Yield a part of the texts in batches, in the order of their lengths within each pool."""
    for start in range(0, len(order), size * POOL_BATCHES):
        members = order[start : start + size * POOL_BATCHES]
        members = members[np.argsort(lengths[members], kind="stable")]
        yield from (members[i : i + size] for i in range(0, len(members), size))


def training_batches(
    arrays: TokenArrays, sizes: BatchSizes, seed: int, epoch: int, start: int = 0
) -> Iterator[Batch]:
    """Yield the batches of an epoch, from step `start` on."""
    for indices in training_order(arrays.lengths, sizes, seed, epoch)[start:]:
        yield _batch(arrays, indices)


def evaluation_batches(
    arrays: TokenArrays, batch_size: int, first: int = 0, every: int = 1
) -> Iterator[Batch]:
    """Yield every text once, shortest first; `Batch.indices` tells where each belongs.

    Of the batches come those from number `first` on, one of so many.
    """
    order = np.argsort(arrays.lengths, kind="stable")
    for start in range(first * batch_size, len(order), every * batch_size):
        yield _batch(arrays, order[start : start + batch_size])


def steps_per_epoch(lengths: NDArray[np.int64], sizes: BatchSizes) -> int:
    """Return how many batches every epoch has."""
    short = int(np.sum(lengths <= sizes.longest_short))
    return -(-(len(lengths) - short) // sizes.size) + -(-short // (sizes.short or sizes.size))


def _batch(arrays: TokenArrays, indices: NDArray[np.int64]) -> Batch:
    return Batch(arrays.pad(indices), np.asarray(arrays.targets[indices]), indices)
