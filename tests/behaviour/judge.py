"""How often a model fails at each capability, and how many pairs it gets right on both sides."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from sentiment_lstm.sentences import sentences
from tests.behaviour.pairs import Pair
from tests.behaviour.suite import Case, Check, Same

# P(positive) of each text.
Probabilities = Callable[[Sequence[str]], Sequence[float]]

SLACK = 0.02  # by which a stronger sentence may say less: probabilities near 0 or 1 cannot rise


def failure_rate(checks: Iterable[Check], probabilities: Probabilities) -> float:
    """Return the share of checks that a model fails."""
    checks = list(checks)
    texts = [text for check in checks for text in _texts(check)]
    of = dict(zip(texts, probabilities(texts), strict=True))
    return sum(not _passes(check, of) for check in checks) / len(checks)


def sentence_accuracy(
    texts: Sequence[str], positive: Sequence[bool], probabilities: Probabilities
) -> float:
    """Return how often a model tells from one sentence of a text the label of the whole.

    Args:
        texts: of which one sentence each is drawn, always the same one.
        positive: whether each is labelled as good news; texts without a sentence are passed over.
        probabilities: the model's.
    """
    random = np.random.default_rng(0)
    cut = [(sentences(text), label) for text, label in zip(texts, positive, strict=True)]
    drawn = [(str(random.choice(parts)), label) for parts, label in cut if parts]
    of_one = probabilities([sentence for sentence, _ in drawn])
    labels = [label for _, label in drawn]
    return float(np.mean([(p >= 0.5) == label for p, label in zip(of_one, labels, strict=True)]))


def both_sides_right(pairs: Sequence[Pair], probabilities: Probabilities) -> float:
    """Return the share of pairs of which both sentences get their own label."""
    good = probabilities([pair.positive for pair in pairs])
    bad = probabilities([pair.negative for pair in pairs])
    return sum(g >= 0.5 > b for g, b in zip(good, bad, strict=True)) / len(pairs)


def _texts(check: Check) -> tuple[str, ...]:
    return (check.text,) if isinstance(check, Case) else check[:2]


def _passes(check: Check, of: dict[str, float]) -> bool:
    if isinstance(check, Case):
        return (of[check.text] >= 0.5) == check.positive
    if isinstance(check, Same):
        return (of[check.text] >= 0.5) == (of[check.changed] >= 0.5)
    rise = of[check.stronger] - of[check.text]
    return (rise if check.positive else -rise) >= -SLACK
