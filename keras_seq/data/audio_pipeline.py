"""Clips to tf.data: batches of like duration, features made in the graph.

Which clips stand in which batch, and how they are changed, is a pure function of
lengths, seed and epoch. This module knows no files.

Shapes: B batch, N samples, T frames, F bands, U symbols, S subsampling.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from keras_seq.data.alphabet import Alphabet, needed_frames
from keras_seq.data.audio import LogMel
from keras_seq.data.audio_augment import (
    Augmentation,
    Changes,
    add_noise,
    draw_changes,
    mask_features,
    unchanged,
)
from keras_seq.data.clips import Clips
from keras_seq.data.pipeline import plan_batches
from keras_seq.errors import UserError
from keras_seq.losses_ctc import ctc_targets
from keras_seq.models.speech import answered_frames


def make_audio_dataset(
    clips: Clips,
    alphabet: Alphabet,
    front: LogMel,
    *,
    subsampling: int = 1,
    batch_size: int = 16,
    augmentation: Augmentation | None = None,
    seed: int | None = None,
) -> tf.data.Dataset:
    """Batches of ((features, frames), targets) for a model that `ctc_loss` trains.

    Args:
        clips: that `alignable` left.
        alphabet: of the train part; what is not in it is left out of the targets.
        front: waveform to features.
        subsampling: S of the model.
        batch_size: B; the last clips make a smaller batch, none is dropped.
        augmentation: of the train part alone; None changes nothing.
        seed: of order and augmentation, which are new in each epoch; None keeps the
            clips in the order of their lengths.

    Returns:
        Dataset of ((float32 (B, T, F), int32 (B,)), int32 (B, 1 + U)).

    Raises:
        UserError: There is no clip.
    """
    if not len(clips):
        raise UserError("there is no recording to make batches of")
    encoded = [alphabet.encode(text, skip_unknown=True) for text in clips.transcripts]
    needed = np.array([needed_frames(ids) for ids in encoded])
    epochs = itertools.count()

    def batches() -> Iterator[tuple]:
        epoch = next(epochs)
        for numbers in _plan(clips, batch_size, seed, epoch):
            changes = unchanged(len(numbers))
            if augmentation is not None:
                changes = draw_changes(augmentation, seed or 0, epoch, numbers)
                lengths = clips.lengths[numbers]
                frames = front.frame_counts(lengths, changes.tempo)
                too_fast = answered_frames(frames, subsampling) < needed[numbers]
                tempo = np.where(too_fast, np.float32(1), changes.tempo)
                changes = changes._replace(tempo=tempo)
            ids = [encoded[number] for number in numbers]
            yield *clips.batch(numbers), _padded(ids), *changes

    def features(waveform, lengths, symbol_ids, *changes):
        changes = Changes(*changes)
        if augmentation is None:
            x, frames = front(waveform, lengths)
        else:
            waveform = add_noise(waveform, lengths, changes)
            x, frames = front(waveform, lengths, changes.tempo, changes.warp)
            x = mask_features(x, frames, changes)
        targets = ctc_targets(answered_frames(frames, subsampling), symbol_ids)
        return (x, frames), targets

    dataset = tf.data.Dataset.from_generator(batches, output_signature=_SIGNATURE)
    count = -(-len(clips) // batch_size)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
    return dataset.map(features).prefetch(2)


def _plan(
    clips: Clips, batch_size: int, seed: int | None, epoch: int
) -> list[np.ndarray]:
    """`plan_batches` by durations that a draw makes vague, or a corpus that fits into
    one run would be cut into the same batches in every epoch."""
    if seed is None:
        return plan_batches(clips.lengths, batch_size)
    rng = np.random.default_rng((seed, epoch))
    vague = clips.lengths * rng.uniform(0.85, 1.15, len(clips))
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
    tf.TensorSpec([None], tf.float32),  # Changes
    tf.TensorSpec([None], tf.int32),
    tf.TensorSpec([None], tf.float32),
    tf.TensorSpec([None], tf.int32),
    tf.TensorSpec([None, None, 2], tf.float32),
    tf.TensorSpec([None, None, 2], tf.float32),
)
