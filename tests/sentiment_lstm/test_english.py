"""The words of English that rules are written with."""

from sentiment_lstm import english
from sentiment_lstm.text import tokenise

PHRASES = (
    *english.SHORTLY, *english.AT_LENGTH, *english.AROUND, *english.AFTER_MODAL,
    *english.DENIALS, *english.CONCEDING, *english.CLAIMING,
    *(p for forms in (english.IMPLYING, english.QUANTIFYING) for told in (True, False)
      for p in forms[told]),
)  # fmt: skip


def test_every_phrase_is_written_in_tokens():
    for phrase in PHRASES:
        assert tuple(tokenise(" ".join(phrase))) == phrase


def test_every_contraction_is_that_of_its_modal():
    for modal in english.MODALS:
        written = "won't" if modal == "will" else "can't" if modal == "can" else f"{modal}n't"
        assert tokenise(written) == [english.CONTRACTED.get(modal, modal), "n't"]


def test_a_verb_is_known_in_the_forms_that_its_auxiliary_asks_for():
    assert english.VERBS["loved"] == ("did", "love")
    assert english.VERBS["bored"] == ("did", "bore")
    assert english.VERBS["enjoyed"] == ("did", "enjoy")
    assert english.VERBS["works"] == ("does", "work")
    assert english.VERBS["recommend"] == ("do", "recommend")
    assert english.VERBS["pitied"] == ("did", "pity")
    for said, (auxiliary, bare) in english.VERBS.items():
        assert said.startswith(bare.removesuffix("y"))
        assert auxiliary == {"d": "did", "s": "does"}.get(said[len(bare) :][-1:], "do")


def test_what_turns_a_word_round_is_a_negation():
    assert english.TURNING < english.NEGATIONS
    assert english.NEGATIONS.isdisjoint(english.CONTRASTS)
