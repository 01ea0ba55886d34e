"""Utterances to tf.data: batches of like duration, features made in the graph.

Which utterances stand in which batch, and how they are changed, is a pure function of
lengths, seed and epoch.

Shapes: B batch, N samples, T frames, F bands, U symbols, S subsampling.
"""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from keras_seq.audio.alphabet import Alphabet, needed_frames
from keras_seq.audio.augment import (
    CHANGES,
    Augmentation,
    Changes,
    add_noise,
    colour_features,
    draw_changes,
    mask_features,
)
from keras_seq.audio.log_mel import LogMel
from keras_seq.audio.utterances import Utterances
from keras_seq.data.batches import EpochDataset, plan_batches
from keras_seq.errors import UserError
from keras_seq.losses import ctc_targets
from keras_seq.models.speech import answered_frames
from keras_seq.ranges import check_settings


def make_audio_dataset(
    utterances: Utterances,
    alphabet: Alphabet,
    extractor: LogMel,
    *,
    subsampling: int = 1,
    batch_size: int = 16,
    augmentation: Augmentation | None = None,
    seed: int | None = None,
    frame_counts: bool = True,
) -> EpochDataset:
    """Batches of ((features, frames), targets) for a model that `ctc_loss` trains.

    Args:
        utterances: that `drop_unalignable` left.
        alphabet: of the train part; what is not in it is left out of the targets.
        extractor: waveform to features.
        subsampling: S of the model.
        batch_size: B; the last utterances make a smaller batch, none is dropped.
        augmentation: of the train part alone; None changes nothing.
        seed: of order and augmentation, which are new in each epoch; None keeps the
            utterances in the order of their lengths.
        frame_counts: the model takes them; else the features alone are its input.

    Returns:
        Dataset of ((float32 (B, T, F), int32 (B,)), int32 (B, 1 + U)).

    Raises:
        UserError: There is no utterance.
    """
    check_settings(batch_size=batch_size)
    if not len(utterances):
        raise UserError("there is no recording to make batches of")
    transcripts = utterances.transcripts
    encoded = [alphabet.encode(text, skip_unknown=True) for text in transcripts]
    needed = np.array([needed_frames(ids) for ids in encoded])

    def changes_of(epoch: int, numbers: np.ndarray) -> Changes | tuple[()]:
        if augmentation is None:
            return ()
        changes = draw_changes(augmentation, seed or 0, epoch, numbers)
        frames = extractor.frame_counts(utterances.lengths[numbers], changes.tempo)
        too_fast = answered_frames(frames, subsampling) < needed[numbers]
        return changes._replace(tempo=np.where(too_fast, 1, changes.tempo))

    def batches(epoch: int, first: int) -> Iterator[tuple]:
        for numbers in _plan(utterances, batch_size, seed, epoch)[first:]:
            ids = _padded([encoded[number] for number in numbers])
            yield *utterances.batch(numbers), ids, *changes_of(epoch, numbers)

    def features(waveform, lengths, symbol_ids, *drawn):
        if not drawn:
            x, frames = extractor(waveform, lengths)
        else:
            changes = Changes(*drawn)
            waveform *= changes.gain[:, None]
            waveform = add_noise(waveform, lengths, changes)
            x, frames = extractor(waveform, lengths, changes.tempo, changes.warp)
            x = colour_features(x, frames, changes)
            x = mask_features(x, frames, changes)
        targets = ctc_targets(answered_frames(frames, subsampling), symbol_ids)
        return ((x, frames) if frame_counts else x), targets

    order = batch_size, seed, augmentation, subsampling, extractor.to_dict()
    return EpochDataset(
        batches,
        _SIGNATURE if augmentation is None else (*_SIGNATURE, *CHANGES),
        -(-len(utterances) // batch_size),
        utterances.fingerprint(alphabet.symbols, order),
        features,
    )


def _plan(
    utterances: Utterances, batch_size: int, seed: int | None, epoch: int
) -> list[np.ndarray]:
    """`plan_batches` by durations that a draw makes vague, or a corpus that fits into
    one run would be cut into the same batches in every epoch."""
    if seed is None:
        return plan_batches(utterances.lengths, batch_size)
    rng = np.random.default_rng((seed, epoch))
    vague = utterances.lengths * rng.uniform(0.85, 1.15, len(utterances))
    return plan_batches(vague, batch_size, seed=seed, epoch=epoch)


def _padded(rows: list[np.ndarray]) -> np.ndarray:
    """int32 (B, U), zeros behind each end; U is at least 1."""
    padded = np.zeros((len(rows), max(1, *map(len, rows))), np.int32)
    for row, ids in zip(padded, rows):
        row[: len(ids)] = ids
    return padded


_SIGNATURE = (
    tf.TensorSpec([None, None], tf.float32),  # waveform
    tf.TensorSpec([None], tf.int32),  # lengths
    tf.TensorSpec([None, None], tf.int32),  # symbol ids
)
