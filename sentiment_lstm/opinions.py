"""Words of English that praise or blame, by the place in a sentence that each may take.

Two words of one kind may stand in for each other, which leaves a sentence's grammar as it was, and
where one praises and the other blames, turns round what it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sentiment_lstm.english import Tokens, past_of, words


@dataclass(frozen=True)
class Kind:
    """Words that may stand in each other's place, those that praise and those that blame."""

    praising: frozenset[str]
    blaming: frozenset[str]

    def __contains__(self, word: str) -> bool:
        return word in self.praising or word in self.blaming

    def all(self) -> list[tuple[str, bool]]:
        """Return every word, in order, with whether it praises."""
        return sorted([(w, True) for w in self.praising] + [(w, False) for w in self.blaming])


_LIKED = words(
    "love like enjoy adore admire appreciate treasure cherish relish praise recommend savor",
    "applaud commend",
    "celebrate prize value respect",
)
_DISLIKED = words("hate dislike despise loathe detest resent scorn deplore pity dread curse")

KINDS = {
    "adjective": Kind(
        words(
            "good great excellent wonderful superb brilliant fantastic terrific amazing",
            "outstanding splendid marvelous lovely delightful charming enjoyable entertaining",
            "engaging gripping compelling moving touching witty clever smart intelligent fresh",
            "original inventive imaginative beautiful gorgeous stunning elegant graceful",
            "memorable unforgettable satisfying rewarding convincing believable authentic",
            "sincere hilarious exciting thrilling suspenseful powerful masterful flawless perfect",
            "impressive remarkable inspired inspiring fascinating absorbing captivating exquisite",
            "refreshing riveting tender subtle lively likable magnificent profound sublime",
            "heartwarming uplifting thoughtful insightful stylish breathtaking priceless",
            "incredible awesome interesting funny fun sharp crisp taut luminous nuanced poignant",
            "deft sparkling ravishing enthralling exhilarating beguiling resonant magnetic",
            "incisive audacious seamless vital sumptuous haunting hypnotic spellbinding",
            "mesmerizing immersive lyrical eloquent astute perceptive quirky joyous radiant solid",
            "fine classy polished accomplished watchable stellar sensational spectacular",
            "delicious vibrant dazzling electrifying rousing stirring bewitching endearing",
            "adorable warm humane wise rich layered intricate ingenious timeless groundbreaking",
            "visionary uproarious amusing droll fabulous glorious heavenly divine triumphant",
            "commendable admirable worthy worthwhile unbeatable faultless impeccable immaculate",
            "enchanting addictive",
            "assured stately luscious opulent heartfelt gutsy bold brave daring fearless breezy",
            "jaunty zesty zippy snappy brisk nimble playful mischievous sly wry whimsical",
            "evocative atmospheric transcendent dreamy magical illuminating enlightening",
            "informative stimulating invigorating cathartic soulful sophisticated majestic regal",
            "towering monumental unsurpassed incomparable inimitable definitive quintessential",
            "seminal iconic legendary immortal beloved acclaimed esteemed relatable lifelike",
            "naturalistic truthful honest candid genuine effortless smooth lavish handsome",
            "infectious irresistible winsome amiable genial affable agreeable pleasant pleasing",
            "pleasurable gratifying fulfilling tasty robust sturdy competent skilled skillful",
            "masterly expert adept gifted talented scintillating stupendous tremendous phenomenal",
            "extraordinary exceptional dandy nifty neat smashing exemplary praiseworthy blissful",
            "buoyant effervescent bubbly spirited rollicking raucous chilling unnerving edgy",
            "vivid picturesque scenic poetic coherent cohesive tight credible plausible",
            "persuasive acerbic pithy quotable erudite literate brainy shrewd wondrous marvellous",
            "unique",
        ),
        words(
            "bad awful terrible horrible dreadful atrocious abysmal lousy poor weak dull boring",
            "tedious tiresome dreary bland lifeless flat stale predictable formulaic unoriginal",
            "derivative silly stupid dumb idiotic moronic ridiculous pathetic pointless senseless",
            "incoherent confusing muddled messy clumsy awkward wooden unconvincing implausible",
            "contrived forced phony fake shallow hollow empty pretentious pompous annoying",
            "irritating grating obnoxious offensive vulgar crude ugly cheap amateurish inept",
            "incompetent sloppy disappointing frustrating unfunny humorless lame laughable sour",
            "joyless unwatchable forgettable mediocre uninspired mindless tasteless disgusting",
            "repulsive insulting painful miserable excruciating worthless hideous unpleasant",
            "pitiful inane insipid",
            "leaden turgid flabby stilted mawkish puerile cloying threadbare shoddy preposterous",
            "inert drab witless soporific bombastic overblown overlong overwrought overrated",
            "underwhelming underwritten sluggish plodding ponderous stodgy lumbering slow listless",
            "limp anemic bloodless soulless heartless charmless cheesy corny hokey sappy",
            "saccharine schmaltzy trite banal clichéd hackneyed stereotyped recycled tired rotten",
            "dismal dire woeful wretched ghastly appalling abhorrent vile nasty sleazy trashy",
            "tacky tawdry garish gaudy juvenile infantile childish immature asinine brainless",
            "ludicrous absurd nonsensical illogical unintelligible convoluted disjointed rambling",
            "aimless shapeless toothless flimsy feeble substandard subpar lackluster unremarkable",
            "unexciting uninteresting uneventful uninvolving unbearable insufferable intolerable",
            "unappealing unlikable unsympathetic preachy smug pedestrian generic bogus misguided",
            "abominable execrable deplorable lamentable regrettable useless godawful crappy",
            "botched",
            "amateur anodyne arid artless barren belabored bloated boorish cartoonish chaotic",
            "choppy cliched clunky coarse colorless condescending contemptible crass creaky",
            "cringeworthy cynical daft deficient degrading despicable detestable dim dingy",
            "disagreeable disastrous disgraceful dishonest distasteful dopey dorky dubious",
            "embarrassing emotionless exasperating excessive exhausting facile faulty fatuous",
            "flawed foolish foul frivolous gimmicky glib gratuitous gross haphazard hateful",
            "heinous hopeless horrid horrendous humdrum hypocritical icky illiterate imbecilic",
            "impenetrable impersonal improbable inadequate inconsequential inconsistent indulgent",
            "inexcusable insincere insignificant insubstantial interminable irksome jarring",
            "jumbled laborious lackadaisical lazy lethargic loathsome lukewarm maddening maudlin",
            "meager meandering meaningless mechanical melodramatic middling miscast misjudged",
            "monotonous mundane nauseating negligible noisy nondescript objectionable odious",
            "overacted overbearing overdone overhyped paltry passionless patronizing patchy",
            "perfunctory pitiable plotless prosaic punishing rancid repellent repetitive",
            "reprehensible repugnant robotic sanctimonious schlocky shabby shambling shameless",
            "shrill simplistic skimpy slapdash slipshod sophomoric spineless sterile stiff",
            "stupefying superficial tepid thankless tiring tortuous toxic trivial unattractive",
            "underdeveloped uneven unfocused unforgivable unimaginative uninspiring unintelligent",
            "unmemorable unnecessary unrealistic unsatisfactory unsatisfying unsubtle untalented",
            "unwelcome vacuous vapid verbose watery whiny crummy soggy spotty murky garbled",
            "unlikeable",
        ),
    ),
    "attitude": Kind(_LIKED, _DISLIKED),
    "past attitude": Kind(frozenset(map(past_of, _LIKED)), frozenset(map(past_of, _DISLIKED))),
    "effect": Kind(
        words(
            "impressed delighted charmed moved touched thrilled amused entertained captivated",
            "fascinated inspired satisfied enchanted gripped",
            "pleased amazed hooked engrossed riveted dazzled",
            "enthralled mesmerized overjoyed awed tickled wowed transported absorbed",
        ),
        words(
            "disappointed bored annoyed irritated disgusted insulted offended frustrated angered",
            "infuriated repelled exhausted confused appalled",
            "unimpressed underwhelmed",
            "dismayed dissatisfied displeased disillusioned irked cheated baffled bewildered",
            "revolted numbed deflated enraged outraged exasperated alienated",
        ),
    ),
    "noun": Kind(
        words(
            "masterpiece gem delight joy triumph treat treasure success pleasure winner marvel",
            "feast wonder",
            "classic knockout stunner revelation privilege hoot blast riot beauty jewel pearl",
            "landmark milestone smash",
            "cracker charmer tonic inspiration phenomenon miracle standout",
        ),
        words(
            "mess disaster bore failure disgrace embarrassment eyesore insult chore dud turkey",
            "travesty catastrophe flop letdown abomination ordeal",
            "stinker snooze punishment blunder hack clunker fiasco debacle sham fraud bomb wreck",
            "misfire loser nightmare mishmash atrocity headache ripoff",
            "drag downer pain trainwreck shambles mistake nuisance botch muddle bummer curse",
        ),
    ),
    "mass": Kind(
        words(
            "pleasure joy delight bliss fun genius magic perfection brilliance beauty charm",
            "entertainment enjoyment class",
            "gold poetry excellence elegance artistry wit craftsmanship",
        ),
        words(
            "agony torture misery boredom tedium garbage trash rubbish drivel nonsense crap",
            "incompetence stupidity drudgery",
            "dreck junk tripe monotony torment idiocy",
            "hokum schlock hogwash bunk baloney bilge mediocrity laziness ineptitude dross",
        ),
    ),
    "manner": Kind(
        words(
            "beautifully brilliantly wonderfully superbly perfectly masterfully skillfully nicely",
            "admirably convincingly magnificently splendidly gracefully elegantly",
            "expertly deftly cleverly lovingly tastefully sensitively sharply finely gorgeously",
            "stunningly exquisitely impeccably flawlessly intelligently imaginatively",
            "compellingly subtly vividly believably smoothly artfully thoughtfully movingly",
            "charmingly hilariously tightly richly powerfully seamlessly ably winningly naturally",
            "realistically artistically professionally delightfully marvelously competently",
            "creatively",
        ),
        words(
            "poorly badly clumsily ineptly pathetically atrociously amateurishly lazily sloppily",
            "carelessly abysmally",
            "horribly terribly awfully awkwardly woefully crudely dreadfully hideously",
            "embarrassingly lamely unconvincingly",
            "stiffly flatly cheaply blandly stupidly haphazardly tediously ludicrously",
            "ridiculously mechanically childishly offensively annoyingly",
        ),
    ),
    "comparative": Kind(
        words(
            "better stronger funnier smarter finer superior richer sharper livelier fresher",
            "deeper",
            "warmer tighter wiser scarier nicer sweeter",
        ),
        words(
            "worse weaker duller dumber poorer inferior flatter sillier cheaper uglier",
            "slower lamer",
            "thinner stupider tamer",
        ),
    ),
    "superlative": Kind(
        words(
            "best finest greatest funniest strongest smartest loveliest",
            "sharpest cleverest",
            "wittiest sweetest nicest coolest scariest",
        ),
        words(
            "worst weakest dullest poorest dumbest lousiest ugliest silliest",
            "lamest cheapest",
            "stupidest cheesiest corniest crudest nastiest crappiest",
        ),
    ),
}
"""Kind -> its words. A word may be of several kinds."""

OPINIONS = frozenset(word for kind in KINDS.values() for word, _ in kind.all())

_OBJECTS = words("me us him her them you everyone everybody audiences viewers")
_BEEN = words("was were am 'm be been is are feel felt left")
_PARTICIPLES = words(
    "shot done made written acted directed played told edited filmed paced cast drawn crafted",
    "executed staged photographed scripted animated choreographed designed handled performed",
    "constructed realized portrayed conceived lit dubbed timed put",
    "lament reject ridicule mock",
)
_WHO = words(
    "i we you they really truly absolutely thoroughly actually just also audiences people kids",
    "friends critics fans",
)
_WHO_DID = _WHO | words("he she everyone everybody wife husband family audience brother sister")
_WHOLLY = words("pure sheer utter absolute complete total such")
_THIS = words("it this that he she they")
_IS = words("is was 's are were be")


def kind_at(tokens: Sequence[str], at: int) -> str | None:
    """Return the kind of the word at a place, or None where it says nothing of the sort there."""
    return next(
        (name for name, kind in KINDS.items() if tokens[at] in kind and _fits(name, tokens, at)),
        None,
    )


def _fits(kind: str, tokens: Sequence[str], at: int) -> bool:
    before = tokens[at - 1] if at else ""
    behind = tokens[at + 1] if at + 1 < len(tokens) else ""
    if kind == "effect":
        return behind in _OBJECTS or before in _BEEN
    if kind == "noun":
        return not {"a", "an"}.isdisjoint(tokens[max(at - 2, 0) : at])
    if kind == "manner":
        return behind in _PARTICIPLES or before in _PARTICIPLES
    return {
        "adjective": behind != "than",
        "attitude": before in _WHO,
        "past attitude": before in _WHO_DID,
        "mass": before in _WHOLLY,
        "comparative": behind == "than" and tokens[0] in _THIS and not _IS.isdisjoint(tokens[:at]),
        "superlative": tokens[0] in _THIS and _is_the(tokens[:at]),
    }[kind]


def _is_the(before: Sequence[str]) -> bool:
    """Tell whether words end with "is the", or with "is one of the"."""
    *first, last = before or ("",)
    return last == "the" and (first[-1:] in ([w] for w in _IS) or first[-2:] == ["one", "of"])


def put_at(word: str, tokens: Tokens, at: int) -> Tokens:
    """Return a sentence with another word at a place, and the article before it that it wants."""
    before = tokens[:at]
    if at and before[-1] in ("a", "an"):
        before = (*before[:-1], "an" if word[0] in "aeiou" else "a")
    return (*before, word, *tokens[at + 1 :])
