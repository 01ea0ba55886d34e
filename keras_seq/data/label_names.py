"""Samples in which every class has one name, whatever spellings the data has."""

from collections import Counter
from collections.abc import Mapping, Sequence

from keras_seq.data.label_format import join_marked, number_of, split_marked
from keras_seq.data.labels import (
    check_classes,
    check_missing,
    log_joined,
    name_spellings,
)
from keras_seq.data.places import listed
from keras_seq.data.store import Samples, SampleStore, stored
from keras_seq.errors import UserError

ONE_BY_ONE = "; --label-separator with what stands between them learns them one by one"
MOST_NUMBERS, MOST_FRACTIONS = 20, 10  # half stars make ten


def join_labels(
    samples: Samples,
    known: Sequence[str] = (),
    *,
    as_written: bool = False,
    may_be_numbers: bool = False,
) -> SampleStore:
    """Samples in which every class has one name.

    Args:
        samples: (text, label) pairs, or a table.
        known: names of a training, for what it is scored on; without them the samples
            train, and their labels are checked as classes.
        as_written: joins nothing and asks about nothing.
        may_be_numbers: numbers are classes, however many there are.

    Returns:
        The samples, read once, here.

    Raises:
        UserError: A label reads as missing, or labels are no classes.

    Example:

    >>> list(join_labels([("fine", "1"), ("poor", "0"), ("good", "1.0")]))
    [('fine', '1'), ('poor', '0'), ('good', '1')]
    """
    store = stored(samples)
    if as_written:
        return store
    if not (known or may_be_numbers):
        check_no_measurements(store.name, store.spelling_counts)
    spellings = store.spelling_counts
    if not known:
        check_missing(store.name, spellings)
    names = name_spellings(spellings, known)
    log_joined(store.name, spellings, names, "rows", known)
    if not known:
        classes: Counter[str] = Counter()
        for spelling, count in spellings.items():
            classes[names[spelling]] += count
        check_classes(store.name, classes, way_out=ONE_BY_ONE)
    return store.renamed(names)


def join_each_label(
    samples: Samples, known: Sequence[str] = (), *, as_written: bool = False
) -> SampleStore:
    """Samples of several labels a text, in which every label has one name:
    `join_marked`.

    Returns:
        The samples; labels of a text stand in order, each once.

    Raises:
        UserError: A label reads as missing, or labels are no classes.

    Example:

    >>> given = [("a", "\x1fB\x1fa"), ("b", "\x1fb\x1fb"), ("c", "\x1fb")]
    >>> [split_marked(labels) for _, labels in join_each_label(given)]
    [['a', 'b'], ['b'], ['b']]
    """
    store = stored(samples)
    counts: Counter[str] = Counter()
    for spelling, count in store.spelling_counts.items():
        counts.update(dict.fromkeys(split_marked(spelling), count))
    names = {label: label for label in counts}
    if not as_written:
        if not known:
            check_missing(store.name, counts)
        names = name_spellings(counts, known)
        log_joined(store.name, counts, names, "labels", known)
        if not known:
            check_classes(store.name, counts, "labels")
    return store.renamed(
        {
            spelling: join_marked(sorted({names[x] for x in split_marked(spelling)}))
            for spelling in store.spelling_counts
        }
    )


def check_no_measurements(place: str, counts: Mapping[str, int]) -> None:
    """Asks about labels that are many different numbers.

    Raises:
        UserError: They are.

    Example:

    >>> check_no_measurements("a.csv", {f"{n / 4}": 1 for n in range(30)})
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: a.csv: labels are 30 different numbers, such as '0.0', \
'0.25', and 28 more; --kind regression learns a number a text, --kind classification \
takes them for classes
    """
    numbers = [n for n in map(number_of, counts) if n is not None]
    if len(numbers) < len(counts):
        return
    has_fractions = any(number != int(number) for number in numbers)
    if len(set(numbers)) > (MOST_FRACTIONS if has_fractions else MOST_NUMBERS):
        raise UserError(
            f"{place}: labels are {len(set(numbers)):,} different numbers, such as "
            f"{listed(list(counts), 2)}; --kind regression learns a number a text, "
            "--kind classification takes them for classes"
        )
