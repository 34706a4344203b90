"""From raw text to probability: ours beside other runtimes with the same random weights."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from sentiment_lstm.bundle import read_bundle
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.compiled_text import CompiledEncoder
from sentiment_lstm.text import Encoder
from tests.benchmarks.bags import bags
from tests.benchmarks.machine import Gemm
from tests.benchmarks.models import random_bundle
from tests.benchmarks.options import Options
from tests.benchmarks.reviews import MAX_TOKENS, targets, texts, vocabulary
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians, quantile, round_robin, seconds_of

Classify = Callable[[Sequence[str]], Any]
Candidates = dict[str, list[Classify]]

SIZES = (16, 32, 128)  # of batches; longer sorted ones take in more padding
PILOT = 256  # texts on which each peer's best batch size is found
FITTED = 5_000  # texts that the models which count words are fitted to
SINGLE = 230  # tokens of the single text
SAME_TOKENISER = ("ONNX", "torch")


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield, for each size of model, a row for many reviews and two for single ones."""
    sample = texts(options.source, "test", options.reviews)
    pilot, text = sample[:PILOT], _text_of(SINGLE, sample, options)
    fitted = texts(options.source, "train")[:FITTED], targets(options.source, "train")[:FITTED]
    words = bags(*fitted)
    for units in options.units:
        with tempfile.TemporaryDirectory() as directory:
            who = candidates(Path(directory), units, options)
            _check_alike(who, pilot[:16], 1e-4 if options.precision == "float32" else 1e-2)
            yield _many(_fastest(who, pilot), words, sample, units, options, gemm)
            yield from _single(_fastest(who, [text]), words, text, units, options)


def candidates(directory: Path, units: int, options: Options) -> Candidates:
    """Return ours and those that do the same work, by name, each in all its forms."""
    path, weights = random_bundle(directory, units, vocabulary(options.source))
    encode = CompiledEncoder(Encoder(vocabulary(options.source), MAX_TOKENS, MAX_TOKENS // 2))
    ours = SentimentClassifier.load(path, compiled=True, precision=options.precision)
    who: Candidates = {"ours": [ours.classify]}
    if find_spec("onnxruntime") and find_spec("onnx"):
        from tests.benchmarks.onnx_peer import onnx_forms

        who["ONNX"] = _sized(onnx_forms(read_bundle(path), encode))
    if find_spec("torch"):
        from tests.benchmarks.torch_peer import torch_forms

        who["torch"] = _sized(torch_forms(weights, encode, options.precision))
    from tests.benchmarks.stock_peer import StockModel

    for name, padded in (("SavedModel sorted", False), ("SavedModel padded", True)):
        make = partial(StockModel.of, directory, weights, vocabulary(options.source), padded=padded)
        precisions = sorted({"float32", options.precision})
        who[name] = _sized([make(precision=precision) for precision in precisions])
    return who


def _sized(forms: Sequence[Any]) -> list[Any]:
    return [replace(form, batch=size) for form in forms for size in SIZES]


def _fastest(who: Candidates, sample: Sequence[str]) -> dict[str, Classify]:
    """Return each contender's fastest form for a sample: of few texts by the best of ten calls."""
    calls = 10 if len(sample) == 1 else 1

    def seconds(form: Classify) -> float:
        return min(seconds_of(partial(form, sample)) for _ in range(calls))

    for forms in who.values():
        forms[0](sample)
    return {
        name: min(forms, key=seconds) if len(forms) > 1 else forms[0] for name, forms in who.items()
    }


def _check_alike(who: Candidates, sample: Sequence[str], tolerance: float) -> None:
    """See that all forms of all who have our tokeniser answer alike, text for text."""
    ours = [answer.probability for answer in who["ours"][0](sample)]
    for name in SAME_TOKENISER:
        for form in who.get(name, ()):
            if not np.allclose(form(sample), ours, atol=tolerance):
                raise AssertionError(f"{name}, {form}, answers otherwise than we do")


def _many(
    who: Mapping[str, Classify],
    words: Mapping[str, Classify],
    sample: Sequence[str],
    units: int,
    options: Options,
    gemm: Gemm,
) -> Row:
    runs = {name: partial(classify, sample) for name, classify in {**who, **words}.items()}
    rounds = min(options.rounds, 3)
    taken = medians(round_robin(runs, rounds=rounds, between=gemm))
    rates = {name: len(sample) / seconds for name, seconds in taken.items()}
    ours, others = rates.pop("ours"), {name: rates.pop(name) for name in words}
    note = "; ".join(f"{name}: {who[name]}" for name in rates)
    case = f"{len(sample):,} reviews, {units} units, {options.precision}"
    return Row("inference", case, "reviews/s", ours, rates, others, f"{note}; {rounds} rounds")


def _single(
    who: Mapping[str, Classify],
    words: Mapping[str, Classify],
    text: str,
    units: int,
    options: Options,
) -> Iterator[Row]:
    runs = {name: partial(classify, [text]) for name, classify in {**who, **words}.items()}
    taken = round_robin(runs, rounds=options.singles)
    for share in (0.5, 0.99):
        found = {name: 1e3 * quantile(seconds, share) for name, seconds in taken.items()}
        ours, others = found.pop("ours"), {name: found.pop(name) for name in words}
        case = (
            f"one text of {SINGLE} tokens, {units} units, {options.precision}, p{100 * share:.0f}"
        )
        note = f"{options.singles} rounds; ours compiled from its first text on"
        yield Row("inference", case, "ms", ours, found, others, note)


def _text_of(tokens: int, sample: Sequence[str], options: Options) -> str:
    """Return the text of a sample whose number of tokens is nearest to one."""
    encode = Encoder(vocabulary(options.source), MAX_TOKENS, MAX_TOKENS)
    return min(sample, key=lambda text: abs(len(encode(text)) - tokens))
