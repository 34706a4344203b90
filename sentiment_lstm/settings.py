"""What a person may set, one frozen dataclass a section, each value checked when it is made.

A field states its own bounds in its metadata (see `setting`), so that the rule, the default and
the explanation of a key stand in one place and `parse_section` can name the nearest valid key.
"""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

from sentiment_lstm.errors import SettingsError, suggestion

Section = TypeVar("Section")

POOLINGS = ("last", "max", "mean")
TASKS = ("classification", "regression")
OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("constant", "cosine", "linear", "exponential")
BACKENDS = ("tensorflow", "jax", "torch")
PRECISIONS = ("float32", "mixed_bfloat16")
SHORT = 64  # tokens of a short text at most


def setting(
    default: Any,
    *,
    help: str,  # noqa: A002 - the word a reader of a settings file looks for
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare one key: its default, what it means and which values are possible.

    `low` and `high` are inclusive; for a tuple they bound each entry, and `choices` names the
    values each entry may take.
    """
    return field(
        default=default, metadata={"help": help, "low": low, "high": high, "choices": choices}
    )


@dataclass(frozen=True)
class TextSettings:
    """How texts become token ids."""

    vocabulary_size: int = setting(20_000, help="tokens kept, the two special ones included", low=3)
    min_count: int = setting(2, help="occurrences in train below which a token is unknown", low=1)
    max_tokens: int = setting(400, help="tokens of a text that the model reads", low=1)
    head_tokens: int = setting(
        200, help="of those, how many come from the start of a longer text", low=0
    )

    def __post_init__(self) -> None:
        check_section(self, "text")
        if self.head_tokens > self.max_tokens:
            raise SettingsError(
                f"text.head_tokens is {self.head_tokens}, more than text.max_tokens "
                f"({self.max_tokens}): lower the first or raise the second"
            )


@dataclass(frozen=True)
class ModelSettings:
    """The network: embedding, LSTM layers, pooling, linear head."""

    embedding: int = setting(128, help="width of a word vector", low=1)
    units: int = setting(64, help="LSTM units in each direction", low=1)
    directions: int = setting(2, help="1 reads forward, 2 also backward", low=1, high=2)
    layers: int = setting(1, help="LSTM layers, one above the other", low=1)
    pooling: tuple[str, ...] = setting(
        ("max", "mean"), help="how the states over time become one vector", choices=POOLINGS
    )
    embedding_dropout: float = setting(
        0.0,
        help="share of each text's embedding channels dropped, shared over time",
        low=0,
        high=0.99,
    )
    recurrent_dropout: float = setting(
        0.0, help="share of h dropped on its way into the gates", low=0, high=0.99
    )
    dropout: float = setting(0.5, help="share of the pooled vector dropped", low=0, high=0.99)
    embeddings: str = setting(
        "", help="file of word vectors to start from (GloVe text or word2vec)"
    )
    start: str = setting(
        "",
        help="language model that embedding and LSTM start from: the name of one that ships, or a "
        "run directory",
    )
    from_model: str = setting(
        "",
        help="classifier that all weights start from: the name of one that ships, a bundle, or a "
        "run directory",
    )

    def __post_init__(self) -> None:
        check_section(self, "model")
        if not self.pooling or len(set(self.pooling)) != len(self.pooling):
            raise SettingsError(
                f"model.pooling is {list(self.pooling)}: name each of {', '.join(POOLINGS)} "
                "at most once, and at least one"
            )


@dataclass(frozen=True)
class TrainSettings:
    """How the weights are learnt."""

    backend: str = setting("tensorflow", help="Keras backend that trains", choices=BACKENDS)
    seed: int = setting(0, help="seed of initial weights, dropout and batch order", low=0)
    epochs: int = setting(6, help="passes over the training split", low=1)
    batch_size: int = setting(64, help="texts a step", low=1)
    short_batch: int = setting(
        0,
        help=f"texts a step, where none has over {SHORT} tokens; 0 is as many as else",
        low=0,
    )
    optimizer: str = setting("adam", help="rule that moves the weights", choices=OPTIMIZERS)
    learning_rate: float = setting(1e-3, help="peak learning rate", low=1e-8, high=100)
    momentum: float = setting(0.9, help="momentum of sgd", low=0, high=0.9999)
    schedule: str = setting("cosine", help="course of the learning rate", choices=SCHEDULES)
    warmup: float = setting(0.0, help="share of all steps that the rate rises over", low=0, high=1)
    weight_decay: float = setting(0.0, help="decoupled weight decay a step", low=0, high=1)
    clip_norm: float = setting(1.0, help="bound of the global gradient norm; 0 is none", low=0)
    average: float = setting(
        0.0, help="decay of the running average of weights; 0 is none", low=0, high=0.99999
    )
    start_share: float = setting(
        0.0,
        help="share of model.from_model's weights in those that a training ends with; 0 is none",
        low=0,
        high=0.99,
    )
    discriminative: float = setting(
        1.0, help="learning rate of each layer, as a share of that of the one above", low=0, high=1
    )
    adversarial: float = setting(
        0.0,
        help="how far adversarial training moves a text's word vectors, in their standard "
        "deviations; 0 is none",
        low=0,
    )
    virtual_adversarial: float = setting(
        0.0, help="the same for unlabelled texts, whose answers must stay; 0 is none", low=0
    )
    entropy: float = setting(
        0.0, help="weight of the entropy of the answers to unlabelled texts; 0 is none", low=0
    )
    unlabelled_batch: int = setting(32, help="unlabelled texts a step, where some are read", low=1)
    token_dropout: float = setting(
        0.0, help="share of tokens replaced by the unknown one", low=0, high=0.99
    )
    label_smoothing: float = setting(0.0, help="mass moved to the other labels", low=0, high=0.99)
    class_weights: str = setting(
        "none", help="balanced weighs labels by inverse frequency", choices=("none", "balanced")
    )
    patience: int = setting(3, help="epochs without a better validation loss before the end", low=1)
    monitor: str = setting(
        "loss", help="validation figure that names the best epoch", choices=("loss", "accuracy")
    )
    checkpoint_minutes: float = setting(
        2.0, help="minutes between checkpoints inside an epoch", low=0
    )
    precision: str = setting(
        "float32",
        help="numbers that the LSTM's products take in training; weights are float32",
        choices=PRECISIONS,
    )
    stored: str = setting(
        "float32",
        help="type of the bundle's weights; float16 is half as large",
        choices=("float32", "float16"),
    )
    tensorboard: bool = setting(False, help="also write TensorBoard logs")

    def __post_init__(self) -> None:
        check_section(self, "train")


@dataclass(frozen=True)
class PretrainSettings:
    """How a language model is learnt, whose weights the classifier starts from."""

    epochs: int = setting(0, help="passes over train and unlabelled; 0 is no pretraining", low=0)
    batch_size: int = setting(32, help="texts a step", low=1)
    learning_rate: float = setting(2e-3, help="peak learning rate", low=1e-8, high=100)
    schedule: str = setting("cosine", help="course of the learning rate", choices=SCHEDULES)
    warmup: float = setting(0.0, help="share of all steps that the rate rises over", low=0, high=1)
    clip_norm: float = setting(1.0, help="bound of the global gradient norm; 0 is none", low=0)
    dropout: float = setting(
        0.0, help="share of the LSTM's outputs dropped before the softmax", low=0, high=0.99
    )
    embedding_dropout: float = setting(
        0.0,
        help="share of each text's embedding channels dropped, shared over time",
        low=0,
        high=0.99,
    )
    negatives: int = setting(
        2048, help="tokens a step that the right ones are told from; 0 is the vocabulary", low=0
    )
    average: float = setting(
        0.0, help="decay of the running average of weights; 0 is none", low=0, high=0.99999
    )
    precision: str = setting(
        "float32",
        help="numbers that the LSTM's products take in training; weights are float32",
        choices=PRECISIONS,
    )
    checkpoint_minutes: float = setting(
        5.0, help="minutes between checkpoints inside an epoch", low=0
    )
    seed: int = setting(
        0, help="seed of initial weights, dropout, negatives and batch order", low=0
    )

    def __post_init__(self) -> None:
        check_section(self, "pretrain")


def check_pretraining(model: ModelSettings, pretrain: PretrainSettings) -> None:
    """See that a language model can be what the network starts from.

    Raises:
        SettingsError: the network has several layers, or another start beside it.
    """
    if pretrain.epochs and model.layers > 1:
        raise SettingsError(
            f"model.layers is {model.layers} and pretrain.epochs is {pretrain.epochs}: only one "
            "layer can be pretrained, set the first to 1 or the second to 0"
        )
    starts = [f"model.embeddings is {model.embeddings!r}"] if model.embeddings else []
    starts += [f"model.start is {model.start!r}"] if model.start else []
    starts += [f"model.from_model is {model.from_model!r}"] if model.from_model else []
    starts += [f"pretrain.epochs is {pretrain.epochs}"] if pretrain.epochs else []
    if len(starts) > 1:
        raise SettingsError(
            f"{' and '.join(starts)}, two starts for one embedding: leave all but one empty or 0"
        )


def check_start_share(model: ModelSettings, train: TrainSettings) -> None:
    """See that what is trained can be averaged with what it started from.

    Raises:
        SettingsError: it starts from no classifier.
    """
    if train.start_share and not model.from_model:
        raise SettingsError(
            f"train.start_share is {train.start_share}, and model.from_model names no classifier "
            "to share with: name one, or set the first to 0"
        )


def parse_section(kind: type[Section], name: str, values: Mapping[str, Any]) -> Section:
    """Build a section from a mapping, as TOML or a caller gives it.

    Raises:
        SettingsError: for an unknown key, a value of the wrong type or out of its bounds.
    """
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]  # every kind is a dataclass
    for key in values:
        if key not in known:
            raise SettingsError(f"unknown key {name}.{key}: {suggestion(key, known)}")
    hints = typing.get_type_hints(kind)
    return kind(**{k: _coerce(f"{name}.{k}", v, hints[k]) for k, v in values.items()})


def _coerce(name: str, value: Any, hint: Any) -> Any:
    """Accept an integer for a float and a list for a tuple; refuse every other change of type."""
    if typing.get_origin(hint) is tuple and isinstance(value, list | tuple):
        entry = typing.get_args(hint)[0]
        return tuple(_coerce(name, v, entry) for v in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    exact = hint if isinstance(hint, type) and not isinstance(hint, types.GenericAlias) else None
    if exact is None or type(value) is not exact:
        wanted = exact.__name__ if exact else "list"
        raise SettingsError(f"{name} is {value!r}, a {type(value).__name__}: give a {wanted}")
    return value


def check_section(section: Any, name: str) -> None:
    """Hold every field of a section to the choices and bounds that its `setting` states.

    Raises:
        SettingsError: names the key, its value and what is possible.
    """
    for f in fields(section):
        value = getattr(section, f.name)
        for entry in value if isinstance(value, tuple) else (value,):
            _check_entry(f"{name}.{f.name}", entry, f.metadata)


def _check_entry(name: str, value: Any, rule: Mapping[str, Any]) -> None:
    choices, low, high = rule["choices"], rule["low"], rule["high"]
    if choices and value not in choices:
        raise SettingsError(f"{name} is {value!r}: {suggestion(str(value), choices)}")
    if low is not None and not value >= low:
        raise SettingsError(f"{name} is {value}: the least possible is {low}")
    if high is not None and not value <= high:
        raise SettingsError(f"{name} is {value}: the most possible is {high}")


def defaults(kind: type[Any]) -> dict[str, Any]:
    """Return each key of a section with its default, for documentation and for recipes."""
    return {f.name: f.default for f in fields(kind) if f.default is not MISSING}
