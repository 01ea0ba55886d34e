"""Data in memory is read by the rules of files: the same samples, the same errors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import keras_seq as ks
from keras_seq.data.in_memory import as_file, as_text_file, described
from keras_seq.errors import UserError

TEXTS, LABELS = ["a “fine” film,\nyes", "电影", "x\ud83d"], [1, 0, 1]
CLASSES = pd.Categorical(["1", "0", "1"])
READ = [(TEXTS[0], "1"), (TEXTS[1], "0"), ("x?", "1")]


@pytest.mark.parametrize(
    "data",
    [
        (TEXTS, LABELS),
        (np.array(TEXTS, object), np.array(LABELS)),
        (tuple(TEXTS), pd.Series(LABELS, dtype="Int64")),
        list(zip(TEXTS, LABELS)),
        {"Review": TEXTS, "stars": [5, 1, 5], "label": LABELS},
        pd.DataFrame({"text": TEXTS, "label": LABELS}, dtype=object, index=[7, 3, 3]),
        pd.DataFrame({"review": pd.Series(TEXTS, dtype=object), "class": CLASSES}),
    ],
    ids=lambda data: type(data).__name__,
)
def test_texts_and_labels_are_read_as_from_a_file(data: Any):
    assert list(ks.read_table(data)) == READ


def test_the_same_content_is_one_file():
    frame = pd.DataFrame({"text": ["a", "b"], "label": [1, 0]})
    assert as_file(frame, ()) == as_file(frame.copy(), ())
    assert as_file(frame, ()) != as_file(frame[::-1], ())
    assert as_file([frame, "a.csv"], ()) == [as_file(frame, ()), "a.csv"]
    assert as_file("a.csv", ()) == "a.csv"
    assert as_file([Path("a.csv"), "b.csv"], ()) == [Path("a.csv"), "b.csv"]


def test_a_frame_of_prices_has_its_dates_in_its_index():
    dates = pd.date_range("2024-01-01", periods=30, freq="D")
    close = np.arange(30) / 3 + 10
    frame = pd.DataFrame({"Close": close}, index=dates)
    for given in (frame, frame.rename_axis("Date"), frame.to_period("D")):
        table = ks.read_series(given, target=["Close"])
        (series,) = table.series
        assert series.values[:, 0].tolist() == close.tolist()  # to the last bit
        assert series.dates.tolist() == dates.to_pydatetime().tolist()
        assert series.name == "DataFrame"


def test_what_is_missing_in_a_frame_is_named_by_row():
    frame = pd.DataFrame({"value": [1.0, np.nan, 3.0, 4.0]})
    with pytest.raises(UserError, match=r"DataFrame\.jsonl:2: .*value"):
        ks.read_series(frame)
    frame = pd.DataFrame({"value": [1, None, 3, 4]}, dtype="Int64")
    filled = ks.read_series(frame, fill="forward").series[0]
    assert filled.values.tolist() == [[1], [1], [3], [4]]


def test_tagged_words_are_rows_of_two_lists():
    rows = [(["Ada", "sleeps"], ["B-PER", "O"]), (("Bye",), np.array(["O"]))]
    frame = pd.DataFrame(rows, columns=["words", "tags"])
    for data in (rows, tuple(zip(*rows)), frame):
        read = ks.text.read_tagged(data)
        assert [(s.words, s.tags) for s in read] == [
            (("Ada", "sleeps"), ("B-PER", "O")),
            (("Bye",), ("O",)),
        ]


def test_running_texts_are_read_one_behind_the_other():
    assert "".join(ks.read_text(["It was\n", "late."])) == "It was\nlate.\n"
    frame = pd.DataFrame({"text": ["It was", "late."]})
    assert "".join(ks.read_text(frame)) == "It was\nlate.\n"


def test_recordings_are_a_frame_of_paths(tmp_path: Path):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    path = str(tmp_path / "a.wav")
    for data in (
        pd.DataFrame({"file": [path], "transcript": ["yes"]}),
        [(path, "yes")],
    ):
        (found,) = ks.find_recordings(data)
        assert (found.transcript, found.read()) == ("yes", b"RIFF")


LEVELS = pd.DataFrame([[1.0]], columns=pd.MultiIndex.from_tuples([("Close", "A")]))


@pytest.mark.parametrize(
    ("read", "data", "line"),
    [
        (ks.read_table, 7, "data is a int; expected the name of a file, a DataFrame"),
        (ks.read_table, ["a film", 1], "data is a list; expected"),
        (ks.read_table, (["a"], [1], [2]), r"data is a tuple; .*\(text, label\)"),
        (ks.read_table, (["a", "b"], [1]), "differ in length, .*: text 2, label 1"),
        (ks.read_table, {}, "or there is none"),
        (ks.read_table, (["a film", None], [1, 0]), r"lists\.jsonl:2: no text"),
        (ks.read_table, (["a", "b"], [1, None]), r"lists\.jsonl:2: no label"),
        (ks.read_table, pd.DataFrame({"a": ["b"]}), "no text column found"),
        (ks.read_series, LEVELS, "names of several levels"),
        (ks.read_series, pd.DataFrame([[1, 2]], columns=["a", "a"]), "named 'a'"),
        (ks.read_series, np.zeros(3), "data is a ndarray"),
        (ks.text.read_tagged, [(["a", "b"], ["O"])], "2 words, but 1 tags"),
        (ks.text.read_tagged, [("ab", "OO")], "'words' is no list"),
        (ks.read_text, ["fine", 3], "text 2 of data is a int"),
        (ks.read_text, [__file__], "is a file; give its text"),
    ],
)
def test_what_cannot_be_read_is_one_line(read: Callable, data: Any, line: str):
    with pytest.raises(UserError, match=line) as stopped:
        list(read(data))
    assert "\n" not in str(stopped.value)


def test_settings_keep_of_what_kind_data_was():
    assert described(None) is None
    assert described("a.csv") == "a.csv"
    assert described(["It was late. " * 1000] * 2) == "list in memory, 2 long"
    assert described(pd.DataFrame({"a": [1, 2]})) == "DataFrame in memory, 2 long"
    assert as_text_file(["a"]).read_text() == "a\n"
