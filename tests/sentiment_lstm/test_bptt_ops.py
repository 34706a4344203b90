"""Where the layer runs the LSTM that is written out, where it leaves the work to the backend."""

import keras
import numpy as np
import pytest
from backend_gradients import gradients
from keras import ops
from numpy_lstm import backward, forward

from sentiment_lstm import bptt, bptt_back, bptt_ops, bptt_words, steps
from sentiment_lstm.losses import binary_cross_entropy
from sentiment_lstm.lstm import LSTM
from sentiment_lstm.model import build_classifier
from sentiment_lstm.settings import ModelSettings

BACKEND = keras.backend.backend()
ROWS, TIME, FEATURES, UNITS = 19, 6, 5, 4

needs_host = pytest.mark.skipif(BACKEND == "jax", reason="XLA compiles the scan there")


@pytest.fixture
def calls(monkeypatch):
    """Return the names of the functions forth and back that were called, as they are."""
    made = []
    for module, name in ((bptt, "forward"), (bptt, "infer"), (bptt_back, "backward")):
        original = getattr(module, name)

        def counted(*args, original=original, name=name, **kwargs):
            made.append(name)
            return original(*args, **kwargs)

        monkeypatch.setattr(module, name, counted)
    return made


def sequences(seed=0):
    return np.random.default_rng(seed).normal(size=(ROWS, TIME, FEATURES)).astype("float32")


def built(**kwargs):
    layer = LSTM(UNITS, **kwargs)
    layer.build((None, TIME, FEATURES))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=w.shape).astype("float32") for w in layer.get_weights()])
    return layer


def in_a_graph(function):
    """Compile a function where the backend compiles."""
    if BACKEND != "tensorflow":
        return function
    import tensorflow as tf

    return tf.function(function)


@needs_host
def test_training_runs_it(calls):
    layer = built()
    expected = forward(sequences(), *layer.get_weights()).h[:, -1]
    run = in_a_graph(lambda x: layer(x, training=True))
    np.testing.assert_allclose(
        ops.convert_to_numpy(run(ops.convert_to_tensor(sequences()))), expected, atol=1e-5
    )
    assert calls == ["forward"]


@needs_host
def test_a_gradient_of_inference_runs_it_both_ways(calls):
    layer = built(return_sequences=True, go_backwards=True)
    x = sequences()
    upstream = np.random.default_rng(2).normal(size=(ROWS, TIME, UNITS)).astype("float32")
    kernel, recurrent_kernel, bias = layer.get_weights()
    run = forward(x[:, ::-1], kernel, recurrent_kernel, bias)
    expected = backward(run, x[:, ::-1], kernel, recurrent_kernel, upstream)[0][:, ::-1]
    if BACKEND == "torch":
        (actual,) = gradients(lambda x: ops.sum(ops.multiply(layer(x), upstream)), x)
    else:
        import tensorflow as tf

        inputs = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = tf.reduce_sum(layer(inputs) * upstream)
        actual = tape.gradient(value, inputs).numpy()
    np.testing.assert_allclose(actual, expected, atol=1e-5)
    assert calls == ["infer", "forward", "backward"]


@pytest.mark.parametrize(
    "kwargs",
    [
        {"activation": "relu"},
        {"recurrent_activation": "hard_sigmoid"},
        {"unroll": True},
        # JAX draws no orthogonal matrix in half precision.
        {"dtype": "float16", "recurrent_initializer": "glorot_uniform"},
    ],
)
def test_anything_else_than_the_paper_is_left_to_the_backend(calls, kwargs):
    layer = built(**kwargs)
    assert layer(sequences(), training=True).shape == (ROWS, UNITS)
    assert calls == []


# Of 16 units a matrix unit takes the products where there is one, of 4 none does. With dropout the
# scan stands beside it: in another type other units would be dropped.
@needs_host
@pytest.mark.parametrize("units", [4, 16])
@pytest.mark.parametrize("beside", ["float32", "scan"])
def test_mixed_bfloat16_runs_it_and_learns_what_others_learn(calls, monkeypatch, units, beside):
    drops = 0.5 if beside == "scan" else 0.0

    def gradients_in(policy):
        layer = LSTM(units, dtype=policy, return_sequences=True, recurrent_dropout=drops, seed=3)
        layer.build((None, TIME, FEATURES))
        rng = np.random.default_rng(1)
        shapes = [w.shape for w in layer.get_weights()]
        layer.set_weights([rng.normal(size=shape).astype("float32") / 2 for shape in shapes])
        upstream = np.random.default_rng(2).normal(size=(ROWS, TIME, units)).astype("float32")

        def loss(x):
            return ops.sum(ops.multiply(ops.cast(layer(x, training=True), "float32"), upstream))

        return weight_gradients(layer, loss, sequences())

    mixed = gradients_in("mixed_bfloat16")
    assert calls == ["forward", "backward"]
    if beside == "scan":
        monkeypatch.setattr(bptt_ops, "available", lambda *_, **__: False)
    expected = gradients_in("float32" if beside == "float32" else "mixed_bfloat16")
    for one, other in zip(mixed, expected, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=0, atol=0.03 * np.abs(other).max())


def weight_gradients(layer, loss, x):
    """Return the gradients of a loss at x by the layer's weights."""
    if BACKEND == "torch":
        loss(ops.convert_to_tensor(x)).backward()
        return [w.value.grad.numpy() for w in layer.trainable_weights]
    import tensorflow as tf

    @tf.function
    def run(x):
        with tf.GradientTape() as tape:
            value = loss(x)
        return tape.gradient(value, layer.trainable_weights)

    return [gradient.numpy() for gradient in run(tf.constant(x))]


def model():
    inputs = keras.Input((TIME, FEATURES))
    return keras.Model(inputs, keras.layers.Dense(1)(built()(inputs)))


@needs_host
def test_fit_predict_and_evaluate_of_a_keras_model_run_it(calls):
    network, targets = model(), np.zeros((ROWS, 1))
    network.compile("sgd", "mse")
    expected = ops.convert_to_numpy(network(sequences()))
    calls.clear()
    np.testing.assert_allclose(network.predict(sequences(), verbose=0), expected, atol=1e-6)
    assert set(calls) == {"infer"}
    calls.clear()
    loss = network.evaluate(sequences(), targets, verbose=0)
    assert loss == pytest.approx(np.mean(expected**2), rel=1e-5)
    assert set(calls) == {"infer"}
    calls.clear()
    network.fit(sequences(), targets, verbose=0)
    assert set(calls) == {"forward", "backward"}


@pytest.mark.skipif(BACKEND != "tensorflow", reason="graphs are TensorFlow's")
def test_a_graph_of_inference_holds_nothing_that_cannot_leave_the_process(calls):
    import tensorflow as tf

    layer = built()
    graph = tf.function(lambda x: layer(x)).get_concrete_function(
        tf.TensorSpec([None, None, FEATURES])
    )
    assert calls == []
    definition = graph.graph.as_graph_def()
    nodes = [
        n.op
        for part in (definition, *definition.library.function)
        for n in getattr(part, "node", None) or part.node_def
    ]
    assert "MatMul" in nodes or "BatchMatMulV2" in nodes
    assert not [op for op in nodes if "PyFunc" in op]


@pytest.mark.skipif(BACKEND != "tensorflow", reason="graphs are TensorFlow's")
def test_a_graph_that_stays_here_runs_it_at_inference(calls):
    import tensorflow as tf

    layer = built()
    expected = forward(sequences(), *layer.get_weights()).h[:, -1]

    @tf.function
    def run(x):
        with bptt_ops.graphs_stay_here():
            return layer(x)

    np.testing.assert_allclose(run(sequences()), expected, atol=1e-5)
    assert calls == ["infer"]
    np.testing.assert_allclose(tf.function(lambda x: layer(x))(sequences()), expected, atol=1e-5)
    assert calls == ["infer"]  # outside the block it is left to TensorFlow as before


@needs_host
def test_the_forward_pass_of_training_and_evaluation_runs_it(calls):
    network, tokens = small_classifier(), np.array([[1, 2, 3], [4, 0, 0]], np.int32)
    expected = ops.convert_to_numpy(network(tokens))
    calls.clear()
    np.testing.assert_allclose(steps.forward(network)(tokens), expected, atol=1e-6)
    assert calls == ["infer"] * 2


@needs_host
def test_words_that_are_told_are_multiplied_once(calls, monkeypatch):
    started = bptt_words.started
    monkeypatch.setattr(
        bptt_words, "started", lambda *given: calls.append("started") or started(*given)
    )
    layer, rng = built(), np.random.default_rng(2)
    vectors = rng.normal(size=(7, FEATURES)).astype("float32")
    words = rng.integers(0, 7, (ROWS, TIME)).astype("int32")
    unread = np.full((ROWS, TIME, FEATURES), np.nan, "float32")
    expected = forward(vectors[words], *layer.get_weights()).h[:, -1]
    found = ops.convert_to_numpy(layer(unread, vectors=vectors, words=words))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert calls == ["started", "infer"]


@needs_host
@pytest.mark.parametrize(
    ("words", "mask", "reason"),
    [
        ([[0, 1, 2], [0, 5, 1]], None, "do not stand in 5"),
        ([[0, -1, 2], [0, 3, 1]], None, "do not stand in 5"),
        ([[0, 1, 2], [0, 3, 1]], np.ones((2, 4), bool), "of one shape"),
    ],
)
def test_words_that_are_not_there_are_refused(words, mask, reason):
    layer, vectors = built(), np.ones((5, FEATURES), "float32")
    with pytest.raises(Exception, match=reason):  # TensorFlow has a type of its own for it
        layer(vectors[None, :3], vectors=vectors, words=np.array(words), mask=mask)


def test_words_without_vectors_are_refused():
    with pytest.raises(ValueError, match="both vectors and words"):
        built()(sequences(), words=np.zeros((ROWS, TIME), "int32"))


@needs_host
def test_words_are_masked_as_the_sequences_are():
    layer, tokens = built(), np.array([[1, 2, 0, 0], [3, 0, 0, 0]], "int32")
    embedding = keras.layers.Embedding(4, FEATURES, mask_zero=True)
    x = embedding(tokens)
    vectors = ops.convert_to_tensor(embedding.embeddings)
    told, untold, unmasked = (
        ops.convert_to_numpy(ops.stop_gradient(output))
        for output in (
            layer(x, vectors=vectors, words=tokens),
            layer(x),
            layer(ops.take(vectors, tokens, axis=0)),
        )
    )
    np.testing.assert_allclose(told, untold, atol=1e-6)
    assert not np.allclose(told, unmasked, atol=1e-3)


@needs_host
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("directions", [1, 2])
def test_a_training_step_reads_words_once(monkeypatch, directions, precision):
    made = []
    for name in ("started", "backward"):
        original = getattr(bptt_words, name)

        def counted(*args, original=original, name=name):
            made.append(name)
            return original(*args)

        monkeypatch.setattr(bptt_words, name, counted)
    sizes = ModelSettings(embedding=16, units=16, directions=directions, layers=2)
    network = build_classifier(sizes, 6, 1, precision=precision, words_once=True)
    optimizer = keras.optimizers.SGD()
    optimizer.build(network.trainable_variables)
    step = steps.train_step(network, optimizer, binary_cross_entropy())
    step(np.array([[1, 2, 2], [4, 2, 0]]), np.ones(2), np.ones(2))
    assert sorted(made) == ["backward"] * directions + ["started"] * directions


def test_where_input_is_dropped_every_place_is_read(monkeypatch):
    monkeypatch.setattr(bptt_words, "started", None)
    layer = LSTM(UNITS, dropout=0.5, seed=1)
    words = np.arange(ROWS * TIME, dtype="int32").reshape(ROWS, TIME)
    vectors = sequences().reshape(-1, FEATURES)
    told = layer(sequences(), training=True, vectors=vectors, words=words)
    layer.seed_generator.state.assign(LSTM(UNITS, dropout=0.5, seed=1).seed_generator.state)
    untold = layer(sequences(), training=True)
    np.testing.assert_allclose(*map(ops.convert_to_numpy, (told, untold)), atol=1e-6)


def small_classifier():
    settings = ModelSettings(embedding=3, units=UNITS, directions=2)
    return build_classifier(settings, vocabulary_size=6, outputs=1)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="an exported model is TensorFlow's")
def test_an_exported_keras_model_answers_like_the_model(tmp_path):
    import tensorflow as tf

    network = model()
    network.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(
        loaded.serve(sequences()), network.predict(sequences(), verbose=0), atol=1e-6
    )
    written = (tmp_path / "exported" / "saved_model.pb").read_bytes()
    assert b"PyFunc" not in written


def second_derivative(layer, x):
    """Return the gradient of the squared gradient of a layer's outputs, by TensorFlow's tapes."""
    import tensorflow as tf

    inputs = tf.constant(x)
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            value = tf.reduce_sum(layer(inputs, training=True))
        first = tf.reduce_sum(inner.gradient(value, inputs) ** 2)
    return outer.gradient(first, inputs)


@needs_host
def test_a_second_derivative_is_refused_with_the_way_out():
    layer, x = built(), sequences()
    if BACKEND == "torch":
        import torch

        inputs = torch.tensor(x, requires_grad=True)
        value = layer(inputs, training=True).sum()
        with pytest.raises(NotImplementedError, match="unroll=True"):
            torch.autograd.grad(value, inputs, create_graph=True)
        return
    with pytest.raises(NotImplementedError, match="unroll=True"):
        second_derivative(layer, x)


def test_the_way_out_has_a_second_derivative():
    layer, x = built(unroll=True), sequences()
    if BACKEND != "tensorflow":
        pytest.skip("the tapes below are TensorFlow's")
    assert np.abs(second_derivative(layer, x)).max() > 0
