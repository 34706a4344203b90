"""What a teacher is: it tells, of each text, the probability of the second label."""

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Texts -> the probability of the second label for each, `(n,)`.
Teacher = Callable[[Sequence[str]], Floats]


def mean_of(teachers: Sequence[Teacher], weights: Sequence[float]) -> Teacher:
    """Return the teacher that says the weighted mean of what others say."""

    def teach(texts: Sequence[str]) -> Floats:
        said = [teacher(texts) for teacher in teachers]
        return cast(Floats, np.average(said, axis=0, weights=weights))

    return teach
