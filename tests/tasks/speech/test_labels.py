"""Network and logistic regression answer together: the graph against NumPy and CTC."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import LogisticRegression

from keras_seq.audio.alphabet import Alphabet
from keras_seq.audio.log_mel import LogMel
from keras_seq.losses import ctc_loss, ctc_targets
from keras_seq.models.speech import build_speech_model
from keras_seq.serving.graph import save_signatures
from keras_seq.tasks.speech.baselines import MeanFeaturesBaseline
from keras_seq.tasks.speech.labels import LinearLabels, label_scores, summary
from keras_seq.tasks.speech.server import SpeechRecognizer

RATE, BANDS = 8000, 12
LABELS = ["down", "left", "up"]


def waves(count: int, seed: int) -> tuple[tf.Tensor, tf.Tensor, list[str]]:
    """Tones with noise, a pitch a label, of any duration: (B, N), (B,), labels."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1500, 5000, count).astype("int32")
    number = np.arange(count) % 3
    time = np.arange(5000) / RATE
    tones = np.sin(2 * np.pi * time * np.array([300, 900, 2000])[number][:, None])
    waveform = 0.2 * tones + rng.normal(0, 0.01, tones.shape)
    waveform *= np.arange(5000) < lengths[:, None]
    waveform = tf.constant(waveform, tf.float32)
    return waveform, tf.constant(lengths), [LABELS[n] for n in number]


@pytest.fixture(scope="module")
def fitted() -> tuple[MeanFeaturesBaseline, LogMel]:
    extractor = LogMel(RATE, BANDS, "peak")
    waveform, lengths, labels = waves(30, 0)
    energies, frames = extractor.log_energies(waveform, lengths)
    utterances = [e[:n] for e, n in zip(energies.numpy(), frames.numpy())]
    return MeanFeaturesBaseline().fit(utterances, labels), extractor


def test_the_graph_sees_what_the_baseline_sees(fitted):
    baseline, extractor = fitted
    lengths = tf.constant([1, 100, 200, 281, 361, 441, 3000, 5000])
    waveform = waves(8, 1)[0]
    energies, frames = extractor.log_energies(waveform, lengths)
    utterances = [e[:n] for e, n in zip(energies.numpy(), frames.numpy())]
    assert frames.numpy().tolist()[:6] == [1, 1, 1, 2, 3, 4]
    found = summary(energies, frames).numpy()
    for row, utterance in zip(found, utterances):
        alone = summary(tf.constant(utterance[None]), tf.constant([len(utterance)]))[0]
        np.testing.assert_allclose(row, alone, atol=1e-5)
        thirds = np.array_split(utterance, 3)
        thirds = [t.mean(0) if len(t) else utterance.mean(0) for t in thirds]
        whole = np.concatenate([utterance.mean(0), utterance.std(0), *thirds])
        np.testing.assert_allclose(row, whole, atol=1e-4)
    linear = LinearLabels(baseline, extractor, Alphabet(LABELS[::-1], " "))
    chosen = linear(waveform, lengths).numpy().argmax(axis=1)
    assert [LABELS[::-1][n] for n in chosen] == baseline.predict(utterances)


@pytest.mark.parametrize("count", [2, 3])
def test_probabilities_are_those_of_scikit_learn(count: int):
    extractor = LogMel(RATE, BANDS, "peak")
    waveform, lengths, labels = waves(30, 0)
    energies, frames = extractor.log_energies(waveform, lengths)
    rows = summary(energies, frames).numpy().astype("float64")
    labels = [LABELS[LABELS.index(label) % count] for label in labels]
    utterances = [e[:n] for e, n in zip(energies.numpy(), frames.numpy())]
    baseline = MeanFeaturesBaseline().fit(utterances, labels)
    linear = LinearLabels(baseline, extractor, Alphabet(LABELS[:count], " "))
    rows = (rows - rows.mean(0)) / (rows.std(0) + 1e-6)
    fitted = LogisticRegression(C=0.1, max_iter=300).fit(rows, labels)
    expected = fitted.predict_proba(rows)
    np.testing.assert_allclose(tf.exp(linear(waveform, lengths)), expected, atol=2e-3)


def test_a_label_has_the_probability_that_ctc_gives_it():
    rng = np.random.default_rng(0)
    frames = np.array([1, 2, 9, 14], "int32")
    logits = rng.normal(0, 4, (4, 14, 5)).astype("float32")
    losses = [
        ctc_loss(ctc_targets(frames, np.full((4, 1), label)), logits).numpy()
        for label in range(1, 5)
    ]
    expected = tf.nn.log_softmax(-np.stack(losses, axis=1)).numpy()
    found = label_scores(tf.nn.log_softmax(logits), frames).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)
    alike = label_scores(tf.nn.log_softmax(logits), tf.zeros(4, tf.int32)).numpy()
    np.testing.assert_allclose(alike, -np.log(4), rtol=1e-6)


def recognizer(fitted, blank: float = 0.0) -> SpeechRecognizer:
    """With a network to which all labels are alike."""
    baseline, extractor = fitted
    keras.utils.set_random_seed(0)
    model = build_speech_model(
        4,
        num_features=BANDS,
        lstm_units=8,
        num_layers=1,
        bidirectional=True,
        subsampling=2,
        logits=True,
    )
    model.layers[-1].kernel.assign(np.zeros((16, 4)))
    model.layers[-1].bias.assign([blank, 0, 0, 0])
    alphabet = Alphabet(LABELS, " ")
    linear = LinearLabels(baseline, extractor, alphabet)
    return SpeechRecognizer(model, extractor, alphabet, 2, linear)


@pytest.mark.slow
def test_both_answer_in_a_savedmodel(fitted, tmp_path):
    server = recognizer(fitted, blank=-9)
    save_signatures(server, server.signatures(), tmp_path / "1")
    loaded = tf.saved_model.load(str(tmp_path / "1")).signatures
    waveform, lengths, labels = waves(9, 5)
    answer = loaded["waveform"](waveform=waveform, lengths=lengths)
    said = [text.decode() for text in answer["transcript"].numpy()]
    assert said == labels
    frames = loaded["frames"](waveform=waveform, lengths=lengths)
    both = server.linear(waveform, lengths) + label_scores(
        frames["log_probabilities"], frames["frames"]
    )
    expected = tf.reduce_max(tf.nn.log_softmax(both), axis=1)
    np.testing.assert_allclose(answer["log_probability"], expected, atol=1e-4)


def test_where_the_network_finds_no_symbol_there_is_no_label(fitted):
    waveform, _, _ = waves(3, 5)
    lengths = tf.constant([3000, 0, 1500])
    answer = recognizer(fitted, blank=9).waveform(waveform, lengths)
    assert answer["transcript"].numpy().tolist() == [b""] * 3
    assert answer["log_probability"].numpy()[1] == 0
    ask = recognizer(fitted).signature("waveform")
    none = ask(waveform=tf.zeros((0, 9)), lengths=tf.zeros(0, tf.int32))
    assert none["transcript"].shape == (0,)


def test_labels_that_are_not_the_alphabet_are_refused(fitted):
    with pytest.raises(ValueError, match="labels are not the alphabet's symbols"):
        LinearLabels(*fitted, Alphabet(["down", "up"], " "))
