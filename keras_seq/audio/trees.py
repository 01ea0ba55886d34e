"""Sounds in folders, or in a zip archive, with what says their transcripts beside them.

    84/121/84-121.trans.txt + 84-121-0000.flac    a LibriSpeech tree
    data/train/wav.scp + text                     a Kaldi folder
    a.wav + a.txt                                 a text for each sound, in any folder
    metadata.csv + wavs/a.wav                     tables that name the sounds
    yes/a.wav no/b.wav                            else the folder is the label

A table that names the sounds and cannot be read by its header is named, never passed
over.
"""

import functools
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from keras_seq.audio.folder_tables import read_folder_tables
from keras_seq.audio.kaldi import kaldi_folders, read_kaldi
from keras_seq.audio.manifests import ManifestFormat
from keras_seq.audio.recording import AUDIO, Recording, part_named
from keras_seq.data.file_places import Files
from keras_seq.data.places import error_at, listed
from keras_seq.log import log

TEXTS = (".txt", ".lab")
NOISE = "_background_noise_"  # of Speech Commands: minutes of noise, no word
LISTS = {"testing_list.txt": "test", "validation_list.txt": "validation"}
# Of Speech Commands: who speaks, and the how manieth time.
_HASHED = re.compile(r"([0-9a-f]{8})_nohash_\d+$")
# Of TIMIT: the first and last sample in front of the words.
_TIMIT = re.compile(r"^0 \d+ ")


def read_tree(files: Files, given: ManifestFormat) -> list[Recording]:
    """The recordings of a folder or an archive.

    Raises:
        UserError: There is no sound, or nothing says what is said in one.
    """
    # Archives made on a Mac hold a shadow of every file.
    names = [
        name
        for name in dict.fromkeys(files.names)
        if not any(p.startswith((".", "__MACOSX")) for p in name.split("/"))
    ]
    if folders := kaldi_folders(names):
        found = []
        for folder in folders:
            part = part_named(PurePosixPath(folder).name) if len(folders) > 1 else ""
            found += read_kaldi(files, folder, part or "")
        return found
    every = [name for name in names if PurePosixPath(name).suffix.lower() in AUDIO]
    sounds = [name for name in every if NOISE not in PurePosixPath(name).parts]
    if count := len(every) - len(sounds):
        log.info(f"{files.path}: {count} sounds of {NOISE} are no words and left out")
    if not sounds:
        what = "holds neither LABEL/x.wav nor x.trans.txt; give a manifest"
        raise error_at(files.path, what)
    scripts = [name for name in names if name.endswith(".trans.txt")]
    if scripts:
        return _with_parts(_librispeech(files, scripts, sounds), sounds)
    if texts := _texts_of(files, names, sounds):
        return _with_parts(texts, sounds)
    others = [name for name in names if PurePosixPath(name).name not in LISTS]
    if found := read_folder_tables(files, others, sounds, given):
        return found
    return _labels(files, names, sounds, given.any_parts)


def _recording(
    files: Files, name: str, transcript: str, speaker: str = ""
) -> tuple[str, Recording]:
    """With its name in the tree."""
    read = functools.partial(files.read, name)
    return name, Recording(files.place(name), transcript, read, speaker)


def _with_parts(
    found: Sequence[tuple[str, Recording]], sounds: Sequence[str], above: int = 1
) -> list[Recording]:
    """With the parts that folders name, such as dev-clean, where every sound has one;
    `above` folders directly above a sound name no part, but its label."""
    parts = {name: _part_of(name, above) for name in sounds}
    if all(parts.values()) and len(set(parts.values())) > 1:
        counts = ", ".join(f"{p} {n:,}" for p, n in Counter(parts.values()).items())
        log.info(f"{found[0][1].place} and others: parts by their folders: {counts}")
        return [recording._replace(part=parts[name]) for name, recording in found]
    return [recording for _, recording in found]


def _part_of(name: str, above: int) -> str:
    folders = name.split("/")[:-1]
    named = (part_named(each) for each in folders[: len(folders) - above + 1])
    return next(filter(None, named), "")


def _librispeech(
    files: Files, scripts: Sequence[str], sounds: Sequence[str]
) -> list[tuple[str, Recording]]:
    """Lines `84-121123-0000 GO DO YOU HEAR`; the speaker is the first number."""
    sound_of = {PurePosixPath(name).with_suffix("").as_posix(): name for name in sounds}
    found = []
    for script in scripts:
        text = files.read(script).decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), start=1):
            stem, _, transcript = line.strip().partition(" ")
            if not stem:
                continue
            sound = sound_of.get((PurePosixPath(script).parent / stem).as_posix())
            if sound is None:
                place = f"{files.place(script)}:{number}"
                raise error_at(place, f"there is no sound file {stem!r} beside it")
            speaker = stem.partition("-")[0]
            found.append(_recording(files, sound, transcript, speaker))
    return found


def _texts_of(
    files: Files, names: Sequence[str], sounds: Sequence[str]
) -> list[tuple[str, Recording]]:
    """Sounds with the text files of their names; none where no name is shared."""
    texts = [name for name in names if PurePosixPath(name).suffix.lower() in TEXTS]
    exact = {PurePosixPath(name).with_suffix("").as_posix(): name for name in texts}
    stems: dict[str, list[str]] = {}
    for name in texts:
        stems.setdefault(PurePosixPath(name).stem, []).append(name)
    text_of = {}
    for sound in sounds:
        path = PurePosixPath(sound)
        text = exact.get(path.with_suffix("").as_posix())
        others = stems.get(path.stem, [])
        if text is None and len(others) == 1:
            text = others[0]
        if text is not None:
            text_of[sound] = text
    if not text_of:
        return []
    if lacking := [name for name in sounds if name not in text_of]:
        what = f"has no text file of its name, as {len(text_of):,} of {len(sounds):,} "
        what += "sounds have; add it, or move them"
        raise error_at(files.place(lacking[0]), what)
    if len(set(text_of.values())) < len(text_of):
        twice = Counter(text_of.values()).most_common(1)[0][0]
        mine = [files.place(s) for s, text in text_of.items() if text == twice]
        what = f"could be of {' and of '.join(mine[:2])}; put it beside its sound"
        raise error_at(files.place(twice), what)
    transcripts = {sound: _text(files, text) for sound, text in text_of.items()}
    if all(map(_TIMIT.match, transcripts.values())):
        transcripts = {s: _TIMIT.sub("", text) for s, text in transcripts.items()}
    return [_recording(files, sound, text) for sound, text in transcripts.items()]


def _text(files: Files, name: str) -> str:
    try:
        return " ".join(files.read(name).decode("utf-8-sig").split())
    except UnicodeDecodeError as error:
        raise error_at(files.place(name), "is no UTF-8; save it as UTF-8") from error


def _labels(
    files: Files, names: Sequence[str], sounds: Sequence[str], one_is_enough: bool
) -> list[Recording]:
    """The folder is the label."""
    found = []
    for name in sounds:
        path = PurePosixPath(name)
        if path.parent.name:
            hashed = _HASHED.match(path.stem)
            found.append(
                _recording(files, name, path.parent.name, hashed[1] if hashed else "")
            )
    labels = sorted({recording.transcript for _, recording in found})
    if not found or len(labels) == 1 < len(found) and not one_is_enough:
        where = f"in one folder {labels[0]!r}" if labels else "in no folder"
        what = f"its {len(sounds):,} sounds lie {where}, which says nothing of what is "
        what += "said in them; give a manifest with the columns file and transcript"
        raise error_at(files.path, what)
    if len(found) < len(sounds):
        what = f"{len(sounds) - len(found):,} sounds at the top have no label: left out"
        log.info(f"{files.path}: {what}")
    lists = [name for name in names if PurePosixPath(name).name in LISTS]
    if lists:
        return _listed_parts(files, lists, found)
    return _with_parts(
        [(name, r._replace(speaker="")) for name, r in found],
        [name for name, _ in found],
        above=2,
    )


def _listed_parts(
    files: Files, lists: Sequence[str], found: Sequence[tuple[str, Recording]]
) -> list[Recording]:
    """Parts by the lists of Speech Commands; what no list names trains."""
    part_of: dict[str, str] = {}
    held = {name for name, _ in found}
    for name in lists:
        path = PurePosixPath(name)
        text = files.read(name).decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), start=1):
            sound = (path.parent / line.strip()).as_posix()
            if not line.strip():
                continue
            if sound not in held:
                place = f"{files.place(name)}:{number}"
                raise error_at(place, f"there is no sound {line.strip()!r} beside it")
            if part_of.setdefault(sound, LISTS[path.name]) != LISTS[path.name]:
                place = f"{files.place(name)}:{number}"
                raise error_at(place, f"{line.strip()!r} stands in another list, too")
    shown = listed([PurePosixPath(name).name for name in lists])
    log.info(f"{files.path}: parts by {shown}: {len(part_of):,} sounds")
    return [r._replace(part=part_of.get(name, "train")) for name, r in found]
