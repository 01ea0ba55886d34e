"""What of a model is served: signatures traced, saved and described.

The graph is made for any server: without cuDNN's GPU-only kernels, and with no more
variables than the signatures use. This module knows named tensors, and neither tasks
nor version folders.
"""

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from keras_seq.keras_internals import flatten_layers

Signature: TypeAlias = (
    tf.types.experimental.ConcreteFunction
    | tuple[Callable[..., Any], Sequence[tf.TensorSpec]]
)
Graph: TypeAlias = meta_graph_pb2.MetaGraphDef
TensorInfos = Mapping[str, meta_graph_pb2.TensorInfo]


@contextlib.contextmanager
def without_cudnn(models: Sequence[keras.Model]) -> Iterator[None]:
    """Make every recurrent layer use portable operations, inside a `with` block.

    Keras chooses cuDNN's kernels while it traces on a machine with a GPU, and a graph
    that holds them does not run on a CPU. keras_seq's own layers would choose kernels
    that only a machine with keras_seq has.

    Args:
        models: their layers are walked, those inside Bidirectional included; each
            gets its own `use_cudnn` and `native` back at the end.

    Example:

    >>> model = keras.Sequential([keras.layers.LSTM(2)])
    >>> with without_cudnn([model]):
    ...     model.layers[0].use_cudnn
    False
    >>> model.layers[0].use_cudnn
    'auto'
    """
    # By identity: the same layer may stand in two models.
    before: dict[tuple[int, str], tuple[keras.Layer, str, Any]] = {}
    for model in models:
        for layer in flatten_layers(model):
            for name in ("use_cudnn", "native"):
                if hasattr(layer, name):
                    choice = (layer, name, getattr(layer, name))
                    before.setdefault((id(layer), name), choice)
    try:
        for layer, name, _ in before.values():
            setattr(layer, name, False)
        yield
    finally:
        for layer, name, choice in before.values():
            setattr(layer, name, choice)


# Signature to its inputs, and what Python answers to them.
Proofs = dict[str, tuple[Mapping[str, tf.Tensor], dict[str, np.ndarray]]]


def answered(
    models: Sequence[keras.Model],
    asked: Mapping[str, tuple[Callable[..., Any], Mapping[str, tf.Tensor]]],
) -> Proofs:
    """What Python answers, on the CPU and without cuDNN, for the proof of an export."""
    with without_cudnn(models), tf.device("CPU"):
        return {
            name: (given, {n: v.numpy() for n, v in call(**given).items()})
            for name, (call, given) in asked.items()
        }


def save_signatures(
    module: tf.Module,
    signatures: Mapping[str, Signature],
    version: Path,
    constants: Mapping[str, np.ndarray] | None = None,
) -> Graph:
    """Trace signatures and save them with what they use, and nothing else.

    Args:
        module: holds, as attributes, every variable and lookup table that is used.
        signatures: name to a (function, [TensorSpec, ...]) pair or ConcreteFunction.
        version: the folder to write.
        constants: arrays that the loaded module has as attributes of these names.

    Returns:
        The graph as a server will read it.

    Raises:
        ValueError: a signature is of another kind, uses a table that `module` does
            not hold, or holds an operation that only a GPU can run.
    """
    traced = trace_signatures(signatures)
    root = tf.Module()
    # Saving `module` itself would save the optimizer of a fitted model: three times
    # the size. The signatures say which variables they use; tables are all kept.
    variables = {id(v): v for f in traced.values() for v in f.variables}
    root.variables_used = sorted(variables.values(), key=lambda v: v.name)
    resources = tf.saved_model.experimental.TrackableResource, tf.saved_model.Asset
    nodes = tf.train.TrackableView(module).descendants()
    root.resources_used = [node for node in nodes if isinstance(node, resources)]
    for name, value in (constants or {}).items():
        setattr(root, name, tf.Variable(value, trainable=False, name=name))
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)  # or it tells of "Assets written to"
    try:
        tf.saved_model.save(root, str(version), signatures=traced)
    except AssertionError as error:
        raise ValueError(
            "a signature uses a table that module does not hold; make it an attribute "
            f"of module ({str(error).splitlines()[0]})"
        ) from error
    finally:
        logger.setLevel(level)
    message = (version / "saved_model.pb").read_bytes()
    graph = saved_model_pb2.SavedModel.FromString(message).meta_graphs[0]
    _refuse_special(graph)
    return graph


def trace_signatures(signatures: Mapping[str, Signature]) -> dict[str, Any]:
    """Name to ConcreteFunction.

    Raises:
        ValueError: A signature is of another kind.
    """
    traced = {}
    for name, signature in signatures.items():
        if isinstance(signature, tf.types.experimental.ConcreteFunction):
            traced[name] = signature
            continue
        if not (isinstance(signature, tuple) and len(signature) == 2):
            raise ValueError(
                f"signatures[{name!r}] is {type(signature).__name__}; give a (function,"
                " [tf.TensorSpec, ...]) pair or a ConcreteFunction"
            )
        function, specs = signature
        # Anew: an old trace may hold cuDNN's kernels.
        function = getattr(function, "python_function", function)
        anew = tf.function(function, input_signature=specs)
        traced[name] = anew.get_concrete_function()
    return traced


def operations(graph: Graph) -> set[str]:
    """Names of the operations in a graph, its function library included."""
    library = graph.graph_def.library.function
    nodes = [*graph.graph_def.node]
    for function in library:
        nodes += function.node_def
    called = {function.signature.name for function in library}
    return {node.op for node in nodes} - called


def foreign_operations(names: Iterable[str]) -> list[str]:
    """Those that are no part of TensorFlow, and so unknown to a server; sorted.

    Example:

    >>> foreign_operations(["MatMul", "_Retval", "XlaCallModule", "KerasSeqLstm"])
    ['KerasSeqLstm']
    """
    # raw_ops has what TensorFlow's own library registers, all but its inner ones.
    inner = ("_", "Xla")
    return sorted(
        name
        for name in names
        if not (hasattr(tf.raw_ops, name) or name.startswith(inner))
    )


def _refuse_special(graph: Graph) -> None:
    """Raise when the graph holds an operation that not every server has."""
    names = operations(graph)
    foreign = foreign_operations(names)
    cudnn = sorted(name for name in names if name.startswith("Cudnn"))
    if foreign or cudnn:
        why = "which is not TensorFlow's" if foreign else "which no CPU can run"
        raise ValueError(
            f"the signatures hold {(foreign + cudnn)[0]}, {why}; give (function, "
            "specs) pairs and name the Keras models in models="
        )


def tensor_specs(infos: TensorInfos) -> dict[str, tf.TensorSpec]:
    """Name to dtype and shape of the inputs, or of the outputs, of a signature.

    Returns:
        Name to TensorSpec, in alphabetical order, as the protocol keeps none.
    """
    return {
        name: tf.TensorSpec(tf.TensorShape(info.tensor_shape), info.dtype, name)
        for name, info in sorted(infos.items())
    }


def describe(graph: Graph) -> dict[str, Any]:
    """Put the signatures into plain values, for model.json.

    Returns:
        {signature: {"inputs" and "outputs": {name: {"dtype", "shape"}}}}; None stands
        for any size.
    """
    return {
        name: {
            "inputs": plain_specs(tensor_specs(signature.inputs)),
            "outputs": plain_specs(tensor_specs(signature.outputs)),
        }
        for name, signature in sorted(graph.signature_def.items())
        if not name.startswith("__")  # TensorFlow's own, which initialises tables
    }


def plain_specs(specs: Mapping[str, tf.TensorSpec]) -> dict[str, dict[str, Any]]:
    """Name to dtype and shape, as JSON can hold them."""
    return {
        name: {
            "dtype": spec.dtype.name,
            "shape": None if spec.shape.rank is None else spec.shape.as_list(),
        }
        for name, spec in specs.items()
    }


def as_arrays(
    argument: str, values: Mapping[str, Any], infos: TensorInfos
) -> dict[str, np.ndarray]:
    """Give values the dtypes of a signature, when they fit it.

    Returns:
        Name to array; strings as an object array of bytes.

    Raises:
        ValueError: names, dtype or shape differ, or an array is empty; the message
            says both sides.
    """
    if set(values) != set(infos):
        raise ValueError(
            f"{argument} has {sorted(values)}; the signature has "
            f"{sorted(infos)}: give each of them"
        )
    arrays = {}
    for name, spec in tensor_specs(infos).items():
        try:
            tensor = tf.convert_to_tensor(values[name], spec.dtype)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{argument}[{name!r}] does not convert to {spec.dtype.name}: {error}"
            ) from error
        if not spec.shape.is_compatible_with(tensor.shape):
            raise ValueError(
                f"{argument}[{name!r}] has shape {tensor.shape}; the signature "
                f"has {spec.shape}"
            )
        is_text = spec.dtype == tf.string
        arrays[name] = np.asarray(tensor.numpy(), object if is_text else None)
        if not arrays[name].size:
            raise ValueError(f"{argument}[{name!r}] is empty; it would prove nothing")
    return arrays
