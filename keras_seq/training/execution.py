"""Several training steps in one call, so that Python costs nothing on small models.

Keras' `steps_per_execution` is one number for a whole run, and callbacks miss steps
that they need. Here each call runs as many steps as fit into a tenth of a second, and
ends where a callback is due, an epoch is over or a step breaks. How many they are
changes no bit of the training. `fit` with every monitor on so takes 0.73 of the time of
bare `model.fit` for an LSTM of 50 units on 60 steps (docs/results.md; `python -m
benchmarks.monitors --small --epochs 3`).
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_seq.layers.loop import as_native_step
from keras_seq.training.gradients import GradientMonitor
from keras_seq.training.run_state import DISPLAY_CALLBACKS
from keras_seq.training.train_step import has_own_step

CALL_SECONDS = 0.1  # long beside a call of Python, short beside a time limit
HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
Logs = dict[str, Any]


class StepRunner:
    """Runs the next training steps of a model that `fit` trains.

    A callback that looks at batches sees every one, or every `steps_per_execution`-th
    as the model was compiled, unless it has a method `next_step(step)` that returns the
    step of the optimizer which it must see next.
    """

    def __init__(
        self,
        model: keras.Model,
        callbacks: Sequence[keras.callbacks.Callback],
        steps_per_epoch: int | None,
        steps_per_execution: int = 1,
    ) -> None:
        self._model, self._callbacks = model, callbacks
        self._per_epoch = math.inf if steps_per_epoch is None else steps_per_epoch
        self._per_execution = steps_per_execution
        self._one, self._many = model.train_function, None
        looking = [each for each in callbacks if _looks_at_batches(each)]
        self._next_step = [x.next_step for x in looking if hasattr(x, "next_step")]
        self._regular = [each for each in looking if not hasattr(each, "next_step")]
        self._pace = math.inf  # seconds a step
        self._longest = 1
        monitors = [each for each in callbacks if isinstance(each, GradientMonitor)]
        self._checks = [each.is_fine for each in monitors]
        replicas = model.distribute_strategy.num_replicas_in_sync
        alone = model.run_eagerly or has_own_step(model) or replicas > 1
        if steps_per_epoch is not None and not alone:
            self._many = _loop(model, self._checks)

    def run(self, iterator: Any, batch: int) -> tuple[Logs, int]:
        """Trains from some batch of an epoch on.

        Returns:
            What Keras' training step returns for the last step, and the steps done; the
            last of them is one that broke, if any did.
        """
        asked = self._asked(batch)
        if self._many is None:
            return self._one_by_one(iterator, asked)
        start = time.monotonic()
        logs, done = self._many(iterator, asked)
        done = int(done)
        self._pace = (time.monotonic() - start) / done
        self._longest = max(self._longest, 2 * asked)
        return logs, done

    def due(self, batch: int) -> Iterator[keras.callbacks.Callback]:
        """Callbacks that are called before batch number `batch`, or after as many."""
        whole = batch % self._per_execution == 0 or batch == self._per_epoch
        return (x for x in self._callbacks if whole or x not in self._regular)

    def _one_by_one(self, iterator: Any, asked: int) -> tuple[Logs, int]:
        model, done = self._model, 0
        before, model.steps_per_execution = model.steps_per_execution, 1
        try:
            while done < asked:
                logs = self._one(iterator)
                done += 1
                if asked > 1 and not all(bool(fine(logs)) for fine in self._checks):
                    break
        except (StopIteration, tf.errors.OutOfRangeError):
            if not done:
                raise
        finally:
            model.steps_per_execution = before
        return logs, done

    def _asked(self, batch: int) -> int:
        """Steps of the next call."""
        regular = self._per_execution - batch % self._per_execution
        fitting: float = regular
        if self._many is not None:
            fitting = min(CALL_SECONDS / self._pace, self._longest)
            fitting = max(fitting, self._per_execution)
        if fitting > 1 and self._next_step:
            now = int(self._model.optimizer.iterations.numpy())
            fitting = min(fitting, *(after(now) - now for after in self._next_step))
        if self._regular:
            fitting = min(fitting, regular)
        return max(1, int(min(fitting, self._per_epoch - batch)))


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
    if isinstance(callback, DISPLAY_CALLBACKS):
        return False
    return any(
        getattr(getattr(callback, hook), "__func__", None)
        is not getattr(keras.callbacks.Callback, hook)
        for hook in HOOKS
    )
