"""All that touches private parts of Keras and TensorFlow, in one place.

They move between minor versions: `SEEN_WITH` has those that the tests passed with. It
is independent of keras_seq.
"""

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import KerasTensor
from keras.src.backend.common import global_state
from keras.src.backend.common.symbolic_scope import in_symbolic_scope
from keras.src.random.seed_generator import (
    GLOBAL_SEED_GENERATOR,
    global_seed_generator,
)
from keras.src.utils.python_utils import pythonify_logs

SEEN_WITH = {"keras": "3.15", "tensorflow": "2.21"}

Step = Callable[..., Any]  # a batch to logs, or to answers

__all__ = [
    "GLOBAL_SEED_GENERATOR",
    "SEEN_WITH",
    "STEP_METHODS",
    "SUMS_GRADIENTS",
    "StepFunction",
    "adam_moments",
    "carried_factors",
    "carry_factors",
    "compile_arguments",
    "flatten_layers",
    "flush_events",
    "functional",
    "global_seed_generator",
    "global_state",
    "in_symbolic_scope",
    "in_xla",
    "is_better_up",
    "layer_calls",
    "make_variables",
    "optimized_variables",
    "pythonify_logs",
    "restored_epoch",
    "step_graph",
    "variant_tensor",
    "weight_averages",
    "wrap_traced_steps",
]


# Features float32 (..., E) and vectors float32 (V, E).
Factors = tuple[KerasTensor, KerasTensor]


def carry_factors(
    logits: KerasTensor, features: KerasTensor, vectors: KerasTensor
) -> None:
    """Has a tensor of TensorFlow say what it is the product of; others stay mute.

    A loss gets the very tensor that the last layer gave. Keras' softmax passes its
    logits on in the same way, as `_keras_logits`.
    """
    single = logits.dtype == features.dtype == "float32"
    if single and keras.backend.backend() == "tensorflow":
        logits.factors = features, vectors


def carried_factors(logits: KerasTensor) -> Factors | None:
    """What `carry_factors` gave; None where nothing did."""
    return getattr(logits, "factors", None)


# What a user overrides to train in a way of their own.
STEP_METHODS = (
    "train_step",
    "make_train_function",
    "_make_function",
    "compute_metrics",
)


def flatten_layers(layer: keras.Layer) -> list[keras.Layer]:
    """A layer or model and all layers inside it, those of wrappers included."""
    return list(layer._flatten_layers())


def functional(model: keras.Model) -> keras.Model:
    """The functional model within a Sequential one; any other is its own."""
    inner = getattr(model, "_functional", None)
    return model if inner is None else inner


def layer_calls(model: keras.Model) -> list[Any]:
    """Each call of a layer of a functional model, in the order of computing.

    Of a call are known `operation` and `output_tensors`.
    """
    by_depth = functional(model)._nodes_by_depth
    return [
        node
        for depth in sorted(by_depth, reverse=True)
        for node in by_depth[depth]
        if not node.is_input
    ]


def compile_arguments(model: keras.Model) -> dict[str, Any]:
    """What `model.compile` was called with last, the very objects; {} before that."""
    config = getattr(model, "_compile_config", None)
    return {} if config is None else dict(config.config)


def make_variables(model: keras.Model, batch: Any) -> None:
    """Makes those of a compiled model, its metrics and its optimizer, without data.

    Args:
        batch: shapes and dtypes of one, as `train_step` takes it.
    """
    model._symbolic_build(data_batch=batch)


def restored_epoch(model: keras.Model) -> int:
    """The epoch that Keras' `BackupAndRestore` lets the running `fit` begin with."""
    return model._initial_epoch or 0


def optimized_variables(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """The weights that a built optimizer has slots for, in their order."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return list(inner._trainable_variables)


def weight_averages(
    optimizer: keras.optimizers.Optimizer,
) -> list[tuple[keras.Variable, keras.Variable]]:
    """Each weight with its average, of a built optimizer with `use_ema`."""
    averages = optimizer._model_variables_moving_average
    pairs = zip(optimizer._trainable_variables, averages)
    return [(weight, average) for weight, average in pairs if average is not None]


def adam_moments(
    optimizer: keras.optimizers.Adam, variable: Any
) -> tuple[keras.Variable, keras.Variable]:
    """The first and the second moment that a built Adam keeps of a weight."""
    place = optimizer._get_variable_index(variable)
    return optimizer._momentums[place], optimizer._velocities[place]


# The method by which an optimizer sums the gradients of replicas.
SUMS_GRADIENTS = "_all_reduce_sum_gradients"


def is_better_up(metric: keras.metrics.Metric | None) -> bool | None:
    """Whether more of a metric is better; None where it does not say."""
    direction = getattr(metric, "_direction", None)
    return None if direction is None else direction == "up"


def flush_events(callback: keras.callbacks.TensorBoard) -> None:
    """Has Keras' TensorBoard callback write what it holds."""
    for writer in callback._writers.values():
        writer.flush()


def variant_tensor(dataset: Any) -> Any:
    """What a `tf.data.Dataset` that stands for another is made of."""
    return dataset._variant_tensor


def in_xla(graph: Any) -> bool:
    """Whether XLA will compile a TensorFlow graph, or one around it."""
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

    return GraphOrParentsInXlaContext(graph)


def step_graph(graph: Any) -> Any:
    """The function's graph that branches and loop bodies of `tf.cond` and
    `tf.while_loop` belong to; any other graph is its own."""
    from tensorflow.python.ops import control_flow_v2_func_graphs as parts

    inner = (parts.CondBranchFuncGraph, parts.WhileBodyFuncGraph)
    while isinstance(graph, (*inner, parts.WhileCondFuncGraph)):
        graph = graph.outer_graph
    return graph


class StepFunction:
    """A model's train, test or predict function, in two versions.

    Called by `fit`, `evaluate` or `predict` it is the version whose step was wrapped.
    Inside another graph, which may be saved, and for whoever asks for its concrete
    functions, it is Keras' own.

    Args:
        make: gives the wrapped version (True) or Keras' own (False).
    """

    def __init__(self, make: Callable[[bool], Step]) -> None:
        self._make, self._wrapped = make, make(True)
        self._own: Step | None = None

    def __call__(self, *arguments: Any) -> Any:
        import tensorflow as tf

        function = self._wrapped if tf.executing_eagerly() else self._keras()
        return function(*arguments)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_make" not in vars(self):
            raise AttributeError(name)
        return getattr(self._keras(), name)

    def _keras(self) -> Step:
        if self._own is None:
            self._own = self._make(False)
        return self._own


class _Stand:
    """Stands for a model while Keras makes a function of it: one method is another."""

    def __init__(self, model: keras.Model, name: str, wrap: Callable[[Step], Step]):
        self._model, self._name, self._wrap = model, name, wrap

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._model, name)
        return self._wrap(value) if name == self._name else value


def wrap_traced_steps(
    wrap: Callable[[Step], Step], concerns: Callable[[keras.Model], bool]
) -> None:
    """Wraps each step that Keras traces for `fit`, `evaluate` and `predict`.

    `model.train_step` and its like stay as they are, whoever calls or replaces them;
    what Keras makes of them becomes a `StepFunction`. To be called once.

    Args:
        wrap: from a step to a step.
        concerns: whether a built model is one to do this for; others are left alone.
    """
    from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

    def wrapping(kind: str, original: Callable[..., Any]) -> Callable[..., Any]:
        name = f"{kind}_function"

        @functools.wraps(original)
        def make_function(self: keras.Model, force: bool = False) -> Any:
            made = getattr(self, name, None)
            if made is not None and not force:
                return made
            if self.built and not concerns(self):
                return original(self, force=force)

            def make(wrapped: bool) -> Step:
                step_of = wrap if wrapped else lambda step: step
                stand = _Stand(self, f"{kind}_step", step_of)
                original(stand, force=True)
                return vars(stand)[name]

            setattr(self, name, StepFunction(make))
            return None

        return make_function

    for kind in ("train", "test", "predict"):
        method = f"make_{kind}_function"
        original = getattr(TensorFlowTrainer, method)
        setattr(TensorFlowTrainer, method, wrapping(kind, original))
