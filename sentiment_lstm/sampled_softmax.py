"""The cross-entropy of a softmax over a large vocabulary, by a sample of it.

The target of a position is told from a few tokens that a whole batch shares (Bengio & Senécal
2008; Jean et al. 2015), each logit lessened by the logarithm of how often the sample holds its
token. A token that is sampled surely is lessened by nothing: a sample of the whole vocabulary gives
the softmax itself.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from sentiment_lstm.lstm import Tensor

# Word2vec's power of the counts (Mikolov et al. 2013): rare tokens come oftener than they stand.
POWER = 0.75
# Far below any logit.
NEVER = -1e9


@dataclass(frozen=True)
class Sampler:
    """Draws distinct tokens, each with a chance of its own.

    Attributes:
        chances: of each token to be in a sample, `(vocabulary,)`, whose sum is the sample's size.
    """

    chances: NDArray[np.float64]

    @classmethod
    def of(cls, counts: NDArray[Any], size: int) -> "Sampler":
        """Sample by counts to the power `POWER`; `size` 0 is the whole vocabulary."""
        size = min(size or len(counts), len(counts))
        return cls(_chances(np.maximum(counts, 1.0) ** POWER, size))

    @property
    def log_chances(self) -> NDArray[np.float32]:
        """Logarithm of each token's chance, `(vocabulary,)`."""
        return np.log(self.chances).astype(np.float32)

    def draw(self, seed: tuple[int, ...]) -> NDArray[np.int32]:
        """Return a sample, in order of its ids; it depends on the seed alone.

        Systematic sampling (Madow & Madow 1944): the chances laid end to end make a line, and the
        sample is where a comb of teeth 1 apart meets it.
        """
        line = np.cumsum(self.chances)
        teeth = np.arange(round(line[-1])) + np.random.default_rng(seed).random()
        return np.minimum(np.searchsorted(line, teeth, "right"), len(line) - 1).astype(np.int32)


def _chances(weights: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return chances as `weights` are, none above 1, of the sum `size`."""
    sure = np.zeros(len(weights), np.bool_)
    while True:
        room = size - int(sure.sum())
        left = weights[~sure].sum()
        chances = np.where(sure, 1.0, weights * (room / left if left else 0.0))
        if chances.max() <= 1:
            return chances
        sure |= chances >= 1


def cross_entropies(
    states: Tensor, own: Tensor, rows: Tensor, added: Tensor, targets: Tensor, candidates: Tensor
) -> Tensor:
    """Return how badly each state tells its target from the candidates, in nats, `(n,)`.

    Args:
        states: `(n, width)`.
        own: logit of each state's target, `(n,)`.
        rows: of the candidates, `(k, width)`, whose products with a state are its logits.
        added: to the candidates' logits, `(k,)`.
        targets: the right tokens, `(n,)`.
        candidates: the tokens of the sample, distinct and ascending, `(k,)`; a state's target
            among them is passed over there.
    """
    logits = ops.matmul(states, ops.transpose(rows)) + added
    hits = ops.equal(ops.expand_dims(targets, 1), ops.expand_dims(candidates, 0))
    logits = ops.where(hits, ops.cast(NEVER, logits.dtype), logits)
    top = ops.stop_gradient(ops.maximum(ops.max(logits, axis=1), own))
    others = ops.sum(ops.exp(logits - ops.expand_dims(top, 1)), axis=1)
    return top + ops.log(others + ops.exp(own - top)) - own
