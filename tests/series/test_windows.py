"""Windows: which rows, which parts, the embargo between them, and what is measured."""

from pathlib import Path

import numpy as np
import pytest

from keras_seq.errors import UserError
from keras_seq.series.calendar import Frequency
from keras_seq.series.numbers import train_facts
from keras_seq.series.table import Series, SeriesTable
from keras_seq.series.window_batches import make_window_dataset
from keras_seq.series.windows import PARTS, cut_rows, plan_windows


def table_of(*lengths: int, columns: int = 1, dated: bool = False) -> SeriesTable:
    series = []
    for number, length in enumerate(lengths):
        values = np.arange(length * columns, dtype=float).reshape(length, columns)
        values += 1 + 10_000 * number
        days = np.datetime64("2020-01-01", "s") + np.arange(length) * 86400
        series.append(
            Series(
                f"s{number}",
                Path(f"s{number}.csv"),
                days if dated else None,
                values,
                np.ones(values.shape, bool),
                np.arange(length) + 2,
            )
        )
    return SeriesTable(
        series,
        list("abcdefgh"[:columns]),
        1,
        0,
        False,
        [],
        Frequency("D") if dated else None,
    )


def rows_of(plan) -> list[tuple[int, int]]:
    """(first input row, first target row) of each window."""
    numbers = np.arange(plan.num_windows)
    _, firsts = plan.first_rows(numbers)
    return [(int(f) - plan.lookback, int(f)) for f in firsts]


def test_parts_own_their_targets_and_the_horizon_lies_between():
    plans = plan_windows(table_of(30), [(12, 20)], lookback=4, horizon=3)
    first = {part: [f for _, f in rows_of(plans[part])] for part in PARTS}
    assert first["train"] == [4, 5, 6, 7, 8, 9]  # the last target row is 11
    assert first["validation"] == [12, 13, 14, 15, 16, 17]
    assert first["test"] == [20, 21, 22, 23, 24, 25, 26, 27]  # the last is row 29
    for before, after in zip(PARTS, PARTS[1:]):
        assert first[after][0] - first[before][-1] == 3


def test_the_etth1_protocol_is_the_usual_one():
    table = table_of(14400)
    cuts = cut_rows(table, "8640", "11520")
    plans = plan_windows(table, cuts, lookback=96, horizon=96)
    assert [plans[part].num_windows for part in PARTS] == [8449, 2785, 2785]
    assert rows_of(plans["test"])[0] == (11520 - 96, 11520)
    assert rows_of(plans["test"])[-1][1] + 96 == 14400


def test_several_series_have_windows_of_their_own():
    plans = plan_windows(table_of(30, 40), [(12, 20), (20, 30)], 4, 3)
    plan = plans["train"]
    assert plan.counts.tolist() == [6, 14]
    assert rows_of(plan)[5:8] == [(5, 9), (30, 34), (31, 35)]
    series, _ = plan.first_rows(np.arange(plan.num_windows))
    assert series.tolist() == [0] * 6 + [1] * 14
    seen = {
        int(row)
        for window, targets in make_window_dataset(plan, batch_size=4)
        for row in np.diff(window.numpy()[..., 0]).ravel()
    }
    assert seen == {1}  # no window crosses from one series into the next


@pytest.mark.parametrize("shuffle", [False, True])
def test_every_window_comes_once_an_epoch(shuffle: bool):
    plan = plan_windows(table_of(50, 60, columns=2), [(30, 40), (40, 50)], 5, 2)
    plan = plan["train"]
    data = make_window_dataset(plan, batch_size=8, shuffle=shuffle, seed=3)
    epochs = [[(w.numpy(), y.numpy()) for w, y in data] for _ in range(2)]
    assert len(data) == len(epochs[0])
    for batches in epochs:
        windows = np.concatenate([window for window, _ in batches])
        targets = np.concatenate([target for _, target in batches])
        assert windows.dtype == np.float32 and windows.shape == (plan.num_windows, 5, 2)
        assert targets.shape == (plan.num_windows, 2, 1)
        # By its values each window is where it should be, right before its targets.
        firsts = sorted(rows_of(plan))
        got = sorted((int(w[0, 0]), int(y[0, 0])) for w, y in zip(windows, targets))
        want = sorted(
            (int(plan.values[i, 0]), int(plan.values[f, 0])) for i, f in firsts
        )
        assert got == want
    same = all((a[0] == b[0]).all() for a, b in zip(*epochs))
    assert same is not shuffle


def test_an_order_is_a_function_of_seed_and_epoch():
    plan = plan_windows(table_of(50), [(30, 40)], 5, 2)["train"]

    def orders(seed: int) -> list[list[int]]:
        data = make_window_dataset(plan, batch_size=4, shuffle=True, seed=seed)
        return [[int(y[0, 0, 0]) for _, y in data] for _ in range(3)]

    assert orders(1) == orders(1)
    assert orders(1) != orders(2)


def test_a_plan_holds_rows_not_windows():
    table = table_of(20_000, columns=5)
    plan = plan_windows(table, [(19_000, 19_500)], 60, 1)["train"]
    assert plan.num_windows == 18_940
    held = sum(part.nbytes for part in plan if isinstance(part, np.ndarray))
    assert held < 1.01 * 20_000 * 5 * 4
    assert next(iter(make_window_dataset(plan)))[0].shape == (128, 60, 5)


def test_cuts_are_dates_shared_by_all_series():
    table = table_of(100, 60, dated=True)
    one, two = table.series
    later = two._replace(dates=two.dates + np.timedelta64(40 * 86400, "s"))
    table = table._replace(series=[one, later])
    assert cut_rows(table) == [(70, 85), (30, 45)]
    assert cut_rows(table, "2020-02-20", "2020-03-01") == [(50, 60), (10, 20)]


@pytest.mark.parametrize(
    ("starts", "message"),
    [
        (("2020-03-01", "2020-02-01"), "give --validation-start and --test-start in"),
        (("soon", None), "'soon' is not a date"),
    ],
)
def test_starts_that_do_not_fit_are_refused(starts: tuple, message: str):
    with pytest.raises(UserError, match=message):
        cut_rows(table_of(100, dated=True), *starts)


def test_too_few_rows_for_the_windows_are_refused_with_the_place():
    with pytest.raises(UserError) as caught:
        plan_windows(table_of(30), [(6, 20)], lookback=4, horizon=3)
    assert str(caught.value) == (
        "s0.csv:31: the file ends after 30 rows; the train part has 6 of them and "
        "needs 7: a window of 4 rows and 3 to forecast; give more rows, or less of "
        "--lookback or --horizon"
    )
    with pytest.raises(UserError, match="the test part has 2 of them and needs 3"):
        plan_windows(table_of(30), [(20, 28)], lookback=4, horizon=3)


@pytest.mark.parametrize("cuts", [(20, 30), (30, 30), (1, 20), (0, 9), (20, 20)])
def test_where_a_part_is_empty_a_shorter_horizon_is_no_advice(cuts: tuple):
    with pytest.raises(UserError, match="rows, or other --validation-start and --test"):
        plan_windows(table_of(30), [cuts], lookback=4, horizon=3)


def test_statistics_are_those_of_train_rows():
    table = table_of(30, columns=2)
    facts = train_facts(table, [(12, 20)], season=2)
    train = table.series[0].values[:12]
    assert facts.mean == pytest.approx(train.mean(0))
    assert facts.deviation == pytest.approx(train.std(0))
    assert facts.naive_error == pytest.approx(np.array([[4.0]]))
    returns = np.diff(np.log(train[:, 0]))
    assert facts.volatility == pytest.approx(np.sqrt(np.mean(returns**2)))
    changed = table.series[0]._replace(
        values=np.where(np.arange(30)[:, None] < 12, table.series[0].values, 1e9)
    )
    again = train_facts(table._replace(series=[changed]), [(12, 20)], season=2)
    assert all(np.array_equal(a, b) for a, b in zip(facts, again))


@pytest.mark.parametrize("shuffle", [False, True])
def test_an_epoch_can_be_entered_at_any_batch(shuffle: bool):
    plan = plan_windows(table_of(50), [(30, 40)], 5, 2)["train"]
    data = make_window_dataset(plan, batch_size=4, shuffle=shuffle, seed=1)
    whole = [targets.numpy().tolist() for _ in range(3) for _, targets in data]
    later = data.starting_at(1, 3).take(len(data) * 2 - 3)
    assert [targets.numpy().tolist() for _, targets in later] == whole[len(data) + 3 :]
    other = make_window_dataset(plan, batch_size=4, shuffle=shuffle, seed=2)
    assert (data.data_fingerprint == other.data_fingerprint) is not shuffle
    moved = plan._replace(values=plan.values + 1)
    assert make_window_dataset(moved).data_fingerprint != data.data_fingerprint
