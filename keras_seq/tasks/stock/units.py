"""The units of a training that travel with its export: one error, one number.

`train` measures a series' errors against the changes of its own train rows; `evaluate`
must do the same, whatever rows it is given. A series is known again by its last train
row, or by its name where a file begins later.

Shapes: S series, K targets.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_seq.data.tables import listed
from keras_seq.evaluation.forecast_scores import Units
from keras_seq.log import log
from keras_seq.series.table import Series, SeriesTable
from keras_seq.tasks.stock.data import SeriesData


def training_units(data: SeriesData) -> dict[str, Any]:
    """What `model.json` holds of a training's units, as plain values.

    Returns:
        {"deviation": K numbers, "series": {name: {"naive_error" and "naive_square": K
        numbers, "last_train_row", "last_train_date", "test_start"}}}.
    """
    units = data.units
    found = {}
    for number, (one, (start, test)) in enumerate(zip(data.table.series, data.cuts)):
        rows = start - 1, test
        dates = [None if one.dates is None else str(one.dates[row]) for row in rows]
        found[one.name] = {
            "naive_error": units.naive_error[number],
            "naive_square": units.naive_square[number],
            "last_train_row": one.values[start - 1],
            "last_train_date": dates[0],
            "test_start": dates[1],
        }
    return {"deviation": units.deviation, "series": found}


def same_series(one: Series, facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The series of the export's training that this one is, or None."""
    known = facts.get("units_of_training", {}).get("series", {})
    if one.dates is None:
        return known.get(one.name)
    for _, of_training in sorted(known.items(), key=lambda item: item[0] != one.name):
        date = np.datetime64(of_training["last_train_date"], "s")
        row = int(np.searchsorted(one.dates, date))
        if row < len(one.dates) and one.dates[row] == date:
            if np.array_equal(one.values[row], of_training["last_train_row"]):
                return of_training
    # Where no row of the training says otherwise, its name does.
    return known.get(one.name) if _begins_later(one, known) else None


def units_of(facts: Mapping[str, Any], table: SeriesTable, own: Units) -> Units:
    """What errors of a table are measured against: the units of the export's training;
    for a series that did not train, its own, of the rows before those scored."""
    trained = facts.get("units_of_training")
    if trained is None:  # an export that has none
        return own
    known = trained["series"]
    errors, squares = own.naive_error.copy(), own.naive_square.copy()
    strangers = []
    for number, one in enumerate(table.series):
        of_training = same_series(one, facts)
        if of_training is None and len(known) == 1 and _begins_later(one, known):
            of_training = next(iter(known.values()))
        if of_training is None:
            strangers.append(one.name)
            continue
        errors[number] = np.array(of_training["naive_error"], float)
        squares[number] = np.array(of_training["naive_square"], float)
    if strangers:
        what = "did not train: MASE is against changes of their own rows before"
        log.info(f"{listed(strangers)} {what}")
    return Units(np.array(trained["deviation"]), errors, squares)


def _begins_later(one: Series, known: Mapping[str, Any]) -> bool:
    """Whether a file holds no row of the days that trained, so that it may go on."""
    if one.dates is None:
        return True
    dates = [each["last_train_date"] for each in known.values()]
    return bool(dates and one.dates[0] > np.datetime64(max(dates), "s"))
