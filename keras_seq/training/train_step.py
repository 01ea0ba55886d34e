"""The training step of a model: whose it is, put in place for a while, and undone."""

from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_seq.keras_internals import STEP_METHODS, flatten_layers

Step = Callable[..., Any]  # a batch to logs


def has_own_step(model: keras.Model) -> bool:
    """Whether the model trains, or reports, by methods that are not Keras' own.

    Example:

    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> has_own_step(model)
    False
    >>> model.train_step = lambda data: {"loss": 0.0}
    >>> has_own_step(model)
    True
    """
    for name in STEP_METHODS:
        method = getattr(model, name)
        while hasattr(method, "wrapped_step"):  # by a monitor of ours
            method = method.wrapped_step
        if getattr(method, "__func__", None) is not getattr(keras.Model, name):
            return True
    return False


def wrapping(step: Step, wrapped: Step) -> Step:
    """A step of ours that calls the model's, marked so that `has_own_step` sees it."""
    vars(step)["wrapped_step"] = wrapped
    return step


def replace(owner: Any, name: str, value: Any) -> Callable[[], None]:
    """Sets an attribute of an object, until the function that is returned is called.

    Example:

    >>> model = keras.Sequential()
    >>> model.train_step = mine = lambda data: {}
    >>> undo = replace(model, "train_step", print)
    >>> undo()
    >>> model.train_step is mine
    True
    """
    missing = object()
    before = vars(owner).get(name, missing)
    setattr(owner, name, value)

    def undo() -> None:
        if before is missing:
            vars(owner).pop(name, None)
        else:
            setattr(owner, name, before)

    return undo


def components(variable: Any) -> list[tf.Variable]:
    """The variable of each replica; the one there is without replicas."""
    value = getattr(variable, "value", variable)
    value = variable if callable(value) else value
    if isinstance(value, tf.distribute.DistributedValues):
        return list(value.values)
    return [value]


def carried_states(model: keras.Model) -> list[keras.Variable]:
    """States of layers with `stateful=True`, which are not among `model.variables`."""
    counted = {id(each) for each in model.variables}
    layers = [each for each in flatten_layers(model) if getattr(each, "stateful", 0)]
    states = keras.tree.flatten([getattr(each, "states", None) for each in layers])
    return [
        each
        for each in states
        if isinstance(each, keras.Variable) and id(each) not in counted
    ]


def inner_optimizer(
    optimizer: keras.optimizers.Optimizer,
) -> keras.optimizers.Optimizer:
    """The optimizer that updates the weights, inside one that scales the loss."""
    while hasattr(optimizer, "inner_optimizer"):
        optimizer = optimizer.inner_optimizer
    return optimizer


def changed_before_update(model: keras.Model) -> list[keras.Variable]:
    """Variables that a step has changed by the time its gradients are known.

    A step that a user has written may change any.
    """
    updated = [*model.trainable_variables, *inner_optimizer(model.optimizer).variables]
    left = set() if has_own_step(model) else set(map(id, updated))
    state = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
    return [each for each in state if id(each) not in left]


class Snapshot:
    """Variables as a training step found them, so that the step can be undone.

    To take it is an operation of the step itself. It costs a copy of those variables
    alone that are then updated in place; the others share their memory with it.
    """

    def __init__(self, variables: Iterable[keras.Variable]) -> None:
        self._variables = list({id(each): each for each in variables}.values())
        self._copies = [
            tf.Variable(
                tf.identity(each.value),
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
            for each in self._variables
        ]

    def take(self) -> None:
        """Graph operations: notes what the variables hold now."""
        for copy, variable in zip(self._copies, self._variables):
            copy.assign(variable.value)

    def restore(self) -> None:
        """Puts back what was noted last."""
        for copy, variable in zip(self._copies, self._variables):
            for noted, part in zip(components(copy), components(variable)):
                part.assign(noted)
