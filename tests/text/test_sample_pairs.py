"""The sample's grammar: order is turned around, and one word has two translations."""

from keras_seq.text.sample_pairs import load_sample_pairs

WATER = {"river", "boat", "fish", "wave"}


def test_a_word_of_water_decides_what_a_bank_is():
    pairs = load_sample_pairs(3, 500)
    seen = set()
    for source, target, *_ in pairs:
        words = source.lower().strip(".").split()
        if "bank" in words:
            is_wet = bool(WATER & set(words))
            seen.add(is_wet)
            assert ("rivo" in target.lower()) is is_wet
            assert ("kaso" in target.lower()) is not is_wet
    assert seen == {True, False}


def test_the_verb_stands_second_and_then_last():
    for source, target, *_ in load_sample_pairs(4, 50):
        assert target.rstrip(".").split()[-1].endswith("as")
        assert not source.rstrip(".").split()[-1].endswith("s")


def test_other_seeds_share_next_to_nothing():
    own, other = ({p.source for p in load_sample_pairs(n, 1000)} for n in (0, 1))
    assert len(own) == 1000 and len(own & other) < 10
