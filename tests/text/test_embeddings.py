"""Word vectors of files: which row a word gets, and what the others start from."""

import gzip
import logging
import zipfile
from pathlib import Path

import numpy as np
import pytest

from keras_seq.text import Tokenizer, Words, load_embeddings
from keras_seq.text.embeddings import GivenEmbeddings

GLOVE = "the 0.5 0.1 -2\ngood 1 2 3\nfilm 4 5e-1 6\n"
WORDS = ["", "", "good", "Film", "unheard"]


def written(folder: Path, text: str, name: str = "vectors.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


@pytest.fixture
def tokenizer() -> Tokenizer:
    made = Tokenizer()
    made.fit_on_texts(["Good film, good film!", "good play"])
    return made


def zipped(path: Path, *names: str) -> Path:
    archive = path.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as file:
        for name in names:
            file.writestr(name, path.read_bytes())
    return archive


def packed(path: Path) -> Path:
    path.with_suffix(".gz").write_bytes(gzip.compress(path.read_bytes()))
    return path.with_suffix(".gz")


@pytest.mark.parametrize(
    "text",
    [
        GLOVE,
        "3 3\n" + GLOVE,  # word2vec
        GLOVE.replace("\n", " \n"),  # fastText ends its lines so
        GLOVE.replace("\n", "\r\n"),
        GLOVE.replace(" ", "\t"),
        "\ufeff" + GLOVE + "\n",
        GLOVE + ". . . 7 7 7\n\u00a0x 8 8 8\n",  # words of GloVe and of fastText
    ],
)
def test_formats_of_the_field_are_read(text: str, tokenizer: Tokenizer, tmp_path: Path):
    matrix = load_embeddings(written(tmp_path, text), tokenizer)
    assert matrix.dtype == np.float32 and matrix.shape == (5, 3)
    assert matrix[2:4].tolist() == [[1, 2, 3], [4, 0.5, 6]]


@pytest.mark.parametrize("pack", [packed, lambda path: zipped(path, "glove.3d.txt")])
def test_packed_files_are_read(pack, tokenizer: Tokenizer, tmp_path: Path):
    matrix = load_embeddings(pack(written(tmp_path, GLOVE)), tokenizer)
    assert matrix[2].tolist() == [1, 2, 3]


def test_a_word_with_spaces_is_a_word(tmp_path: Path):
    path = written(tmp_path, GLOVE + "new york city 7 8 9\n. . . 1 1 1\n")
    matrix = load_embeddings(path, ["", "", "new york city", ". . ."])
    assert matrix[2:].tolist() == [[7, 8, 9], [1, 1, 1]]


@pytest.mark.parametrize("text", ["Film 1 1\nfilm 2 2\n", "film 2 2\nFilm 1 1\n"])
def test_the_own_spelling_goes_before_the_lower_cased(text: str, tmp_path: Path):
    path = written(tmp_path, text)
    matrix = load_embeddings(path, ["", "", "Film", "film", "FILM"])
    assert matrix[2:].tolist() == [[1, 1], [2, 2], [2, 2]]


def test_the_first_of_two_vectors_counts(tmp_path: Path):
    path = written(tmp_path, "film 1 1\nfilm 2 2\n")
    assert load_embeddings(path, ["", "", "film"])[2].tolist() == [1, 1]


def test_padding_is_zero_and_what_has_no_vector_is_random_but_fixed(tmp_path: Path):
    path = written(tmp_path, GLOVE)
    one, same = (load_embeddings(path, WORDS * 50) for _ in range(2))
    other = load_embeddings(path, WORDS * 50, seed=1)
    assert not one[0].any() and np.array_equal(one, same)
    unheard = [n for n, word in enumerate(WORDS * 50) if word in ("", "unheard") and n]
    assert np.all(one[unheard].any(axis=1)) and not np.array_equal(one, other)
    known = one[[n for n in range(len(one)) if n not in unheard and n]]
    assert one[unheard].std() == pytest.approx(known.std(), rel=0.15)


def test_coverage_is_said_by_words_and_by_running_words(
    tokenizer: Tokenizer, tmp_path: Path, log_lines: list
):
    load_embeddings(written(tmp_path, "good 1 2\nplay 3 4\n"), tokenizer)
    (line,) = log_lines
    assert "vectors of 2 of 3 words (66.7%)" in line
    assert "66.7% of the running words" in line  # good good good play; not film film


@pytest.fixture
def log_lines() -> list:
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logging.getLogger("keras_seq").addHandler(handler)
    yield lines
    logging.getLogger("keras_seq").removeHandler(handler)


def test_a_file_with_fewer_rows_than_it_promises_is_named(
    tokenizer: Tokenizer, tmp_path: Path, log_lines: list
):
    load_embeddings(written(tmp_path, "9 3\n" + GLOVE), tokenizer)
    assert "speaks of 9 vectors, but it holds 3" in log_lines[0]


def test_words_of_a_language_model_have_vectors_too(tmp_path: Path):
    coder = Words.fit(["Good film\n"])
    matrix = load_embeddings(written(tmp_path, GLOVE + "<unk> 9 9 9\n"), coder)
    by_word = dict(zip(coder.tokens, matrix.tolist()))
    assert by_word[b"Good"] == [1, 2, 3] and by_word[b"<unk>"] == [9, 9, 9]
    assert by_word[b""] == [0, 0, 0] and len(matrix) == coder.vocab_size


def test_a_task_takes_none_or_a_matrix_with_its_digest(tmp_path: Path):
    assert GivenEmbeddings.load(None, WORDS) == ({}, {})
    given, same, other = (
        GivenEmbeddings.load(written(tmp_path, text, name), WORDS)
        for text, name in ((GLOVE, "a"), (GLOVE + "x 1 1 1\n", "b"), ("good 1\n", "c"))
    )
    assert given.options["embedding_dim"] == 3 and other.options["embedding_dim"] == 1
    assert given.fingerprints == same.fingerprints != other.fingerprints


def test_memory_is_that_of_the_vocabulary(tmp_path: Path):
    import tracemalloc

    path = tmp_path / "large.txt"
    with path.open("w") as file:
        for number in range(20_000):
            file.write(f"word{number}" + " 0.125" * 100 + "\n")
    words = ["", "", "word7", "word19999"]
    tracemalloc.start()
    matrix = load_embeddings(path, words)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert matrix[2:].tolist() == [[0.125] * 100] * 2
    assert peak < 2 << 20  # the file has 14 MB
