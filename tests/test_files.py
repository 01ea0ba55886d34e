"""Files written aside, and facts as strict JSON."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from keras_seq.files import plain, write_json, written_aside


@pytest.mark.parametrize("before", [None, "old"])
def test_an_error_leaves_the_file_as_it_was_and_nothing_beside_it(
    before: str | None, tmp_path: Path
):
    path = tmp_path / "facts.txt"
    if before is not None:
        path.write_text(before)
    with pytest.raises(KeyError), written_aside(path) as aside:
        aside.write_text("half")
        raise KeyError("cut off")
    assert os.listdir(tmp_path) == ([] if before is None else ["facts.txt"])
    assert before is None or path.read_text() == before


def test_facts_become_strict_json(tmp_path: Path):
    facts = {"low": -np.inf, "x": (np.int32(1), True, None), "path": Path("a.csv")}
    path = tmp_path / "model.json"
    write_json(path, plain(facts | {"label": "\u597d"}))
    assert "\u597d" in path.read_text("utf-8")
    assert json.loads(path.read_text("utf-8"), parse_constant=pytest.fail) == {
        "low": None,
        "x": [1, True, None],
        "path": "a.csv",
        "label": "\u597d",
    }
    with pytest.raises(ValueError, match=r"metadata\['a'\]\[1\] is a bytes"):
        plain({"a": [0, b"x"]})
    with pytest.raises(ValueError, match="has the key 3"):
        plain({"a": {3: 1}})


def test_what_is_shown_has_bytes_as_text_and_any_key():
    given = {3: b"\xe5\xa5\xbd\xff", "a": [np.float32("nan"), Path("x")]}
    assert plain(given, shown=True) == {"3": "好\ufffd", "a": [None, "x"]}
