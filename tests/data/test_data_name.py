"""Names of folders that data give."""

from pathlib import Path

import pandas as pd
import pytest

from keras_seq.data.data_name import LONGEST, data_name
from keras_seq.data.in_memory import described

NAMES = [
    ("reviews.csv", "reviews"),
    (Path("/a/b/reviews.v2.csv"), "reviews.v2"),
    ("text/train.de.gz", "train"),
    ("aclImdb/train/", "train"),
    ("prices/*.csv", "prices"),
    ("*.csv", "data"),
    ("~", "data"),
    ("..", "data"),
    ("stooq:aapl.us", "stooq-aapl"),
    ("my data (1).csv", "my-data-1"),
    ("数据.csv", "数据"),
    ("caf\udce9.csv", "caf"),
    ("1.csv", "data-1"),
    ("٣.csv", "data-٣"),
    ("x" * 300 + ".csv", "x" * LONGEST),
    ("First line\nsecond line", "text"),
    (["b.csv", "a.csv", "c.csv"], "b-and-2-more"),
    (["b.csv"], "b"),
    (pd.DataFrame({"a": [1]}), "DataFrame"),
    ((["film"], [1]), "tuple"),
    ({"text": ["film"]}, "dict"),
]


@pytest.mark.parametrize(("data", "name"), NAMES)
def test_data_are_called_by_their_file_or_kind(data: object, name: str):
    assert data_name(data) == name
    assert data_name(described(data)) == name  # as config.json keeps it
