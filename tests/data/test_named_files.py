"""Files that rows of a table name: which of several is meant."""

from pathlib import Path

import pytest

from keras_seq.data.file_places import FolderFiles
from keras_seq.data.named_files import FileFinder, NamedFileReader
from keras_seq.errors import UserError


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table beside two folders that hold a file of one name."""
    for folder in ("train", "test"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_text(folder)
    (tmp_path / "test" / "b.png").write_text("b")
    return tmp_path / "train.csv"


def test_the_folder_of_the_tables_name_comes_first(table: Path):
    finder = FileFinder(table, [], (".png",))
    for name in ("a.png", "a"):
        files, found = finder.find(name, "train.csv:2")
        assert files.read(found) == b"train"
    assert NamedFileReader()("b.png", table, 2)[1] == b"b"


def test_what_is_found_twice_elsewhere_is_refused(table: Path):
    other = table.with_name("other.csv")
    with pytest.raises(UserError, match="write 'test/a.png' or 'train/a.png'"):
        FileFinder(other, []).find("a.png", "other.csv:2")
    archives = [FolderFiles(table.parent / name) for name in ("train", "test")]
    with pytest.raises(UserError, match="could be"):
        FileFinder(other, archives).find("a.png", "other.csv:2")
    with pytest.raises(UserError, match="other.csv:2: there is no file 'c.png'"):
        FileFinder(other, archives).find("c.png", "other.csv:2")
