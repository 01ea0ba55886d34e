"""Embedded sample: two small languages whose words stand in another order.

    The old king sees the red bank behind the boat.
    Post boato rivo ruĝa rego maljuna vidas.

The second language turns the sentence around: places, then object, subject and verb,
each noun before its adjectives. To write it, all of a source has to be remembered, or
looked at again. And one word, `bank`, is `rivo` where a word of water stands anywhere
in the sentence, and `kaso` else. This module knows no model.
"""

import random
from pathlib import Path

from keras_seq.text.pairs import SentencePair

_NOUNS = dict(
    zip(
        "dog cat king child farmer sailor doctor singer horse bird house tower road "
        "garden letter table window mountain forest lamp".split(),
        "hundo kato rego infano agristo maristo kuracisto kantisto ĉevalo birdo domo "
        "turo vojo ĝardeno letero tablo fenestro monto arbaro lampo".split(),
    )
)
_WATER = dict(zip("river boat fish wave".split(), "rivero boato fiŝo ondo".split()))
_BANK = "bank"
_WET, _DRY = "rivo", "kaso"
_ADJECTIVES = dict(
    zip(
        "old small red tall quiet clever round heavy green happy".split(),
        "maljuna eta ruĝa alta trankvila saĝa ronda peza verda gaja".split(),
    )
)
_VERBS = dict(
    zip(
        "sees paints follows likes hears seeks draws knows".split(),
        "vidas pentras sekvas ŝatas aŭdas serĉas desegnas konas".split(),
    )
)
_PLACES = dict(zip("near behind above without".split(), "ĉe post super sen".split()))


def load_sample_pairs(seed: int = 0, count: int = 4000) -> list[SentencePair]:
    """Distinct sentence pairs of the two languages.

    Args:
        seed: another one, other sentences.
        count: how many.

    Example:

    >>> pair = load_sample_pairs(seed=2, count=1)[0]
    >>> print(pair.source, "=", pair.target)  # doctest: +ELLIPSIS
    The ... = ...
    """
    rng = random.Random(f"pairs {seed}")
    path = Path(f"sample pairs of seed {seed}")
    found: dict[str, str] = {}
    while len(found) < count:
        source, target = _sentence(rng)
        found[source] = target
    pairs = enumerate(found.items(), start=1)
    return [SentencePair(*pair, path, number) for number, pair in pairs]


def _sentence(rng: random.Random) -> tuple[str, str]:
    """Subject, verb, object and two places; turned around in the target."""
    groups = [_group(rng) for _ in range(4)]
    verb, other = rng.choice(list(_VERBS)), rng.sample(list(_PLACES), 2)
    is_wet = any(word in _WATER for group in groups for word in group)
    own, said = [], [_said(group, is_wet) for group in groups]
    for lead, group in zip(("", verb, *other), groups):
        own += [lead] * bool(lead) + ["the", *group]
    marks = [_PLACES[place] for place in other]
    turned = [marks[1], *said[3], marks[0], *said[2], *said[1], *said[0], _VERBS[verb]]
    return _written(own), _written(turned)


def _group(rng: random.Random) -> list[str]:
    noun = rng.choice([*_NOUNS, *_WATER, *[_BANK] * 8])
    return [*rng.sample(list(_ADJECTIVES), rng.choice((0, 1, 1, 2))), noun]


def _said(group: list[str], is_wet: bool) -> list[str]:
    nouns = _NOUNS | _WATER | {_BANK: _WET if is_wet else _DRY}
    *adjectives, noun = group
    return [nouns[noun], *(_ADJECTIVES[word] for word in reversed(adjectives))]


def _written(words: list[str]) -> str:
    text = " ".join(words) + "."
    return text[0].upper() + text[1:]
