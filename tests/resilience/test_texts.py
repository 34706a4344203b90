"""Texts of every kind, some hundred of them."""

from tests.resilience import texts


def test_drawn_texts_are_of_every_kind_and_the_same_each_time():
    drawn = texts.drawn(200)
    assert len(drawn) == 200
    assert drawn == texts.drawn(200)
    assert {type(text) for text in drawn} == {str, bytes}
    whole = "".join(text for text in drawn if isinstance(text, str))
    assert all(piece in whole for piece in ("\x00", "\u202e", "😀", "<br />", "\ud800"))


def test_every_text_has_a_probability_and_every_form_the_same(workshop):
    tallies = list(texts.run(workshop, count=300, heavy=False))
    assert [tally.tried for tally in tallies] == [300, 300, 3]
    assert [lost for tally in tallies for lost in tally.lost] == []
