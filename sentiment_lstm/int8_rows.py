"""Matrices in 8 bits: whole numbers from -127 to 127, and one scale a row.

A row of an embedding is a token's vector; a row of a gate's matrix is what one unit reads, so that
a unit of small weights keeps its own precision. Biases and the head stay as they are: they are
small, and every text's verdict passes through them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST = 127

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Int8Rows:
    """A matrix as its rows are stored.

    Attributes:
        values: `(rows, columns)` int8.
        scales: `(rows, 1)` float32; a row is its values times its scale.
    """

    values: NDArray[np.int8]
    scales: Floats

    @classmethod
    def of(cls, matrix: Floats) -> "Int8Rows":
        """Round a matrix `(rows, columns)` to the nearest that can be stored."""
        largest = np.abs(matrix).max(axis=1, keepdims=True)
        scales = (np.where(largest > 0, largest, 1) / MOST).astype(np.float32)
        values = np.rint(matrix / scales).clip(-MOST, MOST)
        return cls(values.astype(np.int8), scales)

    def restored(self) -> Floats:
        """Return the matrix that is stored."""
        return self.values * self.scales


def int8_rows(weights: Mapping[str, Floats]) -> dict[str, Int8Rows]:
    """Return the large matrices of a bundle in 8 bits, those of the LSTM with a row a gate's unit.

    Args:
        weights: by the names of `BundleConfig.weight_shapes`.

    Returns:
        ``embedding`` `(tokens, embedding)`, and each kernel and recurrent kernel of the LSTM
        transposed, `(4 * units, in)`, gates in the order i, f, g, o.
    """
    kernels = [name for name in weights if name.startswith("lstm.") and name.endswith("kernel")]
    return {
        "embedding": Int8Rows.of(weights["embedding"]),
        **{name: Int8Rows.of(weights[name].T) for name in kernels},
    }


def restored_weights(
    weights: Mapping[str, Floats], stored: Mapping[str, Int8Rows]
) -> dict[str, Floats]:
    """Return the weights of the network that `stored` makes of one with `weights`."""
    restored = {name: rows.restored() for name, rows in stored.items()}
    back = {
        name: m if name == "embedding" else np.ascontiguousarray(m.T)
        for name, m in restored.items()
    }
    return {**weights, **back}
