import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("moves the variables of TensorFlow", allow_module_level=True)

from sentiment_lstm.tensorflow_update import compiled_update

SHAPES = ((7, 3), (4,))
OPTIONS = (
    {},
    {"global_clipnorm": 0.3},
    {"global_clipnorm": 1e6},
    {"clipnorm": 0.3},
    {"clipvalue": 0.1},
    {"global_clipnorm": 0.3, "loss_scale_factor": 8.0},
    {"global_clipnorm": 0.3, "gradient_accumulation_steps": 2},
    {"global_clipnorm": 0.3, "use_ema": True, "ema_momentum": 0.9},
)


def moved(options, gradients, update):
    """Return variables after steps by gradients, each by `update(optimizer, variables)`."""
    rng = np.random.default_rng(0)
    variables = [keras.Variable(rng.normal(size=shape).astype("float32")) for shape in SHAPES]
    optimizer = keras.optimizers.SGD(0.5, momentum=0.9, **options)
    optimizer.build(variables)
    move = update(optimizer, variables)
    for step in gradients:
        move([keras.ops.convert_to_tensor(g) for g in step])
    return [variable.numpy() for variable in variables]


def by_keras(optimizer, variables):
    return lambda gradients: optimizer.apply(gradients, variables)


def gradients(steps, seed=1):
    rng = np.random.default_rng(seed)
    return [[rng.normal(size=shape).astype("float32") for shape in SHAPES] for _ in range(steps)]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_variables_move_as_keras_moves_them(options):
    steps = gradients(4)
    found, expected = (moved(options, steps, how) for how in (compiled_update, by_keras))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("value", [np.inf, np.nan, 3e19])
def test_gradients_without_a_norm_leave_no_number_as_in_keras(value):
    step = gradients(1)
    step[0][0][2, 1] = step[0][0][0, 0] = value
    for how in (compiled_update, by_keras):
        assert np.isnan(np.concatenate([a.ravel() for a in moved(OPTIONS[1], step, how)])).all()
