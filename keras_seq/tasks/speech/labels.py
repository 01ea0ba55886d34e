"""The label of an utterance, where each has one: network and linear model together.

A network trained on few voices and a logistic regression on mean features err on
different utterances, and the product of their probabilities mostly errs on fewer.

Shapes: B batch, N samples, T frames, F bands, L labels, C = L + 1 classes.
"""

import tensorflow as tf

from keras_seq.audio.alphabet import Alphabet
from keras_seq.audio.log_mel import LogMel
from keras_seq.tasks.speech.baselines import MeanFeaturesBaseline


class LinearLabels(tf.Module):
    """`MeanFeaturesBaseline` as a graph, and the label it finds with a network.

    Args:
        baseline: fitted.
        extractor: whose log energies it was fitted on.
        alphabet: of the network; its symbols are the baseline's labels.

    Raises:
        ValueError: They are not.

    Example:

    >>> utterances = [tf.fill((9, 4), value).numpy() for value in (0.0, 1.0)] * 3
    >>> baseline = MeanFeaturesBaseline().fit(utterances, ["no", "yes"] * 3)
    >>> linear = LinearLabels(baseline, LogMel(8000, 4), Alphabet(["no", "yes"]))
    >>> linear(tf.zeros((1, 800)), tf.constant([800])).shape
    TensorShape([1, 2])
    """

    def __init__(
        self, baseline: MeanFeaturesBaseline, extractor: LogMel, alphabet: Alphabet
    ) -> None:
        super().__init__()
        if sorted(baseline.labels_) != sorted(alphabet.symbols):
            raise ValueError("the baseline's labels are not the alphabet's symbols")
        order = [baseline.labels_.index(symbol) for symbol in alphabet.symbols]
        weights = (baseline.coef_ / baseline.scale_)[order]  # (L, 5 F)
        bias = baseline.intercept_[order] - weights @ baseline.mean_
        self._extractor = extractor
        self._weights, self._bias = weights.astype("float32"), bias.astype("float32")

    def __call__(self, waveform: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Log probabilities of the labels, by the baseline alone: float32 (B, L), of
        `waveform` float32 (B, N) with `lengths` int32 (B,) real samples."""
        rows = summary(*self._extractor.log_energies(waveform, lengths))
        return tf.nn.log_softmax(tf.matmul(rows, self._weights.T) + self._bias)

    def best(
        self,
        waveform: tf.Tensor,
        lengths: tf.Tensor,
        log_probabilities: tf.Tensor,
        frames: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The label that is likeliest by the product of both: ids int32 (B,), from 1,
        and log probability float32 (B,).

        Hinton 2002, "Training products of experts by minimizing contrastive
        divergence": experts that are each unsure together are not.

        Args:
            waveform, lengths: as `__call__` takes them.
            log_probabilities: float32 (B, T, C), the network's.
            frames: int32 (B,), the real ones.
        """
        both = label_scores(log_probabilities, frames) + self(waveform, lengths)
        both = tf.nn.log_softmax(both)
        ids = tf.argmax(both, axis=1, output_type=tf.int32) + 1
        return ids, tf.reduce_max(both, axis=1)


def label_scores(log_probabilities: tf.Tensor, frames: tf.Tensor) -> tf.Tensor:
    """Log probability of each label given that one is said: float32 (B, L).

    CTC's sum over all alignments of a transcript of one symbol: blanks, a run of the
    symbol, blanks. A sum of frames is a difference of sums from the start, so that one
    pass finds all runs.

    Args:
        log_probabilities: float32 (B, T, C), class 0 the blank.
        frames: int32 (B,), the real ones; where there is none, all labels are alike.

    Example:

    >>> frames = tf.math.log([[[0.8, 0.1, 0.1], [0.2, 0.6, 0.2]]])
    >>> tf.exp(label_scores(frames, tf.constant([2]))).numpy().round(3)
    array([[0.737, 0.263]], dtype=float32)
    """
    real = tf.sequence_mask(frames, tf.shape(log_probabilities)[1])[..., None]
    gain = log_probabilities[:, :, 1:] - log_probabilities[:, :, :1]  # over the blank
    ends = tf.cumsum(tf.where(real, gain, 0.0), axis=1)
    starts = tf.cumsum(tf.where(real, gain, 0.0), axis=1, exclusive=True)
    runs = ends + tf.math.cumulative_logsumexp(-starts, axis=1)
    runs = tf.where(real, runs, runs.dtype.min)
    return tf.nn.log_softmax(tf.reduce_logsumexp(runs, axis=1))


def summary(energies: tf.Tensor, frames: tf.Tensor) -> tf.Tensor:
    """What `MeanFeaturesBaseline` sees of utterances: float32 (B, 5 F), of log energies
    float32 (B, T, F) with `frames` int32 (B,) real ones.

    Mean, spread, and the means of three thirds, of which the first are the longer ones;
    the whole mean stands for a third without a frame.
    """
    third, more = frames // 3, frames % 3
    cuts = [k * third + tf.minimum(k, more) for k in range(4)]
    place = tf.range(tf.shape(energies)[1])[None]

    def mean(x: tf.Tensor, start: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
        inside = (place >= start[:, None]) & (place < end[:, None])
        count = tf.cast(tf.maximum(end - start, 1), tf.float32)[:, None]
        return tf.reduce_sum(tf.where(inside[..., None], x, 0.0), axis=1) / count

    whole = mean(energies, cuts[0], cuts[3])
    variance = mean((energies - whole[:, None]) ** 2, cuts[0], cuts[3])
    thirds = [
        tf.where((start < end)[:, None], mean(energies, start, end), whole)
        for start, end in zip(cuts, cuts[1:])
    ]
    return tf.concat([whole, tf.sqrt(variance), *thirds], axis=1)
