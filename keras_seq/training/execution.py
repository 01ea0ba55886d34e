"""Several training steps in one call, so that Python costs nothing on small models.

Keras' `steps_per_execution` is one number for a whole run: it overruns an epoch that it
does not divide, and callbacks miss steps that they wanted to see. Here each execution
has as many steps as fit into a moment, and ends where a callback is due. How many they
are changes no bit of the training. Knows nothing of tasks.
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_seq.layers.loop import as_native_step
from keras_seq.training.gradients import GradientMonitor
from keras_seq.training.run_state import SCREEN

MOMENT = 0.1  # seconds: long beside a call of Python, short beside a time limit
HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")


class Execution:
    """Runs the next training steps of a model that `fit` trains.

    A callback that looks at batches sees every one, unless it says with a method
    `due_after(step)` which step of the optimizer it must see next.

    Args:
        model: compiled, its `train_function` made.
        callbacks: those of the run.
        an_epoch: steps in an epoch; None where nobody knows.
    """

    def __init__(
        self,
        model: keras.Model,
        callbacks: Sequence[keras.callbacks.Callback],
        an_epoch: int | None,
    ) -> None:
        self._model, self._an_epoch = model, an_epoch
        self._one, self._many = model.train_function, None
        looking = [each for each in callbacks if _looks_at_batches(each)]
        self._due = [getattr(each, "due_after", _every_step) for each in looking]
        self._pace = math.inf  # seconds a step
        self._longest = 1
        own_step = type(model).train_step is not keras.Model.train_step
        replicas = model.distribute_strategy.num_replicas_in_sync
        if an_epoch is None or model.run_eagerly or own_step or replicas > 1:
            return
        monitors = [each for each in callbacks if isinstance(each, GradientMonitor)]
        self._many = _loop(model, [each.is_fine for each in monitors])

    def run(self, iterator: Any, batch: int) -> tuple[dict[str, Any], int]:
        """Trains from some batch of an epoch on.

        Args:
            iterator: of the training data.
            batch: the first one's number in its epoch, from 0.

        Returns:
            What Keras' training step returns for the last step, and the steps done; the
            last of them is one that broke, if any did.
        """
        if self._many is None:
            return self._one(iterator), 1
        asked = self._steps(batch)
        start = time.monotonic()
        logs, done = self._many(iterator, asked)
        done = int(done)
        self._pace = (time.monotonic() - start) / done
        self._longest = max(self._longest, 2 * asked)
        return logs, done

    def _steps(self, batch: int) -> int:
        now = int(self._model.optimizer.iterations.numpy())
        due = min((due(now) for due in self._due), default=math.inf)
        fitting = min(MOMENT / self._pace, self._longest)
        return max(1, int(min(fitting, due - now, self._an_epoch - batch)))


def _loop(model: keras.Model, checks: Sequence[Callable]) -> Callable:
    """(iterator, steps) -> (metrics, steps done): stops behind a step that breaks."""
    one = tf.function(
        as_native_step(model.train_step),
        reduce_retracing=True,
        jit_compile=model.jit_compile,
    )

    @tf.function(reduce_retracing=True, autograph=False)
    def run(iterator: Any, steps: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        def body(done: tf.Tensor, fine: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            batch = iterator.get_next()
            logs = model.distribute_strategy.run(one, args=(batch,))
            for check in checks:
                fine &= check(logs)
            return done + 1, fine

        done, _ = tf.while_loop(
            lambda done, fine: (done < steps) & fine, body, (tf.constant(0), True)
        )
        return model.get_metrics_result(), done

    return lambda iterator, steps: run(iterator, tf.constant(steps))


def _looks_at_batches(callback: keras.callbacks.Callback) -> bool:
    if isinstance(callback, SCREEN):
        return False
    return any(
        getattr(getattr(callback, hook), "__func__", None)
        is not getattr(keras.callbacks.Callback, hook)
        for hook in HOOKS
    )


def _every_step(step: int) -> int:
    return step + 1
