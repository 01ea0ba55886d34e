"""Splits in which groups stay whole: no session, person or machine in two parts."""

from collections.abc import Sequence

import numpy as np

from keras_seq.errors import UserError


def split_groups(
    groups: Sequence, *, validation: float = 0.2, test: float = 0.2, seed: int = 0
) -> dict[str, np.ndarray]:
    """Which sample belongs to which part, by the group that it is of.

    Args:
        groups: (N,), the group of each sample: a name or a number.
        validation: share of the groups that validate.
        test: share of the groups that test.
        seed: of the draw.

    Returns:
        bool (N,) of "train", "validation" and "test".

    Raises:
        UserError: There are too few groups for the parts.

    Example:

    >>> parts = split_groups(["a", "a", "b", "c", "d", "e"])
    >>> {name: int(mask.sum()) for name, mask in parts.items()}
    {'train': 3, 'validation': 2, 'test': 1}
    """
    group_of = np.asarray(groups)
    names = np.random.default_rng(seed).permutation(np.unique(group_of))
    counts = {
        name: max(1, round(share * len(names))) if share else 0
        for name, share in (("validation", validation), ("test", test))
    }
    if sum(counts.values()) >= len(names):
        what = f"{len(names)} groups are too few for train, validation and test parts"
        raise UserError(f"{what}; bring more")
    cuts = np.cumsum([len(names) - sum(counts.values()), counts["validation"]])
    parts = zip(("train", "validation", "test"), np.split(names, cuts))
    return {part: np.isin(group_of, some) for part, some in parts}
