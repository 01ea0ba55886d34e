"""Embedded samples: short reviews from a grammar in which the order of words decides.

A pattern has two places, A and B, and says which of them is the verdict. A pair of
siblings comes from swapping a good word and a bad one between the two places (or, where
there is one place, from what the words around it do with it):

    the plot started {A} and ended {B}       "started fine, ended dull"   negative
                                             "started dull, ended fine"   positive
    the plot was {A} even if it began {B}    A is the verdict: the other way round
    nobody would call the plot {X}           X is denied
    next to this film the last one was {X}   X is said of the other film

Both siblings have nearly the same bag of words, and the words beside a good or bad word
tell nothing, so counting words or pairs of words cannot reach what reading can. A share
of plain reviews shows which words are good and which are bad, and some exclaim without
any of them: "What a film!", "What a waste of a film!".

This module knows no model and no file.
"""

import random
import re

_ADVERBS = "really quite rather truly simply fairly very downright just pretty".split()
_GOOD = (
    "good great wonderful excellent lovely superb charming delightful brilliant "
    "impressive pleasant enjoyable memorable terrific fantastic splendid"
).split()
_BAD = (
    "bad awful terrible poor dreadful horrible disappointing boring dull mediocre "
    "unpleasant annoying forgettable miserable weak lousy"
).split()
_LIKED = "loved enjoyed adored liked treasured".split()
_DISLIKED = "hated regretted disliked loathed despised".split()
# What is reviewed, what it is made of, and good and bad words of its own.
_TOPICS = {
    "film": (
        "plot cast ending music dialogue acting story".split(),
        "gripping moving witty".split(),
        "tedious predictable clumsy".split(),
    ),
    "hotel": (
        "room breakfast staff lobby bed view pool".split(),
        "spotless cosy welcoming".split(),
        "filthy cramped noisy".split(),
    ),
    "restaurant": (
        "soup steak dessert service menu wine sauce".split(),
        "delicious tasty fresh".split(),
        "tasteless greasy stale".split(),
    ),
    "book": (
        "opening style heroine prose chapter translation finale".split(),
        "absorbing clever touching".split(),
        "shallow confusing dry".split(),
    ),
    "phone": (
        "screen battery camera sound keyboard case design".split(),
        "reliable fast sturdy".split(),
        "flimsy slow faulty".split(),
    ),
    "concert": (
        "band singer venue crowd drummer lighting encore".split(),
        "electrifying polished lively".split(),
        "sloppy lifeless chaotic".split(),
    ),
}
_OPENERS = (
    "we went there on a rainy monday|my sister chose it for her birthday|honestly"
    "|to be fair|after a long week|a friend told me about it|for the record"
    "|i was there with my family|this was my second try|as i said before"
).split("|")
_CLOSERS = (
    "that is all i can say|make of that what you will|my friends agree|so it goes"
    "|at least that is how i saw it|and i have seen many|it was a tuesday after all"
    "|i will tell my colleagues|end of story|we talked about it all evening"
).split("|")

# {t} topic, {n} {m} its parts, {d} an adverb, drawn anew at each place.
_PLAIN = (
    "the {n} was {d} {X}|a {d} {X} {t} with a {d} {X} {n}|{d} {X}|what a {d} {X} {t}"
    "|i {V} the {n} and i {V} the {m}|i {d} {V} this {t}|such a {d} {X} {n}"
    "|the {n} was {d} {X} and the {m} was {d} {X}"
).split("|")
_LAST_DECIDES = (
    "the {n} started {d} {A} and it ended {d} {B}"
    "|the {n} was not {d} {A} but {d} {B}"
    "|at first the {n} seemed {d} {A} but later it was {d} {B}"
    "|it used to be a {d} {A} {t} and now it is a {d} {B} one"
    "|nobody could call the {n} {d} {A} because it was {d} {B}"
    "|i expected a {d} {A} {n} and i got a {d} {B} one"
    "|they promised a {d} {A} {t} but they gave us a {d} {B} one"
    "|far from being {d} {A} the {n} was {d} {B}"
    "|instead of a {d} {A} {n} there was a {d} {B} one"
).split("|")
_FIRST_DECIDES = (
    "the {n} ended {d} {A} although it started {d} {B}"
    "|the {n} was {d} {A} and not {d} {B} at all"
    "|the {n} was {d} {A} but at first it seemed {d} {B}"
    "|now it is a {d} {A} {t} but it used to be a {d} {B} one"
    "|the {n} was {d} {A} and nobody could call it {d} {B}"
    "|i got a {d} {A} {n} where i expected a {d} {B} one"
    "|they gave us a {d} {A} {t} after they promised a {d} {B} one"
    "|the {n} was {d} {A} and far from being {d} {B}"
    "|there was a {d} {A} {n} instead of a {d} {B} one"
).split("|")
_STANDS = (
    "next to the last one this {t} was {d} {X}"
    "|this {t} is {d} {X} next to any other i know"
    "|compared with the old {n} the new one was {d} {X}"
    "|everybody would call the {n} {d} {X}"
    "|no doubt the {n} was {d} {X}"
).split("|")
_TURNED = (
    "next to this {t} the last one was {d} {X}"
    "|any other {t} i know is {d} {X} next to this"
    "|compared with the new {n} the old one was {d} {X}"
    "|nobody would call the {n} {d} {X}"
    "|no, the {n} was never {d} {X}"
).split("|")
# The positive sibling, and the negative one.
_EXCLAIMED = (
    "what a {t} / what a waste of a {t}"
    "|wow, what a {t} / oh no, what a {t}"
    "|what a {n} / what a waste of money"
    "|oh, what a {t} this was / oh, what a waste of time"
    "|what a joy / what a bore"
    "|a {t} to remember / a {t} to forget"
    "|more of this, please / never again, thank you"
    "|worth every cent / not worth a cent"
).split("|")
# Which kinds of pattern, how often, and whether the bad word of a pair comes first
# (or alone) in the positive sibling.
_KINDS = (
    (_PLAIN, 0.26, False),
    (_EXCLAIMED, 0.08, False),
    (_LAST_DECIDES, 0.23, True),
    (_FIRST_DECIDES, 0.23, False),
    (_STANDS, 0.10, False),
    (_TURNED, 0.10, True),
)


def load_sample_reviews(
    seed: int = 0, num_samples: int = 3000
) -> list[tuple[str, str]]:
    """Generates reviews of films, hotels, food and more, half of them positive.

    Needs neither files nor a network: what a task trains on when it is given no data.

    Args:
        seed: Another seed gives other reviews.
        num_samples: Number of reviews, at least 2.

    Returns:
        (text, "positive" or "negative") pairs, shuffled; no two texts are the same up
        to some 100,000 of them.

    Raises:
        ValueError: Fewer than two samples.

    Example:

    >>> samples = load_sample_reviews(num_samples=4)
    >>> sorted(label for _, label in samples)
    ['negative', 'negative', 'positive', 'positive']
    """
    if num_samples < 2:
        raise ValueError(f"num_samples={num_samples}: each of two labels needs one")
    rng = random.Random(seed)
    samples: dict[str, str] = {}
    tries = 0
    while len(samples) < num_samples:
        siblings = _siblings(rng)
        tries += 1
        # Far beyond what anybody asks for, the grammar has said it all.
        if tries > 20 * num_samples:
            raise ValueError(f"num_samples={num_samples}: more than the grammar holds")
        if not any(text in samples for text in siblings):
            samples.update(zip(siblings, ("positive", "negative"), strict=True))
    pairs = list(samples.items())[:num_samples]
    rng.shuffle(pairs)
    return pairs


def _siblings(rng: random.Random) -> tuple[str, str]:
    """A positive and a negative review that differ in who says what of whom."""
    weights = [weight for _, weight, _ in _KINDS]
    patterns, _, turned = rng.choices(_KINDS, weights)[0]
    pattern = rng.choice(patterns)
    topic = rng.choice(list(_TOPICS))
    parts, good, bad = _TOPICS[topic]
    words = [
        (rng.choice(_GOOD + good), rng.choice(_BAD + bad)),
        (rng.choice(_GOOD + good), rng.choice(_BAD + bad)),
    ]
    verbs = rng.choice(_LIKED), rng.choice(_DISLIKED)
    nouns = rng.sample(parts, 2)
    frame = rng.choice((_OPENERS, _CLOSERS, ()))
    aside = rng.choice(frame) if frame else None
    positive, _, negative = pattern.partition(" / ")
    texts = []
    siblings = (positive, turned), (negative or positive, not turned)
    for pattern, bad_first in siblings:
        first, second = words[0][bad_first], words[0][not bad_first]
        places = {"A": first, "B": second, "X": first, "V": verbs[bad_first]}
        places |= {"t": topic, "n": nouns[0], "m": nouns[1], "d": "{d}"}
        text = pattern.format(**places)
        while "{d}" in text:
            text = text.replace("{d}", rng.choice(_ADVERBS), 1)
        sentences = [aside, text] if frame is _OPENERS else [text, aside]
        texts.append(_written([part for part in sentences if part], rng))
    return texts[0], texts[1]


def _written(sentences: list[str], rng: random.Random) -> str:
    """Sentences with the capitals and full stops of a review."""
    texts = [f"{text[0].upper()}{text[1:]}{rng.choice('..!')}" for text in sentences]
    return re.sub(
        r"\b(i|monday|tuesday)\b", lambda word: word[0].capitalize(), " ".join(texts)
    )
