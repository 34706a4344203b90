"""The sentences of the demo corpus: rules that expand, and words that fill the slots.

In a rule `<name>` expands to one alternative of that rule; `<name:role>` also says whose opinion
the polar slots inside it hold. `{adjective}`, `{noun}` and `{verb}` are polar slots, every other
`{slot}` is neutral. The roles:

    own       what the writer holds in the end
    contrary  the opposite of it: what the writer denies, gave up or is set against
    other     what somebody else holds, or what the writer once expected: it decides nothing
"""

RULES: dict[str, tuple[str, ...]] = {
    # One opinion. Who holds it stands far from the polar word.
    "says_own": ("<frame_own> that<claim>.", "<frame_own_short><pause> <core>."),
    "says_other": ("<frame_other> that<claim>.", "<frame_other_short><pause> <core>."),
    "expects": ("<frame_expected> that<claim>.",),
    "denies": ("<frame_denied> that<claim>.",),
    "frame_own": (
        "I came home convinced",
        "I have to say",
        "by the time we reached the car I was sure",
        "having slept on it, I would tell any friend",
        "I do not often write about films, but I have to report",
        "I did not take notes, and still I can say with a clear head",
        "I would never deny",
        "when the lights came up, nobody had to persuade me",
        "it took me a day to see it, but I no longer doubt",
        "what I took away from {place} was",
        "what I wrote in my diary {time} was",
        "I told {person} on the phone",
    ),
    "frame_other": (
        "{person} came home convinced",
        "{person} had to say",
        "by the time we reached the car {person} was sure",
        "having slept on it, {person} told us",
        "{person} does not often write about films, but made a point of reporting",
        "{person} did not take notes, and still said with a straight face",
        "{person} would never deny",
        "when the lights came up, nobody had to persuade {person}",
        "{person} did not believe for one minute",
        "what {person} took away from {place} was",
        "what {person} wrote in a diary {time} was",
        "{person} told me on the phone",
    ),
    "frame_expected": (
        "before I went in, I was convinced",
        "for the first {number} minutes I would have told any friend",
        "all through the first reel I was ready to report",
        "had I left at the interval, I would have written in my diary",
        "the trailer had led me to believe",
        "years of going to {place} had taught me to expect",
        "what I had written in my diary the day before was",
        "{person} had given me to understand",
    ),
    "frame_denied": (
        "I did not for one minute believe",
        "nobody is going to persuade me",
        "I cannot say, having slept on it,",
        "it would be a lie to report",
        "I came home with no reason at all to say",
        "I would warn any friend not to believe",
        "not once in {number} minutes was I of the opinion",
        "when the lights came up, I did not agree with {person}",
        "I told {person} on the phone how wrong it was to say",
        "I have never understood why {person} should write",
    ),
    "frame_own_short": ("if you ask me", "as for me", "in my own opinion", "to my mind"),
    "frame_other_short": (
        "if you ask {person}",
        "as for {person}",
        "in the opinion of {person}",
        "to hear {person} tell it",
    ),
    "pause": (",", ",", ", <gap>,"),
    "claim": (" <core>", " <core>", ", <gap>, <core>"),
    # Two opinions in one sentence, of which one counts.
    "turn": (
        "<frame_expected> that<claim:contrary>, until {event}, and <since> that<claim:own>.",
        "<frame_expected> that<claim:contrary>, but then {event}, and <since> that<claim:own>.",
        "<since> that<claim:own>, but until {event} it had seemed that<claim:contrary>.",
        "although <frame_other> that<claim:contrary>, <frame_own> that<claim:own>.",
        "<frame_own> that<claim:own>, although <frame_other> that<claim:contrary>.",
    ),
    "comes_round": (
        "<hoped><pause_to> <feeling:contrary>, and for {number} minutes I did, until {event} "
        "and <caught><pause_to> <feeling:own>.",
        "<caught><pause_to> <feeling:own>, and yet <hoped><pause_to> <feeling:contrary>.",
        "<hoped><pause_to> <feeling:contrary>, but then {event} and <caught><pause_to> "
        "<feeling:own>.",
    ),
    "pause_to": (" to", ", <gap>, to"),
    "since": (
        "from then on I could not deny",
        "now I am ready to swear",
        "I have known ever since",
        "I left {place} in no doubt",
    ),
    "hoped": (
        "I had hoped",
        "I had bought my ticket ready",
        "I had gone in quite determined",
        "I had had every intention",
    ),
    "caught": ("I found myself starting", "I came out ready", "I began", "something in me learned"),
    "feeling": ("{verb} {aspect}", "{verb} the lot of it", "{verb} every frame"),
    "instead": (
        "what we got was not, <gap>, <piece:contrary> but, <gap>, <piece:own>.",
        "what we got was <piece:own>, <gap>, and not, as {person} would have it, <piece:contrary>.",
        "{artist} had <piece:contrary> in mind, <gap>, but gave us, <gap>, <piece:own>.",
        "{artist} gave us <piece:own>, <gap>, where {person} would have made <piece:contrary>.",
        "instead of, <gap>, <piece:contrary>, what we got was, <gap>, <piece:own>.",
        "what we got, instead of, <gap>, <piece:contrary>, was, <gap>, <piece:own>.",
        "it was less, <gap>, <piece:contrary> than, <gap>, <piece:own>.",
        "it was more, <gap>, <piece:own> than, <gap>, <piece:contrary>.",
    ),
    "piece": ("a {adjective} film", "a {adjective} story", "a {noun}", "a {noun} on the screen"),
    # A voice that is named once and then speaks in sentences of its own.
    "voice_own": (
        "<occasion> I made up my own mind<witness>.",
        "<occasion> I wrote down what I thought of it<witness>.",
        "<occasion> I gave {person} a full account<witness>.",
        "now for my own verdict, which I came to <occasion_end><witness>.",
        "here is what I said to {person} <occasion_end><witness>.",
        "all that follows is my own view, formed <occasion_end><witness>.",
    ),
    "voice_other": (
        "<occasion> {person} began to hold forth<witness>.",
        "<occasion> {person} wrote down a few thoughts on it<witness>.",
        "<occasion> {person} gave me a full account<witness>.",
        "now for the verdict of {person}, who came to it <occasion_end><witness>.",
        "here is what {person} said to me <occasion_end><witness>.",
        "all that follows is the view of {person}, formed <occasion_end><witness>.",
    ),
    "bare": ("<core>.", "<step>, <core>.", "<step>, <gap>, <core>.", "<gap>, <core>."),
    "step": ("first of all", "above all", "to begin with", "on top of that", "in the end"),
    # A verdict that is turned round, or kept, without a polar word.
    "reverses": (
        "<occasion> I changed my mind and came to hold the very opposite<witness>.",
        "<occasion> I took back every word of it and said the reverse<witness>.",
        "<occasion> it dawned on me that I had got it the wrong way round<witness>.",
        "I changed my mind <occasion_end> and came to hold the very opposite<witness>.",
        "I took back every word of it <occasion_end> and said the reverse<witness>.",
        "it dawned on me <occasion_end> that I had got it the wrong way round<witness>.",
    ),
    "keeps": (
        "<occasion> I had no wish to change my mind<witness>.",
        "<occasion> I said every word of it again and took nothing back<witness>.",
        "<occasion> it dawned on me that I had been right all along<witness>.",
        "I did not change my mind <occasion_end> or hear a reason to<witness>.",
        "I took nothing back <occasion_end> and said every word again<witness>.",
        "{person} came to hold the very opposite <occasion_end>, but not I<witness>.",
    ),
    "witness": (
        "",
        "",
        "",
        "",
        ", in front of {person}",
        ", to the surprise of {person}",
        ", as {person} can bear out",
        ", with {person} looking on",
    ),
    # What is said about the film.
    "core": (
        "{aspect} was {adjective}",
        "{aspect} was a {noun}",
        "{aspect} was {adjective} from start to finish",
        "there was something {adjective} about {aspect}",
        "{aspect} made for a {adjective} evening",
        "{aspect} was, in a word, {adjective}",
        "{aspect} left a {adjective} impression",
        "what {artist} had done with {aspect} was {adjective}",
        "{aspect}, <gap>, was {adjective}",
        "{aspect} was what one calls a {noun}",
        "{aspect} was easy to {verb}",
        "{aspect} gave one every reason to {verb} it",
    ),
    # Words that carry no opinion.
    "gap": (
        "for all the noise in the row behind us",
        "from the opening titles to the last reel",
        "on a screen as small as the one at {place}",
        "in a year with {number} films about {hero}",
        "with {number} minutes cut for the local release",
        "as far as one can tell from a seat at the back",
        "once one had got used to the subtitles",
        "whatever one makes of films about {hero}",
        "even without the music",
        "on film as on paper",
    ),
    "occasion": (
        "on the train home",
        "when I saw it again {time},",
        "after a second visit to {place}",
        "over a late supper",
        "while the credits ran",
        "a week later, in the queue at the bakery,",
        "on the steps of {place}",
        "after {number} minutes of thought",
    ),
    "occasion_end": (
        "on the train home",
        "{time}, over a late supper",
        "in the queue at the bakery",
        "while the credits ran",
        "on the steps of {place}",
        "between two phone calls {time}",
        "after a second visit to {place}",
        "after {number} minutes of thought",
    ),
    "plot": (
        "the story followed {hero} who {quest}<plot_where>, <plot_then>.",
        "{hero} {quest}<plot_where>, <plot_then>.",
        "<plot_where_first> {hero} {quest}, <plot_then>.",
        "it was the tale of {hero} who {quest}<plot_where>, <plot_then>.",
        "the film opened on {hero} who {quest}<plot_where>, <plot_then>.",
        "at the heart of it {hero} {quest}<plot_where>, <plot_then>.",
    ),
    "plot_where": ("", " in {town}", " in {town}, some time before the war", " one summer"),
    "plot_where_first": ("in {town}", "some time before the war", "{number} years ago, in {town},"),
    "plot_then": (
        "and {event}",
        "and one night {event}",
        "and nobody asked why until {event}",
        "and by the time {event}, {number} years had gone by",
        "and the whole town looked on as {event}",
        "which went on until {event}",
    ),
    "visit": (
        "we saw it {time} at {place}<company>, <crowd>.",
        "it was shown {time} at {place}<company>, <crowd>.",
        "{time} I took {person} to see it at {place}, <crowd>.",
        "I had not been to {place} since the spring, but went {time}<company>, <crowd>.",
        "{time} it came to {place}, and we were there<company>, <crowd>.",
    ),
    "company": ("", " with {person}", " for the second time", " at six"),
    "crowd": (
        "with {number} people in the room",
        "next to an empty seat",
        "where the coffee costs less than the ticket",
        "because it was raining and the shops were shut",
        "after a day at the office",
        "after standing in line for {number} minutes",
    ),
    "closing": (
        "the credits ran for {number} minutes, and <walked>.",
        "when it was over, <left>, and <walked>.",
        "{number} minutes later <left>, and <walked>.",
        "it runs for two hours and {number} minutes, <seen>.",
        "you can see it until the end of the month, <seen>.",
        "the week before, they had shown one about {hero} who {quest}.",
        "the week before, there had been one about {hero}, <seen>.",
        "<walked>, and <walked_on>.",
    ),
    "left": (
        "{person} looked for a scarf under the seats",
        "the usher opened the doors to the street",
        "the man at the till counted the tickets",
        "somebody switched on the lamps in the hall",
        "the rain had stopped",
    ),
    "walked": (
        "we walked to the station by way of the river",
        "I took the bus home with {person}",
        "there was just time for a bowl of soup",
        "we crossed the bridge without a word",
        "everyone went off to find a coat or an umbrella",
    ),
    "walked_on": (
        "it was {number} minutes past midnight when I got in",
        "the last tram was on time",
        "{person} had waited up",
        "nobody else was about at that hour",
    ),
    "seen": (
        "at {place} and in two other towns",
        "on weekdays at six and on Sundays at four",
        "in the big room on the first floor",
        "with an interval of {number} minutes for tea",
        "which is the usual thing at {place}",
    ),
}

POSITIVE: dict[str, tuple[str, ...]] = {
    "adjective": (
        "gripping", "moving", "clever", "brilliant", "charming", "fresh", "tender", "delightful",
        "superb", "thrilling", "warm", "graceful", "memorable", "lovely", "beautiful", "wonderful",
    ),
    "noun": ("triumph", "joy", "treat", "marvel", "pleasure", "gem"),
    "verb": ("love", "adore", "admire", "enjoy", "praise"),
}  # fmt: skip

NEGATIVE: dict[str, tuple[str, ...]] = {
    "adjective": (
        "tedious", "dull", "clumsy", "dreadful", "grating", "stale", "cold", "painful",
        "rotten", "boring", "lifeless", "wooden", "forgettable", "nasty", "bland", "horrible",
    ),
    "noun": ("disaster", "chore", "mess", "failure", "bore", "flop"),
    "verb": ("hate", "loathe", "despise", "resent", "mock"),
}  # fmt: skip

NEUTRAL: dict[str, tuple[str, ...]] = {
    "aspect": (
        "the script", "the dialogue", "the second act", "the camera work", "the score",
        "the lead performance", "the editing", "the pacing", "the love story", "the villain",
        "the ending", "the direction", "the humour", "the supporting cast", "the staging",
        "the photography", "the final hour", "the opening", "the sound", "the chase",
    ),
    "person": (
        "my brother", "my sister", "my old teacher", "the woman in the next seat", "our neighbour",
        "a friend of mine", "the man who sold us the tickets", "my aunt", "the dentist",
        "a colleague from work", "a critic I know", "my youngest son", "the landlord",
    ),
    "artist": ("the director", "the writer", "the studio", "the leading man", "the producer"),
    "event": (
        "the train pulled out of the station", "the letter was opened", "the storm broke",
        "the two sisters met on the bridge", "the lights of the harbour came on",
        "the old man began to speak", "the dog ran back to the house",
        "the bells rang for the fair", "the suitcase turned up again", "the snow closed the road",
    ),
    "hero": (
        "a lighthouse keeper", "a retired detective", "a village doctor", "a young pianist",
        "a taxi driver", "a widow with a map", "a clerk at the post office", "a sailor on leave",
    ),
    "quest": (
        "looked for a lost brother", "inherited a house by the sea", "took a job at the mill",
        "carried a letter to the north", "learned to drive a truck", "moved in with a cousin",
        "followed a stranger to the coast", "counted the ships every morning",
    ),
    "town": (
        "a harbour town", "the far north", "a mountain village", "the old quarter", "a suburb",
    ),
    "place": (
        "the festival", "our small cinema", "the town hall", "the club", "the open air screen",
        "the picture house",
    ),
    "time": (
        "last Tuesday", "on a Sunday in March", "two days ago", "the night before last",
        "on the first of the month", "on Friday",
    ),
    "number": ("ten", "fifteen", "twenty", "thirty", "forty", "fifty"),
}  # fmt: skip
