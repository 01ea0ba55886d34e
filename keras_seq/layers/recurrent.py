"""LSTM, GRU and SimpleRNN that are Keras' own in everything but speed on a CPU.

Each is a subclass that replaces the inner loop alone: arguments, weights, masks,
states and numbers stay Keras', and so does what is saved. On a GPU cuDNN is used as
Keras uses it; what the fast loop does not cover, and other backends, go Keras' way.
"""

import sys
from typing import Any

import keras
from keras import ops, tree


class Path(str):
    """How a layer computes.

    In Keras `layer.path` is a string, the layer's place in its model, and a key of
    dtype policies. So it stays that string, prints as the answer, and has two
    attributes more.

    Attributes:
        kind: "fast", "cudnn" or "fallback", which is Keras' own loop.
        reason: why, in a few words.
    """

    kind: str
    reason: str

    def __new__(cls, kind: str, reason: str, place: str = "") -> "Path":
        path = super().__new__(cls, place)
        path.kind, path.reason = kind, reason
        return path

    def __repr__(self) -> str:
        return f"{self.kind} ({self.reason})"

    __str__ = __repr__


class FastLoop:
    """What the three layers share; stands before Keras' layer among the bases.

    Attributes:
        native: "auto" lets the C++ kernels run where they may; False keeps them out,
            as a graph that leaves this machine needs it.
    """

    native: str | bool = "auto"
    _cell_kind: str
    _taken: Path | None = None  # by the last call

    @property
    def path(self) -> Path:
        """The path of the last call; before that, the one a training would take."""
        path = self._choose(training=True) if self._taken is None else self._taken
        return Path(path.kind, path.reason, super().path or "")

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple:
        """Keras' contract: last output, outputs and new states."""
        path = self._choose(training, sequences)
        if path.kind == "fast":
            from keras_seq.layers.recurrent_native import run
            from keras_seq.layers.recurrent_shapes import uncovered

            states = tree.flatten(initial_state)
            counts = mask[0] if isinstance(mask, (list, tuple)) else mask
            if counts is not None:
                counts = ops.cast(counts, "bool")
            why = uncovered(self._cell_kind, sequences, counts, states, self.units)
            path = Path("fallback", why) if why else path
        if not _only_shapes():
            self._taken = path
        if path.kind != "fast":
            return super().inner_loop(sequences, initial_state, mask, training)
        if counts is not None and len(counts.shape) == 3:
            counts = ops.squeeze(counts, -1)
        if training and self.dropout:
            dropped = self.cell.get_dropout_mask(sequences[:, 0, :])
            sequences = sequences * ops.expand_dims(dropped, 1)
        return run(
            self._cell_kind,
            sequences,
            counts,
            states,
            tuple(
                weight if weight is None else ops.convert_to_tensor(weight)
                for weight in (
                    self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias
                )
            ),
            go_backwards=self.go_backwards,
            return_sequences=self.return_sequences,
            zero_output_for_mask=self.zero_output_for_mask,
            training=bool(training),
        )  # fmt: skip

    def _choose(self, training: bool, sequences: Any = None) -> Path:
        if keras.backend.backend() != "tensorflow":
            return Path("fallback", f"backend {keras.backend.backend()}")
        import tensorflow as tf

        option = self._uncovered_option()
        if tf.config.list_logical_devices("GPU"):
            return self._choose_on_gpu(option)
        if getattr(self, "use_cudnn", None) is True:
            return Path("fallback", "use_cudnn=True")
        if option:
            return Path("fallback", option)
        if not self.native:
            return Path("fallback", "the graph is for any machine")
        if sequences is not None and (why := _why_not_here(training)):
            return Path("fallback", why)
        from keras_seq.layers.native_build import library

        module, how = library()
        return Path("fallback" if module is None else "fast", how)

    def _choose_on_gpu(self, option: str | None) -> Path:
        if not hasattr(self, "use_cudnn") or self.use_cudnn is False:
            return Path("fallback", "no cuDNN for this layer")
        if option or not self.use_bias:
            return Path("fallback", option or "use_bias=False")
        return Path("cudnn", "GPU")

    def _uncovered_option(self) -> str | None:
        """The first option, or dtype, that the fast loop does not compute."""
        cell = self.cell
        if self.compute_dtype != "float32" or self.variable_dtype != "float32":
            return f"dtype {self.compute_dtype}"
        if cell.recurrent_dropout:
            return "recurrent_dropout"
        if cell.dropout == 1:
            return "dropout=1"
        if cell.dropout and getattr(cell, "implementation", 2) == 1:
            return "implementation=1"
        if cell.activation is not keras.activations.tanh:
            return f"activation {keras.activations.serialize(cell.activation)}"
        gate = getattr(cell, "recurrent_activation", keras.activations.sigmoid)
        if gate is not keras.activations.sigmoid:
            return f"recurrent_activation {keras.activations.serialize(gate)}"
        if not getattr(cell, "reset_after", True):
            return "reset_after=False"
        return "unroll" if self.unroll else None


def _only_shapes() -> bool:
    """Whether Keras asks for shapes alone, as it does when a model is built."""
    from keras.src.backend.common.symbolic_scope import in_symbolic_scope

    return in_symbolic_scope()


def _why_not_here(training: bool) -> str | None:
    """Why the graph under way may not hold the C++ kernels, if so.

    They stay out of XLA, which cannot compile them, and of a graph that may be saved
    and run elsewhere: one that neither trains nor belongs to fit, evaluate or predict.
    """
    import tensorflow as tf
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

    if not tf.inside_function():
        return None
    if GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()):
        return "XLA"
    if training or _called_by_trainer():
        return None
    return "the graph may be for any machine"


def _called_by_trainer() -> bool:
    frame = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__") == "keras.src.backend.tensorflow.trainer":
            return True
        frame = frame.f_back
    return False


class LSTM(FastLoop, keras.layers.LSTM):
    _cell_kind = "lstm"


class GRU(FastLoop, keras.layers.GRU):
    _cell_kind = "gru"


class SimpleRNN(FastLoop, keras.layers.SimpleRNN):
    _cell_kind = "simple"


for _layer in (LSTM, GRU, SimpleRNN):
    # Saved as Keras' own layer, so that a process without keras_seq loads it; where
    # this module was imported, its class stands first under that name.
    _layer.__module__ = "keras.layers"
    keras.saving.get_custom_objects()[_layer.__name__] = _layer
