"""Which loop a recurrent layer may run where: C++ kernels, cuDNN's or Keras' own.

A graph that holds the kernels cannot leave this process. So they are only put into
graphs that never do: the steps that `fit`, `evaluate` and `predict` trace, and those
that say so with `native_step`.
"""

import dataclasses
import functools
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any

from keras_seq.keras_internals import in_xla, step_graph

# The graph in which a step is being traced, in this thread. Threads of replicas start
# without one: the step itself, which runs in each of them, opens it.
_step: ContextVar[Any] = ContextVar("keras_seq_step", default=None)


@dataclasses.dataclass(frozen=True)
class Loop:
    """How a layer computes.

    Attributes:
        kind: "fast", "cudnn" or "fallback", which is Keras' own loop.
        reason: why, in a few words.

    Example:

    >>> print(Loop("fallback", "unroll"))
    fallback (unroll)
    """

    kind: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.reason})"


class native_step:  # noqa: N801, reads as the `with` statement that it is for
    """Inside a `tf.function`: layers called in this block may run the C++ kernels.

    For the traced step of a training loop of one's own; a function with such a block
    must not be exported. It holds for the function's own graph, with its `tf.cond` and
    `tf.while_loop`, and not for other `tf.function`s that are called in the block:
    TensorFlow keeps their traces, and an export might meet them.

    Example:

    >>> import tensorflow as tf
    >>> from keras_seq.layers import GRU
    >>> gru = GRU(2)
    >>> @tf.function
    ... def step(x):
    ...     with native_step():
    ...         return gru(x)
    >>> step(tf.ones((1, 4, 3))).shape
    TensorShape([1, 2])
    """

    def __enter__(self) -> None:
        import tensorflow as tf

        graph = None
        if not tf.executing_eagerly():
            graph = step_graph(tf.compat.v1.get_default_graph())
        self._token: Token[Any] = _step.set(graph)

    def __exit__(self, *error: object) -> None:
        _step.reset(self._token)


def as_native_step(step: Callable[..., Any]) -> Callable[..., Any]:
    """The same step, its whole body a `native_step`."""

    @functools.wraps(step)
    def opened(*arguments: Any) -> Any:
        with native_step():
            return step(*arguments)

    return opened


def why_not_native() -> str | None:
    """Why what is computed here may not use the C++ kernels; None where it may."""
    import tensorflow as tf

    if tf.executing_eagerly():
        return None
    graph = tf.compat.v1.get_default_graph()
    if in_xla(graph):
        return "XLA"
    if _step.get() is None:
        return "the graph may be for any machine"
    if step_graph(graph) is not _step.get():
        return "a tf.function of its own inside the step"
    return None
