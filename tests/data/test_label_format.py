"""What the label of a row is: one word, several, flags of columns, or a number."""

import json
from pathlib import Path

import pytest

from keras_seq.data.label_format import (
    ONE_LABEL,
    LabelFormat,
    join_marked,
    label_of,
    number_of,
    split_marked,
)
from keras_seq.data.label_names import check_no_measurements, join_each_label
from keras_seq.data.sources import read_table
from keras_seq.data.store import stored
from keras_seq.errors import UserError

FLAGS = LabelFormat(label_columns=["sad", "loud"])
PIPE = LabelFormat(label_separator="pipe")
NUMBER = LabelFormat(kind="regression")


def rows_of(path: Path, content: str, **settings) -> list[tuple[str, list[str]]]:
    path.write_text(content)
    found = read_table(path, label_format=LabelFormat(**settings))
    return [(text, split_marked(label)) for text, label in found]


def test_a_separator_divides_a_cell(tmp_path: Path):
    found = rows_of(
        tmp_path / "a.csv", "text,label\nx,sad; loud\ny,sad\n", label_separator=";"
    )
    assert found == [("x", ["sad", "loud"]), ("y", ["sad"])]


def test_columns_of_0_and_1_are_labels(tmp_path: Path):
    content = "text,SAD,loud\nx,1,0\ny,0,0\nz,1.0,true\n"
    found = rows_of(tmp_path / "a.csv", content, label_columns=["sad", "loud"])
    assert found == [("x", ["SAD"]), ("y", []), ("z", ["SAD", "loud"])]


def test_lists_in_memory_and_in_json_are_several_labels(tmp_path: Path):
    lists = [["sad", "loud"], [], ["loud"]]
    given = read_table((["a", "b", "c"], lists))
    assert [split_marked(label) for _, label in given] == lists
    lines = (json.dumps({"text": t, "label": x}) for t, x in zip("abc", lists))
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    assert list(read_table(tmp_path / "a.jsonl")) == list(given)


def test_numbers_are_read_from_their_usual_columns(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("text,stars\nx,3.50\ny,-2\nz,1e1\n")
    found = list(read_table(path, label_format=NUMBER))
    assert found == [("x", "3.5"), ("y", "-2.0"), ("z", "10.0")]
    given = read_table((["x"], [0.25]), label_format=NUMBER)
    assert list(given) == [("x", "0.25")]


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("3.5", 3.5),
        ("-.5e1", -5.0),
        ("3,5", None),
        ("1_0", None),
        ("inf", None),
        ("nan", None),
        ("", None),
        ("1e999", None),
        ("\u0663", None),
    ],
)
def test_numbers_are_plain_ones(given: str, value: float | None):
    assert number_of(given) == value


BAD_CELLS = {
    "no flag": (["2", "1"], FLAGS, ("'2' instead of 0 or 1", 0)),
    "empty flag": (["1", " "], FLAGS, ("no value", 1, "missing")),
    "missing flag": (["1", None], FLAGS, ("no value", 1, "missing")),
    "separators alone": (["||"], PIPE, ("no label", 0, "missing")),
    "no number": (
        ["3,5"],
        NUMBER,
        ("'3,5' is no number (such as 3.5 or -1e3)", 0),
    ),
    "no cell": ([""], NUMBER, ("no number", 0, "missing")),
    "a boolean": ([True], NUMBER, ("bool instead of a number", 0)),
    "a list": ([["1"]], NUMBER, ("list instead of a number", 0)),
    "a list of what is none": ([["a", None]], ONE_LABEL, ("no label", 0, "missing")),
    "a fraction": (
        [0.5],
        ONE_LABEL,
        (
            "float instead of a label (a word or a whole number; --kind regression "
            "learns numbers)",
            0,
        ),
    ),
}


@pytest.mark.parametrize("case", BAD_CELLS)
def test_cells_that_hold_no_label_are_said(case: str):
    values, label_format, expected = BAD_CELLS[case]
    with pytest.raises(ValueError) as said:
        label_of(values, label_format)
    assert said.value.args == expected


def test_a_bad_cell_is_named_by_file_row_and_column(tmp_path: Path):
    with pytest.raises(UserError) as said:
        rows_of(
            tmp_path / "a.csv",
            "text,sad,loud\nx,1,0\ny,0,3\n",
            label_columns=["sad", "loud"],
        )
    assert "a.csv:3: '3' instead of 0 or 1 in column 'loud'; mend" in str(said.value)


EXCLUDING = {
    "two ways": {"label_separator": ";", "label_columns": ["a"]},
    "labels and a number": {"label_separator": ";", "kind": "regression"},
    "columns and a number": {"label_columns": ["a"], "kind": "regression"},
}


@pytest.mark.parametrize("case", EXCLUDING)
def test_options_that_exclude_each_other_are_refused(case: str):
    with pytest.raises(UserError, match="^--.* exclude each other; give one$"):
        LabelFormat(**EXCLUDING[case])


def test_label_column_and_label_columns_exclude_each_other(tmp_path: Path):
    (tmp_path / "a.csv").write_text("text,sad,loud\nx,1,0\n")
    with pytest.raises(UserError, match="--label-column and --label-columns exclude"):
        read_table(tmp_path / "a.csv", label_column="sad", label_format=FLAGS)


def flags(names: str, rows: int = 12) -> str:
    cells = ",".join("01"[n % 2] for n in range(names.count(",") + 1))
    return f"text,{names}\n" + "".join(f"film {n},{cells}\n" for n in range(rows))


ASKED = {
    "no usual name": flags("toxic,threat"),
    "a usual name among them": flags("label,threat,insult"),
}


@pytest.mark.parametrize("case", ASKED)
def test_one_of_several_columns_of_flags_is_asked_about(case: str, tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text(ASKED[case])
    with pytest.raises(UserError, match=r"a\.csv: columns .* --label-columns \w+ thr"):
        read_table(path)
    read_table(path, label_column="threat")


@pytest.mark.parametrize(
    "content",
    [flags("label,verified"), flags("label,toxic,threat").replace(",0,1,0", ",a,1,0")],
    ids=["one flag beside the label", "a label of words"],
)
def test_a_label_column_beside_other_flags_is_one(content: str, tmp_path: Path):
    (tmp_path / "a.csv").write_text(content)
    assert read_table(tmp_path / "a.csv").label_column == "label"


def test_spellings_of_each_label_are_joined(capsys: pytest.CaptureFixture):
    given = [("a", join_marked(["Sad", "loud"])), ("b", join_marked(["sad"]))] * 3
    given += [("c", join_marked(["sad", "sad"]))]
    joined = join_each_label(given)
    assert {tuple(split_marked(label)) for _, label in joined} == {
        ("loud", "sad"),
        ("sad",),
    }
    assert "'Sad' (3 labels) is read as 'sad'" in capsys.readouterr().err
    known = join_each_label([("a", join_marked(["SAD"]))], ["Sad"])
    assert [split_marked(label) for _, label in known] == [["Sad"]]


def test_a_cell_of_several_names_the_row_of_a_missing_one(tmp_path: Path):
    content = "text,label\nx,sad\ny,sad;N/A\n"
    with pytest.raises(UserError, match=r"a\.csv:3: no label \('N/A'\)"):
        rows_of(tmp_path / "a.csv", content, label_separator=";")
    kept = read_table(
        tmp_path / "a.csv",
        labels_as_written=True,
        label_format=LabelFormat(label_separator=";"),
    )
    assert [split_marked(label) for _, label in kept] == [["sad"], ["sad", "N/A"]]


def test_a_label_of_several_that_reads_as_missing_is_asked_about():
    with pytest.raises(UserError, match="no label \\('N/A'\\)"):
        join_each_label([("a", join_marked(["sad", "N/A"]))])


@pytest.mark.parametrize(
    ("labels", "refused"),
    [
        ([n / 4 for n in range(11)], True),
        ([n / 2 for n in range(10)], False),  # half stars
        (range(21), True),
        (range(20), False),
        ([f"{n}x" for n in range(40)], False),
    ],
    ids=["fractions", "half stars", "many", "few", "words"],
)
def test_labels_that_look_like_measurements_are_asked_about(labels, refused: bool):
    counts = {str(label): 9 for label in labels}
    if not refused:
        return check_no_measurements("a.csv", counts)
    with pytest.raises(
        UserError, match="a.csv: labels are .* --kind regression learns"
    ):
        check_no_measurements("a.csv", counts)


def test_a_mark_within_a_label_does_not_divide_it():
    assert label_of(["a\x1fb"], ONE_LABEL) == "a b"
    assert stored([("x", "a b")]).label_counts == {"a b": 1}
