"""Truncated back-propagation through time: states go on from batch to batch.

A model reads long sequences as streams; gradients reach back to the start of a batch,
states to the start of the stream. Independent of text or files.

Shapes: B batch, T time steps, U units, V vocabulary.
"""

import math

import keras
from keras import ops

from keras_seq.models.blocks import check_rates, check_sizes
from keras_seq.models.recurrent_states import (
    States,
    advance,
    initial_states,
    recurrent_layers,
)


class TruncatedBackprop(keras.Model):
    """A recurrent model with the states of its streams, for `fit` and `evaluate`.

    Takes what `make_stream_dataset` gives; where a stream restarts, its states are
    zero. The model inside learns; it is what is saved and served.

    Two regularisers of Merity et al. 2017, arXiv:1708.02182, act while it trains:
    weight-drop leaves out single weights between a state and the next, the same for a
    whole batch (Wan et al. 2013); temporal activation regularisation is a penalty on
    states that jump from step to step.

    Args:
        model: of `build_text_generation_model`, or another that `advance` takes.
        batch_size: B, of training and validation.
        weight_drop: rate at which recurrent weights are left out.
        temporal_activation: weight of the penalty on the mean square of the jumps.

    Raises:
        ValueError: A size or rate does not fit.

    Example:

    >>> from keras_seq.models.text_generation import build_text_generation_model
    >>> model = TruncatedBackprop(build_text_generation_model(9, 4, 5), batch_size=2)
    >>> model((ops.ones((2, 3), "int32"), ops.ones(2))).shape
    TensorShape([2, 3, 9])
    """

    def __init__(
        self,
        model: keras.Model,
        batch_size: int,
        *,
        weight_drop: float = 0.0,
        temporal_activation: float = 0.0,
    ) -> None:
        super().__init__(name="truncated_backprop")
        check_sizes(batch_size=batch_size)
        check_rates(weight_drop=weight_drop)
        if not 0 <= temporal_activation < math.inf:
            raise ValueError(
                f"temporal_activation is {temporal_activation}; expected a weight of 0 "
                "or more"
            )
        self.inner = model
        self.weight_drop = weight_drop
        self.temporal_activation = temporal_activation
        self._seed = keras.random.SeedGenerator()
        self._carried = [
            [
                self.add_weight(
                    shape=tuple(state.shape),
                    initializer="zeros",
                    trainable=False,
                    name=f"{layer.name}_state_{number}",
                )
                for number, state in enumerate(states)
            ]
            for layer, states in zip(
                recurrent_layers(model), initial_states(model, batch_size)
            )
        ]

    @property
    def layers(self) -> list[keras.Layer]:
        """Those of the model inside, which monitors tell apart by name."""
        return self.inner.layers

    def call(self, inputs: tuple, training: bool = False) -> keras.KerasTensor:
        """Reads on in each stream.

        Args:
            inputs: token ids int32 (B, T), and restarts float32 (B,): 1 where a stream
                starts anew.
            training: dropout and weight-drop are on.

        Returns:
            logits float32 (B, T, V).
        """
        token_ids, restarts = inputs
        keep = ops.expand_dims(1 - restarts, -1)  # (B, 1)
        states = [[keep * state for state in layer] for layer in self._carried]
        logits, hidden, after = self._advance(token_ids, states, training)
        for old, new in zip(self._carried, after):
            for variable, state in zip(old, new):
                variable.assign(ops.stop_gradient(state))
        if training and self.temporal_activation:
            jumps = ops.square(hidden[:, 1:] - hidden[:, :-1])
            size = ops.maximum(ops.cast(ops.size(jumps), jumps.dtype), 1.0)
            self.add_loss(self.temporal_activation * ops.sum(jumps) / size)
        return logits

    def _advance(
        self, token_ids: keras.KerasTensor, states: States, training: bool
    ) -> tuple[keras.KerasTensor, keras.KerasTensor, States]:
        model = self.inner
        if not (training and self.weight_drop):
            return advance(model, token_ids, states, training)
        dropped = []
        for layer in recurrent_layers(model):
            kernel = layer.cell.recurrent_kernel
            left = keras.random.dropout(kernel, self.weight_drop, seed=self._seed)
            dropped.append((kernel, left))
        # Inside the scope the layers see the dropped weights for their own.
        with keras.StatelessScope(state_mapping=dropped) as scope:
            answer = advance(model, token_ids, states, training)
        for variable in model.non_trainable_variables:  # states of dropout
            changed = scope.get_current_value(variable)
            if changed is not None:
                variable.assign(changed)
        return answer
