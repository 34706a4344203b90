"""Token blocks, against tokenising each text and counting with `Counter`."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm.text import SPECIAL_TOKENS, Vocabulary, tokenise
from sentiment_lstm.token_blocks import TokenBlock

CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("abn't \n!.<br />é…")
TEXTS = st.lists(st.text(CHARACTERS))


def through_bytes(block):
    return TokenBlock.from_bytes(block.to_bytes())


@given(TEXTS)
def test_counts_are_those_of_the_tokens_of_all_texts(texts):
    counted = Counter(token for text in texts for token in tokenise(text))
    assert through_bytes(TokenBlock.of(texts)).counts() == counted


@given(TEXTS, st.randoms(use_true_random=False))
def test_ids_are_those_of_each_text_by_itself(texts, random):
    known = sorted({token for text in texts for token in tokenise(text) if random.random() < 0.7})
    vocabulary = Vocabulary([*SPECIAL_TOKENS, *known])
    ids = [found.tolist() for found in through_bytes(TokenBlock.of(texts)).ids(vocabulary)]
    assert ids == [vocabulary.ids(tokenise(text)) for text in texts]


@pytest.mark.parametrize("texts", [[], [""], ["", " <br /> ", "\n"]])
def test_texts_without_tokens_have_no_ids(texts):
    block = through_bytes(TokenBlock.of(texts))
    assert (block.tokens, block.counts()) == ((), {})
    assert [len(ids) for ids in block.ids(Vocabulary(SPECIAL_TOKENS))] == [0] * len(texts)


def test_tokens_stand_in_the_order_of_their_first_occurrence():
    block = TokenBlock.of(["the end , the", "an end"])
    assert block.tokens == ("the", "end", ",", "an")
    np.testing.assert_array_equal(block.numbers, [0, 1, 2, 0, 3, 1])
    np.testing.assert_array_equal(block.lengths, [4, 2])
