"""An option of reading a table exists in every script and verb where it makes sense."""

from pathlib import Path

import pytest

from keras_seq.cli_inputs import Inputs, answers
from keras_seq.cli_options import options_of
from keras_seq.data.table_format import TableFormat
from keras_seq.errors import UserError
from tests.tasks.scripts import load_script, script_of

FORMAT = {"separator", "encoding", "no_header", "drop_missing"}
ANSWERS = {"data", "output", "text_column"} | FORMAT
SERIES = {"date_format", "decimal", "series_column", "fill"}
TABLE = {
    ("sentiment", "train"): FORMAT,
    ("sentiment", "evaluate"): FORMAT,
    ("sentiment", "predict"): ANSWERS,
    ("stock", "train"): FORMAT | SERIES | {"known_future"},
    ("stock", "backtest"): FORMAT | SERIES | {"known_future"},
    ("stock", "evaluate"): FORMAT | SERIES,
    ("stock", "predict"): (ANSWERS - {"text_column"}) | SERIES,
    ("tagging", "train"): FORMAT | {"token_column", "tag_column"},
    ("tagging", "evaluate"): FORMAT | {"token_column", "tag_column"},
    ("tagging", "predict"): ANSWERS,
    ("speech", "train"): FORMAT | {"file_column", "transcript_column"},
    ("speech", "evaluate"): FORMAT | {"file_column", "transcript_column"},
    ("speech", "predict"): ANSWERS - {"text_column"} | {"file_column"},
    ("text_generation", "train"): FORMAT,
    ("text_generation", "evaluate"): FORMAT,
    ("text_generation", "predict"): ANSWERS,
    ("translation", "train"): FORMAT | {"source_column", "target_column"},
    ("translation", "evaluate"): FORMAT | {"source_column", "target_column"},
    ("translation", "predict"): ANSWERS,
    ("captioning", "train"): FORMAT | {"image_column", "caption_column"},
    ("captioning", "evaluate"): FORMAT | {"image_column", "caption_column"},
    ("captioning", "predict"): ANSWERS - {"text_column"} | {"image_column"},
}


def test_every_script_stands_in_the_table():
    verbs = ("train", "evaluate", "predict")
    for path in script_of("sentiment").parent.glob("[a-z]*.py"):
        assert {(path.stem, verb) for verb in verbs} <= set(TABLE)


@pytest.mark.parametrize(("script", "verb"), TABLE)
def test_a_script_has_the_options_of_its_data(script: str, verb: str):
    own = options_of(getattr(load_script(script), verb))
    assert TABLE[script, verb] <= set(own)


SEVERAL = [
    (["so good"], {"file": "a.txt", "data": "a.csv"}, "one way"),
    (["so good"], {"data": "a.csv"}, "one way"),
    ([], {"file": "a.txt", "data": "a.csv"}, "one way"),
    (["so good"], {"output": Path("b.csv")}, "name it with --data"),
    (["so good"], {"text_column": "text"}, "name it with --data"),
    ([], {"file": "a.txt", "table_format": TableFormat(";")}, "name it with --data"),
]


@pytest.mark.parametrize(("texts", "given", "line"), SEVERAL)
def test_inputs_are_given_in_one_way(texts: list[str], given: dict, line: str):
    with pytest.raises(UserError, match=line):
        next(answers(lambda asked: iter(()), Inputs(texts, **given)))
