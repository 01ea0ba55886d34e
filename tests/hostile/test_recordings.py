"""Recordings as corpora bring them: read, or refused in one line; never guessed."""

import json
import zipfile
from pathlib import Path

import pytest

from keras_seq.audio.downloads import load_recordings
from keras_seq.audio.recording import Piece, Recording
from keras_seq.audio.recordings import find_recordings
from keras_seq.data.table_format import TableFormat
from keras_seq.errors import UserError

Files = dict[str, str]


def made(root: Path, files: Files) -> Path:
    """A folder; sounds hold their own names."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content or name, encoding="utf-8")
    return root


def sounds(*names: str) -> Files:
    return dict.fromkeys(names, "")


def read(found: list[Recording]) -> list[tuple[str, str]]:
    """What is read with its transcript: a sound holds the name it was made under."""
    return [(r.read().decode(), r.transcript) for r in found]


TSV = "client_id\tpath\tsentence\n"
FOLDERS = {
    "a text beside each sound": (
        sounds("x/1.wav", "x/2.WAV") | {"x/1.txt": "so it\n goes", "x/2.lab": "on"},
        [("x/1.wav", "so it goes"), ("x/2.WAV", "on")],
    ),
    "texts in a folder of their own": (
        sounds("wav/p1/p1_01.flac", "wav/p1/p1_02.flac")
        | {"txt/p1/p1_01.txt": "ask", "txt/p1/p1_02.txt": "her"},
        [("wav/p1/p1_01.flac", "ask"), ("wav/p1/p1_02.flac", "her")],
    ),
    "TIMIT's texts": (
        sounds("DR1/A/S1.WAV", "DR1/A/S2.WAV")
        | {"DR1/A/S1.TXT": "0 61133 Don't ask.", "DR1/A/S2.TXT": "0 9 Two."},
        [("DR1/A/S1.WAV", "Don't ask."), ("DR1/A/S2.WAV", "Two.")],
    ),
    "a table with usual names": (
        sounds("data/1.wav", "data/2.wav")
        | {"metadata.csv": "file_name,transcription\ndata/2.wav,b\ndata/1.wav,a\n"},
        [("data/2.wav", "b"), ("data/1.wav", "a")],
    ),
    "labels whose names begin with a line": (
        sounds(
            "_silence_/1.wav", "_unknown_/2.wav", "up/3.wav", "_background_noise_/4.wav"
        ),
        [
            ("_silence_/1.wav", "_silence_"),
            ("_unknown_/2.wav", "_unknown_"),
            ("up/3.wav", "up"),
        ],
    ),
    "labels, and a table of something else": (
        sounds("no/00001.wav", "yes/00002.wav") | {"by.csv": "name,year\nMIT,1988"},
        [("no/00001.wav", "no"), ("yes/00002.wav", "yes")],
    ),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_what_lies_beside_sounds_is_read(name: str, tmp_path: Path) -> None:
    files, expected = FOLDERS[name]
    assert read(find_recordings(made(tmp_path, files))) == expected


PARTS = {
    "tables of parts": (
        sounds("clips/1.mp3", "clips/2.mp3", "clips/3.mp3")
        | {
            "train.tsv": TSV + "s1\t1.mp3\ta\n",
            "dev.tsv": TSV + "s2\t2.mp3\tb\n",
            "test.tsv": TSV + 's3\t3.mp3\t"c\n',
            "validated.tsv": TSV + "s1\t1.mp3\ta",
        },
        {"clips/1.mp3": "train", "clips/2.mp3": "validation", "clips/3.mp3": "test"},
    ),
    "lists": (
        sounds(
            "up/0000000a_nohash_0.wav",
            "up/0000000b_nohash_0.wav",
            "go/0000000c_nohash_0.wav",
        )
        | {
            "testing_list.txt": "up/0000000b_nohash_0.wav\n",
            "validation_list.txt": "go/0000000c_nohash_0.wav",
        },
        {
            "up/0000000a_nohash_0.wav": "train",
            "up/0000000b_nohash_0.wav": "test",
            "go/0000000c_nohash_0.wav": "validation",
        },
    ),
    "folders above labels": (
        sounds("train/up/1.wav", "train/go/2.wav", "test/up/3.wav"),
        {"train/up/1.wav": "train", "train/go/2.wav": "train", "test/up/3.wav": "test"},
    ),
    "folders of a tree": (
        sounds("dev-clean/7/1/7-1-0.flac", "train-other/8/1/8-1-0.flac")
        | {
            "dev-clean/7/1/7-1.trans.txt": "7-1-0 A",
            "train-other/8/1/8-1.trans.txt": "8-1-0 B",
        },
        {
            "dev-clean/7/1/7-1-0.flac": "validation",
            "train-other/8/1/8-1-0.flac": "train",
        },
    ),
    "labels that are words for parts": (
        sounds("train/1.wav", "test/2.wav"),
        {"train/1.wav": "", "test/2.wav": ""},
    ),
    "one part": (
        sounds("dev-clean/7/1/7-1-0.flac") | {"dev-clean/7/1/7-1.trans.txt": "7-1-0 A"},
        {"dev-clean/7/1/7-1-0.flac": ""},
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_are_those_of_the_corpus(name: str, tmp_path: Path) -> None:
    files, expected = PARTS[name]
    found = find_recordings(made(tmp_path, files))
    assert {r.read().decode(): r.part for r in found} == expected


def test_speakers_of_hashed_names_and_of_tables(tmp_path: Path) -> None:
    for name, who in (("lists", "0000000a"), ("tables of parts", "s1")):
        found = find_recordings(made(tmp_path / name[:3], PARTS[name][0]))
        assert who in {r.speaker for r in found}


SCP = {"wav.scp": "u1 wav/1.wav\nu2\twav/2.wav\n", "text": "u2 GO ON\nu1 A  B\n"}
KALDI = {
    "files": (SCP, [("wav/2.wav", "GO ON", None), ("wav/1.wav", "A  B", None)]),
    "segments": (
        {
            "wav.scp": "f wav/1.wav\n",
            "segments": "u1 f 0 1.5\nu2 f 1.5 -1\n",
            "text": SCP["text"],
        },
        [("wav/1.wav", "GO ON", Piece(1.5)), ("wav/1.wav", "A  B", Piece(0, 1.5))],
    ),
    "one without text": (
        SCP | {"text": "u1 A"},
        [("wav/1.wav", "A", None)],
    ),
}


@pytest.mark.parametrize("name", KALDI)
@pytest.mark.parametrize("given", ["data/train", "data/train/wav.scp", "."])
def test_kaldi_folders(name: str, given: str, tmp_path: Path) -> None:
    files, expected = KALDI[name]
    files = {f"data/train/{key}": value for key, value in files.items()}
    files["data/train/utt2spk"] = "u1 ada\nu2 bob\n"
    made(tmp_path, files | sounds("wav/1.wav", "wav/2.wav"))
    found = find_recordings(tmp_path / given)
    assert [(r.read().decode(), r.transcript, r.piece) for r in found] == expected
    assert found[-1].speaker == "ada"


BAD_KALDI = {
    "a command": ({"wav.scp": "u1 sox a.mp3 -t wav - |\n"}, "wav.scp:1: is a command"),
    "an archive": ({"wav.scp": "u1 raw.ark:17\n"}, "wav.scp:1: names an archive"),
    "no sound": ({"wav.scp": "u1 wav/9.wav\n"}, "wav.scp:1: there is no file"),
    "nothing behind a name": ({"wav.scp": "u1 wav/1.wav\nu2\n"}, "wav.scp:2: nothing"),
    "a name twice": ({"wav.scp": "u1 a.wav\nu1 b.wav\n"}, "wav.scp:2: a second line"),
    "a text of nothing": ({"text": "u1 A\nu7 B\n"}, "text:2: wav.scp has no line 'u7'"),
    "no times": ({"segments": "u1 u1 0\n"}, "segments:1: expected UTTERANCE FILE"),
    "backwards": ({"segments": "u1 u1 3 2\n"}, "segments:1: a piece from 3 to 2 s"),
    "not cut": ({"segments": "u9 u1 0 1\n"}, "text:1: segments has no utterance 'u2'"),
    "empty": ({"text": "\n"}, "text: holds no utterances"),
}


@pytest.mark.parametrize("name", BAD_KALDI)
def test_a_bad_line_of_kaldi_is_named(name: str, tmp_path: Path) -> None:
    files, line = BAD_KALDI[name]
    if "text" not in files and "segments" not in files:
        files = {"text": "u1 A"} | files
    made(tmp_path, SCP | files | sounds("wav/1.wav", "wav/2.wav"))
    with pytest.raises(UserError, match=line):
        find_recordings(tmp_path)


PIPES = 'LJ1-0001|12 men|twelve men\nLJ1-0002|"so|"so\n'
REFUSED = {
    "one folder": (sounds("wavs/1.wav", "wavs/2.wav"), "lie in one folder 'wavs'"),
    "no folder": (sounds("1.wav", "2.wav"), "lie in no folder"),
    "a table without a header": (
        sounds("wavs/LJ1-0001.wav", "wavs/LJ1-0002.wav") | {"metadata.csv": PIPES},
        "metadata.csv: names the sounds beside it.*--separator pipe.*--no-header",
    ),
    "a list of names and texts": (
        sounds("a/utt_1.wav", "b/utt_2.wav")
        | {"text.txt": "utt_1 hello there\nutt_2 and so on\n"},
        "text.txt: names the sounds beside it.*--separator space",
    ),
    "folds, and a table that has the classes": (
        sounds("fold1/1-2-3.wav", "fold2/4-5-6.wav")
        | {"meta/all.csv": "slice,class\n1-2-3.wav,dog\n4-5-6.wav,cat\n"},
        "all.csv: names the sounds",
    ),
    "two tables, no parts": (
        sounds("1.wav", "2.wav")
        | {"old.csv": "file,text\n1.wav,a\n", "new.csv": "file,text\n2.wav,b\n"},
        "several tables name its sounds: new.csv, old.csv",
    ),
    "a sound without its text": (
        sounds("x/1.wav", "x/2.wav", "x/3.wav") | {"x/1.txt": "a", "x/2.txt": "b"},
        r"3\.wav: has no text file of its name, as 2 of 3",
    ),
    "a text of two sounds": (
        sounds("x/1.wav", "y/1.wav") | {"texts/1.txt": "a"},
        r"1\.txt: could be of",
    ),
    "a list of what is not there": (
        sounds("up/1.wav", "go/2.wav") | {"testing_list.txt": "up/1.wav\nup/7.wav\n"},
        "testing_list.txt:2: there is no sound 'up/7.wav'",
    ),
    "a sound in two lists": (
        sounds("up/1.wav", "go/2.wav")
        | dict.fromkeys(("testing_list.txt", "validation_list.txt"), "up/1.wav\n"),
        "validation_list.txt:1: 'up/1.wav' stands in another list",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_folder_that_says_no_transcripts_is_refused(
    name: str, tmp_path: Path
) -> None:
    files, line = REFUSED[name]
    with pytest.raises(UserError, match=line) as error:
        find_recordings(made(tmp_path, files))
    assert "\n" not in str(error.value)


def test_a_table_without_a_header_is_read_as_the_error_says(tmp_path: Path) -> None:
    made(tmp_path, REFUSED["a table without a header"][0])
    made(tmp_path, {"metadata.csv": PIPES.replace('"', "")})
    form = TableFormat("pipe", no_header=True)
    found = find_recordings(tmp_path / "metadata.csv", "1", "3", table_format=form)
    assert read(found)[0] == ("wavs/LJ1-0001.wav", "twelve men") and len(found) == 2


def test_a_table_inside_an_archive_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("data/a_1.wav", "more/a_2.wav"):
            archive.writestr(name, b"x")
        archive.writestr("meta.csv", "file_name,text\ndata/a_1.wav,b\nmore/a_2.wav,c\n")
    with pytest.raises(UserError, match="meta.csv: names the sounds of its archive"):
        find_recordings(tmp_path / "all.zip")


def test_one_transcript_alone_is_nothing_to_learn(tmp_path: Path) -> None:
    rows = "file,text\n" + "".join(f"{n}.wav,hello \n" for n in range(5))
    made(tmp_path, sounds(*(f"{n}.wav" for n in range(5))) | {"all.csv": rows})
    with pytest.raises(UserError, match="all 5 recordings have one transcript, 'hel"):
        load_recordings(tmp_path / "all.csv")
    assert len(load_recordings(tmp_path / "all.csv", any_parts=True)) == 5


ROWS = {
    "offset and duration": ({"offset": 1.5, "duration": 2}, Piece(1.5, 3.5)),
    "start and end": ({"start": "0", "End": "0.25"}, Piece(0, 0.25)),
    "milliseconds": ({"start_ms": 500, "end_ms": 1500}, Piece(0.5, 1.5)),
    "seconds by name": ({"begin_sec": 1, "stop_sec": 2}, Piece(1, 2)),
    "an end alone": ({"end_time": 2}, Piece(0, 2)),
    "a duration alone": ({"duration": 2}, None),
    "none in this row": ({"offset": None, "end": ""}, None),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_pieces_of_files(name: str, tmp_path: Path) -> None:
    row, piece = ROWS[name]
    line = json.dumps({"audio_filepath": "1.wav", "text": "a"} | row)
    made(tmp_path, sounds("1.wav") | {"all.jsonl": line})
    (found,) = find_recordings(tmp_path / "all.jsonl")
    assert found.piece == piece and found.read() == b"1.wav"
    assert ("all.jsonl:1" in found.place) == (piece is not None)


BAD_ROWS = {
    "a begin without an end": ("start", "1", "a.csv: column 'start' says where a"),
    "samples": ("start_sample,end_sample", "0,16000", "a.csv: column 'end_sample'"),
    "frames": ("offset_frames,duration", "0,16000", "a.csv: column 'offset_frames'"),
    "no time": ("start,end", "1,2 s", "a.csv:2: '2 s' in column 'end' is no time"),
    "below zero": ("start,end", "-1,2", "a.csv:2: '-1' in column 'start' is no time"),
    "NaN": ("start,end", "0,nan", "a.csv:2: 'nan' in column 'end' is no time"),
    "backwards": ("start,end", "3,2", "a.csv:2: a piece of the file from 3 to 2 s"),
    "nothing": ("offset,duration", "3,0", "a.csv:2: a piece of the file from 3 to 3"),
    "no end": ("start,end", "3,", "a.csv:2: names no end of the piece"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_row_that_is_no_piece_is_refused(name: str, tmp_path: Path) -> None:
    columns, values, line = BAD_ROWS[name]
    table = f"wav_filename,transcript,{columns}\n1.wav,a,{values}\n"
    made(tmp_path, sounds("1.wav") | {"a.csv": table})
    with pytest.raises(UserError, match=line):
        find_recordings(tmp_path / "a.csv")


def archives(folder: Path, *names: str) -> None:
    for name in names:
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            archive.writestr("clips/1.wav", f"of {name}")


@pytest.mark.parametrize("inner", ["1.wav", "clips/1.wav"])
def test_a_name_in_two_archives_is_asked_about(inner: str, tmp_path: Path) -> None:
    archives(tmp_path, "ada", "bob")
    made(tmp_path, {"all.csv": f"file,text\n{inner},a\n"})
    line = "all.csv:2: .* could be .*ada.zip/clips/1.wav and .*bob.zip/clips/1.wav"
    with pytest.raises(UserError, match=f"{line}; write 'ada/clips/1.wav' or"):
        find_recordings(tmp_path / "all.csv")
    made(tmp_path, {"all.csv": "file,text\nbob/clips/1.wav,b\nada/clips/1.wav,a\n"})
    found = find_recordings(tmp_path / "all.csv")
    assert read(found) == [("of bob", "b"), ("of ada", "a")]


def test_a_name_in_two_folders_is_asked_about(tmp_path: Path) -> None:
    made(tmp_path, sounds("a/1.wav", "b/1.wav") | {"all.csv": "file,text\n1.wav,x\n"})
    with pytest.raises(UserError, match="write 'a/1.wav' or 'b/1.wav'"):
        find_recordings(tmp_path / "all.csv")


def test_rows_of_other_separators_and_encodings(tmp_path: Path) -> None:
    made(tmp_path, sounds("1.wav", "2.wav"))
    content = "file;text\n1.wav;\xfcber\n2.wav;\n"
    (tmp_path / "all.csv").write_bytes(content.encode("cp1252"))
    form = TableFormat("semicolon", "cp1252", drop_missing=True)
    found = find_recordings(tmp_path / "all.csv", table_format=form)
    assert read(found) == [("1.wav", "\xfcber")]


def test_the_parts_beside_a_table_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    find_recordings(made(tmp_path, PARTS["tables of parts"][0]) / "train.tsv")
    assert "dev.tsv, test.tsv beside it not read" in capsys.readouterr().err


def test_paths_of_windows_are_paths(tmp_path: Path):
    (tmp_path / "clips").mkdir()
    for name in ("a", "b"):
        (tmp_path / "clips" / f"{name}.wav").write_bytes(b"RIFF")
    rows = "file,transcript\nclips\\a.wav,yes\nclips\\b.wav,no\n"
    (tmp_path / "list.csv").write_text(rows)
    found = find_recordings(str(tmp_path / "list.csv"))
    assert [recording.transcript for recording in found] == ["yes", "no"]
