"""Word vectors of a person's own: both text formats, every mistake named."""

import numpy as np
import pytest

from sentiment_lstm.errors import DataError
from sentiment_lstm.text import Vocabulary
from sentiment_lstm.word_vectors import read_word_vectors

VOCABULARY = Vocabulary.from_counts({"good": 3, "film": 2, "rare": 1}, 10, 1)
GOOD, FILM, RARE = VOCABULARY.ids(["good", "film", "rare"])


def written(tmp_path, text):
    path = tmp_path / "vectors.txt"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["", "3 2\n"])
def test_both_formats_give_the_rows_of_known_words(tmp_path, header):
    path = written(tmp_path, header + "film 0.5 -1\nother 9 9\ngood 2 3e-1\n")
    vectors = read_word_vectors(path, VOCABULARY, 2)
    by_row = dict(zip(vectors.rows.tolist(), vectors.vectors.tolist(), strict=True))
    assert by_row == {GOOD: pytest.approx([2, 0.3]), FILM: pytest.approx([0.5, -1])}


def test_found_rows_are_placed_and_scaled_to_their_neighbours(tmp_path):
    path = written(tmp_path, "film 50 -100\ngood 200 30\n")
    vectors = read_word_vectors(path, VOCABULARY, 2)
    fresh = np.random.default_rng(0).normal(0, 0.1, (len(VOCABULARY), 2)).astype("float32")
    placed = vectors.placed_in(fresh)
    np.testing.assert_array_equal(placed[RARE], fresh[RARE])
    factor = fresh.std() / np.array([[50, -100], [200, 30]]).std()
    np.testing.assert_allclose(placed[GOOD], np.array([200, 30]) * factor, rtol=1e-5)
    np.testing.assert_allclose(placed[FILM], np.array([50, -100]) * factor, rtol=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("good 1 2 3\n", "line 1 holds 3 numbers and model.embedding is 2"),
        ("other 1 2\ngood 1 x\n", "line 2 holds something that is not a number"),
        ("other 1 2\n", "no word of the vocabulary"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_word_vectors(written(tmp_path, text), VOCABULARY, 2)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.txt"):
        read_word_vectors(tmp_path / "nowhere.txt", VOCABULARY, 2)
