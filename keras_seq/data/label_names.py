"""Samples in which every class has one name, whatever spellings the data has.

Knows samples, and of tables that they say where a row stands; no models.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from keras_seq.data.labels import (
    check_classes,
    check_missing,
    log_joined,
    name_spellings,
)
from keras_seq.data.splits import Samples, name_of


class Renamed:
    """Samples under the names of their classes.

    Args:
        samples: (text, label) pairs, or a table.
        names: name by spelling.
    """

    def __init__(self, samples: Samples, names: Mapping[str, str]) -> None:
        self._samples, self._names = samples, dict(names)

    def __str__(self) -> str:
        return name_of(self._samples)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for text, label in written(self._samples):
            yield text, self._names.get(label, label)

    def places(self) -> Iterator[tuple[str, str]]:
        """(where it stands, label) of each sample."""
        for place, label in places_of(self._samples):
            yield place, self._names.get(label, label)


def written(samples: Samples) -> Iterator[tuple[str, str]]:
    """(text, label as it is written), where a table would cut the spaces around it."""
    rows = getattr(samples, "rows", None)
    return iter(samples) if rows is None else ((t, label) for _, _, t, label in rows())


def places_of(samples: Samples) -> Iterator[tuple[str, str]]:
    """(where it stands, label as it is written) of each sample."""
    if hasattr(samples, "places"):
        return samples.places()
    return ((f"sample {n}", label) for n, (_, label) in enumerate(samples, 1))


def join_labels(
    samples: Samples, known: Sequence[str] = (), *, as_written: bool = False
) -> Samples:
    """Samples in which every class has one name.

    Args:
        samples: (text, label) pairs, or a table; read once here.
        known: names of a training, for what it is scored on; without them the samples
            train, and their labels are checked as classes.
        as_written: joins nothing and asks about nothing.

    Returns:
        The samples, re-iterable as they were.

    Raises:
        UserError: A label reads as missing, or labels are no classes.

    Example:

    >>> list(join_labels([("fine", "1"), ("poor", "0"), ("good", "1.0")]))
    [('fine', '1'), ('poor', '0'), ('good', '1')]
    """
    if as_written:
        return samples
    place = name_of(samples)
    spellings = Counter(label for _, label in written(samples))
    if not known:
        check_missing(place, spellings)
    names = name_spellings(spellings, known)
    log_joined(place, spellings, names, "rows", known)
    if not known:
        classes: Counter[str] = Counter()
        for spelling, count in spellings.items():
            classes[names[spelling]] += count
        check_classes(place, classes)
    if all(spelling == name for spelling, name in names.items()):
        return samples
    return Renamed(samples, names)
