"""Where verdicts turn, chosen on labelled texts: a threshold for an aim, a band for an accuracy.

A text gets the second of two labels when that label's probability is at least the threshold. A
threshold matters only through which texts it parts, so of n texts at most n + 1 thresholds differ,
the cuts; all of them are counted at once. Choose on texts that the model was not trained on and
that no figure will be measured on afterwards: validation.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sentiment_lstm.errors import DataError, SettingsError, suggestion

Floats = NDArray[np.float64]

# The aims: what each makes large, and what it holds at a least value, if it does.
PLAIN = ("accuracy", "f1")
TRADED = {"precision": "recall", "recall": "precision"}
AIMS = ("accuracy", "f1", "precision=P", "recall=R")


@dataclass(frozen=True)
class Aim:
    """What a threshold is chosen for; most callers use `parse_aim`.

    Attributes:
        figure: "accuracy" or "f1", which is to be as large as possible; or "precision" or
            "recall", which is to be at least `least` while the other is as large as possible.
        least: above 0 and at most 1; None for accuracy and F1.
    """

    figure: str
    least: float | None = None

    @property
    def sought(self) -> str:
        """The figure that is made as large as possible."""
        return TRADED.get(self.figure, self.figure)

    def __str__(self) -> str:
        return self.figure if self.least is None else f"{self.figure}={self.least:g}"


def parse_aim(text: str) -> Aim:
    """Read an aim: ``accuracy``, ``f1``, ``precision=P`` or ``recall=R``.

    Raises:
        SettingsError: for any other text; names the nearest aim.
    """
    figure, equals, value = (part.strip() for part in text.partition("="))
    if figure in PLAIN and not equals:
        return Aim(figure)
    if figure in PLAIN:
        raise SettingsError(
            f"aim {text!r}: {figure} is made as large as it gets: leave out ={value}"
        )
    if figure in TRADED:
        return Aim(figure, _least(text, figure, value))
    known = {aim.partition("=")[0]: aim for aim in AIMS}
    nearest = suggestion(figure.lower(), known)
    for name, aim in known.items():
        nearest = nearest.replace(name, aim)
    raise SettingsError(f"unknown aim {text!r}: {nearest}")


def _least(text: str, figure: str, value: str) -> float:
    try:
        least = float(value)
    except ValueError:
        raise SettingsError(f"aim {text!r}: give a least value, as in {figure}=0.95") from None
    if not 0 < least <= 1:
        raise SettingsError(f"aim {text!r}: {figure} is above 0 and at most 1")
    return least


@dataclass(frozen=True)
class Counts:
    """Texts by label and verdict, the second of two labels being the positive one.

    Each is a number, or `(cuts,)` numbers. A ratio of nothing to nothing is 0, as in `metrics`.
    """

    true_positives: Any
    false_positives: Any
    false_negatives: Any
    true_negatives: Any

    @property
    def accuracy(self) -> Any:
        """Share of the texts whose verdict is right."""
        right, wrong = (
            self.true_positives + self.true_negatives,
            self.false_positives + self.false_negatives,
        )
        return _ratio(right, right + wrong)

    @property
    def precision(self) -> Any:
        """Share of the positive verdicts that are right."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> Any:
        """Share of the positive texts that are found."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> Any:
        """Harmonic mean of precision and recall."""
        twice = 2 * self.true_positives
        return _ratio(twice, twice + self.false_positives + self.false_negatives)


def _ratio(part: Any, whole: Any) -> Any:
    return part / np.maximum(whole, 1)


@dataclass(frozen=True)
class Cut:
    """A threshold, and what it does with the texts it was counted on."""

    threshold: float
    counts: Counts

    def figure(self, name: str) -> float:
        """Return "accuracy", "f1", "precision" or "recall"."""
        return float(getattr(self.counts, name))


def cut_at(probabilities: ArrayLike, labels: ArrayLike, threshold: float) -> Cut:
    """Return what a threshold does with labelled texts; for the arguments see `best_threshold`."""
    p, y = _checked(probabilities, labels)
    counts = _counts(p, y, np.array([threshold], np.float64))
    return _chosen(np.array([threshold]), counts, 0)


def best_threshold(probabilities: ArrayLike, labels: ArrayLike, aim: Aim | str) -> Cut:
    """Return the threshold that serves an aim best, among all that part the texts differently.

    It lies midway between two neighbouring probabilities (0 and 1 stand at the ends), so that no
    text is on it. Of equally good ones it is the one nearest 0.5, and of two such the lower.

    Args:
        probabilities: `(n,)` of the second label, from 0 to 1.
        labels: `(n,)`, 1 for texts of the second label and 0 for those of the first.
        aim: as `parse_aim` returns or reads it.

    Raises:
        SettingsError: for an aim that no threshold reaches; names the best that is possible.
        DataError: without texts, or without one of the second label where the aim needs some; for
            a probability that is none.
    """
    aim = parse_aim(aim) if isinstance(aim, str) else aim
    p, y = _checked(probabilities, labels)
    if aim.figure != "accuracy" and not y.any():
        raise DataError(f"no text has the second label, and {aim.figure} counts those: give some")
    thresholds = _thresholds(p)
    counts = _counts(p, y, thresholds)
    sought = getattr(counts, aim.sought)
    if aim.least is not None:
        reached = getattr(counts, aim.figure) >= aim.least
        if not reached.any():
            raise _out_of_reach(aim, thresholds, counts, len(p))
        sought = np.where(reached, sought, -1.0)
    return _chosen(thresholds, counts, _nearest_half(thresholds, sought == sought.max()))


def _checked(probabilities: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    p, y = np.asarray(probabilities, np.float64), np.asarray(labels)
    if p.shape != y.shape or p.ndim != 1:
        raise ValueError(f"probabilities {p.shape} and labels {y.shape}: give (n,) of both")
    if not len(p):
        raise DataError("no labelled text to decide by: give some")
    if not np.isin(y, (0, 1)).all():
        raise ValueError("labels must be 0 for the first label and 1 for the second")
    bad = np.flatnonzero(~((p >= 0) & (p <= 1)))
    if bad.size:
        raise DataError(f"the probability of text {bad[0] + 1} is {p[bad[0]]}: not from 0 to 1")
    return p, y.astype(bool)


def _thresholds(p: Floats) -> Floats:
    """Return a threshold for each cut, rising: all texts positive first, none of them last."""
    ends = np.concatenate([[0.0], np.unique(p), [1.0]])
    low, high = ends[:-1], ends[1:]
    middle = low + (high - low) / 2
    # Between two neighbouring floats there is no third: the upper one parts them too.
    return np.where(middle > low, middle, high)


def _counts(p: Floats, y: NDArray[np.bool_], thresholds: Floats) -> Counts:
    missed = np.searchsorted(np.sort(p[y]), thresholds)  # texts below each threshold
    spared = np.searchsorted(np.sort(p[~y]), thresholds)
    found, taken = np.count_nonzero(y) - missed, np.count_nonzero(~y) - spared
    return Counts(found, taken, missed, spared)


def _chosen(thresholds: Floats, counts: Counts, index: int) -> Cut:
    single = {name: int(values[index]) for name, values in vars(counts).items()}
    return Cut(float(thresholds[index]), Counts(**single))


def _nearest_half(thresholds: Floats, among: NDArray[np.bool_]) -> int:
    distances = np.where(among, np.abs(thresholds - 0.5), np.inf)
    return int(np.argmin(distances))


def _out_of_reach(aim: Aim, thresholds: Floats, counts: Counts, texts: int) -> SettingsError:
    held, sought = getattr(counts, aim.figure), getattr(counts, aim.sought)
    most = held == held.max()
    best = most & (sought == sought[most].max())
    cut = _chosen(thresholds, counts, _nearest_half(thresholds, best))
    return SettingsError(
        f"no threshold reaches {aim} on these {texts:,} texts: the most is "
        f"{cut.figure(aim.figure):.4f}, at {cut.threshold:.4f} with {aim.sought} "
        f"{cut.figure(aim.sought):.4f}: aim lower"
    )


@dataclass(frozen=True)
class Band:
    """A width below which a text's margin leaves it undecided, and what that does.

    Attributes:
        abstain: the width; 0 decides every text.
        texts: how many there are.
        decided: of them.
        right: of those decided.
    """

    abstain: float
    texts: int
    decided: int
    right: int

    @property
    def coverage(self) -> float:
        """Share of the texts that are decided."""
        return self.decided / max(self.texts, 1)

    @property
    def accuracy(self) -> float:
        """Share of the decided texts whose verdict is right; 0 where none is decided."""
        return self.right / max(self.decided, 1)


def band_at(margins: ArrayLike, correct: ArrayLike, abstain: float) -> Band:
    """Return what a band does with labelled texts; for the arguments see `narrowest_band`."""
    decided = np.asarray(margins, np.float64) >= abstain
    right = decided & np.asarray(correct, bool)
    return Band(abstain, len(decided), int(decided.sum()), int(right.sum()))


def narrowest_band(margins: ArrayLike, correct: ArrayLike, accuracy: float) -> Band:
    """Return the narrowest band outside of which verdicts are right often enough.

    Where it is not 0, its width lies midway between two neighbouring margins.

    Args:
        margins: `(n,)` as `metrics.margins` returns them.
        correct: `(n,)` whether each verdict is right.
        accuracy: share of the decided texts that is to be right, above 0 and at most 1.

    Raises:
        SettingsError: for an accuracy that no band below 0.5 reaches; names the best possible.
        DataError: without texts.
    """
    if not 0 < accuracy <= 1:
        raise SettingsError(f"the accuracy of decided texts is {accuracy}: above 0 and at most 1")
    m, right = np.asarray(margins, np.float64), np.asarray(correct, bool)
    if not len(m):
        raise DataError("no labelled text to decide by: give some")
    widths = _widths(m)
    decided = len(m) - np.searchsorted(np.sort(m), widths)
    rightly = np.count_nonzero(right) - np.searchsorted(np.sort(m[right]), widths)
    reached = (_ratio(rightly, decided) >= accuracy) & (decided > 0)
    if not reached.any():
        best = int(np.argmax(np.where(decided > 0, _ratio(rightly, decided), -1)))
        raise _no_band(accuracy, band_at(m, right, float(widths[best])))
    return band_at(m, right, float(widths[int(np.argmax(reached))]))


def _widths(margins: Floats) -> Floats:
    """Return, rising, widths below 0.5: one for each set of texts that may stay undecided."""
    levels = np.unique(margins)
    low, high = levels, np.append(levels[1:], np.inf)
    middle = low + (np.minimum(high, 0.5) - low) / 2
    widths = np.where(middle > low, middle, high)
    return np.append(0.0, widths[(low < 0.5) & (widths < 0.5)])


def _no_band(accuracy: float, best: Band) -> SettingsError:
    return SettingsError(
        f"no band below 0.5 makes {accuracy:g} of the decided texts right: the most is "
        f"{best.accuracy:.4f}, of the {best.decided:,} of {best.texts:,} texts that "
        f"{best.abstain:.4f} decides: ask for less"
    )
