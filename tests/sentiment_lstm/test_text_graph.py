# ruff: noqa: RUF001 - characters that look alike are what these tests are about
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from sentiment_lstm import text, text_graph
from sentiment_lstm.compiled_text import CompiledEncoder
from sentiment_lstm.errors import DataError, SettingsError
from sentiment_lstm.text import SPECIAL_TOKENS, Encoder, Vocabulary
from sentiment_lstm.text_graph import GraphEncoder

IMDB = Path(os.environ.get("TFDS_DATA_DIR", ""), "imdb_reviews", "plain_text", "1.0.0")
TOKENS = (
    *SPECIAL_TOKENS,
    "a",
    "the",
    "film",
    "n't",
    "'s",
    "did",
    "it",
    "!",
    "...",
    "é",
    "👍",
    "日",
)
PIECES = [
    "The ",
    "film ",
    "did",
    " it",
    *"aZ09 .!?-*'’`_<>/ \t\n\0éÉßẞıİſΣσςʼ…Ａ！\x85\x96\xa0\xad\u200d\ufeff\ufffd👍日",
]
PIECES += [
    "n't",
    "N’T",
    "'s",
    "'LL",
    "'re",
    "<br />",
    "<BR>",
    "e\u0301",
    "שָׁלוֹם",
    "\u202eاب\u202c",
    "ΟΔΟΣ",
]
PLANES = [(0, 0x250), (0x250, 0x3000), (0x3000, 0xD800), (0xE000, 0x10000), (0x10000, 0x20000)]
PLANES += [(0x1F300, 0x1FB00), (0x20000, 0x110000)]

graph_tokenise = tf.function(
    text_graph.tokenise, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
)


def joined_tokens(texts: list[bytes]) -> list[str]:
    tokens = graph_tokenise(tf.constant(texts, tf.string))
    joined = tf.strings.reduce_join(tokens, separator=" ", axis=-1)
    return [row.decode() for row in joined.numpy()]


def assert_forms_agree(texts: list[bytes]) -> None:
    for raw, joined in zip(texts, joined_tokens(texts), strict=True):
        assert joined == " ".join(text.tokenise(raw)), raw


def random_text(generator: random.Random) -> str:
    def piece() -> str:
        if generator.random() < 0.6:
            return generator.choice(PIECES)
        return chr(generator.randrange(*generator.choice(PLANES)))

    return "".join(piece() for _ in range(generator.randrange(40)))


def test_graph_splits_contractions_tags_and_symbols() -> None:
    assert joined_tokens(["It DIDN’T<br />work!!!!! It's 7.5… 👍".encode()]) == [
        "it did n't work !!! !! it 's 7 . 5 ... 👍"
    ]


def test_graph_normalises_into_utf8() -> None:
    normal = text_graph.normalise(tf.constant([b"\xc3\x89t\x00\xff\xc3\x89\xe2\x80\xa6<BR/>"]))
    assert normal.numpy().tolist() == ["ét  é...  ".encode()]


def test_letters_whose_bytes_look_like_white_space_stay_whole() -> None:
    words = ["à", "хлеб", "ąż"]
    assert all({0x85, 0xA0} & set(word.encode()) for word in words)
    assert joined_tokens([word.encode() for word in words]) == words


def test_forms_agree_on_every_code_point() -> None:
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    units = [f"a{c}B 's{c} " for c in map(chr, points)]
    assert_forms_agree(["".join(units[i : i + 500]).encode() for i in range(0, len(units), 500)])


def test_forms_agree_on_random_text() -> None:
    generator = random.Random(20)
    assert_forms_agree([random_text(generator).encode() for _ in range(10_000)])


def test_forms_agree_on_random_bytes() -> None:
    generator = random.Random(21)
    assert_forms_agree([generator.randbytes(generator.randrange(60)) for _ in range(5_000)])


def test_forms_agree_on_damaged_utf8() -> None:
    generator = random.Random(22)

    def damaged() -> bytes:
        data = bytearray(random_text(generator).encode())
        for _ in range(generator.randrange(4) if data else 0):
            data[generator.randrange(len(data))] = generator.randrange(256)
        return bytes(data[: generator.randrange(60)])

    assert_forms_agree([damaged() for _ in range(10_000)])


def test_text_without_tokens_has_an_empty_row() -> None:
    ids = GraphEncoder(TOKENS, 4, 2)(tf.constant([b"", b"film", b"<br />\0\xff", b" "]))
    assert ids.to_list() == [[], [4], [], []]


def test_empty_batch_has_no_rows() -> None:
    ids = GraphEncoder(TOKENS, 4, 2)(tf.constant([], tf.string))
    assert ids.shape[0] == 0
    assert ids.to_list() == []


@pytest.mark.parametrize(("most", "head"), [(7, 0), (7, 7), (7, 3), (1, 0), (1, 1), (100, 50)])
def test_truncation_agrees_with_its_python_form(most: int, head: int) -> None:
    lengths = np.random.default_rng(3).integers(0, 30, 50)
    rows = [list(range(100 * i, 100 * i + n)) for i, n in enumerate(lengths)]
    ragged = tf.ragged.constant(rows, dtype=tf.int32)
    expected = [text.truncate(row, most, head) for row in rows]
    assert text_graph.truncate(ragged, most, head).to_list() == expected


def test_ids_equal_those_of_the_python_form() -> None:
    generator = random.Random(23)
    texts = [random_text(generator).encode() for _ in range(2_000)]
    python = Encoder(Vocabulary(TOKENS), 9, 4)
    ids = GraphEncoder(TOKENS, 9, 4)(tf.constant(texts))
    assert ids.dtype == tf.int32
    assert ids.to_list() == [python(raw).tolist() for raw in texts]
    assert set(ids.flat_values.numpy()) == set(range(1, len(TOKENS)))


def test_text_of_ten_million_bytes_is_read() -> None:
    ids = GraphEncoder(TOKENS, 5, 2)(tf.constant([b"The film!  " * 1_000_000, b"A"]))
    assert ids.to_list() == [[3, 4, 3, 4, 9], [2]]


def test_broken_vocabulary_and_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="twice"):
        GraphEncoder((*TOKENS, "film"), 5, 2)
    with pytest.raises(SettingsError, match="head_tokens 6"):
        GraphEncoder(TOKENS, 5, 6)


READ_ALONE = """
import sys
sys.modules["sentiment_lstm"] = None
import tensorflow as tf
with tf.device("CPU"):
    served = tf.saved_model.load(sys.argv[1])
    print(served.encode(tf.constant([b"It DIDN\\xe2\\x80\\x99T!", b"", b"x"])).to_list())
"""


def test_saved_model_reads_strings_without_this_package(tmp_path: Path) -> None:
    module = tf.Module()
    module.encoder = GraphEncoder(TOKENS, 4, 1)
    module.encode = tf.function(
        module.encoder, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    )
    tf.saved_model.save(module, str(tmp_path / "model"))
    command = [sys.executable, "-I", "-c", READ_ALONE, str(tmp_path / "model")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.strip() == "[[8, 7, 5, 9], [], [1]]", done.stderr


def imdb_batches() -> Iterator[list[bytes]]:
    tfds = pytest.importorskip("tensorflow_datasets")
    builder = tfds.builder_from_directory(str(IMDB))
    for split in builder.info.splits:
        for batch in builder.as_dataset(split=split, batch_size=1000):
            yield batch["text"].numpy().tolist()


@pytest.mark.skipif(not IMDB.is_dir(), reason="TFDS_DATA_DIR holds no imdb_reviews/plain_text")
def test_forms_agree_on_all_imdb_texts() -> None:
    # Every token that occurs has an id of its own, so equal ids are equal tokens.
    ids = {token: i for i, token in enumerate(SPECIAL_TOKENS)}
    batches = list(imdb_batches())
    python = [
        np.array([ids.setdefault(t, len(ids)) for raw in batch for t in text.tokenise(raw)])
        for batch in batches
    ]
    encoder = GraphEncoder(tuple(ids), 1_000_000, 0)
    compiled = CompiledEncoder(text.Encoder(text.Vocabulary(ids), 1_000_000, 0))
    assert sum(map(len, batches)) == 100_000
    for batch, expected in zip(batches, python, strict=True):
        np.testing.assert_array_equal(encoder(tf.constant(batch)).flat_values, expected)
        np.testing.assert_array_equal(np.concatenate([compiled(raw) for raw in batch]), expected)
