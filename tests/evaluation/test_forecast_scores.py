"""Scores of forecasts, by hand and against an independent computation."""

import re

import numpy as np
import pytest

from keras_seq.evaluation.forecast_scores import (
    MEASURES,
    Sums,
    Units,
    compared,
    finished,
    measures,
    with_intervals,
)
from keras_seq.tasks.stock.report import (
    forecast_report,
    format_forecast_report,
)

UNITS = Units(np.array([2.0]), np.array([[4.0]]), np.array([[25.0]]))
ONE = np.zeros(1, int)
INTERVAL = re.compile(r"95 % interval (\S+) to (\S+)\)")


def scored(targets, forecasts, last=(10.0,)) -> dict[str, float]:
    """Scores of one window."""
    shape = (1, len(targets), 1)
    values = measures(
        np.reshape(targets, shape).astype(float),
        np.reshape(forecasts, shape),
        np.reshape(last, (1, 1)),
        UNITS,
        ONE,
    )
    sums = Sums()
    sums.add(values)
    total, count = (part.sum(0) for part in sums.windows)
    return dict(zip(MEASURES, finished(MEASURES, total, count)))


def test_scores_by_hand():
    found = scored([12.0, 8.0], [11.0, 11.0])  # errors -1 and 3; last row 10
    assert found == pytest.approx(
        {
            "mae": 2.0,
            "rmse": 5**0.5,  # of 1 and 9
            "mape": 100 * (1 / 12 + 3 / 8) / 2,
            "smape": 200 * (1 / 23 + 3 / 19) / 2,
            "mase": 0.5,
            "rmsse": 5**0.5 / 5,
            "mse_standardised": 1.25,
            "mae_standardised": 1.0,
            "directional_accuracy": 0.5,  # up and up; down, but up was said
        }
    )


def test_no_change_said_is_half_right_and_no_change_seen_is_left_out():
    assert scored([12.0, 10.0], [10.0, 11.0])["directional_accuracy"] == 0.5
    assert scored([12.0, 10.0], [11.0, 11.0])["directional_accuracy"] == 1.0


def test_what_nobody_observed_is_not_scored():
    assert scored([12.0, np.nan], [11.0, 99.0])["mae"] == 1.0
    assert scored([0.0, 4.0], [1.0, 5.0])["mape"] == 25.0  # of zero there is no part


def many(seed: int, noise: float, count: int = 400) -> Sums:
    rng = np.random.default_rng(seed)
    errors = rng.normal(0, noise, (count, 3, 1))
    sums = Sums()
    for part in np.split(errors, 4):  # in batches
        zero = np.zeros((len(part), 1))
        series = np.zeros(len(part), int)
        sums.add(measures(np.zeros_like(part) + 5, 5 + part, zero, UNITS, series))
    return sums


TIMES = np.arange(400)


def test_sums_by_batch_are_the_scores_of_all():
    errors = np.random.default_rng(0).normal(0, 1.0, (400, 3, 1))
    total, count = (part.sum(axis=1) for part in many(0, 1.0).steps)
    by_step = finished(MEASURES, total, count)
    assert by_step[:, 0] == pytest.approx(np.abs(errors).mean(axis=(0, 2)))
    assert by_step[:, 1] == pytest.approx(np.sqrt((errors**2).mean(axis=(0, 2))))
    found = with_intervals(MEASURES, many(0, 1.0), TIMES, 6)["rmse"]
    assert found["value"] == pytest.approx(np.sqrt((errors**2).mean()))
    assert found["low"] < found["value"] < found["high"]


def test_skill_is_a_share_of_the_baselines_error():
    found = compared(many(0, 0.5), many(0, 1.0), TIMES, 6)[0].interval
    assert found == pytest.approx({"value": 0.5, "low": 0.5, "high": 0.5})
    worse = compared(many(0, 1.0), many(1, 0.5), TIMES, 6)[0].interval
    assert worse["high"] < 0 and -1.3 < worse["value"] < -0.7


def of_errors(errors: np.ndarray, series: np.ndarray | None = None) -> Sums:
    """One step and one target a window; the scaled error is a quarter of each."""
    values = np.reshape(errors, (-1, 1, 1))
    zero = np.zeros((len(values), 1))
    units = Units(np.array([2.0]), np.full((9, 1), 4.0), np.full((9, 1), 25.0))
    which = np.zeros(len(values), int) if series is None else series
    sums = Sums()
    sums.add(measures(np.zeros_like(values), values, zero, units, which))
    return sums


def test_blocks_know_that_neighbours_are_alike():
    """Of errors that last for 20 steps, an interval of single steps is too sure."""
    rng = np.random.default_rng(2)
    errors = 10 + np.repeat(rng.normal(size=50), 20)
    widths = []
    for one in (errors, rng.permutation(errors)):
        found = with_intervals(MEASURES, of_errors(one), np.arange(1000))["mae"]
        widths.append(found["high"] - found["low"])
    assert widths[0] > 2.5 * widths[1]


def test_series_that_err_together_are_one_series():
    """Nine series of the same errors at the same dates say no more than one."""
    errors = 10 + np.random.default_rng(3).normal(size=100)
    one = with_intervals(MEASURES, of_errors(errors), np.arange(100))["mae"]
    series, times = np.repeat(np.arange(9), 100), np.tile(np.arange(100), 9)
    nine = with_intervals(MEASURES, of_errors(np.tile(errors, 9), series), times)
    assert nine["mae"] == pytest.approx(one)


def test_what_no_error_is_compared_with_is_finite():
    none, some = of_errors(np.zeros(400)), of_errors(np.ones(400))
    worst, equal, best = (
        compared(own, other, TIMES)[0].interval
        for own, other in ((some, none), (none, none), (none, some))
    )
    assert worst["value"] == -1000 and best["low"] == pytest.approx(1)
    assert equal == {"value": 0, "low": 0, "high": 0}


def test_a_year_of_times_by_the_minute_is_summed_in_stretches():
    errors = 10 + np.random.default_rng(4).normal(size=20_000)
    found = with_intervals(MEASURES, of_errors(errors), np.arange(20_000))["mae"]
    width = found["high"] - found["low"]
    assert width == pytest.approx(2 * 1.96 * 20_000**-0.5, rel=0.1)


def report_of(network: Sums, persistence: Sums, lag=(0.99, 0.98), prices=True) -> dict:
    inside = Sums()
    inside.add(np.ones((400, 3, 1, 2)))
    names = ("with_last_row", "with_target")
    return forecast_report(
        "stock",
        {"network": network, "persistence": persistence},
        inside,
        times=TIMES,
        series=np.zeros(400, int),
        series_names=["A"],
        target_names=["Close"],
        lag=dict(zip(names, lag)) | {"of_changes": 0.0},
        nominal=0.8,
        is_prices=prices,
        notes={"theta": "left out"},
    )


def test_a_network_that_is_no_better_is_told_so_in_plain_words():
    report = report_of(many(0, 1.0), many(1, 1.0))
    said = report["comparison"]["sentence"]
    assert report["verdict"] == "ties"
    assert said.startswith("The network ties with persistence: MASE 0.1")
    assert "It is not proven to be better than yesterday's price." in said
    assert "the curve looks right, one step late" in said
    told = report_of(many(1, 1.0), many(0, 1.0), (0.9, 0.98), prices=False)
    assert "It is no better than the last value." in told["comparison"]["sentence"]
    assert "one step late" not in told["comparison"]["sentence"]


def test_a_network_that_is_better_wins_and_is_not_told_so():
    report = report_of(many(0, 0.5), many(1, 1.0))
    assert report["verdict"] == "wins"
    assert "better" not in report["comparison"]["sentence"]
    worse = report_of(many(0, 1.0), many(1, 0.5))
    assert worse["verdict"] == "loses"
    assert "It is worse than yesterday's price." in worse["comparison"]["sentence"]
    for one in (report, worse):
        low, high = INTERVAL.search(one["comparison"]["sentence"]).groups()
        read = "wins" if float(low) > 0 else "loses" if float(high) < 0 else "ties"
        assert read == one["verdict"]
        assert one["comparison"]["units"] == {"count": 66, "of": "blocks of 6 rows"}
    shown = format_forecast_report(report)
    assert "stock, 400 windows" in shown and "persistence" in shown
    assert "\ntheta: left out\n" in shown
    assert "Intervals of 80% hold 100.0% of the targets." in shown
    assert len(report["by_step"]["network"]["mae"]) == 3


def test_a_short_test_part_proves_nothing():
    """Eleven windows of twelve steps are not one independent window."""
    errors = np.random.default_rng(0).normal(size=(11, 12, 1))
    sums = {}
    for name, size in (("network", 3.0), ("persistence", 1.0)):
        sums[name] = Sums()
        sums[name].add(
            measures(
                np.zeros((11, 12, 1)),
                size * errors,
                np.ones((11, 1)),
                UNITS,
                np.zeros(11, int),
            )
        )
    inside = Sums()
    inside.add(np.ones((11, 12, 1, 2)))
    lag = {"with_last_row": 1.0, "with_target": 1.0, "of_changes": 0.0}
    report = forecast_report(
        "t",
        sums,
        inside,
        times=np.arange(11),
        series=np.zeros(11, int),
        series_names=["A"],
        target_names=["x"],
        lag=lag,
        nominal=0.8,
        is_prices=False,
    )
    assert report["verdict"] == "ties"
    assert "too short to tell: of 8 blocks of 24 rows that are needed it holds 0." in (
        report["comparison"]["sentence"]
    )
    mae = report["scores"]["mae"]
    assert mae["low"] < mae["value"] < mae["high"]
