"""Embedded samples: tagged sentences in which the first word decides, from a distance.

    they  indeed now often   long fast plan watch ...   ADV ADV VERB VERB
    their indeed now often   long fast plan watch ...   ADJ ADJ NOUN NOUN

Words between the first and those that hang on it are the same in both, and there are
three of them or more. So neither a table of words nor a window of neighbours can tell
the two apart; what remembers the first word can. This module needs no model.
"""

import random
from pathlib import Path

from keras_seq.text.sentences import Sentence

_OPENERS = {
    "PRON": "they we you everyone I".split(),
    "DET": "their our your her my".split(),
}
_BETWEEN = "indeed now often today here soon again perhaps always too".split()
_MODIFIERS = "long fast hard late early straight far deep wide daily".split()
_HEADS = (
    "plan watch fish cook walk talk dance call answer visit report drink smile work "
    "travel search vote guess hope study trade rest paint guide"
).split()
_TAGS = {"PRON": ("ADV", "VERB"), "DET": ("ADJ", "NOUN")}


def load_sample_sentences(seed: int = 0, count: int = 2000) -> list[Sentence]:
    """Sentences of a small grammar, without copies as far as chance allows.

    Args:
        seed: another one, other sentences.
        count: how many.

    Example:

    >>> sentence = load_sample_sentences(seed=1, count=1)[0]
    >>> sentence.words[:5], sentence.tags[:5]
    (('everyone', 'perhaps', 'too', 'now', 'far'), ('PRON', 'ADV', 'ADV', 'ADV', 'ADV'))
    """
    rng = random.Random(f"sentences {seed}")
    path = Path(f"sample sentences of seed {seed}")
    return [_sentence(rng)._replace(path=path) for _ in range(count)]


def _sentence(rng: random.Random) -> Sentence:
    opener = rng.choice(list(_OPENERS))
    modifier, head = _TAGS[opener]
    pairs = [(rng.choice(_OPENERS[opener]), opener)]
    pairs += [(rng.choice(_BETWEEN), "ADV") for _ in range(rng.randint(3, 5))]
    for _ in range(rng.randint(2, 4)):
        pairs += [(rng.choice(_MODIFIERS), modifier) for _ in range(rng.randint(0, 2))]
        pairs.append((rng.choice(_HEADS), head))
    pairs.append((rng.choice(".!"), "PUNCT"))
    words, tags = zip(*pairs)
    return Sentence(words, tags)
