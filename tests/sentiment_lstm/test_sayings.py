"""Forms of what people say, and what is said of them."""

import re
from collections import Counter
from itertools import product

import numpy as np
import pytest

from sentiment_lstm.sayings import KINDS, said, sayings
from sentiment_lstm.text import tokenise

SLOT = re.compile(r"\{([^{}]*)\}")


def every(form):
    """Return all that a form may say, written out."""
    parts = SLOT.split(form)
    slots = [part.split("|") if i % 2 else [part] for i, part in enumerate(parts)]
    return {" ".join(tokenise("".join(words))) for words in product(*slots)}


def test_each_kind_praises_and_blames_about_as_often():
    counts = {key: len(forms) for key, forms in sayings().items()}
    assert set(counts) == set(product(KINDS, (True, False)))
    for kind in KINDS:
        assert counts[kind, True] == pytest.approx(counts[kind, False], rel=0.15)
        assert min(counts.values()) >= 80


def test_a_form_says_one_of_each_slot_and_in_time_everything():
    form = "it {was|is} {|really} {great|fun} ."
    drawn = Counter(" ".join(said(form, np.random.default_rng(seed))) for seed in range(400))
    assert set(drawn) == every(form)
    assert {"it is great .", "it was really fun ."} <= set(drawn)
    assert min(drawn.values()) >= 400 / 8 / 2


@pytest.mark.parametrize("key", sayings())
def test_every_form_is_well_written(key):
    forms = sayings()[key]
    assert len(set(forms)) == len(forms)
    for form in forms:
        assert not set("{}|#") & set(SLOT.sub("", form)), form
        assert all(len(set(slot.split("|"))) == slot.count("|") + 1 for slot in SLOT.findall(form))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_said_both_to_praise_and_to_blame(kind):
    praising, blaming = (
        {text for form in sayings()[kind, side] for text in every(form)} for side in (True, False)
    )
    assert min(len(praising), len(blaming)) >= 2000
    assert not praising & blaming
