"""The recipe: everything a run is told, one typed section a stage, read from TOML.

A recipe is frozen. What a stage finds out (the vocabulary's size, the number of steps) is never
written back into it, so that the recipe beside a run is what the person asked for.
"""

import tomllib
import typing
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from pipelines.rundir import FORMATS, SAVED_MODEL
from pipelines.search_space import KINDS, SHAPES, Range, default_space, names
from pipelines.toml_text import to_toml
from pipelines.tune_settings import TuneSettings, parse_tune
from sentiment_lstm.datasets import DataSettings
from sentiment_lstm.errors import SettingsError, suggestion
from sentiment_lstm.settings import (
    ModelSettings,
    PretrainSettings,
    TextSettings,
    TrainSettings,
    check_pretraining,
    check_section,
    check_start_share,
    parse_section,
    setting,
)


@dataclass(frozen=True)
class TeachSettings:
    """Who labels the unlabelled texts, for the network to learn from beside those of train."""

    models: tuple[str, ...] = setting(
        (), help="teachers: shipped models, bundles or run directories"
    )
    whole: tuple[str, ...] = setting(
        (), help="teachers of whole texts, in place of models, who then tell of sentences alone"
    )
    ngrams: float = setting(
        0.0, help="weight of one more teacher, n-grams of naive Bayes; a model's is 1", low=0
    )
    sentences: float = setting(
        0.0, help="parts of one to three sentences taught beside each text, on average", low=0
    )
    contrast: bool = setting(
        False, help="teach sentences turned round by rule too (English): negated, conceded, denied"
    )
    sayings: bool = setting(
        False, help="with contrast, teach what people say of films too (English)"
    )
    leave_out: str = setting(
        "", help="file of texts, one a line, that no short text may equal; or behaviour"
    )
    seed: int = setting(0, help="seed of the short texts", low=0)

    def __post_init__(self) -> None:
        check_section(self, "teach")


def left_out_file(name: str) -> Path:
    """Return the file of texts to leave out: one that ships, by its name, or any other."""
    shipped = Path(str(resources.files("pipelines") / "left_out" / f"{name}.txt"))
    return shipped if shipped.is_file() else Path(name)


@dataclass(frozen=True)
class EvaluateSettings:
    """What the evaluation works out beside the metrics."""

    baseline: bool = setting(True, help="also train and measure a bag-of-words baseline")

    def __post_init__(self) -> None:
        check_section(self, "evaluate")


@dataclass(frozen=True)
class ExportSettings:
    """What leaves the run directory: a SavedModel, or the model in other formats."""

    version: int = setting(1, help="version number TensorFlow Serving knows the model by", low=1)
    formats: tuple[str, ...] = setting(
        (SAVED_MODEL,), help="what is written, each to a directory of its own", choices=FORMATS
    )
    weights: str = setting(
        "float32", help="how an ONNX file stores its matrices", choices=("float32", "int8")
    )

    def __post_init__(self) -> None:
        check_section(self, "export")
        if not self.formats or len(set(self.formats)) != len(self.formats):
            raise SettingsError(
                f"export.formats is {list(self.formats)}: name each of {', '.join(FORMATS)} "
                "at most once, and at least one"
            )
        if others := [form for form in self.formats if form != "onnx" and self.weights == "int8"]:
            raise SettingsError(
                f"export.weights is 'int8', which onnx alone can store: export it by itself "
                f"(--format onnx), without {others[0]}"
            )


TENSORBOARD = "tensorboard"
TRACKERS = (TENSORBOARD, "mlflow")


@dataclass(frozen=True)
class TrackSettings:
    """Where else the figures of trainings are shown; no stage depends on it."""

    to: tuple[str, ...] = setting(
        (), help="what follows the trainings, beside the run's own history", choices=TRACKERS
    )

    def __post_init__(self) -> None:
        check_section(self, "track")


@dataclass(frozen=True)
class Recipe:
    """One complete experiment.

    Attributes:
        name: also the name of the default run directory, `runs/NAME`.
        origin: what the recipe was loaded by, for messages that tell a command to type; no part
            of what the recipe says.
    """

    name: str
    data: DataSettings = field(default_factory=DataSettings)
    text: TextSettings = field(default_factory=TextSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    pretrain: PretrainSettings = field(default_factory=PretrainSettings)
    teach: TeachSettings = field(default_factory=TeachSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    evaluate: EvaluateSettings = field(default_factory=EvaluateSettings)
    export: ExportSettings = field(default_factory=ExportSettings)
    tune: TuneSettings = field(default_factory=TuneSettings)
    track: TrackSettings = field(default_factory=TrackSettings)
    origin: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        check_pretraining(self.model, self.pretrain)
        check_start_share(self.model, self.train)
        if self.teaches and not self.data.unlabelled:
            raise SettingsError(
                "teachers label unlabelled texts, and data.unlabelled is empty: give it a file of "
                'texts (for IMDB "unsupervised"), or leave teach.models, teach.whole and '
                "teach.ngrams out"
            )
        self._check_search()

    def _check_search(self) -> None:
        """See that a search can try what its ranges say, each range beside the other settings."""
        if self.tune.maximizes and self.data.task == "regression":
            raise SettingsError(
                "tune.objective is 'validation_accuracy', and a regression has none: set it to "
                "'validation_loss'"
            )
        for key in names(self.tune.space):
            if key in self._given_shapes:
                raise SettingsError(
                    f"tune: {key} has a range, and the network starts from weights of one size: "
                    "leave the range out, or have it start from none"
                )
        for tried in self.tune.space:
            for value in tried.extremes():
                self.with_values({tried.key: value})

    @property
    def _given_shapes(self) -> tuple[str, ...]:
        """Keys that the weights which the network starts from decide."""
        if self.pretrain.epochs or self.model.start or self.model.from_model:
            return SHAPES
        return ("model.embedding",) if self.model.embeddings else ()

    @property
    def space(self) -> tuple[Range, ...]:
        """What a search of this recipe tries: the ranges of its section tune, else the usual."""
        return self.tune.space or default_space(
            {key: self.value(key) for key in KINDS}, self._given_shapes
        )

    def value(self, key: str) -> Any:
        """Return the value of a key, `section.key`."""
        section, _, name = key.partition(".")
        return getattr(getattr(self, section), name)

    def with_values(self, values: Mapping[str, Any]) -> "Recipe":
        """Return this recipe with other values of some keys, and no search of its own.

        Args:
            values: by `section.key`.

        Raises:
            SettingsError: if they cannot stand together.
        """
        changed: dict[str, dict[str, Any]] = {}
        for dotted, value in values.items():
            section, _, key = dotted.partition(".")
            changed.setdefault(section, {})[key] = value
        sections = {s: replace(getattr(self, s), **keys) for s, keys in changed.items()}
        return replace(self, **sections, tune=TuneSettings())

    def section(self, name: str) -> dict[str, Any]:
        """Return a section as a mapping that JSON and TOML can hold: lists in place of tuples."""
        if name == "tune":
            return self.tune.written()
        values = asdict(getattr(self, name))
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @property
    def teaches(self) -> bool:
        """Whether teachers label the unlabelled texts."""
        return bool(self.teach.models or self.teach.whole) or self.teach.ngrams > 0

    @property
    def trackers(self) -> tuple[str, ...]:
        """What follows the trainings, each once; `train.tensorboard` is the older way to ask."""
        older = (TENSORBOARD,) if self.train.tensorboard else ()
        return tuple(dict.fromkeys((*self.track.to, *older)))

    @property
    def reads_unlabelled(self) -> bool:
        """Whether the training of the classifier reads the unlabelled texts there are."""
        asked = self.train.virtual_adversarial > 0 or self.train.entropy > 0
        return asked and bool(self.data.unlabelled)


SECTIONS: dict[str, type[Any]] = {
    name: kind
    for name, kind in typing.get_type_hints(Recipe).items()
    if name not in ("name", "origin")
}


def load_recipe(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """Load a recipe that ships, by its name, or one of a person's own, by its path.

    Args:
        name_or_path: such as `quickstart` or `experiments/mine.toml`.
        overrides: each `section.key=value`; the value is read as TOML, and as a plain string
            where it is not TOML or the key holds strings.

    Raises:
        SettingsError: for a recipe that is not there or is not TOML, and for an unknown section
            or key, a value of the wrong type and an impossible value.
    """
    stem, text = _find(name_or_path)
    name, tables = _tables(stem, _parse(name_or_path, text))
    for override in overrides:
        _apply(tables, override)
    sections = {n: _section(n, tables.get(n, {})) for n in SECTIONS}
    return Recipe(name, **sections, origin=name_or_path)


def load_section(name: str, values: Mapping[str, Any], overrides: Sequence[str]) -> Any:
    """Build one section from values kept elsewhere, such as in a model, and overrides of it.

    Raises:
        SettingsError: as `load_recipe`, and for an override of another section.
    """
    tables = {name: dict(values)}
    for override in overrides:
        _apply(tables, override)
    for other in tables.keys() - {name}:
        raise SettingsError(f"a setting of {other!r} plays no part here: only {name}.* does")
    return _section(name, tables[name])


def _section(name: str, values: Mapping[str, Any]) -> Any:
    return parse_tune(values) if name == "tune" else parse_section(SECTIONS[name], name, values)


def dump(recipe: Recipe) -> str:
    """Return TOML that loads to an equal recipe, every key spelled out."""
    return to_toml({"name": recipe.name}, {name: recipe.section(name) for name in SECTIONS})


def recipe_names() -> list[str]:
    """Return the names of the recipes that ship."""
    shipped = resources.files("pipelines").joinpath("recipes").iterdir()
    return sorted(f.name.removesuffix(".toml") for f in shipped if f.name.endswith(".toml"))


def _find(name_or_path: str) -> tuple[str, str]:
    """Return the stem of a recipe's file name and the file's text."""
    if name_or_path in recipe_names():
        shipped = resources.files("pipelines") / "recipes" / f"{name_or_path}.toml"
        return name_or_path, shipped.read_text("utf-8")
    path = Path(name_or_path)
    if path.is_file():
        return path.stem, _read(path)
    raise SettingsError(_unknown(name_or_path))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path} is not UTF-8 at byte {error.start}: save it as UTF-8"
        ) from None
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from None


def _unknown(name_or_path: str) -> str:
    if name_or_path.endswith(".toml") or Path(name_or_path).name != name_or_path:
        return f"there is no recipe file {name_or_path!r}: name a TOML file that exists"
    names = recipe_names()
    nearest = suggestion(name_or_path, names)
    listed = f"known: {', '.join(names)}"
    hint = listed if nearest == listed else f"{nearest} ({listed})"
    return f"unknown recipe {name_or_path!r}: {hint}; a path to a TOML file will do too"


def _parse(name_or_path: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{name_or_path} is not TOML: {error}") from None
    except RecursionError:
        raise SettingsError(f"{name_or_path} nests values too deeply: no key needs that") from None


def _tables(stem: str, document: Mapping[str, Any]) -> tuple[str, dict[str, dict[str, Any]]]:
    """Split a document into the recipe's name and its sections, and refuse anything else."""
    tables = {key: value for key, value in document.items() if key != "name"}
    for key, value in tables.items():
        _known_section(key)
        if not isinstance(value, dict):
            raise SettingsError(f"{key} is {value!r}, not a section: write [{key}] above its keys")
    return _directory_name(document.get("name", stem)), tables


def _known_section(name: str) -> None:
    if name not in SECTIONS:
        raise SettingsError(f"unknown section {name!r}: {suggestion(name, SECTIONS)}")


def _directory_name(name: object) -> str:
    """Check that a recipe's name can name its run directory."""
    if not isinstance(name, str) or name in ("", ".", "..") or {"/", "\\", "\0"} & set(name):
        raise SettingsError(f"name is {name!r}: give one that a directory can have")
    return name


def _apply(tables: dict[str, dict[str, Any]], override: str) -> None:
    dotted, equals, text = override.partition("=")
    section, dot, key = dotted.strip().partition(".")
    if not equals or not dot:
        raise SettingsError(f"--set {override!r} is not section.key=value, as in train.epochs=3")
    _known_section(section)
    hint = typing.get_type_hints(SECTIONS[section]).get(key)
    tables.setdefault(section, {})[key] = _override_value(text.strip(), hint is str)


def _override_value(text: str, wants_string: bool) -> Any:
    """Read a value typed on the command line.

    A key that holds strings takes `2020` or `true` as they stand: only quotes make them TOML.
    """
    try:
        document = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        document = {}
    except RecursionError:
        raise SettingsError(f"{text[:20]}… is nested too deeply: no key needs that") from None
    value = document.get("value") if len(document) == 1 else None
    if value is None or (wants_string and not isinstance(value, str)):
        return _valid_text(text)
    return value


def _valid_text(text: str) -> str:
    """Refuse the stand-ins for bytes that were no UTF-8: no recipe file could hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"{text!r} is not UTF-8: rename the file or the column") from None
    return text
