"""What a shell completes beside commands and options: recipes, models, settings of a recipe."""

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem, get_completion_class

PROGRAM = "sentiment-lstm"
VARIABLE = "_SENTIMENT_LSTM_COMPLETE"  # as click derives it from the program's name
SHELLS = ("bash", "zsh", "fish")


def script(command: click.Command, shell: str) -> str:
    """Return click's own script, by which a shell asks the program how a word can go on."""
    kind = get_completion_class(shell)
    assert kind is not None, f"click knows no {shell}"
    return kind(command, {}, PROGRAM, VARIABLE).source()


def recipes(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the recipes that ship; where none begins so, the shell's own files."""
    from pipelines.config import recipe_names

    return _beginning(recipe_names(), begun) or [CompletionItem(begun, type="file")]


def models(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the models that ship; where none begins so, the shell's own directories."""
    from sentiment_lstm.bundle import shipped

    return _beginning(shipped(), begun) or [CompletionItem(begun, type="dir")]


def language_models(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the language models that ship; where none begins so, the shell's own directories."""
    from sentiment_lstm.language_models import shipped

    return _beginning(shipped(), begun) or [CompletionItem(begun, type="dir")]


def settings(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return each `section.key=` of a recipe; what stands behind it is for a person to say."""
    from dataclasses import fields

    from pipelines.config import SECTIONS

    keys = (f"{name}.{key.name}=" for name, kind in SECTIONS.items() for key in fields(kind))
    return _beginning(keys, begun)


def _beginning(names: Iterable[str], begun: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(begun)]
