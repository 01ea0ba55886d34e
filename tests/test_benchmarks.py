"""Benchmarks give every side the same work: loss, optimizer, shapes."""

import itertools
import pkgutil
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks import monitors, scale, speed


@pytest.mark.parametrize("small", [True, False])
def test_monitors_are_weighed_on_one_loss_and_optimizer(
    small: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {}

    def ours(model: keras.Model, *data: object, **options: object) -> None:
        optimizer = options["optimizer"]
        config = optimizer.get_config() | {"global_clipnorm": options["clipnorm"]}
        seen[kind] = type(optimizer), config | {"name": ""}, options["loss"]

    def bare(model: keras.Model, *data: object, **options: object) -> None:
        config = model.optimizer.get_config() | {"name": ""}
        seen[kind] = type(model.optimizer), config, model.loss

    monkeypatch.setattr(monitors, "fit", ours)
    monkeypatch.setattr(keras.Model, "fit", bare)
    for kind in monitors.KINDS:
        turns = monitors.Turns()
        turns._now = kind
        monitors.train(kind, turns, 1, str(tmp_path), small)
    assert len(seen) == 3
    for kind, trained in seen.items():
        assert trained == seen["bare"], kind


@pytest.mark.parametrize("cell", ["LSTM", "rnn"])
def test_a_cell_that_only_one_side_would_know_is_refused(
    cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["speed", "--cells", cell, "--quick"])
    with pytest.raises(SystemExit) as stop:
        speed.main()
    assert stop.value.code == 2


@pytest.mark.parametrize("cell", speed.CELLS)
def test_pytorch_answers_and_loses_in_the_shape_of_the_targets(cell: str) -> None:
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 6, 3)), rng.normal(size=(4, 1))
    x, y = x.astype("float32"), y.astype("float32")
    for layers, ways, padded in itertools.product((1, 2), (1, 2), (False, True)):
        setting = speed.Setting(cell, (4, 6, 3, 5), layers, ways, padded)
        calls = speed.torch_calls(setting, x, y)
        answer = calls["infer"]()
        assert answer.shape == (4, 1)
        assert calls["train"]() == pytest.approx(np.mean((answer - y) ** 2), rel=1e-4)


def test_every_phase_of_a_growing_table_is_a_function_that_is_there() -> None:
    for phase, places in scale.PHASES.items():
        for module, name in places:
            function = pkgutil.resolve_name(f"{module}:{name}")
            assert callable(function), phase
