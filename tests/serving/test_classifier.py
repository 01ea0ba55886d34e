"""A classifier of one's own as a SavedModel that answers in words."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.serving import export_classifier


def model_of(outputs: int) -> keras.Model:
    window = keras.Input((4, 2), name="window")
    pooled = keras.layers.GlobalAveragePooling1D()(window)
    return keras.Model(window, keras.layers.Dense(outputs, "softmax")(pooled))


def test_it_takes_raw_input_and_answers_in_words(tmp_path: Path):
    model = model_of(2)
    model.layers[-1].set_weights([np.array([[9.0, 0], [0, 9]]), np.zeros(2)])
    windows = np.zeros((2, 4, 2), "float32")
    windows[0, :, 0] = windows[1, :, 1] = 1
    facts = {"task": "own"}
    version = export_classifier(model, tmp_path / "own", ["x", "y"], windows, facts)
    classify = tf.saved_model.load(str(version)).signatures["serving_default"]
    answer = classify(window=tf.constant(windows[::-1]))
    assert answer["label"].numpy().tolist() == [b"y", b"x"]
    assert answer["probabilities"].shape == (2, 2)
    np.testing.assert_allclose(answer["probability"], 1, atol=1e-3)


def test_other_outputs_than_labels_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"outputs \(None, 3\); expected one, and"):
        export_classifier(model_of(3), tmp_path, ["x", "y"], np.zeros((1, 4, 2)), {})
