"""Text to token ids as TensorFlow graph ops: the second form of `sentiment_lstm.text`.

The specification stands there. This form runs the same table of characters and the same
expressions (in RE2), so a SavedModel that holds it takes raw strings and needs neither this
package nor Python.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from sentiment_lstm import text


def normalise(texts: tf.Tensor) -> tf.Tensor:
    """Return texts by steps 1 to 3 of the specification.

    Args:
        texts: strings `(batch,)`, of any bytes.

    Returns:
        Strings `(batch,)` in valid UTF-8.
    """
    points = tf.strings.unicode_decode(texts, "UTF-8", errors="replace", replacement_char=0xFFFD)
    points = points.with_flat_values(_translate(points.flat_values))
    normal = tf.strings.unicode_encode(points, "UTF-8")
    for pattern, replacement in text.REWRITES:
        normal = tf.strings.regex_replace(normal, pattern, replacement)
    return normal


def tokenise(texts: tf.Tensor) -> tf.RaggedTensor:
    """Return the tokens of each text.

    Args:
        texts: strings `(batch,)`, of any bytes.

    Returns:
        Strings `(batch, None)`; a text without tokens has a row of length 0.
    """
    parted = tf.strings.regex_replace(normalise(texts), *text.CONTRACTION)
    # Whatever is no token is a space: a space after each token leaves nothing to do but split.
    return tf.strings.split(tf.strings.regex_replace(parted, text.TOKEN, r"\0 "))


def truncate(ids: tf.RaggedTensor, max_tokens: int, head_tokens: int) -> tf.RaggedTensor:
    """Keep the first `head_tokens` and the last `max_tokens - head_tokens` of each longer row.

    Args:
        ids: ids or tokens `(batch, None)`.
        max_tokens: length of a row of the result at most.
        head_tokens: from 0 to `max_tokens`.
    """
    lengths = ids.row_lengths()
    position = tf.ragged.range(lengths)
    tail = tf.expand_dims(lengths - (max_tokens - head_tokens), 1)
    return tf.ragged.boolean_mask(ids, (position < head_tokens) | (position >= tail))


class GraphEncoder(tf.Module):
    """Turns raw strings into the ids that a model reads, inside a graph.

    Equal, id for id, to `sentiment_lstm.text.Encoder`. A module that keeps it as an attribute can
    be saved as a SavedModel: the lookup table is tracked.

    Args:
        tokens: those of a `Vocabulary`, in its order.
        max_tokens: ids of a text at most, 1 or more.
        head_tokens: of those, how many come from the start of a longer text.

    Raises:
        DataError: for tokens that make no vocabulary.
        SettingsError: for a length that is not possible.
    """

    def __init__(self, tokens: Sequence[str], max_tokens: int, head_tokens: int) -> None:
        super().__init__(name="encoder")
        checked = text.Encoder(text.Vocabulary(tokens), max_tokens, head_tokens)
        self.max_tokens = checked.max_tokens
        self.head_tokens = checked.head_tokens
        keys = tf.constant(checked.vocabulary.tokens)
        values = tf.range(len(checked.vocabulary), dtype=tf.int32)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, values), default_value=text.UNKNOWN
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Return the ids of each text, int32 `(batch, None)`, at most `max_tokens` a row."""
        kept = truncate(tokenise(texts), self.max_tokens, self.head_tokens)
        return self.table.lookup(kept)


def _translate(points: tf.Tensor) -> tf.Tensor:
    """Map code points `(n,)` by `CHARACTERS`; those beyond the basic plane stay."""
    table = np.frombuffer(text.CHARACTERS.encode("utf-32-le"), dtype="<i4")
    last = len(table) - 1
    return tf.where(points > last, points, tf.gather(table, tf.minimum(points, last)))
