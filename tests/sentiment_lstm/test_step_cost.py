"""What a step costs: the counts of the networks, times that are times."""

from sentiment_lstm.step_cost import STOCK, Shape, step_costs
from sentiment_lstm.trials import Net


def test_every_network_and_the_stock_layer_is_counted_and_timed():
    nets = {"LSTM": Net("lstm", 3), "RNN": Net("rnn", 5)}
    costs = step_costs(nets, Shape(batch=4, time=6, features=2, repeats=2))
    assert list(costs) == ["LSTM", "RNN", STOCK]
    assert costs["RNN"]["parameters"] == 5 * (2 + 5 + 1)
    assert costs["LSTM"]["multiply_adds"] == 4 * 3 * (2 + 3) + 9
    assert {**costs[STOCK], "ms": 0} == {**costs["LSTM"], "ms": 0}
    assert all(cost["ms"] > 0 for cost in costs.values())
