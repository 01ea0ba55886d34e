"""Small sound files of each format, spoiled at random: read whole, or one line.

Nothing else is allowed: no other exception, no row that is gone in silence, and no
option in a message that the script does not have. How many rows a spoiled file has is
counted here by other means than the readers have.
"""

import csv
import functools
import io
import json
import random
import re
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from keras_seq.audio.recordings import find_recordings
from keras_seq.audio.waveforms import read_audio, wav_bytes
from keras_seq.cli_options import options_of
from keras_seq.data.sources import read_table
from keras_seq.errors import UserError
from keras_seq.series.table import read_series
from keras_seq.text.conll import read_tagged
from keras_seq.text.embeddings import load_embeddings
from keras_seq.text.pairs import read_pairs
from tests.tasks.scripts import load_script

QUICK, LONG = 400, 4000  # spoiled files of each kind
ROWS = 12
FILMS = ["a fine film", "a dull play", "good fun, and more", "not for me"]
DAYS = [f"2024-01-{day:02}" for day in range(1, ROWS + 1)]
CELLS = (  # what people and programs leave in cells
    *("", " ", "NA", "nan", "null", "None", "-", "?", "0", "-1", "1e999", "1.000,5"),
    *("1,000.5", "12.3M", "5 %", "$1", "1 234", "٣", "∞", "9" * 400, "=1+1", "#REF!"),
    *(
        "31/31/2024",
        "0000-00-00",
        "2024-02-30",
        "24:61",
        "1704067200",
        "99999999999999",
    ),
    *('"', "'", '""', '"a', 'a"', "a\tb", "\ufeff", "\x00", "\u2028", "é", "文", "🙂"),
)
# Bytes that mean something to one of the formats, or to none.
SIGNS = b"\x00\t\n\r\"',;|\\ 0.-\x1a\x80\xc3\xe9\xff"


def text_of(*rows: str) -> bytes:
    return ("\n".join(rows) + "\n").encode()


def labelled(mark: str) -> list[tuple[str, str]]:
    return [(FILMS[n % 4].replace(mark, " "), "ab"[n % 2]) for n in range(ROWS)]


def delimited(mark: str) -> bytes:
    return text_of(*map(mark.join, [("text", "label"), *labelled(mark)]))


def objects() -> list[dict[str, str]]:
    return [{"text": text, "label": label} for text, label in labelled("")]


SOUND: dict[str, bytes] = {
    "reviews.csv": delimited(","),
    "reviews.tsv": delimited("\t"),
    "excel.csv": delimited(";"),
    "rows.jsonl": text_of(*map(json.dumps, objects())),
    "array.json": json.dumps(objects()).encode(),
    "prices.csv": text_of(
        "Date,Open,High,Low,Close,Volume",
        *(f"{day},{n + 9},{n + 11},{n + 8},{n + 10},5" for n, day in enumerate(DAYS)),
    ),
    "german.csv": text_of(
        "Datum;Wert", *(f"{n + 13}.01.2024;{n},5" for n in range(ROWS))
    ),
    "long.csv": text_of(
        "shop,date,sales",
        *(f"{shop},{day},{n}" for shop in "ab" for n, day in enumerate(DAYS[:6])),
    ),
    "pairs.tsv": text_of(
        "source\ttarget", *(f"Hund {n}\tdog {n}" for n in range(ROWS))
    ),
    "words.conll": text_of(*["Ada NOUN", "sees VERB", "birds NOUN", ""] * ROWS),
    "vectors.txt": text_of(*(f"w{n} {n}.5 -1 1e-3" for n in range(ROWS))),
    "sounds.csv": text_of("file,transcript", *(f"{n}.wav,yes" for n in range(ROWS))),
    "sound.wav": wav_bytes([n * 100 for n in range(64)], 8000),
}


def rows_of_table(path: Path) -> int:
    return sum(1 for _ in read_table(str(path)))


def rows_of_series(path: Path) -> int:
    column = ["shop"] if path.name == "long.csv" else None
    return sum(
        len(s.values) for s in read_series(str(path), series_column=column).series
    )


def sentences(path: Path) -> int:
    return len(list(read_tagged(str(path))))


def vectors(path: Path) -> int:
    words = [f"w{n}" for n in range(ROWS)]
    load_embeddings(path, words)
    return -1


def samples(path: Path) -> int:
    audio = read_audio(path.read_bytes(), 8000)
    assert audio.problem or len(audio.samples) < 1 << 20, "more sound than a file holds"
    return -1


READERS: dict[str, Callable[[Path], int]] = {
    **dict.fromkeys(SOUND, rows_of_table),
    **dict.fromkeys(("prices.csv", "german.csv", "long.csv"), rows_of_series),
    "pairs.tsv": lambda path: len(list(read_pairs(str(path)))),
    "words.conll": sentences,
    "vectors.txt": vectors,
    "sounds.csv": lambda path: len(find_recordings(str(path))),
    "sound.wav": samples,
}


def spoiled(content: bytes, chance: random.Random) -> bytes:
    """The content with one to three things wrong."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        content = chance.choice(SPOILERS)(content, chance)
    return content


def other_byte(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content) + 1)
    return content[:place] + bytes([chance.choice(SIGNS)]) + content[place + 1 :]


def further_byte(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content) + 1)
    return content[:place] + bytes([chance.choice(SIGNS)]) + content[place:]


def cut_short(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def without_a_stretch(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content) + 1)
    return content[:start] + content[start + chance.randrange(1, 40) :]


def other_lines(content: bytes, chance: random.Random) -> bytes:
    """A line twice, gone, or at another place; or another line end everywhere."""
    lines = content.split(b"\n")
    place, other = (chance.randrange(len(lines)) for _ in range(2))
    kind = chance.randrange(5)
    if kind == 0:
        lines.insert(other, lines[place])
    elif kind == 1:
        del lines[place]
    elif kind == 2:
        lines[place], lines[other] = lines[other], lines[place]
    elif kind == 3:
        lines.insert(place, b"")
    end = chance.choice((b"\r\n", b"\r")) if kind == 4 else b"\n"
    return end.join(lines)


def other_cell(content: bytes, chance: random.Random) -> bytes:
    """A cell of a line, or its value in JSON, becomes one of CELLS."""
    lines = content.split(b"\n")
    place = chance.randrange(len(lines))
    mark = next((m for m in (b"\t", b";", b",", b" ") if m in content), b",")
    cells = lines[place].split(mark)
    cells[chance.randrange(len(cells))] = chance.choice(CELLS).encode()
    lines[place] = mark.join(cells)
    return b"\n".join(lines)


def other_encoding(content: bytes, chance: random.Random) -> bytes:
    name = chance.choice(("utf-16", "utf-16-le", "utf-8-sig", "utf-32", "cp1252"))
    try:
        return content.decode().encode(name)
    except UnicodeError:
        return b"\xef\xbb\xbf" + content


SPOILERS = (
    *(other_byte, further_byte, cut_short, without_a_stretch, other_lines),
    *(other_cell, other_cell, other_cell, other_encoding),
)


def rows_in(name: str, content: bytes) -> int | None:
    """How many rows a spoiled file has; None where that could be argued about."""
    if name.endswith((".wav", ".txt", ".conll")) or b"\x00" in content:
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeError:
        return None
    text = re.sub("(?m)^\ufeff", "", text)  # no row is a mark of byte order
    if name.endswith(".json"):
        try:
            return len(json.loads(text))
        except (ValueError, TypeError):
            return None
    ends = {"\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"}
    if ends & set(text):
        return None
    if name.endswith(".jsonl"):  # a carriage return is a space of JSON
        return sum(1 for line in text.split("\n") if line.strip())
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and not set(lines[0]) & set(string.ascii_letters):
        return None  # the header is gone
    if name.endswith(".csv") and '"' in text:
        mark = ";" if b"Datum" in content or name.startswith("excel") else ","
        try:
            found = csv.reader(
                io.StringIO(text, newline=""), delimiter=mark, strict=True
            )
            return sum(1 for row in found if row) - 1
        except csv.Error:
            return None
    return len(lines) - 1


SCRIPTS = {
    **dict.fromkeys(SOUND, "sentiment"),
    **dict.fromkeys(("prices.csv", "german.csv", "long.csv"), "stock"),
    **{"pairs.tsv": "translation", "words.conll": "tagging"},
    **dict.fromkeys(("sounds.csv", "sound.wav"), "speech"),
}


@functools.cache
def flags(script: str) -> set[str]:
    """Options of a script's `train`, as the shell has them."""
    return {f"--{n.replace('_', '-')}" for n in options_of(load_script(script).train)}


def faults(name: str, seed: int, count: int, folder: Path) -> list[str]:
    """What is wrong with the answers to so many spoiled files."""
    chance, found = random.Random(f"{name} {seed}"), []
    known = flags(SCRIPTS[name])
    for n in range(ROWS):
        (folder / f"{n}.wav").write_bytes(SOUND["sound.wav"])
    for number in range(count):
        content = spoiled(SOUND[name], chance)
        path = folder / name
        path.unlink(missing_ok=True)  # a file written over is written to the disk
        path.write_bytes(content)
        try:
            rows, wanted = READERS[name](path), rows_in(name, content)
        except UserError as error:
            if "\n" in str(error) or len(str(error)) > 2000:
                found.append(f"{number}: {content!r}: not a line: {error}")
            named = set(re.findall(r"(?<!\S)--[a-z][a-z-]+", str(error)))
            if named - known:  # an option that its script does not have
                found.append(f"{number}: {content!r}: {named - known}: {error}")
            continue
        except Exception as error:  # whatever it is, it is a bug
            found.append(f"{number}: {content!r}: {type(error).__name__}: {error}")
            continue
        if rows >= 0 and wanted is not None and rows != wanted:
            found.append(f"{number}: {content!r}: {rows} rows of {wanted}")
    return found


@pytest.mark.parametrize("name", SOUND)
def test_a_spoiled_file_is_read_whole_or_is_one_line(name: str, tmp_path: Path):
    assert faults(name, 0, QUICK, tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SOUND)
def test_ten_times_as_many(name: str, tmp_path: Path):
    assert faults(name, 1, LONG, tmp_path) == []
