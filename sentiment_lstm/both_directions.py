"""Two LSTMs over the same sequences, one of which reads them from their end.

What `keras.layers.Bidirectional` does of its own accord, and besides hands on to both what is known
of the words that the sequences were looked up from.
"""

from typing import Any

import keras
from keras import ops

from sentiment_lstm.lstm import LSTM, Tensor


@keras.saving.register_keras_serializable(package="sentiment_lstm")
class BothDirections(keras.layers.Layer):
    """The states of two LSTMs side by side, in the order of the sequences.

    Args:
        forward_layer: reads from the start, and returns its state.
        backward_layer: reads from the end, and returns its state and, as the other, those of every
            step or of the last one.

    Call arguments: sequences, mask, training, vectors and words, as of `LSTM`.

    Returns:
        States `(batch, time, 2 * units)`, or the last ones, and the last ones
        `(batch, 2 * units)`.

    Raises:
        ValueError: the layers are not such a pair.
    """

    def __init__(self, forward_layer: LSTM, backward_layer: LSTM, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pair = forward_layer, backward_layer
        told = {(layer.return_state, layer.return_sequences) for layer in pair}
        if [layer.go_backwards for layer in pair] != [False, True] or len(told) > 1:
            raise ValueError("give an LSTM, and one alike but with go_backwards=True")
        if not forward_layer.return_state:
            raise ValueError("build both layers with return_state=True")
        self.forward_layer, self.backward_layer = forward_layer, backward_layer
        self.supports_masking = True

    def build(self, sequences_shape: Any) -> None:
        """Create the weights of both layers."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)

    def call(
        self,
        sequences: Tensor,
        mask: Any = None,
        training: bool | None = False,
        vectors: Any = None,
        words: Any = None,
    ) -> tuple[Tensor, Tensor]:
        """Run both; see the class."""
        given = {"mask": mask, "training": training, "vectors": vectors, "words": words}
        states, last, _ = self.forward_layer(sequences, **given)
        reverse, reverse_last, _ = self.backward_layer(sequences, **given)
        if self.backward_layer.return_sequences:
            reverse = ops.flip(reverse, axis=1)
        return tuple(
            ops.concatenate(pair, axis=-1) for pair in ((states, reverse), (last, reverse_last))
        )

    def compute_output_shape(self, sequences_shape: Any) -> Any:
        """Return the shapes of both results."""
        shapes = self.forward_layer.compute_output_shape(sequences_shape)[:2]
        return tuple((*shape[:-1], 2 * shape[-1]) for shape in shapes)

    def compute_mask(self, _: Any, mask: Any) -> Any:
        """Hand the mask on with states of every step; a last state has none."""
        return [mask if self.forward_layer.return_sequences else None, None]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, serialised."""
        layers = {name: getattr(self, name) for name in ("forward_layer", "backward_layer")}
        kept = {name: keras.saving.serialize_keras_object(of) for name, of in layers.items()}
        return {**super().get_config(), **kept}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "BothDirections":
        """Return the layer of a configuration."""
        names = ("forward_layer", "backward_layer")
        layers = {name: keras.saving.deserialize_keras_object(config[name]) for name in names}
        return cls(**{**config, **layers})
