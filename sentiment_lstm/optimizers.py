"""What moves the weights: an optimizer with its learning rate's course, clipping and averaging."""

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


def build_optimizer(settings: TrainSettings, steps: int) -> Any:
    """Return the Keras optimizer that settings ask for, its schedule laid over so many steps."""
    decay = settings.weight_decay or None
    if settings.optimizer == "sgd":
        options = {"momentum": settings.momentum, "weight_decay": decay}
        return keras.optimizers.SGD(**options, **_common(settings, steps))
    return adam(settings, steps, weight_decay=decay)


def adam(settings: Learning, steps: int, **options: Any) -> Any:
    """Return Adam (Kingma & Ba 2015), its schedule laid over so many steps."""
    return keras.optimizers.Adam(**options, **_common(settings, steps))


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
