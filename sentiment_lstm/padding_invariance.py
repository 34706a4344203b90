"""Whether padding changes an answer: texts alone, and in batches with little padding and with more.

A network reads the texts of a batch at one length, so short ones are filled up. What it answers
must not depend on that: not on the amount, not on the neighbours, not for a text without tokens.
That holds of a network whose every part minds the mask, and is measured here.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.text import PAD

# Padded ids (texts, time) -> logits (texts, outputs).
Network = Callable[[NDArray[np.int32]], Any]
# Logits (texts, outputs) -> what is compared of them, (texts, values).
Answer = Callable[[NDArray[np.float64]], NDArray[np.float64]]

BATCH_TEXTS = 32
MORE = 37  # columns of padding behind the longest text: no multiple of what a layer tiles by


def largest_difference_by_padding(
    network: Network, sequences: Sequence[NDArray[Any]], answer: Answer
) -> float:
    """Return how far an answer in a batch, padded little or much, is from that to the text alone.

    Args:
        network: the model.
        sequences: ids of each text, `(tokens,)` without padding; a text may have none.
        answer: such as the probabilities of logits.
    """
    alone = _answers(network, sequences, answer, batch=1)
    batched = (_answers(network, sequences, answer, batch=BATCH_TEXTS, more=n) for n in (0, MORE))
    return max(float(np.max(np.abs(answers - alone))) for answers in batched)


def _answers(
    network: Network,
    sequences: Sequence[NDArray[Any]],
    answer: Answer,
    *,
    batch: int,
    more: int = 0,
) -> NDArray[np.float64]:
    """Return the answers to texts of which so many share a batch, with so much more padding."""
    batches = (sequences[start : start + batch] for start in range(0, len(sequences), batch))
    logits = [np.asarray(network(_padded(texts, more)), np.float64) for texts in batches]
    return answer(np.concatenate(logits))


def _padded(sequences: Sequence[NDArray[Any]], more: int) -> NDArray[np.int32]:
    """Return ids `(texts, time)`; a recurrent layer needs a step, so time is 1 or more."""
    time = max(1, *map(len, sequences)) + more
    ids = np.full((len(sequences), time), PAD, np.int32)
    for row, sequence in zip(ids, sequences, strict=True):
        row[: len(sequence)] = sequence
    return ids
