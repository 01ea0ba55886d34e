"""Captions files of every kind, and what is wrong with them, by line."""

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from keras_seq.data.table_format import TableFormat
from keras_seq.errors import UserError
from keras_seq.images.captioned import picture_store, read_captions

ROWS = [("a.jpg", "A dog ."), ("a.jpg", "One dog ."), ("b.jpg", "Two cats .")]
EXPECTED = [("A dog .", "One dog ."), ("Two cats .",)]
CSV = "image,height,caption\na.jpg,3,A dog .\na.jpg,3,One dog .\nb.jpg,3,Two cats .\n"
TOKENS = "a.jpg#0\tA dog .\na.jpg#1\tOne dog .\nb.jpg#0\tTwo cats .\n"
COCO = {
    "images": [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "b.jpg"}],
    "annotations": [
        {"image_id": 7, "caption": "A dog .", "id": 1},
        {"image_id": 7, "caption": "One dog .", "id": 2},
        {"image_id": 8, "caption": "Two cats .", "id": 3},
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures in a folder, and in a zip archive below another name."""
    (tmp_path / "photos").mkdir()
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for name in ("a.jpg", "b.jpg"):
            (tmp_path / "photos" / name).write_bytes(name.encode())
            archive.writestr(f"train/{name}", name.encode())
    return tmp_path


KINDS = {
    "captions.csv": CSV,
    "captions.tsv": CSV.replace(",", "\t"),
    "captions.txt": "image,caption\na.jpg,A dog .\na.jpg,One dog .\nb.jpg,Two cats .\n",
    "Flickr8k.token.txt": TOKENS,
    "captions.token": TOKENS,
    "captions.json": json.dumps(COCO),
    "pretty.json": json.dumps(COCO, indent=1),
    "captions.jsonl": "".join(
        json.dumps({"file_name": name, "text": text}) + "\n" for name, text in ROWS
    ),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("images", ["photos", "photos.zip"])
def test_captions_stand_with_their_picture(name: str, images: str, folder: Path):
    (folder / name).write_text(KINDS[name])
    pictures = read_captions(folder / name, folder / images)
    assert [picture.captions for picture in pictures] == EXPECTED
    assert [picture.read() for picture in pictures] == [b"a.jpg", b"b.jpg"]
    assert pictures[0].place.endswith(f"{images}{'/train' * ('zip' in images)}/a.jpg")


def test_what_is_packed_in_memory_or_beside_is_read(folder: Path):
    (folder / "c.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    found = read_captions(folder / "c.csv.gz")  # the archive beside it
    assert [picture.captions for picture in found] == EXPECTED
    found = read_captions(ROWS, [folder / "photos"])
    assert [picture.captions for picture in found] == EXPECTED


def test_copies_of_a_file_are_one_picture(folder: Path):
    (folder / "photos" / "b.jpg").write_bytes(b"a.jpg")
    store = picture_store(read_captions(ROWS, folder / "photos"))
    first, second = store.digests().tolist()
    assert first == second


BAD = {
    "no picture": (
        "c.csv",
        "image,caption\nz.jpg,A dog\n",
        "c.csv:2: there is no file",
    ),
    "no column": ("c.csv", "name,says\na.jpg,A\n", "no image column found"),
    "no caption": (
        "c.csv",
        "image,caption\na.jpg,  \n",
        "c.csv:2: the caption is empty",
    ),
    "no name": (
        "c.csv",
        "image,caption\n,A dog\n",
        "c.csv:2: the name of the image is",
    ),
    "no rows": ("c.csv", "image,caption\n", "holds no rows"),
    "empty": ("c.csv", "", "the file is empty"),
    "token": ("c.txt", "a.jpg#0\tA\na.jpg A dog\n", "c.txt:2: expected a name"),
    "coco": ("c.json", '{"annotations": [{"image_id": 3}]}', "no captions as COCO"),
    "coco id": (
        "c.json",
        json.dumps({"images": [], "annotations": COCO["annotations"]}),
        "annotation 1 is of an unknown image, 7",
    ),
    "coco cut": ("c.json", '{"images": [\n', "not JSON"),
    "unknown": ("c.txt", "something else\n", "unknown file type"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_one_line(case: str, folder: Path):
    name, text, message = BAD[case]
    (folder / name).write_text(text)
    with pytest.raises(UserError, match=message) as found:
        read_captions(folder / name, folder / "photos")
    assert "\n" not in str(found.value)


def test_what_is_no_place_of_pictures_is_refused(folder: Path):
    (folder / "c.csv").write_text(CSV)
    for given, message in (("gone", "no such folder"), ("c.csv", "is neither")):
        with pytest.raises(UserError, match=message):
            read_captions(folder / "c.csv", folder / given)
    with pytest.raises(UserError, match="name it with --images"):
        read_captions(folder / "photos.zip")


def test_rows_that_lack_something_are_left_out_where_asked(
    folder: Path, remarks: list[str]
):
    (folder / "c.csv").write_text(CSV + "b.jpg,3,\n")
    form = TableFormat(drop_missing=True)
    found = read_captions(folder / "c.csv", folder / "photos", table_format=form)
    assert [picture.captions for picture in found] == EXPECTED
    assert any("1 of 4 rows" in line for line in remarks)
