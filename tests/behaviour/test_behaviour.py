"""The suite holds enough and nothing twice, and its judge tells right from wrong."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipelines.config import left_out_file, load_recipe, recipe_names
from sentiment_lstm import demo
from sentiment_lstm.sayings import said, sayings
from sentiment_lstm.text import tokenise
from tests.behaviour import suite
from tests.behaviour.judge import SLACK, both_sides_right, failure_rate, sentence_accuracy
from tests.behaviour.pairs import (
    Pair,
    asked_sentences,
    development_pairs,
    flip_pairs,
    pair_of,
)
from tests.behaviour.suite import CAPABILITIES, Case, Same, Stronger

ROOT = Path(__file__).parents[2]


def test_a_line_holds_two_sentences():
    assert pair_of("A {good|bad} film, {well|badly} made.") == Pair(
        "A good film, well made.", "A bad film, badly made."
    )


@pytest.mark.parametrize("line", ["A film.", "A {good} film.", "A {good|bad film.", "{a|b} c}"])
def test_a_line_that_holds_no_pair_is_refused(line):
    with pytest.raises(ValueError, match=r"\{good\|bad\}"):
        pair_of(line)


def test_there_are_two_hundred_different_pairs():
    pairs = flip_pairs()
    assert len({tuple(tokenise(text)) for pair in pairs for text in pair}) == 2 * len(pairs)
    assert len(pairs) >= 200


def test_there_are_other_pairs_to_look_at_and_none_of_them_judges():
    pairs = [pair for some in development_pairs().values() for pair in some]
    shown = {tuple(tokenise(text)) for pair in pairs for text in pair}
    asked = {tuple(tokenise(text)) for pair in flip_pairs() for text in pair}
    asked |= {
        tuple(tokenise(part))
        for checks in CAPABILITIES.values()
        for check in checks()
        for part in check
        if isinstance(part, str)
    }
    assert len(pairs) >= 300
    assert min(map(len, development_pairs().values())) >= 15
    assert not shown & asked


@pytest.mark.parametrize("name", CAPABILITIES)
def test_a_capability_is_asked_for_in_many_different_sentences(name):
    checks = list(CAPABILITIES[name]())
    assert len(set(checks)) == len(checks) >= 24
    labels = {check.positive for check in checks if not isinstance(check, Same)}
    assert labels in (set(), {True, False})


def test_no_sentence_is_asked_for_with_two_labels():
    labels = {}
    for checks in CAPABILITIES.values():
        for check in checks():
            if isinstance(check, Case):
                assert labels.setdefault(check.text, check.positive) == check.positive


def probabilities(**of):
    return lambda texts: [of[text] for text in texts]


def test_the_judge_counts_each_kind_of_failure():
    one = probabilities(a=0.5, b=0.49, c=0.9)
    assert failure_rate([Case("a", True), Case("b", True), Case("b", False)], one) == 1 / 3
    assert failure_rate([Same("a", "c"), Same("a", "b")], one) == 1 / 2
    assert failure_rate([Stronger("a", "c", True), Stronger("a", "c", False)], one) == 1 / 2
    near = probabilities(a=0.5, b=0.5 - SLACK / 2)
    assert failure_rate([Stronger("a", "b", True)], near) == 0


def test_a_pair_counts_only_if_both_sides_are_right():
    pairs = [Pair("a", "b"), Pair("c", "a"), Pair("b", "b")]
    assert both_sides_right(pairs, probabilities(a=0.6, b=0.4, c=0.7)) == 1 / 3


def test_the_label_of_a_text_is_told_by_one_sentence_of_it():
    def by_length(texts):
        return [0.9 if len(text) > 2 else 0.1 for text in texts]

    texts, labels = ["Aa. Bb. Cc.", "", "b", "c", "Dd!"], [True, False, False, True, False]
    assert sentence_accuracy(texts, labels, by_length) == 2 / 4


def test_none_of_it_stands_in_the_corpus_that_ships():
    tokens = {tuple(tokenise(text)) for text in asked_sentences()}
    learnt = {tuple(tokenise(text)) for text, _ in demo.generate("train", 2000, seed=0)}
    assert not tokens & learnt


# What stands in a slot of the suite's sentences: one of these, or up to three words in its place.
FILLED = r"\b(?:the (?:book|original|trailer|first one)|his last film|best|worst|{})\b".format(
    "|".join((*suite.GOOD, *suite.BAD, *suite.PARTS))
)
# Those whose sentences have a form of their own; the others have the plainest there is.
FORMED = ("negation", "scope of negation", "concession", "comparison")


def as_asked():
    """Return what matches sentences of the suite, whatever stands in their slots."""
    texts = {" ".join(tokenise(c.text)) for name in FORMED for c in CAPABILITIES[name]()}
    forms = {re.sub(FILLED, "_", text.removesuffix(" .")) for text in texts}
    patterns = [re.escape(form).replace("_", r"\S+(?: \S+){0,2}") for form in forms]
    return re.compile("|".join(patterns))


def test_a_sentence_of_the_suite_is_known_by_its_form():
    found = as_asked()
    assert found.fullmatch("even the second season was better than this")
    assert found.fullmatch("it is n't so bad")
    assert not found.fullmatch("the film was better than this")


def test_no_form_of_the_suite_is_said_to_a_student():
    found, random = as_asked(), np.random.default_rng(0)
    for (kind, _), forms in sayings().items():
        subject = "the film " if kind == "predicate" else ""
        for form in forms:
            told = {subject + " ".join(said(form, random)) for _ in range(100)}
            assert not list(filter(found.fullmatch, told))


STUDENTS = [name for name in recipe_names() if load_recipe(name).teach.contrast]


def test_teaching_leaves_all_of_it_out():
    # A few more lines: pairs that turned out to be asked for already, which the model that ships
    # was not taught either.
    left_out = left_out_file("behaviour").read_text("utf-8").splitlines()
    assert set(asked_sentences()) <= set(left_out)
    assert len(left_out) == len(set(left_out)) <= len(asked_sentences()) + 3
    assert {"imdb", "imdb-tiny"} < set(STUDENTS)
    assert {load_recipe(name).teach.leave_out for name in STUDENTS} == {"behaviour"}


def test_the_command_prints_a_table(tmp_path):
    from sentiment_lstm import train

    texts, labels = ["a good film", "a bad film"] * 20, ["positive", "negative"] * 20
    model = train(
        texts, labels, {"model": {"units": 2}, "train": {"epochs": 1}}, output=tmp_path / "m"
    )
    command = [sys.executable, "-m", "tests.behaviour", str(model), "--card"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line.split(" |")[0].strip("| ") for line in lines[2:-2]] == list(CAPABILITIES)
    assert lines[-1].startswith("pairs right on both sides: ")
    card = (Path(model) / "README.md").read_text("utf-8")
    rates = dict(re.findall(r"^\| behaviour (.+) failed \| ([.0-9]+) \|$", card, re.MULTILINE))
    told = dict(re.findall(r"^\| (.+) \| \d+ \| ([.0-9]+)% \|$", done.stdout, re.MULTILINE))
    assert set(rates) == set(CAPABILITIES)
    assert all(abs(100 * float(rates[name]) - float(told[name])) < 0.1 for name in rates)
    assert "| behaviour pairs right on both sides | " in card
