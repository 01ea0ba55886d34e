"""Cheap baselines: warping by hand, fitted on train, kept as arrays."""

from pathlib import Path

import numpy as np
import pytest

from keras_seq.evaluation.fitted import save_fitted
from keras_seq.tasks.speech import baselines as speech_baselines
from keras_seq.tasks.speech.baselines import (
    fit_speech_baselines,
    load_speech_baselines,
    warped_distances,
)


def slow_warping(one: np.ndarray, two: np.ndarray) -> float:
    """The textbook's three lines, in Python."""
    apart = np.linalg.norm(one[:, None] - two[None], axis=2)
    cost = np.full((len(one) + 1, len(two) + 1), np.inf)
    cost[0, 0] = 0
    for i in range(len(one)):
        for j in range(len(two)):
            nearest = min(cost[i, j], cost[i + 1, j], cost[i, j + 1])
            cost[i + 1, j + 1] = apart[i, j] + nearest
    return cost[-1, -1] / (len(one) + len(two))


def test_many_templates_are_warped_as_one_by_one():
    rng = np.random.default_rng(0)
    clip = rng.normal(size=(9, 3))
    lengths = np.array([12, 4, 9, 1])
    templates = np.zeros((4, 12, 3))
    for row, length in zip(templates, lengths):
        row[:length] = rng.normal(size=(length, 3))
    expected = [slow_warping(clip, t[:n]) for t, n in zip(templates, lengths)]
    assert warped_distances(clip, templates, lengths) == pytest.approx(expected)


def words(seed: int, count: int = 24) -> tuple[list[np.ndarray], list[str]]:
    """Utterances of three labels that differ in how their bands move, at any speed."""
    rng = np.random.default_rng(seed)
    clips, labels = [], []
    for number in range(count):
        label = number % 3
        time = np.linspace(0, 1, rng.integers(12, 30))[:, None]
        bands = np.linspace(0, np.pi, 40)[None]
        shape = [
            np.sin(bands + 3 * time),
            np.sin(3 * bands - 2 * time),
            np.cos(bands * (1 + 2 * time)),
        ][label]
        clips.append(shape + rng.normal(0, 0.1, shape.shape))
        labels.append(["up", "down", "on"][label])
    return clips, labels


def test_they_learn_from_train_and_survive_a_file(tmp_path: Path):
    fitted = fit_speech_baselines(*words(0), is_isolated=True)
    clips, labels = words(1)
    found = {name: b.predict(clips) for name, b in fitted.items()}
    assert found["nearest_template"] == labels
    assert found["mean_features_logistic"] == labels
    assert set(found["most_frequent"]) == {"down"}  # all are as frequent; the first
    save_fitted(tmp_path / "baselines.npz", fitted)
    again = load_speech_baselines(tmp_path / "baselines.npz")
    assert {name: b.predict(clips) for name, b in again.items()} == found


def test_clips_and_steps_that_were_cut_are_named(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(speech_baselines, "MAX_TEMPLATES", 10)
    monkeypatch.setattr(speech_baselines, "MAX_STEPS", 2)
    fitted = fit_speech_baselines(*words(0), is_isolated=True)
    save_fitted(tmp_path / "baselines.npz", fitted)
    for found in (fitted, load_speech_baselines(tmp_path / "baselines.npz")):
        assert {name: baseline.note for name, baseline in found.items()} == {
            "most_frequent": "",
            "nearest_template": "fitted on 10 of 24 clips, drawn at random",
            "mean_features_logistic": "its solver was stopped after 2 steps, "
            "still improving",
        }


def test_what_was_not_cut_says_nothing():
    fitted = fit_speech_baselines(*words(0), is_isolated=True)
    assert {baseline.note for baseline in fitted.values()} == {""}


def test_sentences_have_the_commonest_one_beside_them():
    fitted = fit_speech_baselines(["x"] * 3, ["go on", "no", "go on"], False)
    assert list(fitted) == ["most_frequent"]
    assert fitted["most_frequent"].predict([0, 1]) == ["go on", "go on"]
