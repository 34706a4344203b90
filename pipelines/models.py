"""The models that ship: what they are, and the figures their cards state."""

from collections.abc import Iterator

from sentiment_lstm import language_models
from sentiment_lstm.bundle import Bundle, read_bundle, resolve_model, shipped


def describe_models() -> Iterator[str]:
    """Yield lines on each model that ships, or on how to get one.

    Raises:
        BundleError: if a model is not as it was shipped.
    """
    names = shipped()
    if not names:
        yield "No model ships with this version. To train one:"
        yield "  sentiment-lstm run quickstart"
        yield '  sentiment-lstm classify --model runs/quickstart "I loved it."'
    for name in names:
        yield from _describe(name, read_bundle(resolve_model(name)))
    for name in language_models.shipped():
        yield from _describe_language_model(name)


def _describe(name: str, bundle: Bundle) -> Iterator[str]:
    config = bundle.config
    answer = ", ".join(config.labels) or "a number"
    directions = "one direction" if config.directions == 1 else "two directions"
    yield f"{name}: {answer}"
    yield (
        f"  {len(bundle.vocabulary):,} tokens, {config.units} LSTM units in {directions}, "
        f"reads {config.max_tokens} tokens of a text"
    )
    yield from (
        f"  {line}" for line in measured((bundle.directory / "README.md").read_text("utf-8"))
    )


def _describe_language_model(name: str) -> Iterator[str]:
    found = language_models.read_language_model(language_models.resolve_language_model(name))
    perplexities = found.figures["perplexities"]
    yield f"{name}, a language model: for `generate`, and for model.start of a recipe"
    directions = "one direction" if len(perplexities) == 1 else "two directions"
    sizes = f"embedding {found.embedding}, {found.units} LSTM units"
    yield f"  {len(found.vocabulary):,} tokens, {sizes} in {directions}"
    for direction, value in perplexities.items():
        yield f"  perplexity {direction} {value:.1f}"


def measured(card: str) -> Iterator[str]:
    """Yield each figure that a model card states under "Measured", as `figure value`."""
    _, _, section = card.partition("\n## Measured\n")
    for line in section.partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 2 and cells[0] not in ("figure", "---"):
            yield " ".join(cells)
