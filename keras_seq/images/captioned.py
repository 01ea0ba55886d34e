"""Pictures with their captions: tables, Flickr8k's token file, COCO's JSON.

    image,caption          a row a caption; pictures in a folder, a zip, or beside it
    a.jpg#0<tab>A dog .    Flickr8k: the number of the caption behind the name
    {"images": [...], "annotations": [...]}      COCO

Files are listed here, and decoded by `pictures`.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from keras_seq.data.columns import find_column, is_header
from keras_seq.data.copies import counted
from keras_seq.data.file_places import Files, FolderFiles, ZipFiles
from keras_seq.data.in_memory import Table, as_file
from keras_seq.data.named_files import FileFinder, archives_of
from keras_seq.data.places import error_at, exists, place_of, user_path
from keras_seq.data.store import SampleStore, stored
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import KINDS, find_files, kind_of, read_columns, read_rows
from keras_seq.data.text_files import read_lines
from keras_seq.errors import UserError
from keras_seq.log import log

IMAGE_COLUMNS = "image file filename file_name image_name path image_path".split()
CAPTION_COLUMNS = "caption text sentence comment description title".split()
ENDINGS = (".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG")
TOKENS = re.compile(r"([^\t]+)#(\d+)\t(.*)", re.DOTALL)

Row = tuple[int, str, str]  # the line, the picture's name, a caption


class CaptionedPicture(NamedTuple):
    """A picture with all its captions.

    Attributes:
        place: how to name its file in a message.
        captions: one or more, in the order of the data.
        read: the file's bytes.
    """

    place: str
    captions: tuple[str, ...]
    read: Callable[[], bytes]

    def digest(self) -> str:
        """SHA-256 of the file: copies under two names are one picture."""
        return hashlib.sha256(self.read()).hexdigest()


def read_captions(
    data: Table,
    images: str | Path | Sequence[str | Path] | None = None,
    image_column: str | None = None,
    caption_column: str | None = None,
    table_format: TableFormat = AS_FOUND,
) -> list[CaptionedPicture]:
    """Lists pictures with their captions; no picture is decoded.

    Args:
        data: a table with a row a caption, Flickr8k's token file, COCO's JSON, a glob
            or several; a DataFrame, (images, captions), or a list of such pairs.
        images: folder or zip archive of the pictures, or several; None looks beside
            the table.
        image_column: of a table; default a usual name.
        caption_column: likewise.
        table_format: how a table is read; `drop_missing` leaves out rows that lack a
            picture's name or a caption.

    Returns:
        Pictures in the order in which the data first names them.

    Raises:
        UserError: A file, a column, a picture or a caption is missing.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.png").write_bytes(b"...")
    >>> rows = [("a.png", "A dog runs."), ("a.png", "A brown dog.")]
    >>> [picture.captions for picture in read_captions(rows, folder)]
    [('A dog runs.', 'A brown dog.')]
    """
    given = [images] if isinstance(images, str | Path) else images
    archives = [_files(each) for each in given] if given else None
    columns = image_column, caption_column
    found: dict[str, tuple[Callable[[], bytes], list[str]]] = {}
    for path in find_files(as_file(data, ("image", "caption")), _kind(table_format)):
        places = archives_of(path) if archives is None else archives
        finder = FileFinder(path, places, ENDINGS)
        rows = _whole(path, _rows(path, columns, table_format), table_format)
        for line, name, caption in rows:
            files, inner = finder.find(name, place_of(path, line))
            place = files.place(inner)
            if place not in found:
                found[place] = finder.reader(files, inner), []
            found[place][1].append(caption)
    pictures = [
        CaptionedPicture(place, tuple(captions), read)
        for place, (read, captions) in found.items()
    ]
    total = sum(len(picture.captions) for picture in pictures)
    log.info(f"{len(pictures):,} pictures with {total:,} captions")
    return pictures


def _files(given: str | Path) -> Files:
    path = user_path(given)
    if not exists(path):
        raise error_at(path, "no such folder or zip archive of pictures")
    if path.is_dir():
        return FolderFiles(path)
    if path.suffix.lower() != ".zip":
        raise error_at(path, "is neither a folder nor a zip archive of pictures")
    return ZipFiles(path)


def _kind(table_format: TableFormat) -> Callable[[Path], str]:
    """The format of a file: that of a table, "coco" or "tokens"."""

    def kind(path: Path) -> str:
        if path.suffix.lower() == ".zip":
            what = "holds the pictures? name it with --images, and the table of "
            raise error_at(path, f"{what}captions with --data")
        if _is_coco(path):
            return "coco"
        suffix = Path(path.name.lower().removesuffix(".gz")).suffix
        first = "" if suffix in KINDS else next(iter(read_lines(path)), "")
        if TOKENS.fullmatch(first):
            return "tokens"
        usual = IMAGE_COLUMNS, CAPTION_COLUMNS
        if table_format.separator is None and is_header(first, usual, ","):
            return "csv"  # as Kaggle's captions.txt
        return kind_of(path, table_format)

    return kind


def _is_coco(path: Path) -> bool:
    if not path.name.lower().removesuffix(".gz").endswith(".json"):
        return False
    first = next((line.strip() for line in read_lines(path) if line.strip()), "")
    return first.startswith("{") and not _is_object_a_line(path, first)


def _is_object_a_line(path: Path, first: str) -> bool:
    """JSON Lines: the first line is an object of its own, and no COCO file."""
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "annotations" not in value


def _rows(
    path: Path, asked: tuple[str | None, str | None], table_format: TableFormat
) -> Iterator[Row]:
    kind = _kind(table_format)(path)
    if kind == "coco":
        yield from _coco_rows(path)
    elif kind == "tokens":
        yield from _token_rows(path, table_format)
    else:
        if kind == "csv" and Path(path.name.removesuffix(".gz")).suffix not in KINDS:
            table_format = replace(
                table_format, separator=table_format.separator or "comma"
            )
        columns = read_columns(path, table_format)
        usual = IMAGE_COLUMNS, CAPTION_COLUMNS
        if table_format.no_header and len(columns) == 2:
            usual = ["1"], ["2"]
        names = [
            find_column(path, columns, table_format, side, name, known)
            for side, name, known in zip(("image", "caption"), asked, usual)
        ]
        for line, values in read_rows(path, names, table_format):
            name, caption = ("" if value is None else str(value) for value in values)
            yield line, name, caption


def _token_rows(path: Path, table_format: TableFormat) -> Iterator[Row]:
    for line, text in enumerate(read_lines(path, table_format.encoding), start=1):
        if not text.strip():
            continue
        match = TOKENS.fullmatch(text.rstrip("\r\n"))
        if match is None:
            what = "expected a name, #, a number, a tab and a caption"
            raise error_at(place_of(path, line), what)
        yield line, match[1], match[3]


def _coco_rows(path: Path) -> Iterator[Row]:
    """Names and captions; the line is the number of the annotation."""
    try:
        content = json.loads("".join(read_lines(path)))
        names = {each["id"]: str(each["file_name"]) for each in content["images"]}
        rows = [
            (each["image_id"], str(each["caption"])) for each in content["annotations"]
        ]
    except (ValueError, RecursionError) as error:
        raise error_at(path, f"not JSON ({error})") from error
    except (KeyError, TypeError) as error:
        what = f"no captions as COCO has them ({error}): images with id and file_name, "
        raise error_at(path, f"{what}annotations with image_id and caption") from error
    for number, (image_id, caption) in enumerate(rows, start=1):
        if image_id not in names:
            what = f"annotation {number} is of an unknown image, {image_id!r}"
            raise error_at(path, what)
        yield number, names[image_id], caption


def _whole(path: Path, rows: Iterator[Row], table_format: TableFormat) -> Iterator[Row]:
    """Rows with both values, tidy; others are errors, or counted."""
    total = dropped = 0
    for line, name, caption in rows:
        total += 1
        name, caption = name.strip(), " ".join(caption.split())
        if name and caption:
            yield line, name, caption
            continue
        dropped += 1
        if not table_format.drop_missing:
            lacking = "caption" if name else "name of the image"
            what = f"the {lacking} is empty; fill it in, or give --drop-missing"
            raise error_at(place_of(path, line), what)
    if dropped:
        found = counted(dropped, total, "rows")
        log.info(f"{path}: {found} lack an image or a caption and are left out")
    if total == dropped:
        raise UserError(
            f"{path}: no row is left" if total else f"{path}: holds no rows"
        )


def all_captions(pictures: Sequence[CaptionedPicture]) -> list[str]:
    """The captions of pictures, one after the other."""
    return [caption for picture in pictures for caption in picture.captions]


def picture_store(pictures: Sequence[CaptionedPicture]) -> SampleStore:
    """Pictures by their content, which is what makes two of them one, to be split."""
    store = stored([(picture.digest(), "") for picture in pictures])
    return replace(store, name=f"{pictures[0].place} and others") if pictures else store


def captions_fingerprint(pictures: Sequence[CaptionedPicture]) -> str:
    """SHA-256 of pictures with their captions, whatever the names of the files."""
    rows = [(picture.digest(), json.dumps(picture.captions)) for picture in pictures]
    return stored(rows).fingerprint()
