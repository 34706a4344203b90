"""The commands that replace artifacts, over artifacts that stand already."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentiment_lstm.errors import SentimentError
from sentiment_lstm.manifest import check_tree
from sentiment_lstm.saved_model import SEAL
from sentiment_lstm.strict_json import strict_json
from tests.resilience.artifacts import contents, difference
from tests.resilience.workshop import Workshop

Found = dict[str, dict[str, str]]
"""What each artifact holds: digests of its files."""


@dataclass(frozen=True)
class Writer:
    """A command that replaces artifacts.

    Attributes:
        name: of the command.
        prepare: fills an empty directory, the old artifacts among what it puts there.
        arguments: what makes the new ones, in such a directory.
        artifacts: what it writes, by name.
        cleans: whether it removes what one that was killed has left.
        fault: says what is half-written, where the new artifacts have other bytes each time.
    """

    name: str
    prepare: Callable[[Path], object]
    arguments: Callable[[Path], list[Any]]
    artifacts: tuple[str, ...]
    cleans: bool = False
    fault: Callable[[Path], str] | None = None

    def found(self, directory: Path) -> Found:
        """Return what each artifact holds."""
        return {name: contents(directory / name) for name in self.artifacts}

    def half(self, directory: Path, *states: Found) -> str:
        """Say which artifact is in none of the states that it may be in."""
        if self.fault is not None:
            return self.fault(directory)
        for name, found in self.found(directory).items():
            if found not in [state[name] for state in states]:
                return f"of {name}, {difference(found, states[-1][name])}"
        return ""

    @property
    def nothing(self) -> Found:
        """The state in which no artifact is there."""
        return {name: {} for name in self.artifacts}


def writers(workshop: Workshop) -> dict[str, Writer]:
    """Return the commands by their names."""
    several = (
        _stage(workshop, "preprocess", {"text.max_tokens": 20}, "preprocess"),
        _stage(workshop, "train", {"train.epochs": 2, "train.checkpoint_minutes": 0}, "bundle"),
        _stage(workshop, "evaluate", {"evaluate.baseline": "true"}, "evaluate", "bundle"),
        _export(workshop),
        _classify(workshop),
        _explain(workshop),
    )
    return {writer.name: writer for writer in several}


def options(settings: dict[str, Any]) -> list[str]:
    """Return settings as the command line takes them."""
    return [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]


def _stage(workshop: Workshop, name: str, settings: dict[str, Any], *artifacts: str) -> Writer:
    def prepare(directory: Path) -> object:
        return shutil.copytree(workshop.evaluated, directory, dirs_exist_ok=True)

    def asked(directory: Path) -> list[Any]:
        return [name, workshop.recipe, "--run-dir", directory, *options(settings)]

    return Writer(name, prepare, asked, artifacts, cleans=True)


def _export(workshop: Workshop) -> Writer:
    return Writer(
        "export",
        lambda directory: shutil.copytree(workshop.saved_model, directory / "1"),
        lambda directory: ["export", "--model", workshop.bundle, "--output", directory],
        ("1", "export.json"),
        fault=_half_exported,
    )


def _half_exported(directory: Path) -> str:
    try:
        if (directory / "1").exists():
            check_tree(directory / "1", SEAL)
        if (directory / "export.json").exists():
            strict_json((directory / "export.json").read_bytes())
    except (SentimentError, ValueError) as error:
        return str(error)
    return ""


def _classify(workshop: Workshop) -> Writer:
    texts = workshop.root / "many.csv"
    rows = "".join(f"{n},a film of {n} good words\n" for n in range(3000))
    texts.write_text(f"id,text\n{rows}", "utf-8")
    asked = ["classify", "--model", workshop.bundle, "--input", texts, "--format", "csv"]
    return _to_file("classify", asked)


def _explain(workshop: Workshop) -> Writer:
    asked = ["explain", "--model", workshop.bundle, "a good film", "--format", "html"]
    return _to_file("explain", asked)


def _to_file(name: str, asked: list[Any]) -> Writer:
    return Writer(
        name,
        lambda directory: (directory / "answers").write_text("old\n", "utf-8"),
        lambda directory: [*asked, "--output", directory / "answers"],
        ("answers",),
    )
