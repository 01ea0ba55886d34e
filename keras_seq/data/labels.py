"""Labels that are written in several ways, look missing, or are no classes at all.

`1` and `1.0`, `Pos` and `pos`, a composed accent and a combining one, a zero-width
space that nobody sees: one class each, and one name for it. What is joined is printed,
what could mean two things is refused; `--labels-as-written` takes labels as they stand.

Knows neither samples nor models.
"""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from keras_seq.data.places import error_at, listed
from keras_seq.errors import UserError
from keras_seq.log import log

AS_WRITTEN = "--labels-as-written"
# How spreadsheets, databases and data frames write that there is no value.
MISSING = set(
    "na n/a n.a. #n/a #na <na> nan -nan none null (null) nil nul \\n #null! - -- --- – "
    "— ? ?? ??? .".split()
)
# Zero-width space and joiner of words, soft hyphen, byte order mark, directions, and
# what chooses between two drawings of one character.
_UNSEEN = dict.fromkeys([0xAD, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF])
_UNSEEN |= dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_UNSEEN |= dict.fromkeys(range(0xFE00, 0xFE10))
# `1e0`, `.5`: numbers whose digits are written out before they are compared.
_SCIENTIFIC = re.compile(r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)(e[+-]?[0-9]{1,2})?")
_NUMBER = re.compile(r"([+-]?)0*([0-9]+?)(?:[.]([0-9]*?)0*|,0{1,2})?")
_SEVERAL = re.compile(r"\s*[|;,]\s*")
SHOWN = 5


def clean_label(label: str) -> str:
    """A label as it is shown: composed accents, single spaces, nothing unseen.

    Example:

    >>> clean_label(" very\\xa0good\\u200b ")
    'very good'
    """
    seen = unicodedata.normalize("NFC", label).translate(_UNSEEN)
    return " ".join(seen.split())


def label_key(label: str) -> str:
    """What all spellings of a label share.

    Example:

    >>> label_key("True"), label_key("01"), label_key("1.0"), label_key("1e0")
    ('true', '1', '1', '1')
    """
    folded = unicodedata.normalize("NFKC", label).translate(_UNSEEN).casefold()
    folded = folded.replace("i\u0307", "i")  # what a capital with a dot folds to
    key = " ".join(
        "".join(c for c in folded if unicodedata.category(c) != "Cf").split()
    )
    # Digits of any script; NFKC has only made those of full width plain.
    key = "".join(str(unicodedata.decimal(c, c)) for c in key)
    if _SCIENTIFIC.fullmatch(key):
        key = format(Decimal(key), "f")
    number = _NUMBER.fullmatch(key)
    if number is None:
        return key
    sign, whole, decimals = number.groups(default="")
    plain = f"{whole}.{decimals}" if decimals else whole
    return f"-{plain}" if sign == "-" and plain != "0" else plain


@functools.lru_cache(4096)
def reads_as_missing(label: str) -> bool:
    """Whether a label is how somebody writes that there is none.

    Example:

    >>> reads_as_missing("N/A"), reads_as_missing("nobody")
    (True, False)
    """
    return label_key(label) in MISSING


def name_spellings(
    spellings: Mapping[str, int], known: Sequence[str] = ()
) -> dict[str, str]:
    """The name of the class that each spelling is of.

    Args:
        spellings: how often each stands in the data.
        known: names of a training; a spelling of one of them is joined with it.

    Returns:
        Name by spelling: that of a known class, else the most frequent spelling.

    Example:

    >>> name_spellings({"Pos": 3, "pos": 9, "neg ": 4})
    {'Pos': 'pos', 'pos': 'pos', 'neg ': 'neg'}
    """
    counts: dict[str, Counter[str]] = {}
    for spelling, count in spellings.items():
        cleaned = counts.setdefault(label_key(spelling), Counter())
        cleaned[clean_label(spelling)] += count
    name_of_key = {
        key: max(sorted(cleaned), key=cleaned.__getitem__)
        for key, cleaned in counts.items()
    }
    of_known: dict[str, set[str]] = {}
    for name in known:
        of_known.setdefault(label_key(name), set()).add(name)
    # Two known classes that share a key are told apart by their exact spelling alone.
    name_of_key |= {key: min(of) for key, of in of_known.items() if len(of) == 1}
    exact = {name: name for name in known}
    return {
        spelling: exact.get(spelling)
        or exact.get(clean_label(spelling))
        or name_of_key[label_key(spelling)]
        for spelling in spellings
    }


def log_joined(
    place: str,
    spellings: Mapping[str, int],
    names: Mapping[str, str],
    what: str,
    known: Sequence[str] = (),
) -> None:
    """One line on stderr of what was joined, and how many (`what`) there were of it."""
    shared = Counter(names.values())
    joined = [
        f"{_shown(spelling)} ({count:,} {what}) is read as {_shown(names[spelling])}"
        for spelling, count in spellings.items()
        if spelling != names[spelling]
        and (shared[names[spelling]] > 1 or clean_label(spelling) != names[spelling])
    ]
    if joined:
        more = [f"and {len(joined) - SHOWN} more"] if len(joined) > SHOWN else []
        line = "; ".join(joined[:SHOWN] + more)
        if not known:
            line += f"; {AS_WRITTEN} keeps them apart"
        log.info(f"{place}: spellings of one label are joined: {line}")


def check_classes(
    place: str, counts: Mapping[str, int], what: str = "rows", way_out: str = ""
) -> None:
    """Refuses what is no column of classes, and says what looks like several labels.

    Raises:
        UserError: There are more labels than half of the samples.

    Example:

    >>> check_classes("a.csv", {f"id {n}": 1 for n in range(30)})
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: a.csv: 30 labels in 30 rows, such as 'id 0', 'id 1', \
and 28 more: so many are no classes; name another column with --label-column
    """
    total = sum(counts.values())
    if len(counts) > max(5, total / 2):
        raise UserError(
            f"{place}: {len(counts):,} labels in {total:,} {what}, such as "
            f"{listed(list(counts), 2)}: so many are no classes; name another column "
            "with --label-column"
        )
    several = _several(counts)
    if several:
        rows = sum(counts[label] for label in several)
        log.info(
            f"{place}: labels such as {_shown(several[0])} ({rows:,} {what}) look like "
            "several labels of one sample; each combination is learned as a class of "
            f"its own{way_out}",
        )


def _several(labels: Iterable[str]) -> list[str]:
    """Labels that are put together of others with | , or ;"""
    parts = {
        label: _SEVERAL.split(label.strip("[](){} "))
        for label in labels
        if not _NUMBER.fullmatch(label)
    }
    found = Counter(part for of in parts.values() for part in set(of))
    return [
        label
        for label, of in parts.items()
        if len(of) > 1 and all(of) and any(found[part] > 1 for part in of)
    ]


def check_missing(place: str, labels: Iterable[str], droppable: bool = False) -> None:
    """Asks about labels that read as missing values.

    Raises:
        UserError: There is one.

    Example:

    >>> check_missing("reviews.csv", ["good", "N/A"])
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: reviews.csv: no label ('N/A'); remove such rows, or \
keep it as a class with --labels-as-written
    """
    for label in labels:
        if reads_as_missing(label):
            what = f"{place}: no label ({label!r}); remove such rows, or keep it as a "
            what += f"class with {AS_WRITTEN}"
            if droppable:
                what += ", or leave them out with --drop-missing"
            raise UserError(what)


def unknown_label(
    place: str, label: str, known: Sequence[str], kind: str = "label"
) -> UserError:
    """The error of a label, or of another `kind` of answer, that no training had.

    Example:

    >>> unknown_label("a.csv:2", "bad", ["good", "fine"])
    UserError("a.csv:2: label 'bad' was not in training, only: 'good', 'fine'")
    """
    what = f"{kind} {label!r} was not in training, only: {listed(known, 20)}"
    return error_at(place, what)


def _shown(label: str) -> str:
    """As Python writes it; in ASCII where two spellings would look the same."""
    plain = unicodedata.normalize("NFC", label) == label and label.isprintable()
    return repr(label) if plain else ascii(label)
