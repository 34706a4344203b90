"""The few words of English that `sentiment_lstm.contrast` must know, as tokens are written."""

Tokens = tuple[str, ...]


def words(*lines: str) -> frozenset[str]:
    """Return the words of some lines."""
    return frozenset(word for line in lines for word in line.split())


def past_of(verb: str) -> str:
    """Return the past of a regular verb that doubles no letter."""
    if verb.endswith("y") and verb[-2] not in "aeou":
        return f"{verb[:-1]}ied"
    return f"{verb}d" if verb.endswith("e") else f"{verb}ed"


def _phrases(*lines: str) -> tuple[Tokens, ...]:
    return tuple(tuple(line.split()) for line in lines)


NEGATIONS = words(
    "not n't no never nothing nobody none neither nor without hardly barely scarcely rarely cannot",
    "cant dont doesnt didnt isnt wasnt lack lacks lacking lacked fail fails failed",
)
"""Words after which a sentence says another thing."""

TURNING = words("not n't never hardly barely scarcely")
"""Those of them that turn round the one word they stand before."""

CONTRASTS = words(
    "but however although though while despite except yet unless if only instead rather would",
    "could should might supposed than",
)
"""Words that set one thing against another, or against what is not so."""

COPULAS = words("is was are were 're")

SINGULAR = {"is": "is", "was": "was", "are": "is", "were": "was"}
"""A copula -> what it is behind "everything"."""

ARTICLES = words("the this that his her its")
"""Words that begin the subject of a sentence."""

PRONOUNS = words("it that he she this what there who here everything")
"""Words after which "'s" is a verb; elsewhere it is most often the genitive."""

MODALS = words("will would can could should must may might do does did")

CONTRACTED = {"will": "wo", "can": "ca"}
"""What is left of a modal before "n't", where it is not the whole."""

DEGREES = words(
    "a an the very really so quite pretty truly absolutely just simply extremely incredibly",
    "totally completely utterly highly definitely certainly particularly also all that such too",
    "most actually always thoroughly strongly heartily",
)
"""Words between a verb and the word that praises or blames."""

SUBJECTS = words(
    "i we you they he she it this that who which everyone everybody people audiences critics film",
    "movie story plot script acting cast director show one really truly absolutely thoroughly",
    "actually just also personally definitely highly always",
)
"""Words that a verb of praise or blame stands behind, not a noun of the same letters."""

STARTS = words(
    "the this that these it he she they i we you his her their its every all most some my our",
    "everyone there a an",
)
"""First words of sentences that may follow "that"."""

SHORTLY = _phrases("not", "not", "n't", "n't", "never", "hardly", "barely", "scarcely")
"""Negations behind a copula; those named twice are drawn twice as often."""

LESSENED = {"most": "least", "more": "less"}
"""A word of degree -> what turns it round."""

AT_LENGTH = _phrases("not at all", "by no means", "not exactly", "not even remotely", "in no way")
"""Negations behind a copula and right before the word."""

AROUND = _phrases("anything but", "far from")
"""Negations right before a word that ends its phrase."""

AFTER_MODAL = _phrases("not", "n't", "never")

DENIALS = _phrases(
    "i do not believe that", "i do n't believe", "i ca n't say that", "i can not say",
    "it would be wrong to say that", "it is not true that", "you ca n't claim that",
    "do n't believe anyone who says that", "it 's simply not the case that",
    "i would n't say that", "i did n't feel that", "i doubt that", "i refuse to accept that",
)  # fmt: skip
"""What denies the sentence behind it."""

CONCEDING = _phrases("although", "though", "while", "even though")
"""Words that grant what is behind them."""

CLAIMING = _phrases("but", "yet", "however ,", "still ,")
"""Words that claim against what a sentence before them grants."""

CLOSERS = words(". ! ? , ; : and or ... !! !!!")
"""Tokens that end a phrase."""


def _verbs() -> dict[str, tuple[str, str]]:
    past = words(
        "enjoy disappoint succeed fail impress entertain annoy work recommend surprise insult",
        "touch love like hate waste bore ruin suck deserve amaze irritate despise appreciate",
        "adore admire treasure cherish relish praise dislike loathe detest resent scorn deplore",
        "pity delight charm move thrill amuse captivate fascinate satisfy frustrate anger",
        "infuriate exhaust confuse savor applaud commend dread curse celebrate prize value respect",
        "lament reject ridicule mock",
    )
    present = words(
        "work deserve succeed fail disappoint entertain stink suck deliver impress shine bore",
        "annoy waste ruin drag please lack insult love",
    )
    bare = words(
        "love like enjoy recommend hate regret appreciate suck stink adore admire treasure cherish",
        "relish praise dislike despise loathe detest resent scorn deplore pity savor applaud",
        "commend dread curse celebrate prize value respect lament reject ridicule mock",
    )
    return {
        **{past_of(verb): ("did", verb) for verb in past},
        **{f"{verb}s": ("does", verb) for verb in present},
        **{verb: ("do", verb) for verb in bare},
    }


VERBS = _verbs()
"""A verb as it is said -> what negates it, and its bare form behind that."""

IMPLYING = {
    True: _phrases(
        "could not help but", "could n't help but", "came to", "grew to", "soon learned to",
        "found it easy to", "found it hard not to", "found it impossible not to",
        "did not hesitate to", "had every reason to", "was right to",
    ),
    False: _phrases(
        "could not bring myself to", "could n't bring myself to", "failed to", "struggled to",
        "tried to", "wanted to", "really wanted to", "hoped to", "never came to", "was unable to",
        "found it hard to", "found it impossible to", "found no reason to", "had hoped to",
    ),
}  # fmt: skip
"""What stands between "I" and a verb: whether I did as it says -> the forms."""

QUANTIFYING = {
    True: _phrases("everything about", "just about everything about"),
    False: _phrases("nothing about", "not a single thing about", "hardly anything about"),
}
"""What stands before the subject of a sentence: whether it is said of it -> the forms."""

NAMING = {
    True: _phrases(
        "i would call", "i call", "i must call", "i have to call", "anyone would call",
        "everyone calls", "you may well call", "i do not hesitate to call",
    ),
    False: _phrases(
        "i would never call", "i would not call", "i would n't call", "i 'd never call",
        "nobody would call", "no one could call", "you can hardly call", "i can not call",
        "i ca n't call", "it would be wrong to call", "who could call",
    ),
}  # fmt: skip
"""What stands before a subject and what it is called: whether it is that -> the forms."""

PARTING = _phrases(
    ", or any part of it ,", ", or anything in it ,", ", or most of it ,",
    ", or what is left of it ,", ", taken as a whole ,", ", for all its fame ,",
    ", from first to last ,", ", as far as i can see ,", ", in my opinion ,",
    ", like so much else in it ,", ", when all is said and done ,",
)  # fmt: skip
"""What may stand between a subject and its verb, and changes nothing."""
