"""Embedded recordings: a small language of made-up words, spoken by many voices.

Every letter is a sound, so a transcript can be learnt letter by letter: vowels and
l, m, r are harmonics under formants, s and t are noise. Voices differ in pitch, in the
length of their vocal tract and in tempo; rooms in noise.

Shapes: N samples, H harmonics.
"""

import functools

import numpy as np

from keras_seq.audio.recordings import Recording
from keras_seq.audio.waveforms import wav_bytes

SAMPLE_RATE = 8000
NUM_VOICES = 24  # that take turns
WORDS = "mala sito lumi rasu tole mesi lato rimu sule tami oru esa".split()
# First three formants in hertz, after Peterson and Barney 1952, and loudness.
_VOICED = {
    "a": (730, 1090, 2440, 1.0),
    "e": (530, 1840, 2480, 0.9),
    "i": (270, 2290, 3010, 0.8),
    "o": (570, 840, 2410, 1.0),
    "u": (300, 870, 2240, 0.8),
    "l": (360, 1300, 2700, 0.5),
    "m": (250, 1100, 2100, 0.35),
    "r": (330, 1060, 1500, 0.5),
}
# Band of the noise in hertz, its loudness, and how much silence comes before it.
_NOISY = {"s": (2400, 3900, 0.25, 0.0), "t": (1200, 3200, 0.5, 0.6)}
_WIDTHS = (90.0, 110.0, 170.0)  # of the formants, in hertz


def load_sample_speech(seed: int = 0, num_recordings: int = 600) -> list[Recording]:
    """Speaks sentences of one to three words.

    Needs neither files nor a network. Recordings are made when they are read.

    Args:
        seed: another seed gives other voices and other sentences.
        num_recordings: number of them.

    Returns:
        Recordings of 8,000 Hz; `speaker` names the voice.

    Raises:
        ValueError: `num_recordings` is below 1.

    Example:

    >>> first = load_sample_speech(num_recordings=2)[0]
    >>> set(first.transcript.split()) <= set(WORDS), first.read()[:4]
    (True, b'RIFF')
    """
    if num_recordings < 1:
        raise ValueError(f"num_recordings is {num_recordings}; expected 1 or more")
    found = []
    for number in range(num_recordings):
        rng = np.random.default_rng((seed, 1, number))
        words = rng.choice(WORDS, size=rng.integers(1, 4))
        voice, text = number % NUM_VOICES, " ".join(words)
        read = functools.partial(_spoken, seed, voice, number, text)
        place = f"sample {seed}-{number}"
        found.append(Recording(place, text, read, f"{seed}-voice{voice}"))
    return found


def _spoken(seed: int, voice: int, number: int, text: str) -> bytes:
    """One sentence as a WAV file."""
    of_voice = np.random.default_rng((seed, 2, voice))
    rng = np.random.default_rng((seed, 3, number))
    pitch = of_voice.uniform(85, 240)
    tract, tempo = of_voice.uniform(0.88, 1.18), of_voice.uniform(0.8, 1.2)
    letters = [" ", *text, " "]
    seconds = np.array([_length(letter, rng) for letter in letters]) / tempo
    sound = _harmonics(letters, seconds, pitch, tract, rng)
    sound += _hiss(letters, seconds, tract, len(sound), rng)
    sound += rng.normal(size=len(sound)) * 10 ** rng.uniform(-3.2, -1.7)
    sound *= rng.uniform(0.1, 0.9) / np.abs(sound).max()
    return wav_bytes((sound * 32767).astype(np.int16), SAMPLE_RATE)


def _length(letter: str, rng: np.random.Generator) -> float:
    """Seconds of a letter."""
    usual = 0.11 if letter in "aeiou" else 0.12 if letter == " " else 0.08
    return usual * rng.uniform(0.8, 1.3)


def _harmonics(
    letters: list[str],
    seconds: np.ndarray,
    pitch: float,
    tract: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """The voiced part: float64 (N,). Formants glide from letter to letter."""
    middles = np.cumsum(seconds) - seconds / 2
    time = np.arange(int(seconds.sum() * SAMPLE_RATE)) / SAMPLE_RATE  # (N,)
    targets = [_VOICED.get(letter, (500, 1500, 2500, 0.0)) for letter in letters]
    tracks = [np.interp(time, middles, column) for column in zip(*targets)]
    glide = 1 + 0.12 * np.interp(time, middles, rng.normal(size=len(letters)))
    phase = 2 * np.pi * np.cumsum(pitch * glide) / SAMPLE_RATE
    sound = np.zeros(len(time))
    for harmonic in range(1, int(0.48 * SAMPLE_RATE / pitch)):
        hertz = harmonic * pitch * glide
        strength = sum(
            1 / (1 + ((hertz - tract * formant) / width) ** 2) / (1 + order)
            for order, (formant, width) in enumerate(zip(tracks, _WIDTHS))
        )
        strength = np.where(hertz < SAMPLE_RATE / 2, strength, 0)
        sound += strength * np.sin(harmonic * phase) / np.sqrt(harmonic)
    return sound * tracks[3]


def _hiss(
    letters: list[str],
    seconds: np.ndarray,
    tract: float,
    size: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """The noise of consonants: float64 (N,)."""
    sound = np.zeros(size)
    edges = np.cumsum([0, *seconds]) * SAMPLE_RATE
    for letter, start, end in zip(letters, edges, edges[1:]):
        if letter not in _NOISY:
            continue
        low, high, loudness, silence = _NOISY[letter]
        start, end = int(start + silence * (end - start)), min(int(end), size)
        spectrum = np.fft.rfft(rng.normal(size=end - start))
        hertz = np.fft.rfftfreq(end - start, 1 / SAMPLE_RATE)
        spectrum[(hertz < low * tract) | (hertz > high * tract)] = 0
        noise = np.fft.irfft(spectrum, end - start)
        fade = np.minimum(1, np.linspace(0, 5, end - start))
        sound[start:end] += loudness * noise * fade * fade[::-1] * 2
    return sound
