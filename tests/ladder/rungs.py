"""The rungs: the recipe `imdb-teacher`, its parts taken away and put back one after the other."""

from dataclasses import dataclass

RECIPE = "imdb-teacher"
# What stays the same on every rung is the recipe's: text, network, dropout, batches, precision.
BARE = (
    "pretrain.epochs=0",  # the language model that ships takes its place, from the second rung on
    "data.unlabelled=",
    "train.learning_rate=1e-3",
    "train.schedule=constant",
    "train.warmup=0",
    "train.average=0",
    "train.discriminative=1",
    "train.adversarial=0",
)


@dataclass(frozen=True)
class Rung:
    """A training.

    Attributes:
        name: a word.
        adds: what it adds to the rung below, for people.
        settings: what its recipe says otherwise than `RECIPE`, as `section.key=value`.
    """

    name: str
    adds: str
    settings: tuple[str, ...]


_ADDED = (
    ("scratch", "from random weights", ()),
    ("pretrained", "+ from the language model", ("model.start=imdb",)),
    (
        "schedule",
        "+ schedule: warm-up and cosine, slower below, averaged weights",
        (
            "train.learning_rate=2e-3",
            "train.schedule=cosine",
            "train.warmup=0.1",
            "train.discriminative=0.5",
            "train.average=0.995",
        ),
    ),
    ("adversarial", "+ adversarial training", ("train.adversarial=4",)),
    (
        "virtual",
        "+ virtual adversarial training on unlabelled reviews",
        ("data.unlabelled=unsupervised", "train.virtual_adversarial=4"),
    ),
    (
        "distilled",
        "+ distillation: `imdb` and n-grams label the unlabelled reviews, in its place",
        ("train.virtual_adversarial=0", "teach.models=['imdb']", "teach.ngrams=0.25"),
    ),
)


def ladder() -> list[Rung]:
    """Return the rungs, the lowest first."""
    rungs: list[Rung] = []
    settings = BARE
    for name, adds, more in _ADDED:
        settings = _with(settings, more)
        rungs.append(Rung(name, adds, settings))
    return rungs


def _with(settings: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """Return settings of which `more` replace those of the same keys."""
    keys = {setting.partition("=")[0] for setting in more}
    return (*(s for s in settings if s.partition("=")[0] not in keys), *more)
