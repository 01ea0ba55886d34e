"""What `fit` compiles a model with: what is given, else what was compiled before."""

import contextlib
import math
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from typing import Any, Literal

import keras
import tensorflow as tf

from keras_seq.keras_internals import (
    compile_arguments,
    make_variables,
    optimized_variables,
)
from keras_seq.training.optimizers import Adam
from keras_seq.training.train_step import inner_optimizer

DEFAULT_CLIPNORM = 1.0
CLIPPING = ("clipnorm", "global_clipnorm", "clipvalue")
_OF_FIT: "weakref.WeakSet[keras.optimizers.Optimizer]" = weakref.WeakSet()
Loss = str | Callable[..., Any] | Mapping[str, Any] | Sequence[Any]
Metrics = Sequence[Any] | Mapping[str, Any]


def compile_model(
    model: keras.Model,
    loss: Loss | None = None,
    optimizer: str | keras.optimizers.Optimizer | None = None,
    metrics: Metrics | None = None,
) -> bool:
    """Compiles a model with what is given; of a compiled model the rest is kept.

    Returns:
        Whether the optimizer comes from `fit`, which got or made it, and not from a
        `compile` of the user's.

    Raises:
        ValueError: The model is not compiled and there is no loss; loss weights of
            before do not fit the loss; or the optimizer cannot update the weights.

    Example:

    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse", loss_weights=0.5)
    >>> compile_model(model, "mae")
    False
    >>> type(model.optimizer).__name__, compile_arguments(model)["loss_weights"]
    ('SGD', 0.5)
    """
    if not model.compiled:
        if loss is None:
            raise ValueError("the model is not compiled; give fit a loss")
        optimizer = Adam() if optimizer is None else optimizer
        if metrics is None and len(getattr(model, "output_names", "1")) == 1:
            metrics = ["accuracy"]
        model.compile(optimizer, loss, metrics=metrics)
    elif (loss, optimizer, metrics) != (None, None, None):
        _compile_again(model, loss, optimizer, metrics)
    _check_optimizer(model)
    if optimizer is not None:
        _OF_FIT.add(model.optimizer)
    return model.optimizer in _OF_FIT


def _compile_again(
    model: keras.Model,
    loss: Loss | None,
    optimizer: str | keras.optimizers.Optimizer | None,
    metrics: Metrics | None,
) -> None:
    before = compile_arguments(model)
    if loss is not None:
        _check_loss_weights(model, loss, before.get("loss_weights"))
    kept = {
        "loss_weights": before.get("loss_weights"),
        "weighted_metrics": before.get("weighted_metrics"),
        "run_eagerly": model.run_eagerly,
        "steps_per_execution": model.steps_per_execution,
        "jit_compile": model.jit_compile,
        "auto_scale_loss": isinstance(
            model.optimizer, keras.optimizers.LossScaleOptimizer
        ),
    }
    model.compile(
        model.optimizer if optimizer is None else optimizer,
        before.get("loss") if loss is None else loss,
        metrics=before.get("metrics") if metrics is None else metrics,
        **kept,
    )


def _check_loss_weights(model: keras.Model, loss: Loss, weights: Any) -> None:
    if weights is None or isinstance(weights, float | int):
        return
    if isinstance(weights, Mapping):
        names = loss if isinstance(loss, Mapping) else model.output_names
        fits = set(weights) == set(names)
    elif isinstance(loss, str) or not isinstance(loss, Sized):
        fits = True
    else:
        fits = len(loss) == len(weights)
    if not fits:
        raise ValueError(
            f"loss is {loss}, but the model was compiled with loss_weights {weights}; "
            "compile the model with both, and call fit without loss"
        )


def _check_optimizer(model: keras.Model) -> None:
    if not isinstance(model.optimizer, keras.optimizers.Optimizer):
        raise ValueError(
            f"the model is compiled with optimizer={model.optimizer}; fit counts steps "
            "by the optimizer: compile the model with one of keras.optimizers"
        )
    inner = inner_optimizer(model.optimizer)
    if not inner.built:
        return
    known = set(map(id, optimized_variables(inner)))
    new = [each.path for each in model.trainable_variables if id(each) not in known]
    if new:
        raise ValueError(
            f"the optimizer '{inner.name}' was built for other weights, without "
            f"{new[0]} ({len(new)} are new); compile the model anew, or give fit an "
            "optimizer"
        )


@contextlib.contextmanager
def clipped(
    model: keras.Model, clipnorm: float | Literal["auto"] | None, of_fit: bool
) -> Iterator[float | None]:
    """Within the block gradients are clipped; afterwards the optimizer is as it was.

    Returns:
        The global norm that this call clips to; None where it leaves the gradients.

    Raises:
        ValueError: `clipnorm` is no number above 0, or the optimizer clips in another
            way or is made of several.
    """
    if not (clipnorm is None or clipnorm == "auto" or 0 < clipnorm < math.inf):
        raise ValueError(
            f"clipnorm is {clipnorm}; expected a finite number above 0, None or 'auto'"
        )
    optimizer = inner_optimizer(model.optimizer)
    parts = getattr(optimizer, "optimizers", [optimizer])
    has_parts = parts != [optimizer]
    own = {n: getattr(x, n) for x in parts for n in CLIPPING if getattr(x, n)}
    if clipnorm == "auto":
        clipnorm = DEFAULT_CLIPNORM if of_fit and not (own or has_parts) else None
    elif clipnorm is not None and own not in ({}, {"global_clipnorm": clipnorm}):
        ways = ", ".join(f"{name}={value}" for name, value in own.items())
        raise ValueError(
            f"clipnorm is {clipnorm}, but the optimizer clips by {ways}; give one of "
            "them"
        )
    if clipnorm is None or own:
        yield None
        return
    if has_parts:
        raise ValueError(
            f"clipnorm is {clipnorm}, and the optimizer is a "
            f"{type(optimizer).__name__}; give global_clipnorm to each optimizer in it"
        )
    optimizer.global_clipnorm = clipnorm
    try:
        yield clipnorm
    finally:
        optimizer.global_clipnorm = None


def build(model: keras.Model, train: tf.data.Dataset) -> None:
    """Makes the variables of model, metrics and optimizer, which a state is put into.

    Keras makes them at the first step, which is too late. No number of the data is
    looked at, and no random state moves.
    """
    # tf.data has a kind of tensor for None; Keras has None.
    spec = tf.nest.map_structure(
        lambda x: x if hasattr(x, "shape") else None, train.element_spec
    )
    with model.distribute_strategy.scope():
        make_variables(model, spec)
