"""Tasks that read words start from given vectors, and do not go on from others."""

from pathlib import Path

import numpy as np
import pytest

import keras_seq as ks
from keras_seq.errors import UserError
from keras_seq.tasks import text_generation
from tests.tasks.scripts import load_script

VECTORS = "good 1 2 3\nthe 4 5 6\ntoday 4 5 6\n"
TASKS = {  # task: (options, a word with its vector, what its training starts with)
    "sentiment": ({}, (ks, "fit")),
    "tagging": ({}, (ks, "fit")),
    "text_generation": ({"tokens": "words"}, (text_generation, "train_language_model")),
}


class Begun(Exception):
    """The training has begun."""


def begin(task: str, monkeypatch: pytest.MonkeyPatch, **options: object) -> np.ndarray:
    """The embedding that a training starts from; it goes no further."""
    own, (module, name) = TASKS[task]

    def stop(model, *_, **__):
        raise Begun(model)

    monkeypatch.setattr(module, name, stop)
    with pytest.raises(Begun) as begun:
        load_script(task).train(limit=3000, **own, **options)
    return begun.value.args[0].get_layer("embedding").get_weights()[0]


@pytest.mark.parametrize("task", TASKS)
def test_a_training_starts_from_the_vectors(task: str, monkeypatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    Path("vectors.txt").write_text(VECTORS)
    run = {"embeddings": "vectors.txt", "run_dir": tmp_path / "run"}
    matrix = begin(task, monkeypatch, **run)
    assert matrix.shape[1] == 3 and [4, 5, 6] in matrix.tolist()
    assert not matrix[0].any()
    # The same vectors elsewhere are the same run; others are another one.
    Path("vectors.txt").rename("moved.txt")
    begin(task, monkeypatch, **run | {"embeddings": "moved.txt", "resume": True})
    Path("moved.txt").write_text(VECTORS.replace("6", "60"))
    again = {"limit": 3000, "resume": True, **TASKS[task][0], **run}
    for given in ("moved.txt", None):
        with pytest.raises(UserError, match="content of the embeddings data was "):
            load_script(task).train(**again | {"embeddings": given})


REFUSED = [
    ("sentiment", {"documented": True}, "leave out --embeddings"),
    ("tagging", {"documented": True}, "leave out --embeddings"),
    ("text_generation", {"tokens": "words", "documented": "lstm"}, "leave out --emb"),
    ("text_generation", {}, "but --tokens is characters; give --tokens words"),
    ("text_generation", {"tokens": "subwords"}, "--tokens is subwords; give --tokens"),
    ("text_generation", {"tokens": "words", "embedding_dim": 3}, "leave it out"),
    ("sentiment", {"embeddings": "nowhere.txt"}, "nowhere.txt: no such file"),
    ("tagging", {"embeddings": "bad.txt"}, "bad.txt:1: value 1 of 'film' is 'x'"),
    ("text_generation", {"tokens": "words", "embeddings": "e.bin"}, "no such file"),
]


@pytest.mark.parametrize(("task", "options", "line"), REFUSED)
def test_what_takes_no_vectors_says_so_before_it_reads(
    task: str, options: dict, line: str, monkeypatch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    Path("vectors.txt").write_text(VECTORS)
    Path("bad.txt").write_text("film x 1\n")
    with pytest.raises(UserError, match=line):
        load_script(task).train(**{"embeddings": "vectors.txt"} | options)
    assert not Path("runs").exists()
