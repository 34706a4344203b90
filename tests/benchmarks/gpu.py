"""The layer's step on a GPU: `KERAS_BACKEND=torch python -m tests.benchmarks.gpu`, or jax.

The same grid as `tests.benchmarks layer`, beside Keras's layer on the same backend and, on
PyTorch's, `torch.nn.LSTM`, which is cuDNN there. Needs no TensorFlow. All answers are compared
first. A step is forward, loss and backward, and ends when the loss has come back.
"""

from collections.abc import Callable, Mapping
from typing import Any

import click
import keras
import numpy as np

from sentiment_lstm.lstm import LSTM
from tests.benchmarks.layer_case import GRID, Case
from tests.benchmarks.layer_model import keras_model, torch_lstm
from tests.benchmarks.table import Row, render
from tests.benchmarks.timing import medians, round_robin

SAME = 0.02  # TF32, which keeps ten bits, over hundreds of steps

Step = Callable[[], float]


@click.command()
@click.option("--tiny", is_flag=True, help="One small case, to see that all of it works.")
@click.option("--seconds", type=float, default=2.0, show_default=True, help="A case, at least.")
def main(tiny: bool, seconds: float) -> None:
    """Print a table of steps on this machine's GPU, medians of one run."""
    steps, device = {"torch": torch_steps, "jax": jax_steps}[keras.backend.backend()]()
    rows = []
    for case in [GRID[4].tiny()] if tiny else GRID:
        runs = steps(case)
        _check_alike(case, {name: run() for name, run in runs.items()})
        found = medians(round_robin(runs, rounds=5, seconds=seconds, burst=0.05), 1e3)
        rows.append(Row("step", str(case), "ms", found.pop("ours"), found))
    click.echo(f"Keras {keras.__version__}, {device}\n\n{render(rows)}")


def _check_alike(case: Case, losses: Mapping[str, float]) -> None:
    for name, loss in losses.items():
        if not np.isclose(loss, losses["ours"], rtol=SAME):
            raise AssertionError(f"{case}: the loss of {name} is {loss}, ours {losses['ours']}")


def _pair(case: Case) -> dict[str, Any]:
    """Return our model and that of Keras's layer, of the same weights."""
    ours, stock = keras_model(case, LSTM), keras_model(case, keras.layers.LSTM)
    stock.set_weights(ours.get_weights())
    return {"ours": ours, "keras": stock}


def torch_steps() -> tuple[Callable[[Case], dict[str, Step]], str]:
    """Return what makes the contenders on PyTorch, and the device's name."""
    import torch

    on = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name() if on.type == "cuda" else "no GPU"

    def step(logits: Callable[[], Any], variables: list[Any], targets: Any) -> Step:
        def run() -> float:
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits(), targets)
            torch.autograd.grad(loss, variables)
            return float(loss.detach())

        return run

    def steps(case: Case) -> dict[str, Step]:
        ids, targets = (torch.as_tensor(a, device=on) for a in (case.ids, case.targets))
        pair = _pair(case)
        runs = {
            name: step(
                lambda model=model: model(ids, training=True)[:, 0],
                [v.value for v in model.trainable_variables],
                targets,
            )
            for name, model in pair.items()
        }
        logits, variables = _torch_peer(case, pair["ours"].get_weights(), on)
        return {**runs, "torch.nn.LSTM": step(lambda: logits(ids), variables, targets)}

    return steps, f"PyTorch {torch.__version__}, {name}"


def _torch_peer(case: Case, weights: Any, on: Any) -> tuple[Callable[[Any], Any], list[Any]]:
    """Return `torch.nn.LSTM` between an embedding and a dense layer, on packed sequences if ragged.

    Returns:
        A function from ids `(batch, time)` to logits `(batch,)`, and what it is differentiated by.
    """
    import torch

    embedding, *kernels, dense, bias = weights
    lstm = torch_lstm(case, kernels).to(on)
    table, head, shift = (
        torch.tensor(a, device=on, requires_grad=True) for a in (embedding, dense, bias)
    )
    lengths = torch.from_numpy(case.lengths)

    def logits(ids: Any) -> Any:
        words = torch.nn.functional.embedding(ids, table)
        if case.ragged:
            words = torch.nn.utils.rnn.pack_padded_sequence(
                words, lengths, batch_first=True, enforce_sorted=False
            )
        h = lstm(words)[1][0]
        return (torch.cat(list(h), dim=-1) @ head + shift)[:, 0]

    return logits, [table, *lstm.parameters(), head, shift]


def jax_steps() -> tuple[Callable[[Case], dict[str, Step]], str]:
    """Return what makes the contenders on JAX, and the device's name."""
    import jax

    def step(model: Any, case: Case) -> Step:
        ids, targets = jax.numpy.asarray(case.ids), jax.numpy.asarray(case.targets)
        trained = [v.value for v in model.trainable_variables]
        others = [v.value for v in model.non_trainable_variables]

        def loss(weights: Any, ids: Any, targets: Any) -> Any:
            logits, _ = model.stateless_call(weights, others, ids, training=True)
            return keras.ops.mean(
                keras.ops.binary_crossentropy(targets, logits[:, 0], from_logits=True)
            )

        both = jax.jit(jax.value_and_grad(loss))

        def run() -> float:
            found = both(trained, ids, targets)
            jax.block_until_ready(found)
            return float(found[0])

        return run

    def steps(case: Case) -> dict[str, Step]:
        return {name: step(model, case) for name, model in _pair(case).items()}

    device = jax.devices()[0]
    return steps, f"JAX {jax.__version__}, {device.device_kind}"


if __name__ == "__main__":
    main()
