"""The experiment finds what was hidden in networks whose deciding word is known."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from random_networks import TOKENS, random_ids, random_network

from sentiment_lstm import demo
from sentiment_lstm.bundle import Bundle, write_bundle
from sentiment_lstm.dissection import dissect
from sentiment_lstm.explained_output import explained_output
from sentiment_lstm.gate_trace import trace
from sentiment_lstm.inference import Network
from sentiment_lstm.text import UNKNOWN, Vocabulary, tokenise
from tests.faithfulness.deletion import BINS, rationales, variants
from tests.faithfulness.experiment import falls, measured
from tests.faithfulness.methods import (
    ContextualDecomposition,
    ExactShares,
    IntegratedGradients,
    Occlusion,
    Random,
    methods_of,
)
from tests.faithfulness.table import HEADINGS, render, with_interval

ROOT = Path(__file__).parents[2]


def bundle_of(**settings):
    config, weights = random_network(**settings)
    words = ("[PAD]", "[UNK]", *(f"w{n}" for n in range(TOKENS - 2)))
    return Bundle(config, weights, Vocabulary(words), Path())


def test_a_rationale_is_what_is_ranked_first_one_word_at_least():
    scores = np.arange(20.0)[::-1]
    found = [np.flatnonzero(r).tolist() for r in rationales(scores)]
    assert found == [[0], [0], [0, 1], [0, 1, 2, 3], list(range(10))]


def test_deletion_is_by_the_unknown_token():
    ids = np.array([5, 6, 7, 8], np.int32)
    removed, kept = variants(ids, np.array([0.0, 3.0, 1.0, 2.0]))
    assert removed[0].tolist() == [5, UNKNOWN, 7, 8]
    assert removed[-1].tolist() == [5, UNKNOWN, 7, UNKNOWN]
    assert kept[-1].tolist() == [UNKNOWN, 6, UNKNOWN, 8]
    assert len(removed) == len(kept) == len(BINS)


def deciding_word(settings):
    """A network that one word alone decides, whatever stands around it: w9, id 11."""
    bundle = bundle_of(directions=1, **settings)
    for name, array in bundle.weights.items():
        array[...] = 0
        if name == "lstm.0.forward.bias":
            array[3:6] = 6  # what is written stays
    bundle.weights["embedding"][11] = 3
    bundle.weights["lstm.0.forward.kernel"][:, 6:9] = 1
    bundle.weights["head.kernel"][...] = 5
    return bundle, np.array([4, 7, 3, 11, 5, 6, 9, 2, 4, 8], np.int32)


@pytest.mark.parametrize("pooling", ["last", "max", "mean"])
@pytest.mark.parametrize("method", [ExactShares, ContextualDecomposition, Occlusion])
def test_each_method_finds_the_word_that_decides(pooling, method):
    bundle, ids = deciding_word({"pooling": (pooling,)})
    scores = method(bundle)(ids, explained_output(bundle.config))
    assert scores.argmax() == 3
    np.testing.assert_allclose(np.delete(scores, 3), 0, atol=1e-6)
    assert scores[3] > 1


def test_the_word_that_decides_is_comprehensive_and_sufficient():
    bundle, ids = deciding_word({"pooling": ("last",)})
    network, output = Network(bundle.config, bundle.weights), explained_output(bundle.config)
    right, wrong = np.eye(10)[3], -np.eye(10)[3]
    whole, nothing = output.probabilities(network.logits([ids, np.full(10, UNKNOWN)]))
    assert falls(network, ids, right, output.probabilities) == pytest.approx((whole - nothing, 0))
    assert falls(network, ids, wrong, output.probabilities) == pytest.approx((0, whole - nothing))


@pytest.mark.parametrize("labels", [("negative", "positive"), ("bad", "fair", "good")])
@pytest.mark.parametrize("directions", [1, 2])
def test_integrated_gradients_are_complete(labels, directions):
    """They sum to the output less that of unknown words, an axiom of theirs."""
    bundle = bundle_of(labels=labels, directions=directions, pooling=("mean", "last"), scale=0.4)
    ids = random_ids(7, 1).astype(np.int32)
    gradients = IntegratedGradients(bundle, 200)
    network = Network(bundle.config, bundle.weights)
    for label in labels:
        output = explained_output(bundle.config, label)
        whole, unknown = output.of(network.logits([ids, np.full(7, UNKNOWN)]))
        scores = gradients(ids, output)
        assert scores.sum() == pytest.approx(whole - unknown, abs=2e-3)
        np.testing.assert_allclose(scores[ids == UNKNOWN], 0, atol=1e-6)


def test_occlusion_is_the_fall_of_the_output():
    bundle, ids = bundle_of(), random_ids(5).astype(np.int32)
    output = explained_output(bundle.config, "negative")
    network = Network(bundle.config, bundle.weights)
    changed = ids.copy()
    changed[2] = UNKNOWN
    whole, less = output.of(network.logits([ids, changed]))
    assert Occlusion(bundle)(ids, output)[2] == pytest.approx(whole - less, abs=1e-6)


def test_decomposition_of_many_words_is_that_of_each():
    bundle, ids = bundle_of(), random_ids(40).astype(np.int32)
    output = explained_output(bundle.config)
    scores = ContextualDecomposition(bundle)(ids, output)
    assert scores.shape == (40,)
    alone = np.zeros((1, 40), np.bool_)
    alone[0, 35] = True
    found = dissect(bundle.weights, trace(bundle.config, bundle.weights, ids), output)
    assert scores[35] == pytest.approx(found.relevant(alone)[0])


def test_what_is_explained_is_the_models_own_verdict():
    """A method that is handed another label than the verdict would be seen here."""
    bundle = bundle_of(labels=("bad", "fair", "good"), seed=4)
    texts = [random_ids(6, seed).astype(np.int32) for seed in range(5)]
    handed = []

    def method(ids, output):
        handed.append(output.label)
        return np.zeros(len(ids))

    measured(bundle, texts, {"spy": method})
    logits = Network(bundle.config, bundle.weights).logits(texts)
    verdicts = [bundle.config.labels[row.argmax()] for row in logits]
    assert handed == [verdicts[0], *verdicts]


def test_ctrl_c_ends_it_with_what_the_texts_so_far_have_shown():
    def texts():
        yield from [random_ids(4)] * 3
        raise KeyboardInterrupt

    outcome = measured(bundle_of(), texts(), {"random": Random(np.random.default_rng(0))})
    assert len(outcome["random"].sufficiency) == 3


def test_the_same_seed_is_the_same_random_ranking():
    ids = np.arange(9, dtype=np.int32)
    one, same, other = (Random(np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one(ids, None), same(ids, None))
    assert (one(ids, None) != other(ids, None)).any()


def test_a_table_has_a_row_a_method():
    bundle, ids = deciding_word({"pooling": ("last",)})
    methods = {"ours": ExactShares(bundle), "random": Random(np.random.default_rng(0))}
    header, _, ours, random = render(measured(bundle, [ids] * 3, methods)).splitlines()
    assert [cell.strip() for cell in header.strip("|").split("|")] == list(HEADINGS)
    assert ours.startswith("| ours | 0.4")
    assert random.startswith("| random | ")
    assert with_interval([0.1, 0.3]) == "0.200 ± 0.196"


def test_every_method_is_there():
    names = list(methods_of(bundle_of(), steps=3, seed=0))
    assert names == [
        "exact shares", "contextual decomposition", "integrated gradients, 3 steps", "occlusion",
        "random",
    ]  # fmt: skip


def test_the_command_prints_the_table(tmp_path):
    config, _ = random_network(data={"source": "demo", "size": 40})
    counts = Counter(t for text, _ in demo.generate("train", 40, seed=0) for t in tokenise(text))
    vocabulary = Vocabulary.from_counts(counts, 1000, 1)
    generator = np.random.default_rng(0)
    weights = {
        name: generator.normal(0, 0.7, shape).astype(np.float32)
        for name, shape in config.weight_shapes(len(vocabulary)).items()
    }
    write_bundle(tmp_path / "model", config, weights, vocabulary, "# A tiny model\n")
    command = [sys.executable, "-m", "tests.faithfulness", str(tmp_path / "model")]
    done = subprocess.run(
        [*command, "--texts", "3", "--steps", "4"],
        cwd=ROOT, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert [line.split(" |")[0].strip("| ") for line in lines[2:7]] == [
        "exact shares", "contextual decomposition", "integrated gradients, 4 steps", "occlusion",
        "random",
    ]  # fmt: skip
    assert lines[-1].startswith("3 texts, ")
