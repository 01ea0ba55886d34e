"""Samples in which every class has one name, whatever spellings the data has."""

from collections import Counter
from collections.abc import Sequence

from keras_seq.data.labels import (
    check_classes,
    check_missing,
    log_joined,
    name_spellings,
)
from keras_seq.data.store import Samples, SampleStore, stored


def join_labels(
    samples: Samples, known: Sequence[str] = (), *, as_written: bool = False
) -> SampleStore:
    """Samples in which every class has one name.

    Args:
        samples: (text, label) pairs, or a table.
        known: names of a training, for what it is scored on; without them the samples
            train, and their labels are checked as classes.
        as_written: joins nothing and asks about nothing.

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
    spellings = store.spelling_counts
    if not known:
        check_missing(store.name, spellings)
    names = name_spellings(spellings, known)
    log_joined(store.name, spellings, names, "rows", known)
    if not known:
        classes: Counter[str] = Counter()
        for spelling, count in spellings.items():
            classes[names[spelling]] += count
        check_classes(store.name, classes)
    return store.renamed(names)
