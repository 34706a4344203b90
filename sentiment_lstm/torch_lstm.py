"""The LSTM of PyTorch's own libraries, which on a GPU is cuDNN's, behind this project's layer.

There a step of `sentiment_lstm.lstm`'s scan is a dozen kernels that each wait for the one before;
cuDNN takes one product and one kernel more. A batch whose rows are all as long as it goes there as
it is, as `torch.nn.LSTM` would send it. Others go as packed sequences: of each step
only the rows that still run, the longest first, so that h and c of a row end where its text does.
Gates stand in the order i, f, g, o there too; kernels are transposed, and there are two biases, of
which the second is zeros here.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

Tensor = Any

Lengths = NDArray[np.int64]


def available(*tensors: Tensor) -> bool:
    """Tell whether all are PyTorch's, of one type, in the memory of a GPU."""
    if keras.backend.backend() != "torch":
        return False
    return len({t.dtype for t in tensors}) == 1 and all(t.is_cuda for t in tensors)


def lengths_of(keep: Tensor) -> Lengths | None:
    """Return how many steps of each row count, `(batch,)`, or None unless they are its first.

    Args:
        keep: true where a step counts, `(batch, time)`.
    """
    import torch

    after_a_gap = (keep[:, 1:] & ~keep[:, :-1]).sum()
    counts = torch.cat([keep.sum(dim=1), after_a_gap[None]]).cpu().numpy()  # one wait for both
    return None if counts[-1] else counts[:-1]


@dataclass(frozen=True)
class Packing:
    """Which steps of a batch are read, in what order.

    Attributes:
        rows: those with a step at least, the longest first, `(n,)`.
        sizes: how many of them each step works on, `(steps,)`.
        read: where in `(batch * time)` each input stands that is read, in packed order, `(total,)`.
        told: where the state after it belongs, in the order of reading, `(total,)`.
    """

    rows: NDArray[np.int64]
    sizes: NDArray[np.int64]
    read: NDArray[np.int64]
    told: NDArray[np.int64]

    @classmethod
    def of(cls, lengths: Lengths, time: int, *, backwards: bool) -> "Packing":
        """Pack rows of so many steps each, of `time` there are; backwards, from each one's end."""
        order = np.argsort(-lengths, kind="stable")
        rows = order[: np.count_nonzero(lengths)]
        own = lengths[rows]
        runs = np.arange(own.max(initial=0))[:, None] < own
        step, place = np.nonzero(runs)
        at = own[place] - 1 - step if backwards else step
        told = time - 1 - at if backwards else at
        first = rows[place] * time
        return cls(rows, runs.sum(axis=1), first + at, first + told)


def lstm(
    sequences: Tensor,
    weights: tuple[Tensor, Tensor, Tensor],
    state: tuple[Tensor, Tensor],
    *,
    lengths: Lengths | None = None,
    backwards: bool = False,
    with_states: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run the LSTM; differentiable with respect to sequences, weights and state.

    Args:
        sequences: `(batch, time, features)`.
        weights: kernel, recurrent kernel and bias, as the layer has them.
        state: h and c before the first step, each `(batch, units)`.
        lengths: how many steps of each row count, its first ones, `(batch,)`; None is all.
        backwards: read from the end of the sequences; states come in the order read.
        with_states: return the state after every step; else states are of time 0.

    Returns:
        States `(batch, time, units)`, last h and last c, each `(batch, units)`. Where a step does
        not count, the state stays as it was.
    """
    batch, time, features = sequences.shape
    lengths = np.full(batch, time, np.int64) if lengths is None else lengths
    if sequences.numel() and (lengths == time).all():
        states, *last = _whole(sequences.flip(1) if backwards else sequences, weights, state)
        return states if with_states else states[:, :0], *last
    packing = Packing.of(lengths, time, backwards=backwards)
    if not len(packing.rows):
        return state[0][:, None].expand(-1, time if with_states else 0, -1), *state
    flat = sequences.reshape(batch * time, features)
    data, *ends = _run(_picked(flat, packing.read), packing, weights, state)
    last = [s.index_copy(0, _on(s, packing.rows), e[0]) for s, e in zip(state, ends, strict=True)]
    if not with_states:
        return data.new_zeros((batch, 0, data.shape[1])), *last
    placed = data.new_zeros((batch * time, data.shape[1]))
    placed = placed.index_copy(0, _on(data, packing.told), data).reshape(batch, time, -1)
    counts = np.arange(time) < lengths[:, None]
    counts = _on(data, counts[:, ::-1] if backwards else counts)
    held = state[0] if backwards else last[0]
    return placed.where(counts[:, :, None], held[:, None]), *last


def _whole(sequences: Tensor, weights: tuple[Tensor, ...], state: tuple[Tensor, ...]) -> Any:
    """Return the state after each step of rows of one length, and the last h and c."""
    import torch

    starts = tuple(s[None].contiguous() for s in state)
    # As in `_run`, and the batch's axis first.
    how = (True, 1, 0.0, torch.is_grad_enabled(), False, True)
    states, h, c = torch._VF.lstm(sequences, starts, _parameters(*weights), *how)
    return states, h[0], c[0]


def _run(
    data: Tensor, packing: Packing, weights: tuple[Tensor, ...], state: tuple[Tensor, ...]
) -> Any:
    """Return the state after each packed step and, of the packed rows, the last h and c."""
    import torch

    starts = tuple(_picked(s, packing.rows)[None] for s in state)
    how = (True, 1, 0.0, torch.is_grad_enabled(), False)  # biases, layers, dropout, training, both
    sizes = torch.as_tensor(packing.sizes)  # asked for on the processor
    return torch._VF.lstm(data, sizes, starts, _parameters(*weights), *how)


def _parameters(kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor) -> list[Tensor]:
    """Return the weights as PyTorch has them, in one piece of memory, as cuDNN wants them."""
    import torch

    parts = [kernel.T, recurrent_kernel.T, bias, torch.zeros_like(bias)]
    whole = torch.cat([part.reshape(-1) for part in parts])
    pieces = whole.split([part.numel() for part in parts])
    return [piece.view(part.shape) for piece, part in zip(pieces, parts, strict=True)]


def _picked(matrix: Tensor, rows: NDArray[np.int64]) -> Tensor:
    """Return some rows of a matrix, each at most once.

    PyTorch's own gradient of that adds, as if rows came twice, and on a GPU in no certain order.
    """
    import torch

    class Picked(torch.autograd.Function):  # type: ignore[misc]  # untyped
        @staticmethod
        def forward(ctx: Any, matrix: Tensor, rows: Tensor) -> Any:
            ctx.save_for_backward(rows)
            ctx.shape = matrix.shape
            return matrix.index_select(0, rows)

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> Any:
            (rows,) = ctx.saved_tensors
            back = gradients[0].new_zeros(ctx.shape)
            return back.index_copy(0, rows, gradients[0]), None

    return Picked.apply(matrix, _on(matrix, rows))


def _on(tensor: Tensor, array: NDArray[Any]) -> Tensor:
    """Return an array where a tensor is; copied, for PyTorch takes none that runs backwards."""
    import torch

    return torch.as_tensor(array.copy(), device=tensor.device)
