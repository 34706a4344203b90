"""The course of the learning rate over a training."""

import math
from typing import Any

import keras
from keras import ops

from sentiment_lstm.lstm import Tensor

# Where an exponential schedule ends, as a share of the peak.
EXPONENTIAL_END = 0.01


@keras.saving.register_keras_serializable(package="sentiment_lstm")
class WarmedSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly to a peak, then falls along a curve until the last step.

    Args:
        peak: highest learning rate.
        steps: all steps of the training.
        warmup_steps: steps of the rise.
        curve: "constant", "cosine" (Loshchilov & Hutter 2017, one half period), "linear" (to 0) or
            "exponential" (to a hundredth of the peak).
    """

    def __init__(self, peak: float, steps: int, warmup_steps: int, curve: str) -> None:
        self.peak, self.steps, self.warmup_steps, self.curve = peak, steps, warmup_steps, curve

    def __call__(self, step: Tensor) -> Tensor:
        """Return the learning rate at a step, counted from 0."""
        step = ops.cast(step, "float32")
        rise = (step + 1) / max(1, self.warmup_steps)
        fall = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        return self.peak * ops.minimum(rise if self.warmup_steps else 1.0, 1.0) * self._curve(fall)

    def _curve(self, progress: Tensor) -> Tensor:
        progress = ops.clip(progress, 0.0, 1.0)
        curves = {
            "constant": lambda: 1.0,
            "cosine": lambda: 0.5 * (1 + ops.cos(math.pi * progress)),
            "linear": lambda: 1 - progress,
            "exponential": lambda: ops.power(EXPONENTIAL_END, progress),
        }
        return curves[self.curve]()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "peak": self.peak,
            "steps": self.steps,
            "warmup_steps": self.warmup_steps,
            "curve": self.curve,
        }
