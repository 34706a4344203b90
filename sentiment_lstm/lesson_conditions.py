"""Under what conditions each section of a comparison is measured, as its report tells it."""

from collections.abc import Callable, Sequence

from sentiment_lstm.lesson_plan import (
    CONTROL,
    EVENNESS,
    FLOW_STEPS,
    LSTM,
    RATES,
    READER,
    READING_RATES,
    STABILITY,
    TIMED,
    Scale,
)
from sentiment_lstm.memory_tasks import TASKS
from sentiment_lstm.trials import Reading


def conditions(section: str, scale: Scale) -> str:
    """Return how a section is measured, as a report tells it; of what texts it does not know."""
    return _CONDITIONS[section](scale)


def _seeds(count: int) -> str:
    return f"seeds 0 to {count - 1}" if count > 1 else "seed 0"


def _networks(tasks: Sequence[str]) -> str:
    widths = sorted({LSTM.of_equal_parameters(TASKS[task].features).units for task in tasks})
    return _lstm_and(f"plain RNNs of {LSTM.units} and {' or '.join(map(str, widths))} units")


def _lstm_and(others: str) -> str:
    return (
        f"LSTM of {LSTM.units} units at a rate of {RATES['lstm']:g}, its input gate's bias "
        f"{LSTM.input_bias:g} at the start; {others} at {RATES['rnn']:g}"
    )


def _memory_conditions(scale: Scale) -> str:
    return (
        f"lags of {', '.join(map(str, scale.lags))} and, as a check, {CONTROL}; "
        f"{_seeds(scale.seeds)}; {scale.steps} steps of 32 sequences at most; {_networks([*TASKS])}"
        f"; the LSTM's forget gate's bias {LSTM.forget_bias:g} at the start; clipped at a norm of 1"
    )


def _gradients_conditions(scale: Scale) -> str:
    return (
        f"temporal order at a lag of {scale.lags[0]}; {_seeds(scale.seeds)}; trained for "
        f"{min(scale.steps, FLOW_STEPS)} steps at most; "
        f"{_lstm_and(f'plain RNN of {LSTM.units} units')}"
    )


def _stability_conditions(scale: Scale) -> str:
    steps = min(scale.steps, STABILITY["steps"])
    return (
        f"{STABILITY['task']} at a lag of {STABILITY['lag']}; {_seeds(scale.seeds + EVENNESS)}; "
        f"{steps} steps of 32 sequences; {_networks([STABILITY['task']])}"
    )


def _cost_conditions(scale: Scale) -> str:
    return (
        f"{TIMED.units} units, 64 features, batches of 64 sequences of 100 steps; forward, "
        f"backward and Adam on one core; medians of {scale.repeats}"
    )


def _accuracy_conditions(scale: Scale) -> str:
    reading = Reading(READER, scale.epochs)
    return (
        f"{scale.epochs} epochs in batches of {reading.batch}; an embedding of "
        f"{reading.embedding}, {READER.units} units of the LSTM, its last state; rates of "
        f"{' and '.join(f'{rate:g}' for rate in READING_RATES)}; {_seeds(scale.seeds)}"
    )


def _gates_conditions(scale: Scale) -> str:
    return (
        f"both memory tasks at a lag of {scale.lags[0]}, all at the rate and the biases that were "
        f"found for the whole LSTM; {_seeds(scale.seeds)}; {scale.steps} steps at most"
    )


_CONDITIONS: dict[str, Callable[[Scale], str]] = {
    "memory": _memory_conditions,
    "gradients": _gradients_conditions,
    "stability": _stability_conditions,
    "cost": _cost_conditions,
    "accuracy": _accuracy_conditions,
    "gates": _gates_conditions,
}
