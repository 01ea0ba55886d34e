"""Gradients as they are trained with: their norms, and the step where they break.

Knows nothing of tasks. Norms are those of the whole gradient: summed over replicas,
loss scale taken out, before clipping.

Shapes: G gradients, one for each trainable variable.
"""

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.layers.loop import native_step
from keras_seq.training.devices import tap_gradients
from keras_seq.training.fault import FAULTY_BATCH, cause_of, owner_of, save_batch
from keras_seq.training.finite import broken_weights, refuse_logs, refuse_weights
from keras_seq.training.tensorboard import EventWriter, next_due

Gradient = tf.Tensor | tf.IndexedSlices


def monitor_gradients(model: keras.Model, dataset: tf.data.Dataset) -> list[float]:
    """The norm of the whole gradient for each batch; the model learns nothing from it.

    Dropout is on, as in training; weights and random states stay as they were.

    Args:
        model: compiled.
        dataset: batches of (inputs, targets).

    Returns:
        One norm a batch, before any clipping.

    Example:

    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.layers[0].set_weights([np.zeros((1, 1)), np.zeros(1)])
    >>> model.compile("sgd", "mse")
    >>> data = tf.data.Dataset.from_tensors((tf.ones((4, 1)), tf.ones((4, 1))))
    >>> [round(norm, 3) for norm in monitor_gradients(model, data)]
    [2.828]
    """
    kept = [v for v in model.variables if not v.trainable]
    before = [tf.identity(v.value) for v in kept]

    @tf.function(reduce_retracing=True)
    def norm(batch: Any) -> tf.Tensor:
        x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
        with native_step(), tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=True), weights)
        found = tape.gradient(loss, [v.value for v in model.trainable_variables])
        squares = [exact_norm(g) ** 2 for g in found if g is not None]
        return tf.sqrt(tf.add_n(squares))

    try:
        return [float(norm(batch)) for batch in dataset]
    finally:
        for variable, value in zip(kept, before):
            variable.assign(value)


def detect_gradient_explosion(
    gradients: Iterable[float], threshold: float = 1.0
) -> bool:
    """Whether any gradient norm is above a threshold, or is no number.

    Args:
        gradients: norms, such as `monitor_gradients` returns.
        threshold: the largest norm that is still in order.

    Returns:
        True where one is above it, infinite or NaN.

    Example:

    >>> detect_gradient_explosion([0.2, 0.9]), detect_gradient_explosion([0.2, 1.1])
    (False, True)
    >>> detect_gradient_explosion([0.2, float("nan")])
    True
    """
    # `not <=` catches NaN, which is neither above nor below.
    return any(not norm <= threshold for norm in gradients)


class GradientMonitor(keras.callbacks.Callback):
    """Writes gradient norms to TensorBoard, and stops at the first NaN or Inf.

    The step computes the norms itself, so no second backward pass is made. A step that
    breaks changes no weight; the error names the layer and the batch, and the batch is
    kept. With a loss scale, gradients that overflow are no fault: the step is left out
    and the scale halved, as it should be.

    Args:
        every: steps between two points on TensorBoard.
        log_dir: of the event file; None writes none.
        batch_dir: takes the batch that broke; None keeps none.
        watched: logs of an epoch that must be numbers where they are there, such as
            what early stopping monitors.

    Attributes:
        norms: of the last step by layer, and of all together as "global".

    Raises:
        UserError: From `fit`, at the first step whose loss or gradient is no number, or
            at the end of an epoch of which weights or a validation loss are none.
    """

    def __init__(
        self,
        every: int = 50,
        log_dir: str | Path | None = None,
        batch_dir: str | Path | None = None,
        watched: Sequence[str] = ("val_loss",),
    ) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"every is {every}; expected 1 or more")
        self.every = every
        self.norms: dict[str, float] = {}
        self._writer = EventWriter(log_dir)
        self._batch_dir = batch_dir
        self._watched = tuple(dict.fromkeys(watched))
        self._infinite: set[str] = set()
        self._epoch = 0
        self._kept: list[np.ndarray] = []
        self._untap: Callable[[], None] | None = None

    def get_state(self) -> dict[str, Any]:
        return {"files": self._writer.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        self._writer.set_state(state["files"])

    def on_train_begin(self, logs: dict | None = None) -> None:
        model = self.model
        self._owners: list[str] = []
        # An infinity that was there before, as in a mask, is meant.
        fixed = broken_weights(model.non_trainable_weights)
        self._infinite = {path for path, kind in fixed.items() if kind == "Inf"}
        with model.distribute_strategy.scope():
            self._found = tf.Variable(
                tf.zeros(len(model.trainable_variables)),
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
        self._untap = tap_gradients(model, self._watch)
        if not model.jit_compile and self._batch_dir is not None:
            model.train_step = self._keeping(model.train_step)
        model.make_train_function(force=True)  # a step traced before knows nothing

    def on_train_end(self, logs: dict | None = None) -> None:
        self.release()
        self._writer.close()

    def is_fine(self, logs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Whether the training step that returned `logs` has not broken; bool ()."""
        fine = tf.reduce_all(tf.math.is_finite(self._found.read_value()))
        return fine & tf.math.is_finite(tf.cast(logs.get("loss", 0.0), tf.float32))

    def due_after(self, step: int) -> int:
        """The next step whose norms are written; one that breaks comes at once."""
        return next_due(step, self.every)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        found = self._found.read_value().numpy()[: len(self._owners)]
        loss = (logs or {}).get("loss", 0.0)
        if not (np.isfinite(found).all() and math.isfinite(loss)):
            self.release()
            raise UserError(self._fault(batch, found))
        step = int(self.model.optimizer.iterations.numpy())
        if step % self.every and step != 1:
            return
        self.norms = self._by_layer(found)
        for name, norm in self.norms.items():
            self._writer.scalar(f"gradient_norm/{name}", norm, step)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.check_weights(f"after epoch {epoch + 1}")
        with self._released():
            refuse_logs(logs or {}, self._watched, epoch)

    def check_weights(self, when: str) -> None:
        """Raises UserError where weights are NaN or Inf: no loss need show it."""
        with self._released():
            refuse_weights(self.model, self._infinite, when)

    @contextlib.contextmanager
    def _released(self) -> Iterator[None]:
        try:
            yield
        except UserError:
            self.release()
            raise

    def _watch(
        self, gradients: Sequence[Gradient], variables: Sequence[keras.Variable]
    ) -> Sequence[Gradient]:
        """Graph ops in the step: notes the norms, and lets no NaN reach a weight."""
        self._owners = [owner_of(self.model, variable) for variable in variables]
        # Rows that occur several times in a batch are added up where the norm is shown;
        # elsewhere all that matters is whether it is a number.
        due = tf.equal((self.model.optimizer.iterations + 1) % self.every, 0)
        first = tf.equal(self.model.optimizer.iterations, 0)
        norms = tf.cond(
            tf.logical_or(due, first),
            lambda: tf.stack([exact_norm(g) for g in gradients]),
            lambda: tf.stack([rough_norm(g) for g in gradients]),
        )
        missing = self._found.shape[0] - len(gradients)
        self._found.assign(tf.pad(norms, [[0, missing]]))
        return tf.cond(
            tf.reduce_all(tf.math.is_finite(norms)),
            lambda: list(gradients),
            lambda: [zeros_like(g) for g in gradients],
        )

    def _keeping(self, train_step: Any) -> Any:
        """The training step, which also hands over the batch that breaks it."""

        def step(data: Any) -> dict[str, tf.Tensor]:
            logs = train_step(data)
            flat = [tf.convert_to_tensor(part) for part in tf.nest.flatten(data)
                    if part is not None]  # fmt: skip
            tf.cond(self.is_fine(logs), lambda: tf.no_op(), lambda: self._keep(flat))
            return logs

        return step

    def _keep(self, flat: list[tf.Tensor]) -> tf.Operation:
        def keep(*parts: np.ndarray) -> None:
            self._kept = self._kept or list(parts)

        with tf.control_dependencies([tf.numpy_function(keep, flat, [])]):
            return tf.no_op()

    def _fault(self, batch: int, found: np.ndarray) -> str:
        step = int(self.model.optimizer.iterations.numpy())
        where = f"epoch {self._epoch + 1}, batch {batch + 1} (step {step})"
        cause = cause_of(self.model, self._kept, self._owners, found)
        told = f"training broke at {where}: {cause}"
        if self._kept and self._batch_dir is not None:
            path = Path(self._batch_dir, FAULTY_BATCH)
            save_batch(path, self._kept)
            return f"{told}; the batch is kept in {path}"
        return f"{told}; look at that batch, or lower the learning rate"

    def _by_layer(self, found: np.ndarray) -> dict[str, float]:
        squares: dict[str, float] = {}
        for owner, norm in zip(self._owners, found.astype(np.float64)):
            squares[owner] = squares.get(owner, 0.0) + norm**2
        norms = {name: math.sqrt(square) for name, square in squares.items()}
        return {"global": math.sqrt(sum(squares.values())), **norms}

    def release(self) -> None:
        """Leaves the model and its optimizer as they were; done at the end of `fit`."""
        if self._untap is None:
            return
        self._untap()
        self._untap = None
        self.model.__dict__.pop("train_step", None)
        self.model.train_function = None


def exact_norm(gradient: Gradient) -> tf.Tensor:
    """float32 (); rows of a sparse gradient that occur twice are added up first."""
    if isinstance(gradient, tf.IndexedSlices):
        rows, places = tf.unique(tf.reshape(gradient.indices, [-1]))
        gradient = tf.math.unsorted_segment_sum(
            gradient.values, places, tf.size(rows)
        )
    return tf.norm(tf.cast(gradient, tf.float32))


def rough_norm(gradient: Gradient) -> tf.Tensor:
    """As `exact_norm`, but rows that occur twice stay apart: no number where it is."""
    if isinstance(gradient, tf.IndexedSlices):
        gradient = gradient.values
    return tf.norm(tf.cast(gradient, tf.float32))


def zeros_like(gradient: Gradient) -> Gradient:
    """Zeros of the same kind."""
    if isinstance(gradient, tf.IndexedSlices):
        zeros = tf.zeros_like(gradient.values)
        return tf.IndexedSlices(zeros, gradient.indices, gradient.dense_shape)
    return tf.zeros_like(gradient)
