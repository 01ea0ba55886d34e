"""Tags of sentences: those that a scheme can have, checked and repaired by line."""

from collections.abc import Sequence

from keras_seq.data.tables import error_at, listed
from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.text.sentences import Sentence
from keras_seq.text.tag_schemes import OUTSIDE, find_scheme, repair_tags, split_tag


def name_of_file(sentences: Sequence[Sentence]) -> str:
    """What to call sentences in a message: the file that the first is from."""
    return str(sentences[0].path) if sentences else "sentences"


def check_tags(sentences: Sequence[Sentence], tag_names: Sequence[str]) -> None:
    """Refuses a tag that train does not have, by its line.

    Raises:
        UserError: There is one, or no sentence.
    """
    known = set(tag_names)
    for sentence in sentences:
        for word, tag in enumerate(sentence.tags):
            if tag not in known:
                what = f"tag {tag!r} was not in training, only: {listed(tag_names, 20)}"
                raise error_at(sentence.place(word), what)
    if not sentences:
        raise UserError("there is no sentence to read tags of")


def repair_sentences(
    sentences: Sequence[Sentence], scheme: str | None
) -> list[Sentence]:
    """Tags as they are learned; one line says how many broke the rules of the scheme.

    Args:
        sentences: with their tags.
        scheme: of `find_scheme`.

    Raises:
        UserError: A tag is of no entity, where others are.
    """
    if scheme is None:
        return list(sentences)
    found, broken, first = [], 0, ""
    for sentence in sentences:
        for word, tag in enumerate(sentence.tags):
            if split_tag(tag)[0] == OUTSIDE != tag:
                what = f"tag {tag!r} is of no entity, in data of {scheme.upper()}"
                raise error_at(sentence.place(word), what)
        tags, count = repair_tags(sentence.tags, scheme)
        if count and not broken:
            first = sentence.place()
        broken += count
        found.append(sentence._replace(tags=tuple(tags)))
    if broken:
        log.info(
            f"{name_of_file(sentences)}: {broken:,} tags break the rules of "
            f"{scheme.upper()} and are repaired, the first at {first}"
        )
    return found


def repair_like(sentences: Sequence[Sentence], scheme: str | None) -> list[Sentence]:
    """Tags as a model of this scheme has them; what is written as BIO1 is BIO2 there.

    Raises:
        UserError: They are of BIOES and the model's are not, or the other way round.
    """
    if not scheme:
        return list(sentences)
    written = find_scheme(each.tags for each in sentences) or scheme
    if (written == "bioes") != (scheme == "bioes"):
        what = f"tags are {written.upper()}, but the model has {scheme.upper()}"
        raise error_at(name_of_file(sentences), f"{what}; convert them")
    return repair_sentences(sentences, written)


def names_of_tags(sentences: Sequence[Sentence], scheme: str | None) -> list[str]:
    """Tags that a model is to have: of a scheme, all that the types found can have.

    Raises:
        UserError: Every word has the same tag.
    """
    found = {tag for each in sentences for tag in each.tags}
    if scheme:
        kinds = {split_tag(tag)[1] for tag in found} - {""}
        letters = "BIES" if scheme == "bioes" else "BI"
        found = {OUTSIDE} | {f"{letter}-{kind}" for letter in letters for kind in kinds}
    if len(found) < 2:
        what = f"every word has the tag {next(iter(found))!r}"
        raise error_at(name_of_file(sentences), f"{what}; a tagger needs two or more")
    return sorted(found, key=lambda tag: (tag != OUTSIDE, tag))
