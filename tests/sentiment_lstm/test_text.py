# ruff: noqa: RUF001 - characters that look alike are what these tests are about
import hashlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sentiment_lstm.errors import DataError, SettingsError
from sentiment_lstm.text import (
    CHARACTERS,
    PAD,
    SPECIAL_TOKENS,
    UNKNOWN,
    Encoder,
    Vocabulary,
    normalise,
    tokenise,
    truncate,
)

# Random text meets the rules only where their characters are frequent.
PIECES = ["n't", "'s", "'", "’", "<br />", "</", "<br", "/>", "…", "..", "!", "-", "_", " ", "s"]
PIECES += [
    "İ",
    "Σ",
    "ς",
    "\0",
    "\n",
    "\x85",
    "\x96",
    "\u00ad",
    "\u200d",
    "\ufffd",
    "Aé",
    "👍🏽",
    "é",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=30).map("".join)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("A Great FILM", "a great film"),
        ("a\tb\nc\r\nd\0e\x7ff", "a b c  d e f"),
        ("no\u00a0break\u2003em\u3000wide\u200bzero", "no break em wide zero"),
        ("‘don’t’ don`t don´t donʼt", "'don't' don't don't don't"),
        ("“so” „so‟ «so»", '"so" "so" "so"'),
        ("a–b—c−d‐e", "a-b-c-d-e"),
        ("well…", "well..."),
        ("one<br />two<BR>three<br/>four</br>five<Br\n/>six", "one  two  three  four  five  six"),
        ("<br  >", "<br  >"),
        ("break <brick>", "break <brick>"),
        (
            "so\u00adft \ufeffbom \u200eleft ❤\ufe0f \u0d28\u0d4d\u200d",
            "soft bom left ❤ \u0d28\u0d4d",
        ),
        ("<b\u00adr>", "  "),
        ("\x91it\x92s\x93 \x96 \x85 \x80\x8a\x81", "'it's\" - ... €š "),
        ("ＧＯＯＤ！ ＇７＇", "good! '7'"),
        ("ΛΌΓΟΣ λόγος", "λόγοσ λόγοσ"),
        ("İstanbul ISPARTA ı ǅ", "istanbul isparta ı ǆ"),
        ("Straße STRAẞE", "straße straße"),
        ("ТОВ. ÀÉÎÕÜ ŠŽŁ ƠƯẾ Ա", "тов. àéîõü šžł ơưế ա"),
        ("τι\u037e α\u0387β", "τι; α·β"),
        ("e\u0301 \u00e9", "e\u0301 \u00e9"),
        ("\ua7ae \U00010400 \u1c90", "\ua7ae \U00010400 \u1c90"),
    ],
)
def test_normalisation_follows_each_rule(text: str, normal: str) -> None:
    assert normalise(text) == normal


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It didn't work.", "it did n't work ."),
        ("can't won't ain't DON’T", "ca n't wo n't ai n't do n't"),
        ("It's we're I've he'll she'd I'm", "it 's we 're i 've he 'll she 'd i 'm"),
        ("he'd've couldn't've", "he 'd 've could n't 've"),
        ("'some' 'tis the '80s actors' o'clock", "' some ' ' tis the ' 80s actors ' o ' clock"),
        ("don'ts n'tonga 'sé", "do n ' ts n ' tonga 's é"),
        ("Well-made, (really)!", "well - made , ( really ) !"),
        ("Great!!!!! Really?! Hmm.....", "great !!! !! really ? ! hmm ... .."),
        ("so -- **** <- ==", "so -- *** * < - = ="),
        ("10/10, 7.5 of 10 in 1999", "10 / 10 , 7 . 5 of 10 in 1999"),
        ("snake_case £5 2½ #1 50%", "snake _ case £ 5 2 ½ # 1 50 %"),
        ("good<br /><br />bad", "good bad"),
        ("👍👍🏽 ❤️ :)", "👍 👍 🏽 ❤ : )"),
        ("日本語のテスト。", "日 本 語 の テ ス ト 。"),
        ("ดีมาก", "ด ี ม า ก"),
        ("[PAD] [UNK]", "[ pad ] [ unk ]"),
    ],
)
def test_tokenisation_follows_each_rule(text: str, tokens: str) -> None:
    assert tokenise(text) == tokens.split(" ")


@pytest.mark.parametrize("text", ["", " \t\r\n", "<br />", "\0", "\u00ad\u200d", "\ud800", b"\xff"])
def test_text_of_nothing_visible_has_no_tokens(text: str | bytes) -> None:
    assert tokenise(text) == []


@pytest.mark.parametrize(
    "word",
    [
        *[
            "naïve",
            "œuvre",
            "łódź",
            "tiếng",
            "λόγοσ",
            "хорошо",
            "բարի",
            "שָׁלוֹם",
            "رائِع",
            "हिन्दी",
            "தமிழ்",
        ],
        *["ქართული", "አማርኛ", "한국어", "e\u0301te\u0301", "٢٠٢٤", "𝒻𝒾𝓃𝑒", "oʻahu", "ﬁne", "ᏣᎳᎩ"],
    ],
)
def test_word_of_a_script_with_spaces_is_one_token(word: str) -> None:
    assert tokenise(f"({word})") == ["(", word, ")"]


@pytest.mark.parametrize(
    "mark", '"#$%&()+,/:;<=>@[\\]^_{|}~¡§¿×÷՞׃،؛؟۔।፣€™→★♥《»、👎🇮\ue000\U000e0041'
)
def test_mark_stands_alone(mark: str) -> None:
    assert tokenise(f"a{mark}{mark}b") == ["a", normalise(mark), normalise(mark), "b"]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        *[("A", "Z"), ("À", "Ö"), ("Ø", "Þ"), ("Ā", "į"), ("Ĳ", "ž"), ("Α", "Ρ"), ("Σ", "Ϋ")],
        *[("Ѐ", "Я"), ("Ա", "Ֆ"), ("Ḁ", "Ẕ"), ("Ạ", "ỹ"), ("Ἀ", "Ὧ")],
    ],
)
def test_capitals_lower_as_unicode_says(first: str, last: str) -> None:
    text = "".join(map(chr, range(ord(first), ord(last) + 1)))
    assert [normalise(character) for character in text] == [character.lower() for character in text]


def test_table_is_the_same_under_every_python() -> None:
    digest = hashlib.sha256(CHARACTERS.encode("utf-32-le")).hexdigest()
    assert digest == "3352ac7f373fce9f0486f3d849677298ec77910527140858792333ca6076e558"


def test_table_maps_to_fixed_points() -> None:
    assert len(CHARACTERS) == 0x10000
    assert CHARACTERS.translate(CHARACTERS) == CHARACTERS


def test_invalid_bytes_part_words_as_spaces_do() -> None:
    assert tokenise(b"caf\xe9s \xf0\x9f\x98 ok\xc3") == ["caf", "s", "ok"]
    assert tokenise(b"\xed\xa0\x80a\xf4\x90\x80\x80b\xc0\x80c") == ["a", "b", "c"]
    assert tokenise("x\udc80y") == ["x", "y"]


@given(TEXTS)
def test_bytes_and_text_give_the_same_tokens(text: str) -> None:
    assert tokenise(text.encode()) == tokenise(text)


@given(st.binary())
def test_any_bytes_give_tokens(data: bytes) -> None:
    assert tokenise(data) == tokenise(data.decode("utf-8", errors="replace"))


@given(TEXTS)
@example("<br<br>/>")
@example("<<br>br>")
def test_normalisation_may_be_repeated(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(TEXTS)
@example("a <br />b")
def test_tokens_are_all_that_is_not_space(text: str) -> None:
    assert "".join(tokenise(text)) == normalise(text).replace(" ", "")


@given(TEXTS)
@example("n't_ don'ts '''s")
def test_joined_tokens_give_themselves_again(text: str) -> None:
    tokens = tokenise(text)
    assert tokenise(" ".join(tokens)) == tokens


def test_text_of_ten_million_characters_is_read() -> None:
    assert tokenise("Good film! " * 1_000_000) == ["good", "film", "!"] * 1_000_000


@pytest.mark.parametrize(
    ("unit", "tokens"),
    [(" ", []), ("…", ["..."] * 500_000), ("'", ["'"] * 500_000), ("<br", ["<", "br"] * 500_000)],
)
def test_monotonous_text_is_read(unit: str, tokens: list[str]) -> None:
    assert tokenise(unit * 500_000) == tokens


def test_word_of_ten_million_letters_is_one_token() -> None:
    assert tokenise("Ab" * 5_000_000) == ["ab" * 5_000_000]


LENGTHS = st.integers(1, 12).flatmap(lambda most: st.tuples(st.just(most), st.integers(0, most)))


@given(st.lists(st.integers(), max_size=40), LENGTHS)
def test_truncation_keeps_both_ends(ids: list[int], lengths: tuple[int, int]) -> None:
    most, head = lengths
    gone = range(head, len(ids) - (most - head))
    expected = [value for position, value in enumerate(ids) if position not in gone]
    assert truncate(ids, most, head) == expected
    assert truncate(tuple(ids), most, head) == expected


@given(st.lists(st.integers(0, 9), max_size=40), LENGTHS)
def test_truncation_of_an_array_is_an_array(ids: list[int], lengths: tuple[int, int]) -> None:
    result = truncate(np.array(ids, dtype=np.uint16), *lengths)
    assert result.dtype == np.uint16
    assert result.tolist() == truncate(ids, *lengths)


def test_vocabulary_ranks_by_count_then_token() -> None:
    counts = {"rare": 1, "b": 3, "a": 3, "é": 3, "often": 9, "twice": 2}
    assert Vocabulary.from_counts(counts, size=100, min_count=2).tokens == (
        *SPECIAL_TOKENS,
        *("often", "a", "b", "é", "twice"),
    )


def test_vocabulary_size_includes_the_special_tokens() -> None:
    counts = {"c": 1, "b": 2, "a": 3}
    assert Vocabulary.from_counts(counts, size=4, min_count=1).tokens[2:] == ("a", "b")
    assert Vocabulary.from_counts(counts, size=1, min_count=1).tokens == SPECIAL_TOKENS


def test_unknown_tokens_share_one_id() -> None:
    vocabulary = Vocabulary((*SPECIAL_TOKENS, "film", "good"))
    assert vocabulary.ids(["good", "bad", "film", "", "Film"]) == [3, UNKNOWN, 2, UNKNOWN, UNKNOWN]
    assert vocabulary.ids(SPECIAL_TOKENS) == [PAD, UNKNOWN]
    assert len(vocabulary) == 4


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="".join(map(chr, range(0x21))) + "\x7f"),
    min_size=1,
).filter(lambda token: token not in SPECIAL_TOKENS)


@settings(max_examples=50)
@given(st.lists(NAMES, unique=True))
@example(["a\u2028b", "\x85", "\ufeff", "\u00a0", "[pad]"])
def test_vocabulary_comes_back_from_its_file(
    tmp_path_factory: pytest.TempPathFactory, tokens: list[str]
) -> None:
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.txt"
    Vocabulary((*SPECIAL_TOKENS, *tokens)).save(path)
    assert Vocabulary.load(path).tokens == (*SPECIAL_TOKENS, *tokens)
    assert path.read_bytes() == "".join(f"{t}\n" for t in (*SPECIAL_TOKENS, *tokens)).encode()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", r"lines 1 and 2"),
        (b"[UNK]\n[PAD]\na\n", r"\['\[UNK\]', '\[PAD\]'\]: put \[PAD\] and \[UNK\] on lines 1"),
        (b"[PAD]\n[UNK]\na\nb\na\n", r"token 'a' on line 3 .* twice"),
        (b"[PAD]\n[UNK]\n[PAD]\n", r"token '\[PAD\]' on line 1 .* twice"),
        (b"[PAD]\n[UNK]\na\n\n", r"token '' on line 4 is empty"),
        (b"[PAD]\n[UNK]\r\na\r\n", r"begins with \['\[PAD\]', '\[UNK\]\\r'\]"),
        (b"[PAD]\n[UNK]\na\r\n", r"token 'a\\r' on line 3"),
        (b"[PAD]\n[UNK]\na b\n", r"token 'a b' on line 3"),
        (b"[PAD]\n[UNK]\n\xff\n", r"can't decode byte 0xff"),
    ],
)
def test_broken_vocabulary_file_is_refused(tmp_path, content: bytes, complaint: str) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=complaint) as caught:
        Vocabulary.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_vocabulary_file_is_named(tmp_path) -> None:
    with pytest.raises(DataError, match=r"absent\.txt"):
        Vocabulary.load(tmp_path / "absent.txt")


def test_vocabulary_refuses_what_its_file_cannot_hold() -> None:
    with pytest.raises(DataError, match="ud800"):
        Vocabulary((*SPECIAL_TOKENS, "\ud800"))


VOCABULARY = Vocabulary((*SPECIAL_TOKENS, "a", "the", "good", "'s", "n't", "!"))


def test_encoder_keeps_the_ends_of_a_long_text() -> None:
    encoder = Encoder(VOCABULARY, max_tokens=5, head_tokens=2)
    assert encoder("A film the good isn't the 'A'!").tolist() == [2, UNKNOWN, 2, UNKNOWN, 7]
    assert encoder.tokens("A film the good isn't the 'A'!") == ["a", "film", "a", "'", "!"]


def test_encoder_gives_an_empty_array_for_a_text_without_tokens() -> None:
    ids = Encoder(VOCABULARY, 5, 2)("<br />")
    assert ids.shape == (0,)
    assert ids.dtype == np.int32


@given(TEXTS, LENGTHS)
def test_ids_are_in_range(text: str, lengths: tuple[int, int]) -> None:
    ids = Encoder(VOCABULARY, *lengths)(text)
    assert ids.dtype == np.int32
    assert len(ids) == min(len(tokenise(text)), lengths[0])
    assert all(UNKNOWN <= i < len(VOCABULARY) for i in ids)


@pytest.mark.parametrize(("most", "head"), [(0, 0), (5, 6), (5, -1), (-1, -1)])
def test_impossible_lengths_are_refused(most: int, head: int) -> None:
    with pytest.raises(SettingsError, match=f"max_tokens is {most} and head_tokens {head}"):
        Encoder(VOCABULARY, most, head)
