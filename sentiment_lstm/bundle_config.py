"""What a model is, apart from its weights: every value checked when it is made or read."""

import dataclasses
import math
import typing
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sentiment_lstm.errors import BundleError, suggestion
from sentiment_lstm.settings import POOLINGS, TASKS, setting
from sentiment_lstm.strict_json import canonical_json, strict_json

FORMAT = 1
UNSURE = "unsure"  # the verdict on a text that is too near to another one
# Keys that models written before there was such a key lack: they have its default.
ADDED = frozenset({"abstain"})


@dataclass(frozen=True)
class BundleConfig:
    """The model's shape, its labels, and how its output becomes an answer.

    A classifier's probabilities are sigmoid (two labels) or softmax (more) of
    logits / temperature; with two labels the answer is ``labels[1]`` if its probability is at
    least `threshold`. A regression's value is output · target_scale + target_mean.

    The answer is "unsure" where, of two labels, the probability of ``labels[1]`` is nearer to
    `threshold` than `abstain`, or, of more, the likeliest is ahead of the next by less.

    Raises:
        BundleError: for a value of the wrong type, out of its bounds, or at odds with another.
    """

    version: str = setting("", help="package version that wrote the model")
    task: str = setting("classification", help="what the output means", choices=TASKS)
    labels: tuple[str, ...] = setting((), help="names of the classes, in the order of the output")
    max_tokens: int = setting(400, help="tokens of a text that are read", low=1, high=2**24)
    head_tokens: int = setting(200, help="of those, from a long text's start", low=0, high=2**24)
    embedding: int = setting(128, help="width of a word vector", low=1, high=2**16)
    units: int = setting(64, help="LSTM units in each direction", low=1, high=2**16)
    directions: int = setting(2, help="1 reads forward, 2 also backward", low=1, high=2)
    layers: int = setting(1, help="LSTM layers", low=1, high=64)
    pooling: tuple[str, ...] = setting(("max",), help="states to one vector", choices=POOLINGS)
    temperature: float = setting(1.0, help="divides the logits", low=1e-6, high=1e6)
    threshold: float = setting(0.5, help="least probability of labels[1]", low=0, high=1)
    abstain: float = setting(0.0, help="margin, from 0 to below 0.5, below which it is unsure")
    target_mean: float = setting(0.0, help="added to a regression's output", low=-1e30, high=1e30)
    target_scale: float = setting(
        1.0, help="multiplies a regression's output", low=1e-30, high=1e30
    )
    data: dict[str, Any] = dataclasses.field(default_factory=dict)  # the recipe's data section
    format: int = setting(FORMAT, help="layout of the files", low=FORMAT, high=FORMAT)

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(BundleConfig)
        for f in fields(self):
            _check_type(f.name, getattr(self, f.name), hints[f.name])
            _check_bounds(f.name, getattr(self, f.name), f.metadata)
        object.__setattr__(self, "data", _as_json(self.data))
        _check_labels(self.task, self.labels)
        if why := why_not_abstain(self.task, self.labels, self.abstain):
            raise _impossible("abstain", self.abstain, why)
        if not self.pooling or len(set(self.pooling)) != len(self.pooling):
            raise _impossible("pooling", list(self.pooling), "name each at most once, at least one")
        if self.head_tokens > self.max_tokens:
            raise _impossible("head_tokens", self.head_tokens, f"at most {self.max_tokens}")

    @property
    def outputs(self) -> int:
        """Width of the logits: 1 for a regression and for two labels, else one a label."""
        return len(self.labels) if len(self.labels) > 2 else 1

    def weight_shapes(self, vocabulary_size: int) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of each array that a model of this shape holds.

        With V tokens, D directions, H units and P pools: ``embedding`` (V, E); for each layer k
        and direction ``lstm.k.forward.kernel`` (in, 4H), ``…recurrent_kernel`` (H, 4H) and
        ``…bias`` (4H,), gates in the order i, f, g, o; ``head.kernel`` (P·D·H, outputs) and
        ``head.bias`` (outputs,).
        """
        H, width = self.units, self.directions * self.units
        shapes: dict[str, tuple[int, ...]] = {"embedding": (vocabulary_size, self.embedding)}
        for layer in range(self.layers):
            for direction in ("forward", "backward")[: self.directions]:
                name = f"lstm.{layer}.{direction}"
                shapes[f"{name}.kernel"] = (width if layer else self.embedding, 4 * H)
                shapes[f"{name}.recurrent_kernel"] = (H, 4 * H)
                shapes[f"{name}.bias"] = (4 * H,)
        shapes["head.kernel"] = (len(self.pooling) * width, self.outputs)
        return shapes | {"head.bias": (self.outputs,)}

    def to_json(self) -> dict[str, Any]:
        """Return the configuration as JSON holds it, tuples as lists."""
        values = dataclasses.asdict(self)
        return values | {"labels": list(self.labels), "pooling": list(self.pooling)}


def config_from_json(values: Any) -> BundleConfig:
    """Build a configuration from parsed JSON: every key present but those of `ADDED`, none unknown.

    Raises:
        BundleError: names the key, its value and what is possible.
    """
    known = {f.name for f in fields(BundleConfig)}
    if not isinstance(values, Mapping):
        raise BundleError("config.json holds no object: write the model again")
    for key in values:
        if key not in known:
            raise BundleError(f"config.json: unknown key {key!r}: {suggestion(key, known)}")
    for key in sorted(known - ADDED - set(values)):
        raise BundleError(f"config.json: key {key!r} is missing: write the model again")
    lists = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
    return BundleConfig(**{**values, **lists})


def _check_type(name: str, value: Any, hint: Any) -> None:
    kind = typing.get_origin(hint) or hint
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return
    entries = value if isinstance(value, tuple) else ()
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _impossible(name, value, f"give a {'list' if kind is tuple else kind.__name__}")
    if not all(isinstance(entry, str) for entry in entries):
        raise _impossible(name, list(entries), "give a list of names")


def _check_bounds(name: str, value: Any, rule: Mapping[str, Any]) -> None:
    choices, low, high = rule.get("choices"), rule.get("low"), rule.get("high")
    for entry in value if isinstance(value, tuple) else (value,):
        if choices and entry not in choices:
            raise _impossible(name, entry, suggestion(str(entry), choices))
    if low is not None and not (low <= value <= high and math.isfinite(value)):
        raise _impossible(name, value, f"from {low} to {high}")


def _check_labels(task: str, labels: tuple[str, ...]) -> None:
    if task == "regression" and labels:
        raise _impossible("labels", list(labels), "a regression has none")
    if task == "classification" and len(labels) < 2:
        raise _impossible("labels", list(labels), "name at least two")
    if len(set(labels)) != len(labels):
        raise _impossible("labels", list(labels), "name each once")
    for label in labels:
        if not label or has_control_characters(label):
            raise _impossible("labels", label, "a label is text without control characters")


def why_not_abstain(task: str, labels: tuple[str, ...], abstain: float) -> str | None:
    """Return why a model cannot leave texts undecided by such a margin; None where it can."""
    if not 0 <= abstain < 0.5:
        return "give a margin of at least 0 and less than 0.5"
    if abstain and task == "regression":
        return "a regression decides nothing, leave it out"
    if abstain and UNSURE in labels:
        return f"the model has a label {UNSURE!r} of its own, leave it out"
    return None


def has_control_characters(label: str) -> bool:
    """Whether a label holds what no bundle takes: control characters or lone surrogates."""
    return any(unicodedata.category(c) in ("Cc", "Cs") for c in label)


def _as_json(data: dict[str, Any]) -> Any:
    """Return `data` as JSON gives it back, so that a model read equals the model written."""
    try:
        return strict_json(canonical_json(data))
    except (TypeError, ValueError) as error:
        raise _impossible("data", data, f"JSON values only ({error})") from error


def _impossible(name: str, value: Any, way_out: str) -> BundleError:
    return BundleError(f"model config: {name} is {value!r}: {way_out}")
