import dataclasses
import itertools
import math
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ml_dtypes import bfloat16

from sentiment_lstm import bfloat16_products, compiled_inference, inference, streaming
from sentiment_lstm import classifier as classifier_module
from sentiment_lstm.bundle import BundleConfig, read_bundle
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.compiled_inference import compiled_network
from sentiment_lstm.errors import DataError, SettingsError
from sentiment_lstm.inference import Network, gates, halved, lstm_step
from sentiment_lstm.precision import narrow_fits
from sentiment_lstm.text import Encoder

ROOT = Path(classifier_module.__file__).parents[1]
TOKENS = 13
FIVE = ("one", "two", "three", "four", "five")
POOLS = (("last",), ("max",), ("mean",), ("mean", "last", "max"))
GRID = list(itertools.product((1, 2), (1, 2), POOLS, (1, 5)))
TEXTS = ["a good film.", "", "it did n't", "bad!!! bad", "unheard words only", "not a good film 😀"]


def config_of(layers=1, directions=1, pooling=("last",), outputs=1, **settings):
    labels = ("negative", "positive") if outputs == 1 else FIVE
    shape = {"layers": layers, "directions": directions, "pooling": pooling}
    return BundleConfig(labels=labels, embedding=4, units=3, **shape, **settings)


def weights_of(config, seed=0, scale=0.5):
    generator = np.random.default_rng(seed)
    shapes = config.weight_shapes(TOKENS)
    return {n: generator.normal(0.1, scale, s).astype(np.float32) for n, s in shapes.items()}


def sequences_of(lengths, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.integers(1, TOKENS, n).astype(np.int32) for n in lengths]


LENGTHS = [3, 0, 1, 7, 7, 2, 19, 1, 0, 5]


# --- the network, one token after the other, in float64 ---


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def as_it_is(numbers):
    return numbers.copy()


def read(weights, name, inputs, stored=as_it_is):
    """States after each token, one number at a time, gates in the order i, f, g, o.

    `stored` gives what recurrent products take in place of their numbers.
    """
    kernel, recurrent, bias = (
        weights[f"{name}.{part}"].astype(float) for part in ("kernel", "recurrent_kernel", "bias")
    )
    H, recurrent = len(recurrent), stored(recurrent)
    c, h, states = np.zeros(H), np.zeros(H), []
    for x in inputs:
        before = stored(h)
        for u in range(H):
            z = [x @ kernel[:, k] + before @ recurrent[:, k] + bias[k] for k in range(u, 4 * H, H)]
            i, f, g, o = sigmoid(z[0]), sigmoid(z[1]), math.tanh(z[2]), sigmoid(z[3])
            c[u] = f * c[u] + i * g
            h[u] = o * math.tanh(c[u])
        states.append(h.copy())
    return states


def by_hand(config, weights, ids, stored=as_it_is):
    states = [weights["embedding"][i].astype(float) for i in ids]
    last = np.zeros(config.units * config.directions)
    for layer in range(config.layers):
        forward = read(weights, f"lstm.{layer}.forward", states, stored)
        backward = [np.zeros(0)] * len(forward)
        if config.directions == 2:
            backward = read(weights, f"lstm.{layer}.backward", states[::-1], stored)[::-1]
        states = [np.concatenate(pair) for pair in zip(forward, backward, strict=True)]
        if states:
            last = np.concatenate([forward[-1], backward[0]])
    zero = np.zeros(config.units * config.directions)
    pools = {
        "last": last,
        "max": np.max(states, axis=0) if states else zero,
        "mean": np.mean(states, axis=0) if states else zero,
    }
    pooled = np.concatenate([pools[kind] for kind in config.pooling])
    return pooled @ weights["head.kernel"].astype(float) + weights["head.bias"]


@pytest.fixture(params=[Network, compiled_network], ids=["numpy", "compiled"])
def network_of(request):
    """Makes a network of a configuration and weights, in either form."""
    return request.param


@pytest.mark.parametrize(("layers", "directions", "pooling", "outputs"), GRID)
def test_logits_equal_the_equations_written_out(network_of, layers, directions, pooling, outputs):
    config = config_of(layers, directions, pooling, outputs)
    weights, sequences = weights_of(config), sequences_of(LENGTHS)
    expected = [by_hand(config, weights, ids) for ids in sequences]
    np.testing.assert_allclose(network_of(config, weights).logits(sequences), expected, atol=1e-5)


def stock_logits(config, weights, sequences):
    """The same network from `keras.layers.LSTM` and `Bidirectional`, padded and masked."""
    keras = pytest.importorskip("keras")
    time = max(1, *map(len, sequences))
    ids = np.array([np.pad(s, (0, time - len(s))) for s in sequences])
    mask = np.arange(time) < np.array([[len(s)] for s in sequences])
    x, last = weights["embedding"][ids], None
    for index in range(config.layers):
        make = {"units": config.units, "return_sequences": True, "return_state": True}
        layer = keras.layers.LSTM(**make)
        if config.directions == 2:
            layer = keras.layers.Bidirectional(layer)
        layer.build(x.shape)
        names = [f"lstm.{index}.{d}" for d in ("forward", "backward")[: config.directions]]
        parts = ("kernel", "recurrent_kernel", "bias")
        layer.set_weights([weights[f"{name}.{part}"] for name in names for part in parts])
        x, *state = (np.array(t) for t in layer(x, mask=mask))
        last = np.concatenate(state[::2], axis=-1)
    where, some = mask[:, :, None], mask.any(axis=1)[:, None]
    pools = {
        "last": last,
        "max": np.where(some, np.where(where, x, -np.inf).max(axis=1), 0),
        "mean": np.where(where, x, 0).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)[:, None],
    }
    pooled = np.concatenate([pools[kind] for kind in config.pooling], axis=1)
    return pooled @ weights["head.kernel"] + weights["head.bias"]


@pytest.mark.parametrize(("layers", "directions", "pooling", "outputs"), GRID)
def test_logits_equal_stock_keras_layers(network_of, layers, directions, pooling, outputs):
    config = config_of(layers, directions, pooling, outputs)
    weights, sequences = weights_of(config, seed=1), sequences_of(LENGTHS, seed=1)
    expected = stock_logits(config, weights, sequences)
    np.testing.assert_allclose(network_of(config, weights).logits(sequences), expected, atol=1e-5)


@given(
    st.integers(1, 40), st.integers(1, 2), st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 30), min_size=1, max_size=120),
)  # fmt: skip
@settings(max_examples=40)
def test_compiled_is_numpy_for_any_width_and_lengths(units, directions, seed, lengths):
    config = config_of(1, directions, ("last", "max", "mean"))
    config = dataclasses.replace(config, units=units)
    # Larger weights make a network chaotic: it doubles what two sums were rounded apart.
    weights, sequences = weights_of(config, seed, scale=0.2), sequences_of(lengths, seed)
    expected = Network(config, weights).logits(sequences)
    actual = compiled_network(config, weights).logits(sequences)
    # Logits reach 30, where float32 has steps of 2e-6.
    np.testing.assert_allclose(actual, expected, atol=1e-5, rtol=1e-6)


def in_bfloat16(numbers):
    return numbers.astype(bfloat16).astype(float)


NEEDS_BFLOAT16 = pytest.mark.skipif(
    not narrow_fits(16), reason="no products in bfloat16 on this processor"
)
HALF = partial(compiled_network, precision="mixed_bfloat16")


@NEEDS_BFLOAT16
@pytest.mark.parametrize("units", [16, 48, 80])
@pytest.mark.parametrize(("layers", "directions"), [(1, 1), (1, 2), (2, 2)])
def test_recurrent_products_alone_are_in_bfloat16(layers, directions, units):
    config = config_of(layers, directions, ("last", "max", "mean"), 5)
    config = dataclasses.replace(config, units=units)
    # Of mean 0: many units would else drive each other to where rounding is not felt.
    weights = {n: w - np.float32(0.1) for n, w in weights_of(config, seed=units, scale=0.2).items()}
    # More texts than a product takes at a time, so that some end amid a step's.
    sequences = sequences_of([*LENGTHS, *[9] * 20, 4], seed=units)
    expected = [by_hand(config, weights, ids, in_bfloat16) for ids in sequences]
    off, single = (
        abs(each(config, weights).logits(sequences) - expected) for each in (HALF, compiled_network)
    )
    # Where a state lies between two numbers of bfloat16, float32 and float64 may choose unlike.
    assert off.max() < 2e-3
    assert off.mean() < 0.1 * single.mean()


@NEEDS_BFLOAT16
def test_in_bfloat16_too_neighbours_never_change_an_answer():
    config = dataclasses.replace(config_of(1, 2, ("max", "mean"), 2), units=48)
    network, sequences = HALF(config, weights_of(config)), sequences_of(LENGTHS * 60)
    alone = np.concatenate([network.logits([s]) for s in sequences[:20]])
    np.testing.assert_allclose(network.logits(sequences)[:20], alone, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("units", [3, 16])
def test_without_instructions_for_bfloat16_all_is_float32(make_bundle, monkeypatch, units):
    monkeypatch.setattr(bfloat16_products, "available", lambda: False)
    path = make_bundle(units=units)
    half = SentimentClassifier.load(path, precision="mixed_bfloat16")
    single = SentimentClassifier.load(path, compiled=True)
    assert (half.runs_in, single.runs_in) == ("float32", "float32")
    assert half.logits(TEXTS).tobytes() == single.logits(TEXTS).tobytes()


@NEEDS_BFLOAT16
def test_a_classifier_in_bfloat16_answers_alike_however_many_texts_came_before(make_bundle, made):
    path = make_bundle(units=16)
    classifier = SentimentClassifier.load(path, precision="mixed_bfloat16")
    assert classifier.runs_in == "mixed_bfloat16"
    expected = classifier.logits(TEXTS)
    copy = pickle.loads(pickle.dumps(classifier))  # noqa: S301 - written in this line
    for each in (classifier, copy):
        later = each.logits(TEXTS * 50)[-len(TEXTS) :]
        np.testing.assert_allclose(later, expected, atol=1e-6, rtol=1e-6)
    assert len(made) == 2
    single = SentimentClassifier.load(path).logits(TEXTS)
    np.testing.assert_allclose(expected, single, atol=0.02)
    assert abs(expected - single).max() > 1e-5


def test_a_precision_that_cannot_be_is_refused(make_bundle):
    path = make_bundle()
    with pytest.raises(SettingsError, match="'float16': give one of float32, mixed_bfloat16"):
        SentimentClassifier.load(path, precision="float16")
    with pytest.raises(SettingsError, match="leave compiled=False out"):
        SentimentClassifier.load(path, compiled=False, precision="mixed_bfloat16")


def test_a_step_is_the_equations_for_extreme_inputs_too():
    extremes = np.array([-2000, -90, -3, 0, 0.5, 30, 2000], np.float32)
    z = np.stack([np.roll(extremes, shift) for shift in range(4)])[:, :, np.newaxis]
    c, h = np.full((7, 1), 0.3, np.float32), np.zeros((7, 1), np.float32)
    i, f, o = np.exp(-np.logaddexp(0, -z[[0, 1, 3]].astype(float)))
    expected = f * 0.3 + i * np.tanh(z[2].astype(float))
    state = z * np.array([0.5, 0.5, 1, 0.5], np.float32).reshape(4, 1, 1)
    with np.errstate(all="raise", under="ignore"):
        lstm_step(state, c, h)
    np.testing.assert_allclose(c, expected, atol=1e-6)
    np.testing.assert_allclose(h, o * np.tanh(expected), atol=1e-6)


def test_gates_come_in_keras_order_from_a_fused_kernel():
    kernel = np.arange(8, dtype=np.float32).reshape(1, 8) / 4  # one input, two units
    i, f, g, o = gates(halved(kernel))
    np.testing.assert_allclose(i, 1 / (1 + np.exp(-kernel[:, 0:2])), atol=1e-6)
    np.testing.assert_allclose(f, 1 / (1 + np.exp(-kernel[:, 2:4])), atol=1e-6)
    np.testing.assert_allclose(g, np.tanh(kernel[:, 4:6]), atol=1e-6)
    np.testing.assert_allclose(o, 1 / (1 + np.exp(-kernel[:, 6:8])), atol=1e-6)


@pytest.mark.parametrize("layers", [1, 2])
def test_memory_bounds_change_no_answer(network_of, monkeypatch, layers):
    config = config_of(layers, 2, ("max", "mean"), 5)
    weights, sequences = weights_of(config), sequences_of([*LENGTHS * 40, 300])
    whole = network_of(config, weights).logits(sequences)
    monkeypatch.setattr(inference, "TABLE_BYTES", 16 * 3 * 8)  # tables of 8 rows
    np.testing.assert_allclose(network_of(config, weights).logits(sequences), whole, atol=1e-6)


@given(st.lists(st.integers(0, 400), max_size=600), st.integers(1, 2000))
@example([3] * 300, 10**6)
def test_batches_hold_every_text_once_within_their_bound(lengths, most):
    sequences = [range(length) for length in sorted(lengths, reverse=True)]
    batches = list(inference._split(sequences, most))
    assert list(itertools.chain(*batches)) == sequences
    for batch in batches:
        assert len(batch) == 1 or 1 < len(batch) * len(batch[0]) <= most or not batch[0]


@given(st.lists(st.text("ab ", max_size=60), max_size=90), st.integers(1, 40))
def test_texts_are_encoded_once_each_and_answered_in_their_order(texts, batch_texts):
    config = config_of(1, 1, ("mean",), 5)
    network, encoded = Network(config, weights_of(config), batch_texts=batch_texts), []

    def encode(some):
        encoded.extend(some)
        return [np.array([1 + (ord(c) % 3) for c in text.strip()], int) for text in some]

    expected = [network.logits(encode([text]))[0] for text in texts]
    encoded.clear()
    np.testing.assert_allclose(
        network.logits(texts, encode), np.reshape(expected, (-1, 5)), atol=1e-6
    )
    assert sorted(encoded) == sorted(texts)


def test_a_text_answers_alike_to_the_bit_whatever_was_classified_before():
    config = config_of(2, 2, ("max", "mean"), 2)
    weights, sequences = weights_of(config), sequences_of(LENGTHS)
    fresh, used = compiled_network(config, weights), compiled_network(config, weights)
    for sequence in sequences_of([40, 3, 17], seed=5):
        used.logits([sequence])
    for sequence in sequences:
        assert used.logits([sequence]).tobytes() == fresh.logits([sequence]).tobytes()


@pytest.mark.parametrize("layers", [1, 2])
def test_neighbours_never_change_an_answer(network_of, layers):
    config = config_of(layers, 2, ("last", "max", "mean"), 5)
    network, sequences = network_of(config, weights_of(config)), sequences_of(LENGTHS * 60)
    together = network.logits(sequences)
    alone = np.concatenate([network.logits([s]) for s in sequences[:20]])
    np.testing.assert_allclose(together[:20], alone, atol=1e-6)
    np.testing.assert_allclose(network.logits(sequences[::-1])[::-1], together, atol=1e-6)


def test_equal_texts_have_equal_answers_wherever_they_stand(make_bundle):
    classifier = SentimentClassifier.load(make_bundle())
    logits = classifier.logits(TEXTS * 200)
    np.testing.assert_allclose(logits, np.tile(classifier.logits(TEXTS), 200), atol=1e-6)


@pytest.fixture
def made(monkeypatch):
    """The compiled networks that come to be."""
    networks = []

    def compiled(*of):
        networks.append(compiled_network(*of))
        return networks[-1]

    monkeypatch.setattr(compiled_inference, "compiled_network", compiled)
    return networks


def test_the_compiled_network_takes_over_when_there_is_work_for_it(made, make_bundle, monkeypatch):
    path = make_bundle()
    never = SentimentClassifier.load(path, compiled=False)
    expected = never.logits(TEXTS)
    assert SentimentClassifier.load(path).logits(TEXTS).tolist() == expected.tolist()
    assert not made
    at_once = SentimentClassifier.load(path, compiled=True)
    np.testing.assert_allclose(at_once.logits(TEXTS), expected, atol=1e-6)
    assert len(made) == 1
    config = never.config
    tokens = sum(len(never._encode(text)) for text in TEXTS)
    work = tokens * 4 * config.units**2 * config.directions * config.layers
    monkeypatch.setattr(classifier_module, "COMPILED_AFTER", 2 * work)
    later = SentimentClassifier.load(path)
    for times in (1, 1, 2, 2):
        np.testing.assert_allclose(later.logits(TEXTS), expected, atol=1e-6)
        assert len(made) == times
    assert later._network is made[-1]


def test_many_threads_compile_once_and_get_equal_answers(made, make_bundle, monkeypatch):
    monkeypatch.setattr(classifier_module, "COMPILED_AFTER", 1)
    classifier, start = SentimentClassifier.load(make_bundle()), Barrier(4)
    expected = SentimentClassifier.load(make_bundle(), compiled=False).logits(TEXTS)

    def work(_):
        start.wait()
        return classifier.logits(TEXTS)

    with ThreadPoolExecutor(4) as pool:
        for answers in pool.map(work, range(4)):
            np.testing.assert_allclose(answers, expected, atol=1e-6)
    assert len(made) == 1


def test_without_a_compiler_numpy_goes_on(make_bundle, monkeypatch, caplog):
    monkeypatch.setattr(classifier_module, "COMPILED_AFTER", 0)
    monkeypatch.setitem(sys.modules, "sentiment_lstm.compiled_inference", None)
    classifier = SentimentClassifier.load(make_bundle())
    for _ in range(2):
        assert len(classifier.logits(TEXTS)) == len(TEXTS)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("compiled", [None, True, False])
def test_a_classifier_goes_to_another_process(make_bundle, compiled):
    classifier = SentimentClassifier.load(make_bundle(), compiled=compiled)
    copy = pickle.loads(pickle.dumps(classifier))  # noqa: S301 - written one line above
    assert copy.logits(TEXTS).tolist() == classifier.logits(TEXTS).tolist()


# --- texts to predictions ---


def test_texts_are_encoded_as_the_bundle_says(make_bundle):
    bundle = read_bundle(make_bundle())
    encode = Encoder(bundle.vocabulary, bundle.config.max_tokens, bundle.config.head_tokens)
    texts = [*TEXTS, "a good film " * 9]
    expected = [by_hand(bundle.config, bundle.weights, encode(text))[0] for text in texts]
    classifier = SentimentClassifier(bundle)
    np.testing.assert_allclose(classifier.logits(texts), expected, atol=1e-5)
    ids = [encode(text) for text in texts]
    np.testing.assert_allclose(classifier.logits_of_ids(ids), expected, atol=1e-5)


def test_bytes_answer_as_their_text(make_bundle):
    classifier = SentimentClassifier.load(make_bundle())
    texts = ["ça, a good film 😀", "bad", ""]
    assert classifier.classify([t.encode() for t in texts]) == classifier.classify(texts)
    assert classifier.classify([b"\xff\x00\xfe"])  # no UTF-8 at all


def test_a_text_without_tokens_has_the_logit_of_the_bias(make_bundle):
    bundle = read_bundle(make_bundle())
    logits = SentimentClassifier(bundle).logits(["", "  \n", "a"])
    np.testing.assert_array_equal(logits[:2], bundle.weights["head.bias"].repeat(2))
    assert logits[2] != logits[0]


def test_logits_have_one_column_less_where_there_is_one_output(make_bundle):
    one = SentimentClassifier.load(make_bundle("one"))
    many = SentimentClassifier.load(make_bundle("many", labels=FIVE))
    assert one.logits(TEXTS).shape == (6,)
    assert many.logits(TEXTS).shape == (6, 5)
    assert one.logits([]).shape == (0,)
    assert many.logits([]).shape == (0, 5)
    assert one.logits(TEXTS).dtype == many.logits([]).dtype == np.float32


def test_two_labels_are_decided_by_temperature_and_threshold(make_bundle):
    settings = {"temperature": 2.5, "threshold": 0.6}
    classifier = SentimentClassifier.load(make_bundle(**settings))
    logits = classifier.logits(TEXTS).astype(float)
    expected = 1 / (1 + np.exp(-logits / 2.5))
    for p, prediction in zip(expected, classifier.classify(TEXTS), strict=True):
        assert prediction.probability == pytest.approx(p, rel=1e-12)
        assert prediction.probabilities == (1 - prediction.probability, prediction.probability)
        assert prediction.label == ("positive" if p >= 0.6 else "negative")
        assert prediction.value is None


def test_a_threshold_is_met_by_an_equal_probability(make_bundle):
    classifier = SentimentClassifier.load(make_bundle())
    p = classifier.classify(["a film"])[0].probability
    assert classifier.classify(["a film"], threshold=p)[0].label == "positive"
    above = math.nextafter(p, 2)
    assert classifier.classify(["a film"], threshold=above)[0].label == "negative"
    assert classifier.classify(["a film"], threshold=0.0)[0].label == "positive"


@pytest.mark.parametrize("threshold", [-0.1, 1.1, math.nan])
def test_an_impossible_threshold_is_refused_at_once(make_bundle, threshold):
    classifier = SentimentClassifier.load(make_bundle())
    with pytest.raises(SettingsError, match="from 0 to 1"):
        classifier.stream([], threshold=threshold)


def test_a_threshold_among_many_labels_is_refused(make_bundle):
    classifier = SentimentClassifier.load(make_bundle(labels=FIVE))
    with pytest.raises(SettingsError, match="5 labels"):
        classifier.classify(TEXTS, threshold=0.5)


def test_many_labels_are_decided_by_the_largest_probability(make_bundle):
    classifier = SentimentClassifier.load(make_bundle(labels=FIVE, temperature=0.4))
    scaled = np.exp(classifier.logits(TEXTS).astype(float) / 0.4)
    expected = scaled / scaled.sum(axis=1, keepdims=True)
    predictions = classifier.classify(TEXTS)
    np.testing.assert_allclose([p.probabilities for p in predictions], expected, rtol=1e-9)
    for row, prediction in zip(expected, predictions, strict=True):
        assert prediction.label == FIVE[row.argmax()]
        assert prediction.probability == max(prediction.probabilities)


def test_a_regression_gives_its_value_scaled_and_moved(make_bundle):
    settings = {"task": "regression", "labels": (), "target_scale": 3.0, "target_mean": -7.0}
    classifier = SentimentClassifier.load(make_bundle(**settings))
    expected = classifier.logits(TEXTS).astype(float) * 3 - 7
    predictions = classifier.classify(TEXTS)
    np.testing.assert_allclose([p.value for p in predictions], expected, rtol=1e-12)
    assert all(p.label == "" and p.probabilities == () for p in predictions)
    assert all(math.isnan(p.probability) for p in predictions)


def with_bias(bundle, *bias):
    weights = {**bundle.weights, "head.bias": np.array(bias, np.float32)}
    return SentimentClassifier(dataclasses.replace(bundle, weights=weights))


def test_far_logits_give_probabilities_without_overflow(make_bundle):
    two = read_bundle(make_bundle("two"))
    assert with_bias(two, -1e5).classify(["a"])[0].probabilities == (1.0, 0.0)
    assert with_bias(two, 1e5).classify(["a"])[0].probabilities == (0.0, 1.0)
    assert 0 < with_bias(two, -100.0).classify([""])[0].probability < 1e-40
    five = read_bundle(make_bundle("five", labels=FIVE))
    answer = with_bias(five, 0, 1e5, -1e5, 0, 0).classify([""])[0]
    assert answer.probabilities == (0.0, 1.0, 0.0, 0.0, 0.0)


# --- streams ---


def test_an_endless_stream_is_answered_in_order(make_bundle):
    classifier = SentimentClassifier.load(make_bundle())
    expected = classifier.classify(TEXTS)
    answers = itertools.islice(classifier.stream(itertools.cycle(TEXTS)), 5000)
    for index, answer in enumerate(answers):
        assert answer.probability == pytest.approx(expected[index % 6].probability, abs=1e-6)


def test_a_stream_reads_nothing_early_and_little_ahead(make_bundle):
    taken = 0

    def texts():
        nonlocal taken
        for text in itertools.cycle(TEXTS):
            taken += 1
            yield text

    stream = SentimentClassifier.load(make_bundle()).stream(texts())
    assert taken == 0
    for answered in range(1, 10_000):
        next(stream)
        assert taken <= min(2 * answered, answered + streaming.CHUNK_TEXTS)


def test_long_texts_make_a_chunk_of_fewer_however_short_they_are_cut(make_bundle, monkeypatch):
    monkeypatch.setattr(streaming, "CHUNK_CHARACTERS", 3000)
    bundle = make_bundle(max_tokens=4, head_tokens=2)
    taken = iter(range(1000))
    stream = SentimentClassifier.load(bundle).stream("a " * 500 for _ in taken)
    for _ in range(1 + 2 + 3 + 1):  # the last is the first of a chunk
        next(stream)
    assert next(taken) == 1 + 2 + 3 + 3


def test_a_failing_source_fails_its_reader(make_bundle):
    def texts():
        yield "a"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        SentimentClassifier.load(make_bundle()).classify(texts())


@given(st.lists(st.text() | st.binary(), max_size=8))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_texts_are_answered_each_as_if_alone(make_bundle, texts):
    classifier = SentimentClassifier.load(make_bundle())
    together = classifier.classify(texts)
    assert len(together) == len(texts)
    for text, prediction in zip(texts, together, strict=True):
        alone = classifier.classify([text])[0]
        assert prediction.probability == pytest.approx(alone.probability, abs=1e-6)


def test_one_text_in_place_of_a_list_is_refused(make_bundle):
    classifier = SentimentClassifier.load(make_bundle())
    for text in ("good", b"good"):
        with pytest.raises(DataError, match="give a list of texts"):
            classifier.classify(text)
        with pytest.raises(DataError, match="give a list of texts"):
            classifier.logits(text)


def test_a_value_that_is_no_text_is_named(make_bundle):
    classifier = SentimentClassifier.load(make_bundle())
    with pytest.raises(DataError, match="text 1 is nan, a float"):
        classifier.classify(["good", math.nan])


@pytest.mark.parametrize("ids", [[0], [3, 0], [-1], [16], [2, 10**9]])
def test_ids_outside_the_vocabulary_are_refused(make_bundle, ids):
    classifier = SentimentClassifier.load(make_bundle())
    with pytest.raises(DataError, match="sequence 1 holds ids"):
        classifier.logits_of_ids([np.array([1]), np.array(ids)])


def test_ids_of_every_integer_type_are_taken(make_bundle):
    classifier = SentimentClassifier.load(make_bundle())
    ids = np.array([1, 5, 15, 2])
    logits = [classifier.logits_of_ids([ids.astype(t)])[0] for t in ("u2", "u4", "i4", "i8")]
    assert len(set(logits)) == 1


def test_progress_sees_every_text(make_bundle):
    seen = []

    def progress(items, *, total, label):
        for item in items:
            seen.append((item, total))
            yield item

    SentimentClassifier.load(make_bundle()).logits(TEXTS, progress=progress)
    assert seen == [(text, 6) for text in TEXTS]


WITHOUT_TENSORFLOW = """
import sys
from sentiment_lstm.classifier import SentimentClassifier
print(SentimentClassifier.load(sys.argv[1]).classify(["a good film"])[0].label)
heavy = {
    "tensorflow", "keras", "sklearn", "torch", "jax", "scipy", "matplotlib", "click", "numba",
}
print(sorted(heavy & set(sys.modules)))
"""


def test_classifying_imports_nothing_heavy(make_bundle):
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, str(make_bundle())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    label, heavy = done.stdout.splitlines()
    assert label in ("negative", "positive")
    assert heavy == "[]"
