"""What moves the weights: an optimizer with its learning rate's course, clipping and averaging."""

from collections.abc import Mapping
from typing import Any, Protocol

import keras

from sentiment_lstm.schedules import WarmedSchedule
from sentiment_lstm.settings import TrainSettings


class Learning(Protocol):
    """The settings that both trainings share."""

    @property
    def learning_rate(self) -> float: ...  # noqa: D102 - see the sections of the settings

    @property
    def schedule(self) -> str: ...  # noqa: D102

    @property
    def warmup(self) -> float: ...  # noqa: D102

    @property
    def clip_norm(self) -> float: ...  # noqa: D102

    @property
    def average(self) -> float: ...  # noqa: D102


def build_optimizer(
    settings: TrainSettings, steps: int, depths: Mapping[str, int] | None = None
) -> Any:
    """Return the Keras optimizer that settings ask for, its schedule laid over so many steps.

    Args:
        settings: what they ask for.
        steps: of the whole training.
        depths: how many layers lie above each variable's, by its path; see `discriminative`.
    """
    shares = {path: settings.discriminative**depth for path, depth in (depths or {}).items()}
    options = {"weight_decay": settings.weight_decay or None, **_common(settings, steps)}
    if settings.optimizer == "sgd":
        return LayeredSGD(shares=shares, momentum=settings.momentum, **options)
    return LayeredAdam(shares=shares, **options)


def adam(settings: Learning, steps: int) -> Any:
    """Return Adam (Kingma & Ba 2015), its schedule laid over so many steps."""
    return keras.optimizers.Adam(**_common(settings, steps))


class Layered:
    """Gives each variable its own share of the learning rate (Howard & Ruder 2018, section 3.2)."""

    def __init__(self, *, shares: Mapping[str, float], **options: Any) -> None:
        super().__init__(**options)
        self._shares = dict(shares)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move a variable; Keras calls this for each."""
        # On TensorFlow it is the backend's variable, which has no path.
        own = self._trainable_variables[self._get_variable_index(variable)]  # type: ignore[attr-defined]  # of Keras
        share = self._shares.get(own.path, 1.0)
        super().update_step(gradient, variable, learning_rate * share)  # type: ignore[misc]  # of Keras


class LayeredAdam(Layered, keras.optimizers.Adam):  # type: ignore[misc]  # untyped
    """Adam (Kingma & Ba 2015), `Layered`."""


class LayeredSGD(Layered, keras.optimizers.SGD):  # type: ignore[misc]  # untyped
    """Stochastic gradient descent, `Layered`."""


def _common(settings: Learning, steps: int) -> dict[str, Any]:
    schedule = WarmedSchedule(
        settings.learning_rate, steps, round(settings.warmup * steps), settings.schedule
    )
    return {
        "learning_rate": schedule,
        "global_clipnorm": settings.clip_norm or None,
        "use_ema": settings.average > 0,
        "ema_momentum": settings.average,
        "ema_overwrite_frequency": None,
    }
