"""Windows of labelled rows, none of which reaches over a change of label or session."""

from collections.abc import Sequence

import numpy as np

from keras_seq.errors import UserError


def cut_windows(
    values: Sequence[Sequence[float]], steps: int, *keys: Sequence
) -> tuple[np.ndarray, ...]:
    """Windows one after the other, and the keys of each.

    Args:
        values: (N, F), rows in order of time.
        steps: T; what is left at the end of a stretch is not used.
        keys: (N,) each, such as label and session; a stretch ends where one changes.

    Returns:
        float32 (M, T, F), and (M,) for each of the keys.

    Raises:
        UserError: No stretch has so many rows.

    Example:

    >>> windows, labels = cut_windows([[0], [1], [2], [3], [4]], 2, list("aaabb"))
    >>> windows[:, :, 0].tolist(), labels.tolist()
    ([[0.0, 1.0], [3.0, 4.0]], ['a', 'b'])
    """
    table, columns = np.asarray(values, np.float32), [np.asarray(key) for key in keys]
    changes = [np.flatnonzero(key[1:] != key[:-1]) + 1 for key in columns]
    ends = np.unique(np.concatenate([*changes, [len(table)]])).astype(int)
    starts = [
        start
        for begin, end in zip([0, *ends[:-1]], ends)
        for start in range(begin, end - steps + 1, steps)
    ]
    if not starts:
        what = f"no stretch has {steps} rows between two changes"
        raise UserError(f"{what} of its keys; take shorter windows")
    rows = np.array(starts)[:, np.newaxis] + np.arange(steps)  # (M, T)
    return table[rows], *(key[starts] for key in columns)
