"""Cheap baselines: fitted on train, kept as arrays."""

from pathlib import Path

import numpy as np

from keras_seq.evaluation.fitted import save_fitted
from keras_seq.tasks.speech import baselines as speech_baselines
from keras_seq.tasks.speech.baselines import fit_speech_baselines, load_speech_baselines


def words(seed: int, count: int = 24) -> tuple[list[np.ndarray], list[str]]:
    """Utterances of three labels that differ in how their bands move, at any speed."""
    rng = np.random.default_rng(seed)
    utterances, labels = [], []
    for number in range(count):
        label = number % 3
        time = np.linspace(0, 1, rng.integers(12, 30))[:, None]
        bands = np.linspace(0, np.pi, 40)[None]
        shape = [
            np.sin(bands + 3 * time),
            np.sin(3 * bands - 2 * time),
            np.cos(bands * (1 + 2 * time)),
        ][label]
        utterances.append(shape + rng.normal(0, 0.1, shape.shape))
        labels.append(["up", "down", "on"][label])
    return utterances, labels


def test_they_learn_from_train_and_survive_a_file(tmp_path: Path):
    fitted = fit_speech_baselines(*words(0), is_isolated=True)
    utterances, labels = words(1)
    found = {name: b.predict(utterances) for name, b in fitted.items()}
    assert found["mean_features_logistic"] == labels
    assert set(found["most_frequent"]) == {"down"}  # all are as frequent; the first
    save_fitted(tmp_path / "baselines.npz", fitted)
    again = load_speech_baselines(tmp_path / "baselines.npz")
    assert {name: b.predict(utterances) for name, b in again.items()} == found


def test_a_baseline_of_earlier_exports_is_left_out(tmp_path: Path):
    fitted = fit_speech_baselines(*words(0), is_isolated=True)
    former = {"nearest_template": fitted["most_frequent"]}
    save_fitted(tmp_path / "baselines.npz", former | fitted)
    assert list(load_speech_baselines(tmp_path / "baselines.npz")) == list(fitted)


def test_steps_that_were_cut_are_named(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(speech_baselines, "MAX_STEPS", 2)
    fitted = fit_speech_baselines(*words(0), is_isolated=True)
    save_fitted(tmp_path / "baselines.npz", fitted)
    for found in (fitted, load_speech_baselines(tmp_path / "baselines.npz")):
        assert {name: baseline.note for name, baseline in found.items()} == {
            "most_frequent": "",
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
