"""The LSTM layers of `sentiment_lstm.inference`, compiled: for more texts than a few.

The same equations as in numpy, on sorted batches likewise, in fewer passes over memory. The
recurrent products, which are most of the work, may be in bfloat16, with sums in float32, on a
processor that has instructions for it; all the rest is float32 there too.

Loading the compiler takes longer than numpy takes for some hundred texts, so nothing imports this
module before there are more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bfloat16 import narrowed
from sentiment_lstm.bfloat16_panels import padded
from sentiment_lstm.bptt_kernels import tanh_parts
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.compiled import kernel, part
from sentiment_lstm.folding import Floats, Indices
from sentiment_lstm.inference import Batch, Network, layer_weights, side_by_side
from sentiment_lstm.parallel import parallel_map
from sentiment_lstm.precision import NARROW, SINGLE, Form, add_product, narrow_fits
from sentiment_lstm.text import UNKNOWN
from sentiment_lstm.tiles import panels_of, put_affine

# As many as keep a step's states and pre-activations in a core's second-level cache.
BATCH_TEXTS = 48

_HALF = np.float32(0.5)


def compiled_network(
    config: BundleConfig, weights: Mapping[str, NDArray[Any]], precision: str = "float32"
) -> Network:
    """Return the network of a bundle's arrays, its layers compiled and ready to run.

    Args:
        config: the shape.
        weights: the arrays.
        precision: "float32", or "mixed_bfloat16" for recurrent products in bfloat16, which are in
            float32 all the same where `narrow_fits` says so.
    """
    narrow = precision != "float32" and narrow_fits(config.units)
    network = Network(config, weights, NarrowLayer if narrow else CompiledLayer, BATCH_TEXTS)
    network.logits([np.array([UNKNOWN])])
    return network


@dataclass(frozen=True)
class CompiledLayer:
    """An LSTM layer of D directions and H units.

    Attributes:
        kernels: the kernel of each direction, `(in, 4H)`, as `panels_of` cuts it.
        recurrent_kernels: the recurrent kernel of each, `(H, 4H)`, as its form cuts it.
        bias: `(D, 4H)`.
        form: how the recurrent products take their numbers.
    """

    projects_rows_alike: ClassVar[bool] = True
    form: ClassVar[Form] = SINGLE

    kernels: list[Floats]
    recurrent_kernels: list[Any]
    bias: Floats

    @classmethod
    def of(cls, config: BundleConfig, weights: Mapping[str, NDArray[Any]], index: int) -> Self:
        """Take layer `index` from a bundle's arrays."""
        directions = layer_weights(config, weights, index)
        kernels, recurrent_kernels, biases = zip(*directions, strict=True)
        return cls(
            [panels_of(kernel) for kernel in kernels],
            [_recurrent_panels(kernel, cls.form) for kernel in recurrent_kernels],
            np.concatenate(biases),
        )

    def project(self, x: Floats) -> Floats:
        """Return the inputs' part of the pre-activations, `(D, m, 4H)`, for x `(m, in)`."""
        D, width = self.bias.shape
        table = np.empty((D, len(x), width), np.float32)
        for d, panels in enumerate(self.kernels):
            for start in range(0, len(x), BATCH_TEXTS):
                some = slice(start, start + BATCH_TEXTS)
                project(x[some], panels, self.bias[d], table[d, some])
        return table

    def states(self, table: Floats, rows: Indices, batch: Batch) -> Floats:
        """Return h at every token of a batch, the directions side by side, `(tokens, D·H)`."""
        D, _, width = table.shape
        states = np.empty((len(batch.ids), D * width // 4), np.float32)
        self._scan(table, rows, batch, (), states)
        return states

    def pooled(self, table: Floats, rows: Indices, batch: Batch, kinds: tuple[str, ...]) -> Floats:
        """Return the states of each text pooled over time, `(n, P·D·H)`; zeros for no tokens."""
        nothing = np.empty((0, 0), np.float32)
        pools = self._scan(table, rows, batch, kinds, nothing)
        return side_by_side(kinds, batch.lengths, *pools)

    def _scan(
        self, table: Floats, rows: Indices, batch: Batch, kinds: tuple[str, ...], states: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Read every text; return last, largest and total h, those not asked for of no texts."""
        (D, _, width), n = table.shape, len(batch.lengths)
        last = np.zeros((D, n, width // 4), np.float32)
        largest = np.full((D, n if "max" in kinds else 0, width // 4), -np.inf, np.float32)
        total = np.zeros((D, n if "mean" in kinds else 0, width // 4), np.float32)

        def read(d: int) -> None:
            before = np.zeros((n + self.form.spare, self._depth), self.form.stored)
            scan(
                table[d], rows, batch.first, batch.lengths, d, self.recurrent_kernels[d],
                before, last[d], largest[d], total[d], states,
            )  # fmt: skip

        _ = parallel_map(read, range(D))  # one batch alone keeps two cores busy
        return last, largest, total

    @property
    def _depth(self) -> int:
        """How wide a state is that is multiplied."""
        return padded(self.bias.shape[1] // 4, self.form.depth)


class NarrowLayer(CompiledLayer):
    """An LSTM layer whose recurrent products are in bfloat16."""

    form: ClassVar[Form] = NARROW


def _recurrent_panels(kernel: Floats, form: Form) -> Any:
    """Return a recurrent kernel as a form's products take it, zeros below its rows."""
    below = padded(len(kernel), form.depth) - len(kernel)
    return form.panels_of(form.stored_as(np.pad(kernel, ((0, below), (0, 0)))))


@kernel
def project(x: Floats, panels: Floats, bias: Floats, table: Floats) -> None:
    """Put X·W + b into a table, for x `(m, in)`."""
    put_affine(x.shape[0], x, panels, bias, table)


@kernel
def scan(
    table: Floats,
    rows: Indices,
    first: Indices,
    lengths: Indices,
    direction: int,
    panels: Floats,
    before: Floats,
    h: Floats,
    largest: Floats,
    total: Floats,
    states: Floats,
) -> None:
    """Read every text of a batch in one direction.

    Args:
        table: projected inputs, `(m, 4H)`.
        rows: which of the m each token of the batch takes, `(tokens,)`.
        first: where each text starts, `(n,)`.
        lengths: tokens of each text, `(n,)`, falling.
        direction: 0 forward, 1 backward, from each text's end.
        panels: the recurrent kernel.
        before: zeros, `(≥ n, ≥ H)`, room for the states as products take them: numbers of the
            panels' form, with as many rows and columns more as that wants.
        h: zeros, `(n, H)`; afterwards h after each text's last step.
        largest: minus infinity, `(n, H)`; afterwards h's largest values. Or `(0, H)`.
        total: zeros, `(n, H)`; afterwards h's sum. Or `(0, H)`.
        states: takes h at every token, `(tokens, D·H)`. Or `(0, …)`.
    """
    n, units = h.shape
    z = np.empty((before.shape[0], 4 * units), np.float32)
    c = np.zeros((n, units), np.float32)
    at = np.empty(n, np.intp)
    for t in range(lengths[0] if n else 0):
        while lengths[n - 1] <= t:
            n -= 1
        for k in range(n):
            at[k] = first[k] + (lengths[k] - 1 - t if direction else t)
            take(table[rows[at[k]]], z[k])
        add_product(n, before, panels, z)
        for k in range(n):
            onward(z[k], c[k], h[k], before[k])
        pool(n, h, largest, total)
        for k in range(n if states.shape[0] else 0):
            for j in range(units):
                states[at[k], direction * units + j] = h[k, j]


@part
def take(row: Floats, z: Floats) -> None:
    """Put down the inputs' part of a text's pre-activations."""
    for j in range(z.shape[0]):
        z[j] = row[j]


@part
def onward(z: Floats, c: Floats, h: Floats, before: Floats) -> None:
    """Move one text a token on; like `bptt_kernels.gates_forward`, which also leaves the gates.

    Args:
        z: pre-activations, `(4 * units,)`.
        c: cell, `(units,)`, in place.
        h: takes the state, likewise.
        before: takes it as the next step's products want it.
    """
    units = h.shape[0]
    z_i, z_f, z_g, z_o = z[:units], z[units : 2 * units], z[2 * units : 3 * units], z[3 * units :]
    for j in range(units):
        c[j] = _cell(z_i[j], z_f[j], z_g[j], c[j])
    # On their own: by then the cells are there, and no chain of operations is long.
    for j in range(units):
        state = _state(z_o[j], c[j])
        h[j], before[j] = state, narrowed(state, before)


@part
def _cell(z_i: Any, z_f: Any, z_g: Any, c: Any) -> Any:
    """Return σ(z_f)·c + σ(z_i)·tanh(z_g), by σ(z) = ½ + ½ tanh(½z) and one division."""
    p_i, q_i = tanh_parts(_HALF * z_i)
    p_f, q_f = tanh_parts(_HALF * z_f)
    p_g, q_g = tanh_parts(z_g)
    kept, added = (p_f + q_f) * c * (q_i * q_g), (p_i + q_i) * p_g * q_f
    return _HALF * (kept + added) / (q_i * q_g * q_f)


@part
def _state(z_o: Any, c: Any) -> Any:
    """Return σ(z_o)·tanh(c), likewise."""
    p_o, q_o = tanh_parts(_HALF * z_o)
    p_c, q_c = tanh_parts(c)
    return _HALF * (p_o + q_o) * p_c / (q_o * q_c)


@part
def pool(n: int, h: Floats, largest: Floats, total: Floats) -> None:
    """Take the states of n texts into their largest values and their sum, where asked for."""
    for k in range(n if largest.shape[0] else 0):
        for j in range(h.shape[1]):
            largest[k, j] = max(largest[k, j], h[k, j])
    for k in range(n if total.shape[0] else 0):
        for j in range(h.shape[1]):
            total[k, j] += h[k, j]
