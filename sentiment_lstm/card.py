"""The model card: what a model is, how it came about, what it is for, how well it does."""

from collections.abc import Iterator, Mapping
from typing import Any

from sentiment_lstm.bundle_config import BundleConfig

# What a card tells of the data section; paths of the machine that trained stay out of it.
DATA_KEYS = ("source", "validation_fraction", "test_fraction", "seed", "size", "limit")
# Keys that mean nothing of some sources: only what is generated has a size, and IMDB has its test.
WITHOUT = {"imdb": {"test_fraction", "size"}, "files": {"size"}}

TITLE, TABLE = "## Measured\n", "| figure | value |\n| --- | --- |"
# What figures about a decision begin with: a new decision replaces all of an earlier one's.
DECISION = "decision "


def model_card(config: BundleConfig, figures: Mapping[str, Any]) -> str:
    """Return the card's text in Markdown.

    Args:
        config: the model it describes.
        figures: measured values by name; mappings may nest, as
            ``{"test": {"accuracy": 0.9}}``, and are shown as ``test accuracy``.
    """
    sections = (
        _description(config),
        _training(config),
        _limits(config),
        _figures(figures),
        _usage(config),
    )
    return "\n\n".join(sections) + "\n"


def _description(config: BundleConfig) -> str:
    directions = "forward" if config.directions == 1 else "forward and backward"
    layers = "one LSTM layer" if config.layers == 1 else f"{config.layers} LSTM layers"
    return (
        f"# Sentiment model\n\n"
        f"A network that reads a text and answers with {_answer(config)}.\n\n"
        f"- Word vectors of {config.embedding} numbers, {layers} of {config.units} units "
        f"({directions}), {' and '.join(config.pooling)} pooling over time, a linear head.\n"
        f"- Reads at most {config.max_tokens} tokens; of a longer text the first "
        f"{config.head_tokens} and the last {config.max_tokens - config.head_tokens}.\n"
        f"- Written by sentiment_lstm {config.version}."
    )


def _answer(config: BundleConfig) -> str:
    if config.task == "regression":
        return "a number"
    return "one of the labels " + ", ".join(_code(label) for label in config.labels)


def _training(config: BundleConfig) -> str:
    left_out = WITHOUT.get(str(config.data.get("source")), set())
    told = {
        key: config.data[key] for key in DATA_KEYS if key in config.data and key not in left_out
    }
    lines = [f"- {key.replace('_', ' ')}: {_code(str(value))}" for key, value in told.items()]
    return "\n".join(
        [
            "## How it was trained",
            "",
            "Labels and vocabulary are those of the train split alone; every choice was made on "
            "the validation split, and the test split serves the figures below and nothing else.",
            *([""] if lines else []),
            *lines,
        ]
    )


def _limits(config: BundleConfig) -> str:
    calibration = (
        f"Its output is scaled by {config.target_scale:g} and moved by {config.target_mean:g}."
        if config.task == "regression"
        else f"Probabilities are calibrated by the temperature {config.temperature:.4g}, "
        "fitted on the validation split."
    )
    return (
        "## Intended use and limits\n\n"
        "For texts like those it was trained on: same language, same kind, same length. "
        "Elsewhere its answers are less often right, and its probabilities no longer say how "
        f"often. {calibration} It learnt its labels from people who wrote for their own ends, "
        "with their habits and prejudices; do not let it alone decide anything about a person."
    )


def decision_of(card: str) -> dict[str, str]:
    """Return what a card states of how its threshold and its margin were chosen, by name."""
    rows = (line.split(" | ") for line in _measured(card)[1].splitlines())
    cells = [
        (row[0].removeprefix("| "), row[1].removesuffix(" |")) for row in rows if len(row) == 2
    ]
    names = ((name.removeprefix(DECISION), v) for name, v in cells if name.startswith(DECISION))
    return dict(names)


def with_decision(card: str, figures: Mapping[str, Any]) -> str:
    """Return a card that states how its threshold and its margin were chosen, and no earlier way.

    Args:
        card: text of README.md.
        figures: by name; none leave the card without such a statement.
    """
    before, section, rest = _measured(card)
    kept = [line for line in section.splitlines() if not line.startswith(f"| {DECISION}")]
    bare = "".join([before, "\n".join(kept), rest])
    return with_figures(bare, {f"{DECISION}{name}": value for name, value in figures.items()})


def _measured(card: str) -> tuple[str, str, str]:
    """Return a card in three parts: before its figures, these, behind them."""
    before, title, behind = card.partition(TITLE)
    if not title:  # a card of another kind
        return f"{card.rstrip()}\n\n{TITLE}", "", "\n"
    section, use, rest = behind.partition("\n\n## ")
    return before + title, section, use + rest


def with_figures(card: str, figures: Mapping[str, Any]) -> str:
    """Return a card that states more figures, or others in place of those of the same names."""
    rows = _rows(figures)
    names = [row.split(" | ")[0] + " | " for row in rows]
    before, section, rest = _measured(card)
    if rows and TABLE not in section:  # nothing was measured yet
        section = f"\n{TABLE}"
    kept = [line for line in section.splitlines() if not line.startswith(tuple(names))]
    return "".join([before, "\n".join([*kept, *rows]), rest])


def _rows(figures: Mapping[str, Any]) -> list[str]:
    return [f"| {_cell(name)} | {_cell(_number(value))} |" for name, value in _flat(figures)]


def _figures(figures: Mapping[str, Any]) -> str:
    rows = _rows(figures)
    if not rows:
        return f"{TITLE}\nNot measured yet."
    return "\n".join([TITLE, TABLE, *rows])


def _flat(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}".replace("_", " "), value


def _usage(config: BundleConfig) -> str:
    value = "value" if config.task == "regression" else "label"
    return (
        "## Use\n\n"
        "With DIR as this directory, from the shell:\n\n"
        "    sentiment-lstm classify --model DIR 'a text'\n\n"
        "and from Python:\n\n"
        "    from sentiment_lstm import SentimentClassifier\n\n"
        '    classifier = SentimentClassifier.load("DIR")\n'
        f'    print(classifier.classify(["a text"])[0].{value})'
    )


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _code(text: str) -> str:
    """Return `text` as inline code, whatever backticks it holds."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
