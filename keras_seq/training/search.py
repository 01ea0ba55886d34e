"""The best of all combinations of a grid of hyperparameters, by validation score."""

import inspect
import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import keras
import numpy as np

from keras_seq.errors import UserError
from keras_seq.keras_internals import is_better_up
from keras_seq.log import log
from keras_seq.ranges import check_settings
from keras_seq.training.compiling import Loss, Metrics
from keras_seq.training.trainer import fit

Params = dict[str, Any]
Mode = Literal["min", "max"]
# Metrics that are plain functions do not say which way is better; their names may.
HIGHER_IS_BETTER = ("acc", "auc", "f1", "precision", "recall")


class Trial(NamedTuple):
    """One combination, trained and scored."""

    params: Params
    score: float
    seconds: float


def hyperparameter_search(
    param_grid: Mapping[str, Sequence[Any]],
    X_train: Any,
    y_train: Any,
    X_val: Any,
    y_val: Any,
    *,
    build_model: Callable[..., keras.Model] | None = None,
    loss: Loss | None = None,
    metrics: Metrics | None = None,
    epochs: int = 10,
    batch_size: int | None = None,
    monitor: str | None = None,
    mode: Mode | None = None,
    seed: int = 0,
) -> tuple[Params, float]:
    """Trains a model for each combination of a grid, and finds the best.

    Combinations come in the order of the grid, the last name changing fastest. Each
    model is built and trained from the same random state, for all epochs, and scored on
    the validation data with the weights it ends with. Of equal scores the first counts.

    Args:
        param_grid: name to a list of values.
        X_train: as `fit` takes x; with a dataset `y_train` is None.
        y_train: targets.
        X_val: of validation, like X_train.
        y_val: targets.
        build_model: called with one combination by name; returns a new model, compiled,
            or to be compiled with `loss` and `metrics`.
        loss: for models that are not compiled.
        metrics: for models that are not compiled; None is "accuracy".
        epochs: of each training.
        batch_size: rows of a batch; None is 32.
        monitor: name of the metric that is compared, or "loss"; None is the first
            metric, and the loss of models that have none.
        mode: "min" or "max": which way it is better; None is the metric's own.
        seed: set, for Python, NumPy and Keras, before each trial.

    Returns:
        The best combination, and its score on the validation data.

    Raises:
        ValueError: The grid is empty or holds no lists, there is no `build_model` or it
            does not take the names of the grid, or a score is no number.

    Example:

    >>> def build_model(bias):
    ...     start = keras.initializers.Constant(bias)
    ...     dense = keras.layers.Dense(1, "sigmoid", kernel_initializer="zeros",
    ...                                bias_initializer=start)
    ...     model = keras.Sequential([keras.Input((1,)), dense])
    ...     model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["accuracy"])
    ...     return model
    >>> x, y = np.ones((4, 1)), np.ones(4)
    >>> hyperparameter_search({"bias": [-1.0, 1.0, 2.0]}, x, y, x, y, epochs=1,
    ...                       build_model=build_model)
    ({'bias': 1.0}, 1.0)
    """
    combinations = _combinations(param_grid)
    build = _checked_builder(build_model, combinations[0])
    check_settings(epochs=epochs, seed=seed)
    if mode not in (None, "min", "max"):
        raise ValueError(f"mode is {mode!r}; expected 'min', 'max' or None")
    validation = X_val if y_val is None else (X_val, y_val)
    trials: list[Trial] = []
    model: keras.Model | None = None
    for number, params in enumerate(combinations, 1):
        name = f"trial {number} of {len(combinations)} ({_named(params)})"
        log.info(f"{name} ...")
        start, before = time.monotonic(), model
        keras.utils.set_random_seed(seed)
        model = _built(build, params, loss, before)
        try:
            history = fit(
                model,
                X_train,
                y_train,
                validation_data=validation,
                epochs=epochs,
                validation_freq=[epochs],
                batch_size=batch_size,
                seed=seed,
                loss=loss,
                metrics=metrics,
                early_stopping=False,
                verbose=0,
            ).history
        except UserError as error:  # a loss or a weight is no number
            raise ValueError(f"{name}: {error}") from error
        if not trials:
            metric, better = _monitored(model, history, monitor, mode)
        score = _score(name, history, metric)
        trials.append(Trial(params, score, time.monotonic() - start))
        log.info(f"{name}: val_{metric} {score:.4g}")
    # Of equal scores both take the first.
    best_of = max if better == "max" else min
    best = best_of(trials, key=lambda trial: trial.score)
    log.info(_table(trials, best, metric))
    return best.params, best.score


def _combinations(param_grid: Mapping[str, Sequence[Any]]) -> list[Params]:
    if not isinstance(param_grid, Mapping) or not param_grid:
        raise ValueError(
            f"param_grid is {param_grid!r}; expected names with lists of values, such "
            "as {'units': [32, 64]}"
        )
    lists = {name: _values(name, values) for name, values in param_grid.items()}
    return [dict(zip(lists, values)) for values in itertools.product(*lists.values())]


def _values(name: Any, values: Any) -> list[Any]:
    if not isinstance(name, str):
        raise ValueError(f"param_grid has the name {name!r}; expected a text")
    if isinstance(values, np.ndarray) and values.ndim == 1:
        values = values.tolist()
    if not isinstance(values, list | tuple | range):
        raise ValueError(
            f"param_grid[{name!r}] is {values!r}; expected a list of values, such as "
            f"[{values!r}]"
        )
    if not len(values):
        raise ValueError(f"param_grid[{name!r}] is empty; expected a value or more")
    return list(values)


def _checked_builder(build_model: Any, params: Params) -> Callable[..., keras.Model]:
    wanted = f"a function of {', '.join(params)} that returns a model"
    if build_model is None:
        raise ValueError(f"build_model is missing; expected {wanted}")
    if not callable(build_model) or isinstance(build_model, keras.Model):
        raise ValueError(
            f"build_model is a {type(build_model).__name__}; expected {wanted}"
        )
    try:
        inspect.signature(build_model).bind(**params)
    except TypeError as error:
        raise ValueError(
            f"build_model does not take what param_grid names: {error}; expected "
            f"{wanted}"
        ) from error
    return build_model


def _built(
    build_model: Callable[..., keras.Model],
    params: Params,
    loss: Loss | None,
    before: keras.Model | None,
) -> keras.Model:
    model = build_model(**params)
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"build_model returned a {type(model).__name__}; expected a keras.Model"
        )
    if model is before:
        raise ValueError(
            "build_model returned the same model twice, which is trained already; "
            "expected a new one each time"
        )
    if not model.compiled and loss is None:
        raise ValueError(
            "build_model returned a model that is not compiled; compile it there, or "
            "give loss"
        )
    return model


def _monitored(
    model: keras.Model,
    history: Mapping[str, list[Any]],
    monitor: str | None,
    mode: Mode | None,
) -> tuple[str, Mode]:
    """What trials are compared by, and which way it is better."""
    found = {
        each.name: each
        for group in model.metrics
        for each in getattr(group, "metrics", None) or [group]
    }
    scored = [name for name in found if f"val_{name}" in history]
    if monitor is None:
        monitor = next((name for name in scored if not name.endswith("loss")), "loss")
    monitor = monitor.removeprefix("val_")
    if f"val_{monitor}" not in history:
        known = [name.removeprefix("val_") for name in history if "val_" in name]
        raise ValueError(
            f"monitor is {monitor!r}; a model here has {', '.join(sorted(known))}"
        )
    if mode is None:
        mode = _mode_of(monitor, found.get(monitor))
    return monitor, mode


def _mode_of(name: str, metric: keras.metrics.Metric | None) -> Mode:
    if name.endswith("loss"):
        return "min"
    if (up := is_better_up(metric)) is not None:
        return "max" if up else "min"
    if any(part in name for part in HIGHER_IS_BETTER):
        return "max"
    raise ValueError(
        f"{name} does not say whether more of it is better; give mode='max' or "
        "mode='min'"
    )


def _score(trial: str, history: Mapping[str, list[Any]], name: str) -> float:
    score = history[f"val_{name}"][-1]
    if np.ndim(score):
        raise ValueError(f"{name} has {np.size(score)} values; monitor one number")
    if not math.isfinite(score):
        raise ValueError(f"{trial}: val_{name} is {score}; it cannot be compared")
    return float(score)


def _named(params: Params) -> str:
    return ", ".join(f"{name}={value}" for name, value in params.items())


def _table(trials: Sequence[Trial], best: Trial, name: str) -> str:
    """All trials in the order of the grid; the best has a mark."""
    rows = [[*best.params, f"val_{name}", "seconds", ""]]
    for trial in trials:
        mark = "best" if trial is best else ""
        values = [str(value) for value in trial.params.values()]
        rows.append([*values, f"{trial.score:.4g}", f"{trial.seconds:.1f}", mark])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ("  ".join(f"{c:>{w}}" for c, w in zip(row, widths)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
