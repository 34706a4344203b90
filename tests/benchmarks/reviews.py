"""The texts that the benchmarks read, and what our preprocessing makes of them."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import cycle, islice
from pathlib import Path

from sentiment_lstm import demo
from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.sources import IMDB_LABELS, Example, ImdbSource, imdb_root
from sentiment_lstm.text import Encoder, Vocabulary, tokenise

SPLITS = ("train", "test", "unsupervised")
LABELS = IMDB_LABELS
WORDS, MAX_TOKENS = 20_000, 400
DEMO_TEXTS = 200


@cache
def reviews(source: str, split: str, limit: int = 0) -> Sequence[Example]:
    """Return the reviews of a split in the order of the records, so many at most; 0 is all."""
    if source == "imdb":
        found = ImdbSource(imdb_root(""), split).rows()
        return [Example(row.text, row.label) for row in islice(found, limit or None)]
    like = "train" if split == "unsupervised" else split
    made = demo.generate(like, limit or DEMO_TEXTS, SPLITS.index(split))
    return [Example(text, None if split == "unsupervised" else label) for text, label in made]


def texts(source: str, split: str, limit: int = 0) -> list[str]:
    """Return `reviews` without their labels."""
    return [review.text for review in reviews(source, split, limit)]


def targets(source: str, split: str, limit: int = 0) -> list[int]:
    """Return the label's index of each of `reviews`."""
    return [LABELS.index(str(review.label)) for review in reviews(source, split, limit)]


@cache
def vocabulary(source: str) -> Vocabulary:
    """Return the most frequent tokens of train."""
    counts: Counter[str] = Counter()
    for text in texts(source, "train"):
        counts.update(tokenise(text))
    return Vocabulary.from_counts(counts, WORDS, 2)


@cache
def training_arrays(source: str) -> TokenArrays:
    """Return train as preprocessing leaves it, cut where `TextVectorization` cuts it."""
    encode = Encoder(vocabulary(source), MAX_TOKENS, head_tokens=MAX_TOKENS)
    return TokenArrays.of([encode(t) for t in texts(source, "train")], targets(source, "train"))


def write_table(path: Path, of: Iterable[Example]) -> None:
    """Write reviews as JSON Lines with the keys `text` and `label`."""
    with path.open("w", encoding="utf-8") as file:
        for review in of:
            row = {"text": review.text, "label": review.label}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def repeated(source: str, count: int) -> Iterator[Example]:
    """Yield so many labelled reviews, over and over."""
    return islice(cycle([*reviews(source, "train"), *reviews(source, "test")]), count)
