"""Parts of recordings: as given, as the manifest says, or speakers kept apart."""

import pytest

from keras_seq.audio.recordings import Recording
from keras_seq.audio.splits import part_recordings
from keras_seq.errors import UserError


def rows(count: int, speakers: int = 1, part: str = "", labels: int = 10) -> list:
    return [
        Recording(
            f"{part}{n}.wav", f"word {n % labels}", bytes, f"s{n % speakers}", part
        )
        for n in range(count)
    ]


def places(parts: dict) -> list[str]:
    return [r.place for part in parts.values() for r in part]


def test_many_speakers_are_kept_apart():
    parts = part_recordings({"train": rows(400, 40)})
    speakers = [{r.speaker for r in part} for part in parts.values()]
    assert sum(map(len, speakers)) == 40 == len(set.union(*speakers))
    assert [len(parts[name]) for name in ("validation", "test")] == [40, 40]
    assert len(places(parts)) == len(set(places(parts))) == 400


def test_few_speakers_are_cut_evenly_by_label():
    parts = part_recordings({"train": rows(300, 3)})
    for name in ("validation", "test"):
        said = [r.transcript for r in parts[name]]
        assert {said.count(label) for label in set(said)} == {3} and len(said) == 30


def test_the_cut_depends_on_names_and_seed_alone():
    one, same = (places(part_recordings({"train": rows(100)})) for _ in range(2))
    other = places(part_recordings({"train": rows(100)}, seed=1))
    assert one == same != other


def test_a_manifest_may_say_the_parts():
    given = rows(30, part="train") + rows(5, part="validation") + rows(4, part="test")
    parts = part_recordings({"train": given})
    assert [len(part) for part in parts.values()] == [30, 5, 4]
    # A test file of its own takes the place of the rows that the manifest names.
    parts = part_recordings({"train": given, "test": rows(7)})
    assert [len(part) for part in parts.values()] == [30, 5, 7]
    parts = part_recordings({"train": rows(30, part="train"), "test": given})
    assert {r.part for r in parts["test"]} == {"test"}


def test_one_speaker_tests_and_trains_nothing():
    given = rows(100, 5, part="train") + rows(50, 5, part="test")
    parts = part_recordings({"train": given}, test_speaker="s3")
    assert {r.speaker for r in parts["test"]} == {"s3"} and len(parts["test"]) == 30
    assert "s3" not in {r.speaker for n in ("train", "validation") for r in parts[n]}
    with pytest.raises(UserError, match="no speaker 'x' in the data; it has: s0"):
        part_recordings({"train": given}, test_speaker="x")


def test_too_few_recordings_are_told():
    with pytest.raises(UserError, match="too few for a .* part"):
        part_recordings({"train": rows(3)})
