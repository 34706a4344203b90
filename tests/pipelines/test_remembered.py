"""What a teacher has said of texts is kept, and taken in place of asking again."""

import numpy as np
import pytest

from pipelines.remembered import keep, place_of, remembering

TEXTS = ["a good film", "a dull one", ""]


@pytest.fixture
def asked():
    return []


@pytest.fixture
def teacher(asked):
    def teach(texts):
        asked.append(list(texts))
        return np.linspace(0.1, 0.9, len(texts)) / len(asked)

    return teach


def test_the_same_texts_are_asked_about_once(tmp_path, teacher, asked):
    first = remembering(teacher, "model", tmp_path)(TEXTS)
    again = remembering(teacher, "model", tmp_path)(TEXTS)
    np.testing.assert_array_equal(first, again)
    assert again.dtype == np.float64
    assert asked == [TEXTS]


@pytest.mark.parametrize(
    ("model", "texts"),
    [
        ("another", TEXTS),
        ("model", TEXTS[:2]),
        ("model", TEXTS[::-1]),
        ("model", ["a good filma", "dull one", ""]),  # the same letters in a row
    ],
)
def test_another_model_or_other_texts_are(tmp_path, teacher, asked, model, texts):
    remembering(teacher, "model", tmp_path)(TEXTS)
    remembering(teacher, model, tmp_path)(texts)
    assert asked == [TEXTS, texts]


@pytest.mark.parametrize("damage", ["flip", "cut", "manifest"])
def test_what_is_damaged_is_asked_for_anew_and_mended(tmp_path, teacher, asked, damage):
    first = remembering(teacher, "model", tmp_path)(TEXTS)
    place = place_of(tmp_path, "model", TEXTS)
    path = place / ("manifest.json" if damage == "manifest" else "answers.safetensors")
    data = bytearray(path.read_bytes())
    data[-1] ^= 4
    path.write_bytes(data[:-9] if damage == "cut" else data)
    second = remembering(teacher, "model", tmp_path)(TEXTS)
    np.testing.assert_array_equal(second, first / 2)
    remembering(teacher, "model", tmp_path)(TEXTS)
    assert asked == [TEXTS, TEXTS]


def test_answers_found_elsewhere_can_be_put_there(tmp_path, teacher, asked):
    chances = np.array([0.25, 0.5, 0.125], np.float32)
    keep(place_of(tmp_path, "model", TEXTS), chances)
    np.testing.assert_array_equal(remembering(teacher, "model", tmp_path)(TEXTS), chances)
    assert asked == []
