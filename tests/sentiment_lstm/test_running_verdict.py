"""The running verdict is the classifier's own answer for each prefix."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import THREE, random_ids, random_network

from sentiment_lstm import running_verdict as module
from sentiment_lstm.gate_trace import trace
from sentiment_lstm.inference import Network
from sentiment_lstm.predictions import Answers
from sentiment_lstm.running_verdict import Running, lengths_to_read, running_verdict

POOLINGS = (("last",), ("max",), ("mean",), ("mean", "last", "max"))


def run(config, weights, ids):
    return running_verdict(config, weights, ids, trace(config, weights, ids)[-1])


@given(
    st.sampled_from(POOLINGS), st.integers(1, 2), st.integers(1, 2), st.integers(0, 25),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
@settings(max_examples=40)
def test_each_prefix_gets_the_answer_of_a_text_of_just_these_tokens(
    pooling, directions, layers, length, seed
):
    config, weights = random_network(
        pooling=pooling, directions=directions, layers=layers, labels=THREE, seed=seed
    )
    ids = random_ids(length, seed)
    running = run(config, weights, ids)
    assert running.lengths == tuple(range(length + 1))
    expected = Network(config, weights).logits([ids[:n] for n in running.lengths])
    np.testing.assert_allclose(running.logits, expected, atol=1e-4)
    answers = Answers(config)(running.logits)
    assert running.labels == tuple(answer.label for answer in answers)
    torn = run(replace(config, abstain=0.3), weights, ids)
    close = [max(a.probabilities) - sorted(a.probabilities)[-2] < 0.3 for a in answers]
    expected = ["unsure" if c else a.label for c, a in zip(close, answers, strict=True)]
    assert [*torn.labels] == expected


def turning(labels, lengths=None):
    lengths = tuple(range(len(labels))) if lengths is None else lengths
    return Running(lengths, np.zeros((len(labels), 1)), tuple(labels))


def test_the_flip_is_the_last_token_at_which_the_verdict_turns():
    assert turning("nnpp").flip == 1
    assert turning("npnnp").flip == 3
    assert turning("np").flip == 0
    assert turning("nn").flip is None
    assert turning("n").flip is None


def test_it_is_told_whether_every_prefix_was_read():
    assert turning("npn").read_all
    assert not Running((0, 1, 3), np.zeros((3, 1)), ("n", "p", "n")).read_all


def test_a_regression_has_no_verdict_that_flips():
    config, weights = random_network(labels=())
    assert run(config, weights, random_ids(9)).flip is None


@pytest.mark.parametrize("layers", [1, 2])
def test_of_a_long_text_some_prefixes_are_read_and_both_beside_the_last_turn(monkeypatch, layers):
    flips = 0
    for seed in range(8):
        config, weights = random_network(layers=layers, pooling=("last",), seed=seed)
        ids = random_ids(60, seed)
        full = run(config, weights, ids)
        with monkeypatch.context() as patch:
            patch.setattr(module, "MOST_WORK", 60**2 // 2 * 4 * 9 * (4 if layers == 2 else 1) // 5)
            some = run(config, weights, ids)
        assert set(range(0, 60, 5)) | {60} <= set(some.lengths) < set(full.lengths)
        assert list(some.lengths) == sorted(set(some.lengths))
        np.testing.assert_allclose(some.logits, full.logits[list(some.lengths)], atol=1e-6)
        if some.flip is not None:
            flips += 1
            assert full.labels[some.flip] != full.labels[some.flip + 1] == some.labels[-1]
            assert {some.flip, some.flip + 1} <= set(some.lengths)
    assert flips


def test_few_prefixes_are_read_to_find_the_turn(monkeypatch):
    monkeypatch.setattr(module, "MOST_WORK", 600**2 // 2 * 4 * 9 // 100)
    found = []
    for seed in range(8):
        config, weights = random_network(pooling=("last",), seed=seed)
        some = run(config, weights, random_ids(600, seed))
        found += [] if some.flip is None else [len(some.lengths)]
        assert len(some.lengths) <= 7 + 9 + 3 + 2  # of 7, 100, 10 and 3 apart
    assert max(found) > 7


def test_one_direction_answers_for_every_prefix_whatever_the_length():
    config, _ = random_network(directions=1, units=1024)
    assert len(lengths_to_read(config, 5000)) == 5001


def test_work_on_prefixes_is_bounded():
    config, _ = random_network(directions=2, units=1024)
    lengths = lengths_to_read(config, 5000)
    assert lengths[0] == 0
    assert lengths[-1] == 5000
    assert sum(lengths) * 4 * 1024**2 < 1.1 * module.MOST_WORK + 2 * 5000 * 4 * 1024**2
