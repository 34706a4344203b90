"""An explanation as lines for people, on a terminal or in a file."""

import math
from collections.abc import Iterator, Sequence

from pipelines.painting import Paint, levels, text_width, wrapped
from pipelines.sparkline import sparkline
from sentiment_lstm.detokenise import pieces
from sentiment_lstm.explain import Explanation
from sentiment_lstm.gate_summary import DirectionTrace, UnitTrace
from sentiment_lstm.gate_trace import GATES

MOST_WORDS = 10  # in the list of the largest shares
BAR = 24  # characters of its longest bar
LONGEST_WORD = 20


def explanation_lines(
    found: Explanation, paint: Paint, *, gates: bool, units: bool
) -> Iterator[str]:
    """Yield an explanation line by line.

    Args:
        found: the explanation.
        paint: shows a word and how much it counts.
        gates: also show the gates, a line a word.
        units: also show what single units did.
    """
    yield from _answer(found)
    yield from _block(_words(found, paint))
    yield from _block([*_running(found), *_memory(found), *_phrases(found), *_notes(found)])
    yield from _block(_largest(found))
    for direction in found.gates if found.tokens else ():
        shown = _gates(found, direction) if gates else []
        traced = (_unit(direction.name, unit) for unit in direction.units) if units else ()
        yield from _block([*shown, *traced])


def _block(lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    """Yield lines after an empty one, if there are any."""
    for number, line in enumerate(lines):
        yield from ("", line) if not number else (line,)


def _answer(found: Explanation) -> Iterator[str]:
    total = float(found.shares.sum())
    sum_of = f"= bias {found.bias:+.4f} and shares {total:+.4f} of {_count(found)}"
    if found.config.task == "regression":
        yield f"{found.logit:.4f} {sum_of}"
        return
    yield f"{found.prediction.label}  {found.probability:.4f}{_of(found)}"
    yield f"logit of {found.label} {found.logit:+.4f} {sum_of}"


def _of(found: Explanation) -> str:
    """Say of what label the probability is, where `classify` would give that of another."""
    labels, told = found.config.labels, found.prediction.label
    return "" if found.label == (labels[1] if len(labels) == 2 else told) else f" of {found.label}"


def _count(found: Explanation) -> str:
    return "1 word" if len(found.tokens) == 1 else f"{len(found.tokens)} words"


def _words(found: Explanation, paint: Paint) -> Iterator[str]:
    shown, counts = list(pieces(found.tokens)), levels(found.shares.tolist())
    gap = found.gap or len(shown)
    yield from wrapped(shown[:gap], counts[:gap], paint, text_width())
    if found.left_out:
        yield f"[… {found.left_out:,} words that the model does not read …]"
    yield from wrapped(shown[gap:], counts[gap:], paint, text_width())


def _running(found: Explanation) -> Iterator[str]:
    if found.config.task == "regression":
        values = found.running_values.tolist()
        line = sparkline(values)
    else:
        values = found.running_probabilities.tolist()
        line = sparkline(values, 0.0, 1.0)
    yield f"running   {line}  {values[0]:.4f} to {values[-1]:.4f}{_flip(found)}{_read(found)}"


def _flip(found: Explanation) -> str:
    flip = found.running.flip
    if flip is None:
        return ""
    word = f"word {found.number(flip)}, {found.tokens[flip]!r}"
    return f"; {found.running.labels[-1]} since {word}"


def _read(found: Explanation) -> str:
    """Say that the verdict may have turned in places that were not looked at."""
    lengths = found.running.lengths
    return "" if found.running.read_all else f" ({len(lengths)} of {lengths[-1] + 1} beginnings)"


def _memory(found: Explanation) -> Iterator[str]:
    if found.tokens:
        lives = ", ".join(f"{d.name} {_words_long(d.half_life)}" for d in found.gates)
        yield f"memory    half-life of the cells, median over units: {lives}"


def _words_long(half_life: float) -> str:
    return "unending" if math.isinf(half_life) else f"{half_life:.1f} words"


def _phrases(found: Explanation) -> Iterator[str]:
    for phrase in found.phrases:
        parts = f"{phrase.relevant:+.4f}, all the rest {phrase.irrelevant:+.4f}"
        yield f"phrase    {phrase.phrase!r} ({found.place(phrase)}) {parts}"


def _notes(found: Explanation) -> Iterator[str]:
    unknown = dict.fromkeys(t for t, k in zip(found.tokens, found.known, strict=True) if not k)
    if unknown:
        yield f"unknown   {', '.join(unknown)}"
    if found.config.layers > 1:
        yield (
            f"note      shares belong to positions of layer {found.config.layers}, each of which "
            "has seen other words through the layers below"
        )
    if found.label and found.tokens:
        yield f"shares    + speaks for {found.label}, - against; gates depend on the words around"


def _largest(found: Explanation) -> Iterator[str]:
    ranked = sorted(range(len(found.tokens)), key=lambda t: -abs(found.shares[t]))[:MOST_WORDS]
    words = {t: found.tokens[t][:LONGEST_WORD] for t in ranked}
    width = max(map(len, words.values()), default=0)
    for t in ranked:
        share = found.shares[t]
        bar = "█" * round(BAR * abs(share / found.shares[ranked[0]])) if share else ""
        yield f"{share:+10.4f}  {words[t]:{width}}  {bar}".rstrip()


def _gates(found: Explanation, direction: DirectionTrace) -> Iterator[str]:
    yield f"{direction.name}, mean over {found.config.units} units"
    yield "".join(["word".ljust(LONGEST_WORD), *(gate.rjust(8) for gate in GATES)])
    for t, token in enumerate(found.tokens):
        cells = (f"{direction.mean[gate][t]:8.3f}" for gate in GATES)
        yield "".join([token[:LONGEST_WORD].ljust(LONGEST_WORD), *cells])


def _unit(direction: str, unit: UnitTrace) -> str:
    cells = sparkline(unit.gates["c"].tolist())
    life = _words_long(unit.half_life)
    return f"{direction}, unit {unit.unit}: share {unit.share:+.4f}, half-life {life}, c {cells}"
