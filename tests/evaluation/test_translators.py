"""Translators without a network: what each can do, and that a file keeps it."""

from pathlib import Path

import pytest

from keras_seq.evaluation.fitted import load_fitted, save_fitted
from keras_seq.evaluation.translators import (
    CopyBaseline,
    TranslationMemory,
    WordTranslator,
)

GERMAN = "Hund Katze Mann Frau".split()
ENGLISH = "dog cat man woman".split()
COLOURS = {"roter": "red", "alter": "old", "kleiner": "small"}
PAIRS = [
    (f"Ein {own} {noun} schläft.", f"A {other} {said} is sleeping.")
    for own, other in COLOURS.items()
    for noun, said in zip(GERMAN, ENGLISH)
]
KINDS = {each.name: each for each in (CopyBaseline, TranslationMemory, WordTranslator)}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_keeps_what_was_fitted(name: str, tmp_path: Path):
    fitted = KINDS[name]().fit(*zip(*PAIRS))
    save_fitted(tmp_path / "b.npz", {name: fitted})
    again = load_fitted(tmp_path / "b.npz", KINDS.__getitem__)[name]
    texts = [*(source for source, _ in PAIRS), "Ein Fisch schläft.", "", "?"]
    assert again.translate(texts) == fitted.translate(texts)


def test_a_memory_answers_with_the_nearest_target():
    memory = TranslationMemory().fit(*zip(*PAIRS))
    assert memory.translate([source for source, _ in PAIRS]) == [t for _, t in PAIRS]
    assert memory.translate(["Der roter Hund"]) == ["A red dog is sleeping."]


def test_words_are_put_together_to_sentences_that_were_never_seen():
    kept = [pair for pair in PAIRS if pair[0] != "Ein alter Mann schläft."]
    words = WordTranslator().fit(*zip(*kept))
    (said,) = words.translate(["Ein alter Mann schläft."])
    assert "old man" in said
    # What no pair has stays as it is.
    assert "Qualle" in words.translate(["Ein roter Qualle schläft."])[0]
