"""The compiled tokeniser against the one in Python; on all of IMDB in `test_text_graph`."""

from functools import cache

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from sentiment_lstm.compiled_text import CompiledEncoder
from sentiment_lstm.text import SPECIAL_TOKENS, UNKNOWN, WORD, Encoder, Vocabulary, tokenise
from tests.sentiment_lstm.test_text import PIECES, TEXTS

EDGES = [chr(ord(c) + step) for c in WORD for step in (-1, 0, 1) if ord(c) + step not in (44, 46)]
NEGATIONS = ["n't", "n't", "N’T", "'s", "'re", "'LL", "n", "'", "t", "_", "é", "x", "7", " ", "-"]
RUNS = st.sampled_from(".!?-*'\u2026<>/b").flatmap(lambda c: st.integers(1, 8).map(c.__mul__))
DIFFICULT = (
    TEXTS
    | st.lists(st.sampled_from(NEGATIONS), max_size=12).map("".join)
    | st.lists(RUNS | st.sampled_from(["br", " ", "br />"]), max_size=8).map("".join)
    | st.lists(st.sampled_from(EDGES), max_size=12).map("".join)
    | st.text(st.characters(categories=None), max_size=20)  # lone surrogates too
)


def both(tokens, max_tokens=10**9, head_tokens=0):
    encoder = Encoder(Vocabulary((*SPECIAL_TOKENS, *tokens)), max_tokens, head_tokens)
    return encoder, CompiledEncoder(encoder)


@given(DIFFICULT)
@example("isn'tn't n'tx 'sn't 'rex 're")
@example("<br></br ><br /><br/><b\u00adr><br//><br  ><br")
def test_every_token_is_found_where_python_finds_it(text):
    # Each token has an id of its own, so that equal ids are equal tokens.
    python, compiled = both(dict.fromkeys(tokenise(text)))
    np.testing.assert_array_equal(compiled(text), python(text))
    assert UNKNOWN not in compiled(text)


@given(st.binary(max_size=40) | TEXTS.map(lambda t: t.encode()))
def test_bytes_are_read_as_python_reads_them(data):
    python, compiled = both(dict.fromkeys(tokenise(data)))
    np.testing.assert_array_equal(compiled(data), python(data))


@cache
def of_pieces():
    return both(dict.fromkeys(t for piece in PIECES[::2] for t in tokenise(piece)), 7, 3)


@given(TEXTS)
def test_unknown_tokens_and_long_texts_are_those_of_python(text):
    python, compiled = of_pieces()
    ids = compiled(text)
    np.testing.assert_array_equal(ids, python(text))
    assert ids.dtype == python(text).dtype


@given(st.lists(DIFFICULT | st.binary(max_size=20), max_size=6))
@example(["\ud83d", "\ude00", "", "is", "n't n't", b"\xc3", b"\xa9"])
def test_texts_of_one_call_are_read_each_by_itself(texts):
    python, compiled = of_pieces()
    found = compiled.each(texts)
    assert [ids.tolist() for ids in found] == [python(text).tolist() for text in texts]
    assert [ids.tolist() for ids in python.each(texts)] == [ids.tolist() for ids in found]


def test_tokens_that_share_a_slot_are_told_apart():
    # 40,000 tokens in 131,072 slots: thousands meet another one where they are looked for first.
    tokens = [f"{a}{b:x}" for a in ("w", "é", "\U00010400") for b in range(13_333)]
    python, compiled = both(tokens)
    text = " ".join([*tokens, "wx", "w-1"])
    np.testing.assert_array_equal(compiled(text), python(text))
