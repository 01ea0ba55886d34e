"""An option of reading a table exists in every script and verb where it makes sense."""

import pytest

from keras_seq.cli_options import options_of
from tests.tasks.scripts import load_script

FORMAT = {"separator", "encoding", "no_header", "drop_missing"}
ANSWERS = {"data", "output", "text_column"} | FORMAT
TABLE = {
    ("sentiment", "train"): FORMAT,
    ("sentiment", "evaluate"): FORMAT,
    ("sentiment", "predict"): ANSWERS,
    ("tagging", "predict"): ANSWERS,
    ("text_generation", "train"): FORMAT,
    ("text_generation", "evaluate"): FORMAT,
    ("text_generation", "predict"): ANSWERS,
}


@pytest.mark.parametrize(("script", "verb"), TABLE)
def test_a_script_has_the_options_of_its_data(script: str, verb: str):
    own = options_of(getattr(load_script(script), verb))
    assert TABLE[script, verb] <= set(own)
