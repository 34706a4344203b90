"""The short texts that are taught beside the long ones."""

import numpy as np
import pytest
from scipy.special import expit

from pipelines.claims import SURE, Taught
from pipelines.config import TeachSettings
from pipelines.taught import short_texts
from sentiment_lstm.errors import DataError
from sentiment_lstm.opinions import KINDS
from sentiment_lstm.progress import silent

WHOLE = [
    *(Taught(f"We saw it on day {i}. It was {word} that day {i}. The end.", target)
      for i in range(30) for word, target in (("great", 1.0), ("dull", 0.25))),
]  # fmt: skip


def teacher(texts):
    return expit([4.0 * ("great" in text) - 4.0 * ("dull" in text) for text in texts])


def short(whole=WHOLE, **settings):
    return short_texts(TeachSettings(ngrams=1.0, **settings), whole, teacher, silent)


def test_nothing_is_added_unless_asked_for():
    assert short() == []


def test_parts_have_the_target_of_their_text():
    parts = short(sentences=2.0)
    assert len(parts) == 2 * len(WHOLE)
    for one, part in enumerate(parts):
        text, target = WHOLE[one // 2]
        assert part.text in text
        assert part.target == target


def test_sentences_turned_round_have_the_target_of_what_they_say():
    found = short(contrast=True)
    assert ("it was great that day 7 .", pytest.approx(expit(4.0))) in found
    praises = {word: side for kind in KINDS.values() for word, side in kind.all()}
    said = [one for one in found if one.text.startswith(("it was not", "it was n't"))]
    told = [([praises[w] for w in text.split() if w in praises], at) for text, at in said]
    single = [(words[0], target) for words, target in told if len(words) == 1]
    assert {praising for praising, _ in single} == {True, False}
    assert len(single) > 10
    assert all(target == (1 - SURE if praising else SURE) for praising, target in single)


def test_the_seed_decides():
    settings = {"sentences": 1.0, "contrast": True}
    assert short(**settings) == short(**settings) != short(seed=1, **settings)


def test_what_is_to_be_left_out_is_known_by_its_tokens(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("IT was   great that day 4.\nwe saw it on day 3.")
    kept = short(sentences=3.0, contrast=True, leave_out=str(path))
    texts = [one.text.lower() for one in short(sentences=3.0, contrast=True)]
    out = ("it was great that day 4.", "we saw it on day 3.")
    left = [text for text in texts if text.replace(" .", ".") in out]
    assert left
    assert [one.text.lower() for one in kept] == [text for text in texts if text not in left]


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "out.txt"
    if content:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"out\.txt: give a file of one text a line"):
        short(sentences=1.0, leave_out=str(path))


def test_a_corpus_that_neither_praises_nor_blames_gives_no_contrasts():
    assert short([Taught("", 0.0), Taught("We saw it on day 3.", 1.0)], contrast=True) == []


def test_targets_are_probabilities():
    targets = np.array([one.target for one in short(sentences=1.0, contrast=True)])
    assert ((targets >= 0) & (targets <= 1)).all()
