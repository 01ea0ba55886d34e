"""LSTM, GRU and SimpleRNN that are Keras' own in everything but speed on a CPU.

Each is a subclass that replaces the inner loop alone: arguments, weights, masks,
states and numbers stay Keras'. On a GPU cuDNN is used as Keras uses it; what the fast
loop does not cover, and other backends, go Keras' way.

`fit`, `evaluate` and `predict`, ours and Keras', run the C++ kernels, and so do eager
calls. In any other graph (a `tf.function`, an export, also one in the middle of `fit`)
the layers are TensorFlow's own operations, unless `native_step` allows the kernels.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops, tree

from keras_seq.keras_internals import (
    flatten_layers,
    in_symbolic_scope,
    wrap_traced_steps,
)
from keras_seq.layers.loop import Loop, as_native_step, why_not_native


class FastLoop:
    """What the three layers share; stands before Keras' layer among the bases.

    Attributes:
        native: "auto" lets the C++ kernels run where they may; False keeps them out,
            as a graph that leaves this machine needs it.
    """

    native: str | bool = "auto"
    _cell_kind: str
    # Of Keras' layer, the next base.
    cell: keras.Layer
    units: int
    dropout: float
    use_bias: bool
    unroll: bool
    go_backwards: bool
    return_sequences: bool
    zero_output_for_mask: bool
    compute_dtype: str
    variable_dtype: str
    _taken: Loop | None = None  # by the last call

    @property
    def loop(self) -> Loop:
        """The loop of the last call; before that, `loop_in_fit`."""
        return self.loop_in_fit if self._taken is None else self._taken

    @property
    def loop_in_fit(self) -> Loop:
        """The loop that `fit`, `evaluate` and `predict` take, without XLA."""
        return self._choose()

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple:
        """Keras' contract: last output, outputs and new states."""
        loop = self._choose(why_not_native)
        if loop.kind == "fast":
            from keras_seq.layers.recurrent_native import run
            from keras_seq.layers.recurrent_shapes import uncovered

            states = tree.flatten(initial_state)
            counts = mask[0] if isinstance(mask, (list, tuple)) else mask
            if counts is not None:
                counts = ops.cast(counts, "bool")
            why = uncovered(self._cell_kind, sequences, counts, states, self.units)
            loop = Loop("fallback", why) if why else loop
        if not in_symbolic_scope():  # there Keras asks for shapes alone
            self._taken = loop
        if loop.kind != "fast":
            layer: keras.layers.RNN = super()
            return layer.inner_loop(sequences, initial_state, mask, training)
        if counts is not None and len(counts.shape) == 3:
            counts = ops.squeeze(counts, -1)
        if training and self.dropout:
            dropped = self.cell.get_dropout_mask(sequences[:, 0, :])
            sequences = sequences * ops.expand_dims(dropped, 1)
        bias = self.cell.bias
        return run(
            self._cell_kind,
            sequences,
            counts,
            states,
            (
                ops.convert_to_tensor(self.cell.kernel),
                ops.convert_to_tensor(self.cell.recurrent_kernel),
                None if bias is None else ops.convert_to_tensor(bias),
            ),
            go_backwards=self.go_backwards,
            return_sequences=self.return_sequences,
            zero_output_for_mask=self.zero_output_for_mask,
            training=bool(training),
        )

    def _choose(self, why_not_here: Callable[[], str | None] | None = None) -> Loop:
        """The loop, of a call that `why_not_here` may keep from the kernels."""
        if keras.backend.backend() != "tensorflow":
            return Loop("fallback", f"backend {keras.backend.backend()}")
        import tensorflow as tf

        option = self._uncovered_option()
        if tf.config.list_logical_devices("GPU"):
            return self._choose_on_gpu(option)
        if getattr(self, "use_cudnn", None) is True:
            return Loop("fallback", "use_cudnn=True")
        if option:
            return Loop("fallback", option)
        if not self.native:
            return Loop("fallback", "the graph is for any machine")
        if why_not_here is not None and (why := why_not_here()):
            return Loop("fallback", why)
        from keras_seq.layers.native_build import library

        module, how = library()
        return Loop("fallback" if module is None else "fast", how)

    def _choose_on_gpu(self, option: str | None) -> Loop:
        if not hasattr(self, "use_cudnn") or self.use_cudnn is False:
            return Loop("fallback", "no cuDNN for this layer")
        if option or not self.use_bias:
            return Loop("fallback", option or "use_bias=False")
        return Loop("cudnn", "GPU")

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


@keras.saving.register_keras_serializable("keras_seq")
class LSTM(FastLoop, keras.layers.LSTM):
    _cell_kind = "lstm"


@keras.saving.register_keras_serializable("keras_seq")
class GRU(FastLoop, keras.layers.GRU):
    _cell_kind = "gru"


@keras.saving.register_keras_serializable("keras_seq")
class SimpleRNN(FastLoop, keras.layers.SimpleRNN):
    _cell_kind = "simple"


if keras.backend.backend() == "tensorflow":
    wrap_traced_steps(
        as_native_step,
        lambda model: any(isinstance(x, FastLoop) for x in flatten_layers(model)),
    )
