"""Training a language model: recipes, plans, samples, learning while scoring."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.models.rnn import build_lstm_model, build_simple_rnn
from keras_seq.models.text_generation import build_text_generation_model
from keras_seq.tasks.text_generation import training as language_model
from keras_seq.tasks.text_generation.documented import (
    as_text_generation_model,
    train_documented,
)
from keras_seq.tasks.text_generation.gradients import gradients_by_distance
from keras_seq.tasks.text_generation.token_scores import dynamic_log_probabilities
from keras_seq.tasks.text_generation.training import TextSamples
from keras_seq.text.coders import Characters
from keras_seq.text.streams import make_stream_dataset
from keras_seq.training import planned
from keras_seq.training.step_schedule import StepLimit, cosine_adam, steps_within

SETTINGS = {
    "cell": "lstm",
    "layer_norm": False,
    "residual": False,
    "weight_drop": 0.0,
    "temporal_activation": 0.0,
    "label_smoothing": 0.0,
    "average": "none",
    "variational_dropout": False,
    "tie_embeddings": False,
    "seed": 0,
    "max_seconds": None,
    "resume": False,
    "batch_size": 4,
    "steps": 16,
    "epochs": 2,
}
TEXT = "abcd efgh\n" * 120
CODER = Characters.fit([TEXT])
IDS = {"train": CODER.ids_of(TEXT), "validation": CODER.ids_of(TEXT[:300])}


def trained(run_dir: Path, **settings) -> tuple[keras.Model, keras.callbacks.History]:
    keras.utils.set_random_seed(0)
    recipe = language_model.language_recipe("characters", SETTINGS | settings)
    model = build_text_generation_model(CODER.vocab_size, 8, 12, dropout=0.1)
    history = language_model.train_language_model(model, CODER, IDS, recipe, run_dir)
    return model, history


@pytest.mark.slow
def test_every_regulariser_at_once_trains_and_is_resumed_to_the_bit(tmp_path: Path):
    options = {
        "weight_drop": 0.2,
        "temporal_activation": 0.1,
        "label_smoothing": 0.1,
        "average": "ema",
        "epochs": 2,
    }
    once, history = trained(tmp_path / "once", **options)
    assert len(history.history["val_perplexity"]) == 2
    script = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from pathlib import Path
from tests.tasks.text_generation import test_training as here
def kill(self, batch, logs=None):
    if int(self.model.optimizer.iterations) == 25:
        os._exit(9)
here.planned.StepLimit.on_train_batch_begin = kill
import keras_seq.training.trainer as fit_module
whole = fit_module.fit
here.planned.fit = lambda *a, **k: whole(*a, checkpoint_seconds=0, **k)
here.trained(Path({str(tmp_path / "cut")!r}), **{options!r})
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 9, done.stderr
    cut, again = trained(tmp_path / "cut", resume=True, **options)
    assert again.history["val_perplexity"] == history.history["val_perplexity"]
    for a, b in zip(once.get_weights(), cut.get_weights()):
        assert np.array_equal(a, b)


def test_a_time_becomes_a_number_of_steps_that_is_planned_once(tmp_path, monkeypatch):
    asked = []

    def measured(seconds, model, train, epoch_steps):
        asked.append(seconds)
        return 9

    monkeypatch.setattr(planned, "steps_within", measured)
    tmp_path.joinpath("run").mkdir()
    options = {"epochs": None, "max_seconds": 600.0}
    trained(tmp_path / "run", **options)
    assert json.loads((tmp_path / "run" / "plan.json").read_text()) == {"steps": 9}
    _, history = trained(tmp_path / "run", resume=True, **options)
    assert asked == [600.0]
    # A pass has 19 steps: training stopped in the middle of one, and was validated.
    assert len(history.history["val_perplexity"]) == 1


def test_steps_within_measures_steps():
    now = [0.0]

    class Slow(keras.Model):
        def train_on_batch(self, *batch):
            now[0] += 5 if now[0] == 0 else 0.5  # the first one traces

    data = make_stream_dataset(IDS["train"], batch_size=4, steps=16)
    # 7 of the 8 steps that are timed take half a second; 0.92 of the rest is left.
    assert steps_within(100.0, Slow(), data, lambda: now[0]) == 167
    now[0] = 0.0
    assert steps_within(2.0, Slow(), data, lambda: now[0]) == 1
    now[0] = 0.0  # the end of an epoch of 3 steps takes half a second of each
    assert steps_within(100.0, Slow(), data, lambda: now[0], epoch_steps=3) == 83


def test_the_rate_warms_up_and_falls_to_zero_and_training_stops():
    optimizer = cosine_adam(0.1, 100)
    rates = [float(optimizer._learning_rate(step)) for step in range(101)]
    assert rates[0] == 0 and max(rates) == pytest.approx(0.1)
    assert rates[2:] == sorted(rates[2:], reverse=True) and rates[100] < 1e-6
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    data = tf.data.Dataset.from_tensors((tf.ones((4, 1)), tf.ones((4, 1)))).repeat(50)
    model.fit(data, epochs=4, verbose=0, callbacks=[StepLimit(70)])
    assert int(optimizer.iterations) == 70


def test_a_sample_of_text_is_written_each_epoch(tmp_path: Path, capsys):
    texts = iter(["first\nsample", "second"])
    samples = TextSamples(lambda: next(texts), tmp_path)
    samples.on_epoch_end(0)
    samples.on_epoch_end(1)
    assert "sample: first sample\n  sample: second" in capsys.readouterr().err
    found = [
        (event.step, value.tensor.string_val[0].decode())
        for path in sorted(tmp_path.glob("*.text"))
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    ]
    assert sorted(found) == [(0, "    first\n    sample"), (1, "    second")]


def test_scoring_while_learning_uses_no_token_before_it_is_scored():
    model = build_text_generation_model(8, 6, 12)
    before = model.get_weights()
    text = np.tile([2, 3, 4, 5], 40)
    score = {"learning_rate": 0.5, "steps": 8}
    found = dynamic_log_probabilities(model, text, **score)
    for old, new in zip(before, model.get_weights()):
        assert np.array_equal(old, new)
    changed = text.copy()
    changed[80:] = 7
    other = dynamic_log_probabilities(model, changed, **score)
    assert np.array_equal(found[:80], other[:80])
    still = dynamic_log_probabilities(model, text, learning_rate=0.0, steps=8)
    assert found[:8] == pytest.approx(still[:8], abs=1e-6)  # nothing learnt yet
    assert found[80:].mean() > still[80:].mean() + 0.1
    whole = dynamic_log_probabilities(model, text, learning_rate=0.0, steps=160)
    assert whole == pytest.approx(still, abs=1e-4)


@pytest.mark.parametrize("kind", ["simple_rnn", "lstm"])
def test_the_tutorials_models_train_and_answer_like_ours(kind: str, tmp_path: Path):
    recipe = SETTINGS | {"batch_size": 2, "epochs": 1}
    model, history = train_documented(kind, CODER, IDS, recipe, None)
    assert len(history.history["val_loss"]) == 1
    assert model.output_shape == (None, None, CODER.vocab_size)
    if kind == "simple_rnn":
        theirs = build_simple_rnn(9, 4, 5, batch_size=1)
        answers = np.array(theirs(np.array([[3, 4, 5]])))[0]
    else:
        theirs = build_lstm_model(9, 4, 5)
        answers = np.log(np.array(theirs(np.array([[3, 4, 5]]))))[0]
    ours = np.array(as_text_generation_model(theirs, kind)(np.array([[3, 4, 5]])))[0]
    ours = ours if kind == "simple_rnn" else ours[-1]
    ours, answers = (x - x.mean(axis=-1, keepdims=True) for x in (ours, answers))
    assert ours == pytest.approx(answers, abs=1e-4)


def test_gradients_fade_with_distance_and_end_where_the_loss_is():
    found = gradients_by_distance(IDS["train"], CODER.vocab_size, batches=5)
    assert set(found) == {"simple_rnn", "lstm", "gru"}
    for norms in found.values():
        assert norms.shape == (48,) and norms[0] == 1
        assert np.all(norms >= 0) and norms[40:].max() < norms[:8].max()
