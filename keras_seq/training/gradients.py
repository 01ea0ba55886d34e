"""Callback that logs gradient norms and stops training at the first NaN or Inf.

Norms are those of the whole gradient: summed over replicas,
loss scale taken out, before clipping.

Shapes: G gradients, one for each trainable variable.
"""

import contextlib
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.evaluation.finite_weights import (
    broken_weights,
    refuse_logs,
    refuse_weights,
)
from keras_seq.training.devices import tap_gradients
from keras_seq.training.event_files import EventWriter
from keras_seq.training.fault import FAULTY_BATCH, as_dense, cause_of, save_batch
from keras_seq.training.gradient_norms import (
    Gradient,
    exact_norm,
    owner_of,
    rough_norm,
)
from keras_seq.training.tensorboard import next_due
from keras_seq.training.train_step import (
    Snapshot,
    changed_before_update,
    replace,
    wrapping,
)


class GradientMonitor(keras.callbacks.Callback):
    """Writes gradient norms to TensorBoard, and stops at the first NaN or Inf.

    The step computes the norms itself, so no second backward pass is made. A step that
    breaks changes nothing: its gradients are not applied, so weights, moments, averages
    and counters of the optimizer stay, and what the forward pass has changed (moving
    statistics, states, metrics, random states) is put back. The error names the layer
    and the batch, and the batch is kept. With a loss scale, gradients that overflow are
    no fault: the step is left out and the scale halved, as it should be. Of a
    `train_step` that a user has written, everything that the model and its optimizer
    hold is put back.

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
        ValueError: Another one watches the model.
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
        self._writer = EventWriter(log_dir, ".gradients")
        self._batch_dir = batch_dir
        self._watched = tuple(dict.fromkeys(watched))
        self._infinite: set[str] = set()
        self._epoch = 0
        self._kept: list[np.ndarray] = []
        self._undo: list[Callable[[], None]] = []

    def get_state(self) -> dict[str, Any]:
        return {"files": self._writer.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        self._writer.set_state(state["files"])

    def on_train_begin(self, logs: dict | None = None) -> None:
        model = self.model
        if hasattr(model.train_step, "wrapped_step"):
            raise ValueError("the model has another GradientMonitor; leave one out")
        self._owners: list[str] = []
        # An infinity that was there before, as in a mask, is meant.
        fixed = broken_weights(model.non_trainable_weights)
        self._infinite = {path for path, kind in fixed.items() if kind == "Inf"}
        local = {
            "trainable": False,
            "synchronization": tf.VariableSynchronization.ON_READ,
            "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA,
        }
        with model.distribute_strategy.scope():
            self._found = tf.Variable(tf.zeros(len(model.trainable_variables)), **local)
            self._loss = tf.Variable(0.0, **local)
            self._before = Snapshot(changed_before_update(model))
        self._undo = [
            tap_gradients(model, self._may_apply),
            replace(model, "compute_loss", self._noting(model.compute_loss)),
        ]
        self._undo.append(replace(model, "train_step", self._guarded(model.train_step)))
        model.make_train_function(force=True)  # one traced before has no guard

    def on_train_end(self, logs: dict | None = None) -> None:
        self.release()
        self._writer.close()

    def is_fine(self, logs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Whether the training step that returned `logs` has not broken; bool ()."""
        fine = tf.reduce_all(tf.math.is_finite(self._found.read_value()))
        loss = (logs or {}).get("loss", 0.0)
        return fine & tf.math.is_finite(tf.cast(loss, tf.float32))

    def next_step(self, step: int) -> int:
        """The next step whose norms are written; one that breaks comes at once."""
        return next_due(step, self.every)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        found = self._found.read_value().numpy()[: len(self._owners)]
        loss = (logs or {}).get("loss", 0.0)
        if not (np.isfinite(found).all() and math.isfinite(loss)):
            self._before.restore()
            fault = self._fault(batch, found)
            self._before.restore()  # to look for the cause has called the model
            self.release()
            raise UserError(fault)
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

    def _may_apply(
        self, gradients: Sequence[Gradient], variables: Sequence[keras.Variable]
    ) -> tf.Tensor:
        """Graph operations in the step: notes the norms; bool (), all are numbers."""
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
        loss = self._loss.read_value()
        if self.model.distribute_strategy.num_replicas_in_sync > 1:
            context = tf.distribute.get_replica_context()
            loss = context.all_reduce(tf.distribute.ReduceOp.SUM, loss)
        return tf.reduce_all(tf.math.is_finite(tf.concat([norms, [loss]], 0)))

    def _noting(self, compute_loss: Callable[..., Any]) -> Callable[..., Any]:
        """The model's `compute_loss`; a loss in training is noted before the update."""

        @functools.wraps(compute_loss)
        def noting(*args: Any, **kwargs: Any) -> Any:
            loss = compute_loss(*args, **kwargs)
            if kwargs.get("training", True) and tf.is_tensor(loss):
                self._loss.assign_add(tf.cast(tf.reduce_sum(loss), tf.float32))
            return loss

        return noting

    def _guarded(self, train_step: Any) -> Any:
        """The training step, which can be undone and hands over a batch that broke."""
        keeps = self._batch_dir is not None and not self.model.jit_compile

        def step(data: Any) -> dict[str, tf.Tensor]:
            self._loss.assign(0.0)
            self._before.take()
            logs = train_step(data)
            if keeps:
                self._parts = tf.nest.map_structure(lambda x: x is not None, data)
                parts = tf.nest.flatten(data)
                flat = [as_dense(part) for part in parts if part is not None]
                tf.cond(self.is_fine(logs), tf.no_op, lambda: self._keep(flat))
            return logs

        return wrapping(step, train_step)

    def _keep(self, flat: list[tf.Tensor]) -> tf.Operation:
        def keep(*parts: np.ndarray) -> None:
            self._kept = self._kept or list(parts)

        with tf.control_dependencies([tf.numpy_function(keep, flat, [])]):
            return tf.no_op()

    def _fault(self, batch: int, found: np.ndarray) -> str:
        step = int(self.model.optimizer.iterations.numpy()) + 1  # it was not applied
        where = f"epoch {self._epoch + 1}, batch {batch + 1} (step {step})"
        cause = cause_of(self.model, self._kept_batch(), self._owners, found)
        line = f"training broke at {where}: {cause}"
        if self._kept and self._batch_dir is not None:
            path = Path(self._batch_dir, FAULTY_BATCH)
            save_batch(path, self._kept)
            return f"{line}; the batch is kept in {path}"
        return f"{line}; look at that batch, or lower the learning rate"

    def _kept_batch(self) -> Any:
        """The batch that broke, in the structure of the dataset; None without."""
        if not self._kept:
            return None
        arrays = iter(self._kept)
        return tf.nest.map_structure(
            lambda present: next(arrays) if present else None, self._parts
        )

    def _by_layer(self, found: np.ndarray) -> dict[str, float]:
        squares: dict[str, float] = {}
        for owner, norm in zip(self._owners, found.astype(np.float64)):
            squares[owner] = squares.get(owner, 0.0) + norm**2
        norms = {name: math.sqrt(square) for name, square in squares.items()}
        return {"global": math.sqrt(sum(squares.values())), **norms}

    def release(self) -> None:
        """Leaves the model and its optimizer as they were; done at the end of `fit`."""
        if not self._undo:
            return
        for undo in reversed(self._undo):
            undo()
        self._undo = []
        self.model.train_function = None
