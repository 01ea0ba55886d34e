"""Forecasts that only repeat what they read last, and look right one step late.

Shapes: N windows, K targets.
"""

import numpy as np


def lag_check(
    forecasts: np.ndarray, last: np.ndarray, targets: np.ndarray, series: np.ndarray
) -> dict[str, float]:
    """Whether one-step forecasts follow the row before rather than the row to come.

    A network that copies its last input has a curve that looks right, one step late:
    the trap that most price demos fall into.

    Args:
        forecasts, last, targets: float (N, K), of the first step.
        series: int (N,).

    Returns:
        Means over series and targets of three correlations: of the forecast with the
        last row, of the forecast with its target, and of the foreseen change with the
        change that came.
    """
    found = []
    for one in np.unique(series):
        for target in range(forecasts.shape[1]):
            rows = (series == one) & np.isfinite(targets[:, target])
            f, before, y = (x[rows, target] for x in (forecasts, last, targets))
            found.append(
                [
                    _correlation(f, before),
                    _correlation(f, y),
                    _correlation(f - before, y - before),
                ]
            )
    names = ("with_last_row", "with_target", "of_changes")
    return dict(zip(names, np.mean(found, axis=0).tolist()))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if len(a) < 3 or a.std() <= 1e-9 * np.abs(a).max() or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
