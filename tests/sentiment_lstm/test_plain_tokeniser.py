"""The tokeniser that leaves with a model, held to the package's own."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm import plain_tokeniser
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.plain_tokeniser import Tokeniser
from sentiment_lstm.text import CHARACTERS, Encoder, Vocabulary
from sentiment_lstm.tokeniser_rules import rules, write_tokeniser
from sentiment_lstm.verification import verification_texts

CONFIG = BundleConfig(labels=("no", "yes"), max_tokens=7, head_tokens=3)
WORDS = ("a", "film", "good", "not", "n't", "it", "'s", "...", "!!!", "ça", "映", "é", "80s")
VOCABULARY = Vocabulary.from_counts(dict.fromkeys(WORDS, 3), 1000, 1)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    made = tmp_path_factory.mktemp("tokeniser")
    write_tokeniser(made, CONFIG, VOCABULARY)
    return made


@pytest.fixture(scope="module")
def both(directory):
    return Tokeniser(directory), Encoder(VOCABULARY, CONFIG.max_tokens, CONFIG.head_tokens)


def test_difficult_texts_have_equal_ids(both):
    plain, encode = both
    for text in verification_texts(VOCABULARY):
        assert plain(text) == encode(text).tolist(), text[:40]


@given(text=st.text() | st.binary() | st.text("aĂn't. !…<br/>\ud800\u00ad’½", max_size=60))
def test_any_text_has_equal_ids(both, text):
    plain, encode = both
    assert plain(text) == encode(text).tolist()


def test_every_character_becomes_what_the_specification_says():
    table = {p: new for a, b, new in rules(CONFIG)["characters"] for p in range(a, b + 1)}
    assert [table.get(point, chr(point)) for point in range(0x10000)] == list(CHARACTERS)


@pytest.mark.parametrize("head", [0, 3, 7])
def test_long_texts_keep_their_ends(tmp_path, head):
    config = BundleConfig(labels=("no", "yes"), max_tokens=7, head_tokens=head)
    write_tokeniser(tmp_path, config, VOCABULARY)
    encode = Encoder(VOCABULARY, 7, head)
    text = "a film good not it 's ça é 80s a a film"
    assert Tokeniser(tmp_path)(text) == encode(text).tolist()


def test_a_batch_is_padded_to_its_longest_text(both):
    plain, _ = both
    tokens, lengths = plain.batch(["a good film", "", "not"])
    assert lengths == [3, 0, 1]
    assert np.array(tokens).shape == (3, 3)
    assert tokens[1] == [0, 0, 0]
    assert tokens[2] == [*plain("not"), 0, 0]
    assert plain.batch([""]) == ([[0]], [0])


def test_the_program_needs_the_standard_library_alone(directory):
    tree = ast.parse(Path(plain_tokeniser.__file__).read_text("utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(node, "module", None) or node.names[0].name for node in imports}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
    program = "from tokeniser import Tokeniser; print(Tokeniser()('A good FILM?'))"
    command = [sys.executable, "-S", "-c", program]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    assert done.stdout == f"{Encoder(VOCABULARY, 7, 3)('a good film ?').tolist()}\n"
