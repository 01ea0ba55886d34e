"""How a test part is redrawn: what is independent of what, and how much of it there is.

Samples, groups of copies, speakers and their utterances, or blocks of time, whose
length comes of the losses' own autocorrelation. Knows weights alone: nothing of scores.

Shapes: N samples or steps of time, U units that are redrawn, L lags.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

# Fewer that differ cannot tell: a sign test of five has 2 / 2**5 > 5 % at its best.
FEWEST_DIFFERENT = 6
# Of fewer blocks, false wins went above 4 % (tests/evaluation/test_false_wins.py).
FEWEST_BLOCKS = 8
FEW_SAMPLES, FEW_BLOCKS, FEW_SPEAKERS = 100, 16, 6
NORMAL = 1.959964  # 97.5 % of the normal distribution lie below

Draw = Callable[[np.random.Generator], np.ndarray]  # to float64 (N,) times drawn


class Redraw(NamedTuple):
    """A way to redraw a test part.

    Attributes:
        draw: how often each of N was drawn.
        unit_of: int (N,), the unit of each; units are independent of each other.
        num_units: how many are independent; blocks of time can be a broken number.
        unit: what they are, in the plural.
        fewest: with fewer of them no verdict is given.
        few: with fewer of them the sentence warns.
        spread: factor of intervals, for what autocorrelation blocks cut off.
        each: what `unit_of` numbers where it is not the unit, in the plural.
        alike: units of one size that would say as much; fewer where sizes differ.
    """

    draw: Draw
    unit_of: np.ndarray
    num_units: float
    unit: str
    fewest: int
    few: int
    spread: float = 1.0
    each: str = ""
    alike: float = math.inf

    def differing(self, differs: np.ndarray) -> int:
        """Units in which any of bool (N,) is true."""
        return len(np.unique(self.unit_of[differs]))

    def widening(self, count: float = math.inf) -> float:
        """Factor of a bootstrap interval of so many units, or of all that there are.

        The bootstrap's variance is (U - 1) / U of what it should be, and its
        percentiles are of a normal distribution where Student's t belongs (Hesterberg
        2015, "What Teachers Should Know About the Bootstrap").
        """
        from scipy.special import stdtrit

        units = max(2.0, min(count, self.num_units, self.alike))
        quantile = float(stdtrit(units - 1, 0.975)) / NORMAL
        return self.spread * quantile * math.sqrt(units / (units - 1))


def by_samples(num_samples: int, unit: str = "samples") -> Redraw:
    """Samples are independent of each other.

    Example:

    >>> by_samples(4).draw(np.random.default_rng(0)).tolist()
    [0.0, 1.0, 2.0, 1.0]
    """
    return by_groups(np.arange(num_samples), unit)


def by_groups(groups: Sequence | np.ndarray, unit: str = "samples") -> Redraw:
    """Samples of a group, such as copies of a text, are redrawn together.

    Args:
        groups: (N,), names or numbers of their groups.
        unit: what a group is called.
    """
    names, unit_of = np.unique(np.asarray(groups), return_inverse=True)
    size = len(names)
    if size == len(unit_of):
        unit_of = np.arange(size)  # in the order of the samples

    def draw(rng: np.random.Generator) -> np.ndarray:
        times_drawn = np.bincount(rng.integers(size, size=size), minlength=size)
        times_drawn = times_drawn.astype(np.float64)
        return times_drawn if size == len(unit_of) else times_drawn[unit_of]

    return Redraw(
        draw,
        unit_of,
        size,
        unit,
        FEWEST_DIFFERENT,
        FEW_SAMPLES,
        alike=_alike(np.bincount(unit_of)),
    )


def redraw_of(
    num_samples: int, groups: Sequence | np.ndarray | None, unit: str = "samples"
) -> Redraw:
    """How samples are redrawn, those of a group as one where there are groups."""
    if groups is None:
        return by_samples(num_samples, unit)
    redraw = by_groups(groups, unit)
    is_each = redraw.num_units == num_samples
    return redraw if is_each else redraw._replace(unit=f"different {unit}")


def _alike(sizes: np.ndarray) -> float:
    """Kish's effective number (1965) of groups of these sizes."""
    return float(sizes.sum()) ** 2 / float(np.square(sizes, dtype=float).sum())


def by_speakers(speakers: Sequence[str]) -> Redraw:
    """Speakers are redrawn, and of each one drawn its utterances.

    Of few speakers that happen to be alike, redrawing them alone would make an interval
    of no width.

    Args:
        speakers: N names, of two speakers or more.
    """
    names, speaker_of = np.unique(np.asarray(speakers), return_inverse=True)
    order = np.argsort(speaker_of, kind="stable")
    sizes = np.bincount(speaker_of)
    starts = np.cumsum(sizes) - sizes
    total = len(speaker_of)

    def draw(rng: np.random.Generator) -> np.ndarray:
        drawn = rng.integers(len(names), size=len(names))
        own, first = (np.repeat(part[drawn], sizes[drawn]) for part in (sizes, starts))
        places = order[first + rng.integers(own)]
        return np.bincount(places, minlength=total).astype(np.float64)

    each = np.arange(total)
    return Redraw(
        draw,
        each,
        len(names),
        "speakers",
        2,
        FEW_SPEAKERS,
        each="utterances",
        alike=_alike(sizes),
    )


def by_blocks(values: np.ndarray, shortest: float = 1.0, unit: str = "rows") -> Redraw:
    """Blocks of neighbouring steps are redrawn: what is near in time is alike.

    Circular blocks (Politis and Romano 1992): from the end they go on at the beginning,
    so that each step is drawn as often. The variance that blocks of one length give is
    too small by a share of 1 / length, which a second, halved length shows ("lugsail",
    Vats and Flegal 2022): intervals are spread by it.

    Args:
        values: float (N,), what each step adds to the statistic that is redrawn.
        shortest: of the blocks, where more is known than the values show.
        unit: what a step is called.

    Raises:
        ValueError: A value is not a number.
    """
    size = len(values)
    if not size or not np.isfinite(values).all():
        raise ValueError("values are none, or NaN, or infinite; expected numbers")
    wished = max(block_length(values), shortest)
    # Of a part that is too short a quarter, or every resample would be the whole.
    block = max(1, min(math.ceil(wished), size // 4))
    num_blocks = -(-size // block)

    def draw(rng: np.random.Generator) -> np.ndarray:
        starts = rng.integers(size, size=num_blocks)
        begun = np.bincount(starts, minlength=size).astype(np.float64)
        return _sums_of(begun[::-1], block)[::-1]

    variance, halved = (_block_variance(values, b) for b in (block, block // 2 or 1))
    spread = math.sqrt(max(1.0, 2 - halved / variance)) if variance > 0 else 1.0
    name = unit if wished <= 1 else f"blocks of {math.ceil(wished):,} {unit}"
    return Redraw(
        draw,
        np.arange(size) // block,
        size / wished,
        name,
        FEWEST_BLOCKS,
        FEW_BLOCKS,
        spread,
    )


def block_length(values: np.ndarray) -> float:
    """Length of blocks that the values' own autocorrelation asks for, 1 or more.

    Politis and White 2004, "Automatic Block-Length Selection for the Dependent
    Bootstrap", for circular blocks as corrected by Patton, Politis and White 2009. The
    last lag that is significant is looked for, where they stop at the first few that
    are not, so that a season is seen; Bartlett's standard error keeps chance out.

    Short series look less dependent than they are. So the length is at least that of a
    first-order autoregression (Andrews 1991) whose coefficient is one standard error
    above its estimate, corrected for bias (Kendall 1954).

    Example:

    >>> rng = np.random.default_rng(0)
    >>> lasting = np.repeat(rng.normal(size=50), 20)
    >>> block_length(rng.normal(size=1000)) < 3 < 40 < block_length(lasting) < 200
    True
    """
    size = len(values)
    centred = values - values.mean()
    scale = np.abs(centred).max(initial=0.0)
    if size < 3 or scale <= 1e-12 * np.abs(values).max():
        return 1.0  # nothing varies
    correlation = _autocorrelation(centred / scale)
    slope = _steepest(correlation[1], size)
    ratio = max(_asymmetry(correlation, size), 2 * slope / (1 - slope**2))
    return float(max(1.0, (1.5 * ratio**2 * size) ** (1 / 3)))


def _autocorrelation(centred: np.ndarray) -> np.ndarray:
    """float64 (N,), of lags from 0 on."""
    size = len(centred)
    spectrum = np.fft.rfft(centred, 2 * size)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2)[:size]
    return covariance / covariance[0]


def _steepest(first: float, size: int) -> float:
    """An upper bound of the correlation of neighbours."""
    error = math.sqrt(max(0.0, 1 - first**2) / size)
    return min(max(first + (1 + 3 * first) / size + error, 0.0), 0.999)


def _asymmetry(correlation: np.ndarray, size: int) -> float:
    """Politis and White's G / g(0): sums of |lag| r(lag), and of r(lag), both sides."""
    longest = max(math.ceil(math.sqrt(size)) + 5, size // 16)
    some = correlation[1 : min(longest, size - 1) + 1]  # (L,)
    errors = np.sqrt(1 + 2 * np.cumsum(np.square([0.0, *some[:-1]])))
    bound = 2 * math.sqrt(math.log10(size) / size)
    significant = np.nonzero(np.abs(some) > bound * errors)[0]
    last = 2 * (significant[-1] + 1 if len(significant) else 1)
    lags = np.arange(1, min(last, size - 1) + 1)
    window = np.minimum(1.0, 2 * (1 - lags / last))  # flat, then down to zero
    parts = 2 * window * correlation[lags]
    # Values that alternate make a mean surer: no block need know of it.
    return max(0.0, float(lags @ parts)) / max(1 + float(parts.sum()), 0.05)


def _sums_of(values: np.ndarray, block: int) -> np.ndarray:
    """Sums of the circular blocks that start at each step: float64 (N,)."""
    until = np.cumsum(np.concatenate([[0.0], values, values[:block]]))
    return until[block : len(values) + block] - until[: len(values)]


def _block_variance(values: np.ndarray, block: int) -> float:
    return float(np.square(_sums_of(values - values.mean(), block)).mean()) / block
