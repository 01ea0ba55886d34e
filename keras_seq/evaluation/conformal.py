"""Intervals that hold what they promise: split-conformal calibration of quantiles.

Romano, Patterson and Candes 2019, "Conformalized Quantile Regression": how far, on
validation windows, the truth lay outside the network's interval says how far to move
its ends. Distances are counted in widths of the interval, so that a wild week gets more
than a calm one. Each end, step and target has a shift of its own.

Shapes: N windows, H horizon, K targets.
"""

from typing import NamedTuple

import numpy as np


class Calibration(NamedTuple):
    """How far to move both ends outward, in widths: float64 (H, K) each.

    Attributes:
        lower, upper: shifts.
        farthest: the most that an end may lie from its forecast, in units of the
            caller's; None bounds nothing.
    """

    lower: np.ndarray
    upper: np.ndarray
    farthest: np.ndarray | None = None


def calibrate(
    targets: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    width: np.ndarray,
    coverage: float = 0.8,
) -> Calibration:
    """The shifts after which each end is overstepped as often as it should.

    Args:
        targets: float (N, H, K); nan is left out.
        lower, upper: float (N, H, K), the network's ends.
        width: float (N, H, K), positive: the unit of the shift.
        coverage: share of targets to lie inside; half of the rest lies on each side.

    Returns:
        Shifts; negative ones narrow an interval that was too wide.

    Example:

    >>> targets = np.linspace(-1, 1, 201)[:, None, None]
    >>> zero = np.zeros_like(targets)
    >>> shifts = calibrate(targets, zero, zero, zero + 1)
    >>> shifts.lower.round(1).item(), shifts.upper.round(1).item()
    (0.8, 0.8)
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage is {coverage}; expected a share between 0 and 1")
    one_side = (1 + coverage) / 2
    return Calibration(
        _shift((lower - targets) / width, one_side),
        _shift((targets - upper) / width, one_side),
    )


def _shift(scores: np.ndarray, share: float) -> np.ndarray:
    """The ceil((n + 1) share)-th smallest of n scores; the largest where n is small."""
    ordered = np.sort(scores, axis=0)  # nan stands last
    count = np.isfinite(scores).sum(axis=0)  # (H, K)
    place = np.ceil((count + 1) * share).astype(int)
    place = np.clip(np.minimum(place, count) - 1, 0, None)
    shifts = np.take_along_axis(ordered, place[None], axis=0)[0]
    return np.where(count > 0, shifts, 0.0)
