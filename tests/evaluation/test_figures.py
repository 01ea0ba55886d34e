"""Figures: the numbers that go in, and pixels that follow them."""

import warnings

import numpy as np
import pytest

from keras_seq.evaluation.figures import (
    _confusion_counts,
    confusion_matrix_figure,
    learning_curves_figure,
    predictions_figure,
)


def test_counts_have_the_true_class_in_rows():
    counts = _confusion_counts([0, 0, 0, 1, 2], [0, 1, 1, 1, 0], 3)
    np.testing.assert_array_equal(counts, [[1, 2, 0], [0, 1, 0], [1, 0, 0]])


def pixels_of(image: np.ndarray, red: int, green: int, blue: int) -> int:
    """How many pixels have about this colour."""
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 4
    distance = np.abs(image[..., :3].astype(int) - [red, green, blue]).max(axis=-1)
    return int((distance < 5).sum())


def dark_pixels(labels, predictions) -> int:
    """Pixels of the colour map's end, which a share of 1 is drawn in."""
    return pixels_of(
        confusion_matrix_figure(labels, predictions, ["a", "b"]), 8, 48, 107
    )


def test_the_shade_is_the_share_of_the_true_class():
    both_right = dark_pixels([0, 1], [0, 1])
    assert dark_pixels([0] * 99 + [1], [0] * 99 + [1]) > 0.9 * both_right
    assert dark_pixels([0, 0, 1, 1], [0, 1, 0, 1]) < 0.1 * both_right


def test_a_class_that_does_not_occur_and_a_hundred_classes_are_drawn():
    confusion_matrix_figure([0], [0], ["a", "b"])
    names = [f"class {i}" for i in range(100)]
    image = confusion_matrix_figure(range(100), range(100), names)
    assert max(image.shape) <= 1700


def test_labels_of_any_script_and_formula_signs_raise_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        confusion_matrix_figure([0, 1], [0, 1], ["好评", r"$\frac{$"])


def test_each_metric_has_a_panel_shared_with_its_validation():
    one = learning_curves_figure({"loss": [0.5, 0.4], "val_loss": [0.6, 0.5]})
    two = learning_curves_figure({"loss": [0.5, 0.4], "accuracy": [0.6, 0.7]})
    assert two.shape[0] == one.shape[0]
    assert two.shape[1] == 2 * one.shape[1]


def test_the_validation_curve_is_drawn():
    orange = (255, 127, 14)  # the second colour of a panel
    history = {"loss": [0.5, 0.4], "val_loss": [0.7, 0.6]}
    assert pixels_of(learning_curves_figure(history), *orange) > 100
    del history["val_loss"]
    assert pixels_of(learning_curves_figure(history), *orange) == 0


def test_one_epoch_unequal_lengths_and_nan_are_drawn():
    learning_curves_figure({"loss": [0.5], "val_loss": [], "lr": [1.0, float("nan")]})


@pytest.mark.parametrize("history", [{}, {"loss": []}])
def test_an_empty_history_is_named(history):
    with pytest.raises(ValueError, match="history holds no value"):
        learning_curves_figure(history)


@pytest.mark.parametrize(
    "labels, predictions, message",
    [
        ([0, 1], [0], r"labels are \(2,\) and predictions \(1,\)"),
        ([], [], "N >= 1"),
        ([0, 2], [0, 1], "from 0 to 2; expected integers from 0 to 1"),
        ([0, 1], [0.2, 0.9], "float64"),
    ],
)
def test_misuse_is_named(labels, predictions, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix_figure(labels, predictions, ["a", "b"])


def test_predictions_need_as_many_truths():
    with pytest.raises(ValueError, match=r"truth is \(2,\) and predictions \(1,\)"):
        predictions_figure([1.0, 2.0], [1.0])
    same = predictions_figure([1.0, 1.0], [2.0, 0.5])  # a constant has a line, too
    assert same.dtype == np.uint8 and same.shape[2] == 4
