"""Sentences turned round: the least change of a sentence that changes what it says.

A model that learns from whole reviews sees that "bad" stands in bad ones and never has to read the
"not" before it. Pairs of sentences that differ by what turns them round take that way out from it
(Kaushik, Hovy & Lipton, "Learning the Difference that Makes a Difference with
Counterfactually-Augmented Data", ICLR 2020, where people wrote the second of each pair). Here rules
of English write it, on the tokens of `sentiment_lstm.text`:

- a negation before the one word of a plain sentence that praises or blames: "it is dull" becomes
  "it isn't dull", "I enjoyed it" "I didn't enjoy it";
- "the least exciting" of "the most exciting";
- a whole sentence denied: "I do not believe that it is dull";
- one sentence conceded and another claimed: "although it is dull, I enjoyed it";
- a negation that governs something else, which must change nothing;
- "I failed to enjoy it" and "I could not help but enjoy it" of "I enjoyed it";
- "nothing about the film is dull", "everything about the film is dull" of "the film is dull";
- "I would never call the film dull", "anyone would call the film dull" of the same;
- words between the subject and its verb, which must change nothing: "the film, taken as a whole,
  is dull", and that denied.

What puts another word in the place of the one that praises or blames is in
`sentiment_lstm.opinions`, what is said as a whole in `sentiment_lstm.sayings`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sentiment_lstm import english
from sentiment_lstm.english import Tokens

# Word -> whether it praises; words that do neither are not in it.
Lexicon = Mapping[str, bool]


class Edited(NamedTuple):
    """A sentence with a word turned round, and whether it praises."""

    tokens: Tokens
    praises: bool


def plain(tokens: Iterable[str]) -> bool:
    """Tell whether a sentence holds no word that turns round what it says."""
    return (english.NEGATIONS | english.CONTRASTS).isdisjoint(tokens)


def told(tokens: Sequence[str], lexicon: Lexicon) -> list[int]:
    """Return where the words stand that praise or blame."""
    return [at for at, token in enumerate(tokens) if token in lexicon]


def negated(tokens: Tokens, at: int, random: np.random.Generator) -> Tokens | None:
    """Return a plain sentence with a negation of its word at `at`, or None where no rule fits."""
    head = at
    while head and tokens[head - 1] in english.DEGREES:
        head -= 1
    before = tokens[head - 1] if head else ""
    if before in english.COPULAS or _contracted_copula(tokens[:head]):
        return _after_copula(tokens, head, at, random)
    if before in english.MODALS:
        return tokens[: head - 1] + _modal(before, random) + tokens[head:]
    if tokens[at] in english.VERBS and (tokens[at - 1] in english.SUBJECTS if at else False):
        return _with_auxiliary(tokens, at, random)
    return None


def _contracted_copula(before: Tokens) -> bool:
    return len(before) > 1 and before[-1] == "'s" and before[-2] in english.PRONOUNS


def _after_copula(tokens: Tokens, head: int, at: int, random: np.random.Generator) -> Tokens:
    ends = at + 1 == len(tokens) or tokens[at + 1] in english.CLOSERS
    if ends and head == at and random.random() < 0.2:
        return (*tokens[:head], *_pick(english.AROUND, random), *tokens[head:])
    if ends and random.random() < 0.2:
        return (*tokens[:head], "not", *tokens[head : at + 1], "at", "all", *tokens[at + 1 :])
    at_length = head == at and random.random() < 0.3  # "not even remotely very good" is no English
    negation = _pick(english.AT_LENGTH if at_length else english.SHORTLY, random)
    if negation == ("n't",) and tokens[head - 1].startswith("'"):
        negation = ("not",)
    return tokens[:head] + negation + tokens[head:]


def _modal(modal: str, random: np.random.Generator) -> Tokens:
    negation = _pick(english.AFTER_MODAL, random)
    if negation == ("n't",):
        return (english.CONTRACTED.get(modal, modal), "n't")
    return (modal, *negation)


def _with_auxiliary(tokens: Tokens, at: int, random: np.random.Generator) -> Tokens:
    auxiliary, bare = english.VERBS[tokens[at]]
    if random.random() < 0.2:
        return (*tokens[:at], "never", *tokens[at:])
    negation = ("not",) if random.random() < 0.4 else ("n't",)
    return (*tokens[:at], auxiliary, *negation, bare, *tokens[at + 1 :])


def lessened(tokens: Tokens, at: int) -> Tokens | None:
    """Return a sentence that says "least" or "less" of its word at `at` where it said "most"."""
    before = tokens[at - 1] if at else ""
    if before not in english.LESSENED:
        return None
    return (*tokens[: at - 1], english.LESSENED[before], *tokens[at:])


def denied(tokens: Tokens, random: np.random.Generator) -> Tokens | None:
    """Return a plain sentence denied as a whole, or None where it does not begin as one."""
    if not tokens or tokens[0] not in english.STARTS:
        return None
    return _pick(english.DENIALS, random) + tokens


def conceded(granted: Tokens, claimed: Tokens, random: np.random.Generator) -> Tokens:
    """Return two plain sentences in one that says the second; the first is but granted."""
    granted, claimed = _open_ended(granted), _open_ended(claimed)
    form = random.integers(4)
    if form == 0:
        return (*_pick(english.CONCEDING, random), *granted, ",", *claimed, ".")
    if form == 1:
        return (*claimed, ",", *_pick(english.CONCEDING, random), *granted, ".")
    if form == 2:
        return (*granted, ".", *_pick(english.CLAIMING, random), *claimed, ".")
    return (*granted, ",", "but", *claimed, ".")


def beside(aside: Tokens, claimed: Tokens, random: np.random.Generator) -> Tokens:
    """Return a sentence that praises or blames behind one that negates and does neither."""
    link = _pick(((".",), (",", "and"), (";",)), random)
    return (*_open_ended(aside), *link, *claimed)


def joined(first: Tokens, second: Tokens, random: np.random.Generator) -> Tokens:
    """Return two sentences that both praise, or both blame, in one or one behind the other."""
    link = _pick(((".",), (".",), ("!",), (",", "and"), ("and",), (";",)), random)
    return (*_open_ended(first), *link, *second)


def implied(tokens: Tokens, at: int, done: bool, random: np.random.Generator) -> Tokens | None:
    """Return "I" with a verb that it has come to, or has not, or None where no rule fits.

    Args:
        tokens: a plain sentence.
        at: where its verb of praise or blame stands.
        done: whether the sentence is to say that it came to that.
        random: decides between the forms.
    """
    if tokens[:1] != ("i",) or at != 1 or tokens[at] not in english.VERBS:
        return None
    bare = english.VERBS[tokens[at]][1]
    return ("i", *_pick(english.IMPLYING[done], random), bare, *tokens[2:])


def quantified(tokens: Tokens, whole: bool, random: np.random.Generator) -> Tokens | None:
    """Return a sentence that says of all about its subject what it said, or of nothing.

    None where no rule fits: it begins with an article and a noun, and a copula.
    """
    if not _has_plain_subject(tokens):
        return None
    copula = english.SINGULAR[tokens[2]]
    return (*_pick(english.QUANTIFYING[whole], random), *tokens[:2], copula, *tokens[3:])


def named(tokens: Tokens, at: int, is_so: bool, random: np.random.Generator) -> Tokens | None:
    """Return a sentence that calls its subject by its word at `at`, or refuses to.

    None where no rule fits: it is an article and a noun, a copula and the word, and no more.
    """
    after = tokens[3:at]
    ends = at + 1 == len(tokens) or tokens[at + 1 :] in ((".",), ("!",))
    if (
        at < 3
        or not ends
        or not _has_plain_subject(tokens)
        or not english.DEGREES.issuperset(after)
    ):
        return None
    return (*_pick(english.NAMING[is_so], random), *tokens[:2], *tokens[3:])


def parted(tokens: Tokens, random: np.random.Generator) -> Tokens | None:
    """Return a sentence with words between its subject and its verb that change nothing.

    None where no rule fits: it begins with an article and a noun, and a copula.
    """
    if not _has_plain_subject(tokens):
        return None
    return (*tokens[:2], *_pick(english.PARTING, random), *tokens[2:])


def _has_plain_subject(tokens: Tokens) -> bool:
    return len(tokens) > 3 and tokens[0] in english.ARTICLES and tokens[2] in english.SINGULAR


def _open_ended(tokens: Tokens) -> Tokens:
    while tokens and tokens[-1][0] in ".!?":
        tokens = tokens[:-1]
    return tokens


def _pick(choices: Sequence[Tokens], random: np.random.Generator) -> Tokens:
    return choices[int(random.integers(len(choices)))]
