"""Recordings as samples in one file, and what had to be left out.

Every sound is decoded once. A temporary file holds the samples, mapped and not read, so
that memory does not grow with the hours.

Shapes: K utterances, B batch, N samples.
"""

import collections
import hashlib
import itertools
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keras_seq.audio.alphabet import Alphabet, needed_frames
from keras_seq.audio.recording import Recording
from keras_seq.audio.waveforms import read_audio, source_rate, wav_bytes
from keras_seq.data.labels import clean_label
from keras_seq.errors import UserError
from keras_seq.log import log

LISTED = 10  # problems of one kind that are listed on the terminal


class Problem(NamedTuple):
    """Something odd about a recording.

    Attributes:
        place: the file.
        what: the kind of problem, then ": " and details where there are any.
        left_out: False where it is used all the same.
    """

    place: str
    what: str
    left_out: bool = True


class Utterances:
    """Decoded recordings with their transcripts.

    Attributes:
        sample_rate: in hertz.
        lengths: int32 (K,), samples of each.
        places, transcripts, speakers: K texts each; transcripts are tidied.
        numbers: int (K,), which of the recordings each was decoded from.
    """

    def __init__(
        self,
        sample_rate: int,
        samples: np.ndarray,
        starts: np.ndarray,
        lengths: np.ndarray,
        texts: Sequence[tuple[str, str, str]],
        numbers: np.ndarray | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self._samples, self._starts, self._texts = samples, starts, list(texts)
        self.lengths = lengths
        self.numbers = np.arange(len(texts)) if numbers is None else numbers
        self.places = [text[0] for text in texts]
        self.transcripts = [text[1] for text in texts]
        self.speakers = [text[2] for text in texts]

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def seconds(self) -> float:
        """Of all utterances together."""
        return float(self.lengths.sum(dtype=np.int64)) / self.sample_rate

    def samples(self, number: int) -> np.ndarray:
        """int16 (N,) of one utterance."""
        start = self._starts[number]
        return self._samples[start : start + self.lengths[number]]

    def wav(self, number: int) -> bytes:
        """One utterance as a WAV file."""
        return wav_bytes(self.samples(number), self.sample_rate)

    def batch(self, numbers: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """float32 (B, N) from -1 to 1 with zeros behind each end, and int32 (B,)."""
        chosen = np.asarray(numbers, np.int64)
        lengths = self.lengths[chosen]
        padded = np.zeros((len(lengths), lengths.max(initial=0)), np.float32)
        for row, number in enumerate(chosen):
            padded[row, : lengths[row]] = self.samples(number)
        return padded / 32768, lengths

    def take(self, numbers: ArrayLike) -> "Utterances":
        """Some of the utterances, in this order; the samples are shared."""
        chosen = np.asarray(numbers, np.int64)
        texts = [self._texts[number] for number in chosen]
        places = self._starts[chosen], self.lengths[chosen]
        return Utterances(
            self.sample_rate, self._samples, *places, texts, self.numbers[chosen]
        )

    def digests(self) -> np.ndarray:
        """uint64 (K,) of the samples: equal where two utterances are the same sound."""
        found = (
            hashlib.blake2b(self.samples(number).tobytes(), digest_size=8).digest()
            for number in range(len(self))
        )
        return np.frombuffer(b"".join(found), np.uint64)

    def fingerprint(self, *order: object) -> str:
        """SHA-256 of samples and transcripts, and of what decides on their order."""
        digest = hashlib.sha256(repr(order).encode())
        for number, transcript in enumerate(self.transcripts):
            digest.update(f"{len(transcript)}:{transcript}".encode())
            digest.update(self.samples(number).tobytes())
        return digest.hexdigest()


def most_common_rate(recordings: Iterable[Recording]) -> int:
    """The sample rate that most of the first 200 recordings have, in hertz.

    Raises:
        UserError: None of them can be read.
    """
    rates: collections.Counter[int] = collections.Counter()
    for recording in itertools.islice(recordings, 200):
        try:
            rate = source_rate(recording.read())
        except UserError:  # listed by its file when it is decoded
            continue
        if rate is not None:
            rates[rate] += 1
    if not rates:
        raise UserError("none of the recordings can be read as audio")
    return rates.most_common(1)[0][0]


def decode_recordings(
    recordings: Iterable[Recording], sample_rate: int
) -> tuple[Utterances, list[Problem]]:
    """Decodes every recording once.

    Args:
        recordings: from `find_recordings`.
        sample_rate: that the model takes, in hertz.

    Returns:
        The utterances that can be used, and what was odd: unreadable, cut short, zero
        length, silent and empty transcripts are left out; clipped ones and those of a
        lower rate stay.
    """
    problems, texts, lengths, numbers = [], [], [], []
    with tempfile.TemporaryFile() as file:
        for number, recording in enumerate(recordings):
            try:
                content = recording.read()
            except UserError as error:
                problems.append(Problem(recording.place, f"unreadable ({error})"))
                continue
            audio = read_audio(content, sample_rate, recording.piece)
            transcript = clean_label(recording.transcript)
            problem = audio.problem or (None if transcript else "transcript is empty")
            if what := problem or audio.remark:
                problems.append(Problem(recording.place, what, bool(problem)))
            if problem:
                continue
            file.write(audio.samples.tobytes())
            lengths.append(len(audio.samples))
            texts.append((recording.place, transcript, recording.speaker))
            numbers.append(number)
        file.flush()
        samples = np.memmap(file, np.int16, "r") if texts else np.zeros(0, np.int16)
    of_each = np.array(lengths, np.int32)
    starts = np.cumsum(of_each, dtype=np.int64) - of_each
    chosen = np.array(numbers, np.int64)
    return Utterances(sample_rate, samples, starts, of_each, texts, chosen), problems


def drop_unalignable(
    utterances: Utterances,
    alphabet: Alphabet,
    answered: Callable[[np.ndarray], np.ndarray],
) -> tuple[Utterances, list[Problem]]:
    """Leaves out what CTC cannot learn from.

    Args:
        utterances: with transcripts.
        alphabet: of the train part.
        answered: int (K,) samples to int (K,) frames of the model's answer.

    Returns:
        The utterances that are left, and the others: transcripts with symbols outside
        the alphabet, or with more symbols than the answer has frames.
    """
    problems, kept = [], []
    for number, frames in enumerate(answered(utterances.lengths)):
        transcript = utterances.transcripts[number]
        unknown = alphabet.unknown(transcript)
        needed = 0 if unknown else needed_frames(alphabet.encode(transcript))
        what = None
        if unknown:
            shown = " ".join(map(repr, unknown[:5]))
            what = f"outside the alphabet: {shown} in {transcript!r}"
        elif needed > frames:
            what = f"too short for its transcript: {frames} frames, {needed} needed"
        if what is None:
            kept.append(number)
        else:
            problems.append(Problem(utterances.places[number], what))
    return utterances.take(kept), problems


def report_data_issues(
    problems: Sequence[Problem], run_dir: Path | None = None
) -> None:
    """Counts problems by kind and lists them on stderr; all go to a file of the run.

    Args:
        problems: what was found.
        run_dir: takes `problems.txt`, every problem a line.
    """
    kinds: dict[tuple[str, bool], list[Problem]] = {}
    for problem in problems:
        kind = problem.what.partition(":")[0].partition(" (")[0]
        kinds.setdefault((kind, problem.left_out), []).append(problem)
    for (kind, left_out), found in kinds.items():
        fate = "left out" if left_out else "used all the same"
        log.info(f"{len(found)} recordings {fate}: {kind}")
        for problem in found[:LISTED]:
            log.info(f"  {problem.place}: {problem.what}")
        if len(found) > LISTED:
            where = f"; all are in {run_dir / 'problems.txt'}" if run_dir else ""
            log.info(f"  and {len(found) - LISTED} more{where}")
    if problems and run_dir:
        text = "".join(
            f"{'left out' if p.left_out else 'used'}\t{p.place}\t{p.what}\n"
            for p in problems
        )
        (run_dir / "problems.txt").write_text(text, "utf-8", "backslashreplace")
