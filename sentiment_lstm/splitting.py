"""Dividing examples into splits: by seed, by label, to the exact number, without twins.

Nothing here sees a text for longer than it takes to hash it: an example is its class (an integer)
and its key (64 bits of a hash).
"""

import hashlib
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOWHERE = -1
BREAK = re.compile(r"<br\s*/?>")


def text_key(text: str) -> int:
    """Return the 64-bit key that twins share.

    Two texts are twins if they are equal once lower-cased, with every HTML line break and run of
    white space made one space, and none at the ends.
    """
    plain = " ".join(BREAK.sub(" ", text.lower()).split())
    digest = hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "big")


@dataclass(frozen=True)
class Scan:
    """What is kept of the examples of a file, in order: class and key, each (n,)."""

    classes: NDArray[np.int32]
    keys: NDArray[np.uint64]

    @classmethod
    def of(cls, classes: "array[int]", keys: "array[int]") -> "Scan":
        """Make a scan of what was gathered."""
        return cls(np.array(classes, np.int32), np.array(keys, np.uint64))

    def counts(self, classes: int) -> list[int]:
        """Return how many examples each class has."""
        return [int(n) for n in np.bincount(self.classes, minlength=classes)]


@dataclass(frozen=True)
class Division:
    """Which split each example of each file belongs to, and how many twins were dropped."""

    splits: tuple[str, ...]
    homes: dict[str, NDArray[np.int8]]  # of each file, the index of the split, or NOWHERE
    twins: dict[str, int]

    def chosen(self, part: str, split: str) -> NDArray[np.bool_]:
        """Return which examples of a file belong to a split, (n,)."""
        return np.equal(self.homes[part], self.splits.index(split))

    def size(self, split: str) -> int:
        """Return how many examples a split has."""
        return sum(int(self.chosen(part, split).sum()) for part in self.homes)


def divide(
    scans: Mapping[str, Scan], carve: Mapping[str, float], seed: int, drop_twins: bool, limit: int
) -> Division:
    """Divide files, of which each is a split, by carving further splits from `train`.

    Args:
        scans: of the files, by split; `train` among them, and `test` among them or in `carve`.
        carve: fraction of what is left of `train`, for each split that has no file, in turn.
        seed: what carving and limiting depend on.
        drop_twins: leave out of train and validation what stands in `test` too, and of any
            further split also what stands in `validation`.
        limit: examples of a split at most, 0 for all.
    """
    splits = (*scans, *carve)
    homes = {p: np.full(len(s.classes), splits.index(p), np.int8) for p, s in scans.items()}
    division = Division(splits, homes, {})
    train = scans["train"].classes
    for number, (split, fraction) in enumerate(carve.items()):
        left = np.flatnonzero(division.chosen("train", "train"))
        leave = len(carve) - number  # train itself, and each split still to be carved
        taken = left[carved(train[left], fraction, seed + number, leave)]
        homes["train"][taken] = splits.index(split)
    if drop_twins:
        _drop_twins(scans, division)
    for split in splits:
        _limit(scans, division, split, limit, seed)
    return division


def _drop_twins(scans: Mapping[str, Scan], division: Division) -> None:
    """Leave out of train and validation what stands in test, and of others what stands in both."""
    for split in division.splits:
        labelled = split in ("train", "validation")
        held_out = _keys(scans, division, ("test",) if labelled else ("test", "validation"))
        for part in scans if split != "test" else ():
            mine = division.chosen(part, split) & np.isin(scans[part].keys, held_out)
            if mine.any():
                division.twins[split] = division.twins.get(split, 0) + int(mine.sum())
                division.homes[part][mine] = NOWHERE


def _keys(
    scans: Mapping[str, Scan], division: Division, splits: tuple[str, ...]
) -> NDArray[np.uint64]:
    held = [s for s in splits if s in division.splits]
    return np.concatenate(
        [scan.keys[division.chosen(part, s)] for part, scan in scans.items() for s in held]
    )


def _limit(
    scans: Mapping[str, Scan], division: Division, split: str, limit: int, seed: int
) -> None:
    part = split if split in scans else "train"
    mine = np.flatnonzero(division.chosen(part, split))
    classes = scans[part].classes[mine]
    division.homes[part][mine[~limited(classes, limit, seed)]] = NOWHERE


def carved(
    classes: NDArray[np.int32], fraction: float, seed: int, leave: int = 1
) -> NDArray[np.bool_]:
    """Choose `round(fraction * n)` of n examples, each class by its share.

    A class's count is its share rounded down, the largest remainders up, so that the total is
    exact. It is off only where a class would have none chosen, or fewer than `leave` left.

    Args:
        classes: (n,), each class in it more than `leave` times.
        fraction: of the examples to choose.
        seed: which ones are chosen depends on it alone.
        leave: examples of each class that stay.

    Returns:
        (n,), true where chosen.
    """
    order = _shuffled(len(classes), seed)
    chosen = np.zeros(len(classes), np.bool_)
    values, counts = np.unique(classes, return_counts=True)
    for value, quota in zip(values, _quotas(counts, fraction, leave), strict=True):
        chosen[order[classes[order] == value][:quota]] = True
    return chosen


def _quotas(counts: NDArray[np.int64], fraction: float, leave: int) -> NDArray[np.int64]:
    """Divide `round(fraction * total)` among classes by the method of largest remainders."""
    shares = counts * fraction
    quotas: NDArray[np.int64] = np.clip(np.floor(shares).astype(np.int64), 1, counts - leave)
    missing = max(0, round(float(counts.sum()) * fraction) - int(quotas.sum()))
    by_remainder = np.argsort(quotas - shares, kind="stable")
    with_room = by_remainder[quotas[by_remainder] < counts[by_remainder] - leave]
    quotas[with_room[:missing]] += 1
    return quotas


def limited(classes: NDArray[np.int32], limit: int, seed: int) -> NDArray[np.bool_]:
    """Choose at most `limit` of n examples, as evenly by class as the classes allow.

    `classes` is (n,), and so is the answer, true where chosen. A limit of 0 chooses all.
    """
    chosen = np.ones(len(classes), np.bool_)
    if limit == 0 or len(classes) <= limit:
        return chosen
    order = _shuffled(len(classes), seed)
    # An example's turn is its rank among its class: all first ones go before any second one.
    turns = np.empty(len(classes), np.int64)
    for value in np.unique(classes):
        members = order[classes[order] == value]
        turns[members] = np.arange(len(members))
    chosen[order[np.argsort(turns[order], kind="stable")[limit:]]] = False
    return chosen


def _shuffled(count: int, seed: int) -> NDArray[np.int64]:
    """Return 0 … count - 1 in an order that depends on the seed alone.

    The raw numbers of PCG64 are kept the same over versions of numpy (NEP 19); `permutation` is
    not.
    """
    order: NDArray[np.int64] = np.argsort(np.random.PCG64(seed).random_raw(count), kind="stable")
    return order
