"""Text from tokens: it reads as people write, and gives its tokens again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm.demo import generate
from sentiment_lstm.detokenise import detokenise, pieces
from sentiment_lstm.text import tokenise


@pytest.mark.parametrize(
    "text",
    [
        "I didn't like it. It's dull, slow and (too) long!",
        'They said "what a film" and left; I can\'t say why...',
        "A well-made film. Really?! No. I'd see it again: it costs $5.",
        "",
    ],
)
def test_reads_as_it_was_written(text):
    assert detokenise(tokenise(text)) == text


def test_every_token_is_one_piece():
    tokens = tokenise('A "good" film, isn\'t it?')
    assert len(list(pieces(tokens))) == len(tokens)


def test_the_demo_corpus_keeps_its_tokens():
    for text, _ in generate("train", 50, seed=0):
        tokens = tokenise(text)
        assert tokenise(detokenise(tokens)) == tokens


WORDS = st.lists(
    st.sampled_from(["a", "film", "i", "été", "80s", "n't", "'s", ".", ",", "!", '"', "(", ")"])
)


@given(WORDS.map(lambda words: tokenise(" ".join(words))))
def test_tokens_that_a_tokeniser_made_survive(tokens):
    assert "".join(detokenise(tokens).lower().split()) == "".join(tokens)
