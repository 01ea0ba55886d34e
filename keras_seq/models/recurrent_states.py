"""Stacked recurrent layers that read on from given states, all at once or step by step.

`advance` goes on from given states by many steps, `advance_one` by a single one; both
are the walk over named layers that a builder makes its model with, so they cannot
differ: "embedding", then for n = 1, 2, ... "rnn_n" and, where there are any, "norm_n",
"residual_n" and "dropout_n". Pure Keras; nothing here knows of a task.

Shapes: B batch, T time steps, E embedding, U units, V vocabulary.
"""

from collections.abc import Callable
from typing import Literal

import keras
from keras import KerasTensor, layers, ops

from keras_seq.layers import recurrent
from keras_seq.models.embeddings import token_logits

Cell = Literal["lstm", "gru", "simple_rnn"]
CELLS: dict[Cell, Callable[..., keras.layers.RNN]] = {
    "lstm": recurrent.LSTM,
    "gru": recurrent.GRU,
    "simple_rnn": recurrent.SimpleRNN,
}

States = list[list[KerasTensor]]


def initial_states(model: keras.Model, batch_size: int) -> States:
    """The states of rows that have read nothing: zeros.

    Args:
        model: of `build_text_generation_model`, or another of such layers.
        batch_size: B; a tensor, too.

    Returns:
        For each recurrent layer its states, float32 (B, U): two for an LSTM, else one.
    """
    return [
        [ops.zeros((batch_size, layer.units)) for _ in range(_state_count(layer))]
        for layer in recurrent_layers(model)
    ]


def recurrent_layers(model: keras.Model) -> list[keras.Layer]:
    """The recurrent layers, first to last."""
    return [layer for layer in model.layers if layer.name.startswith("rnn_")]


def _state_count(layer: keras.Layer) -> int:
    return 2 if isinstance(layer.cell, layers.LSTMCell) else 1


def advance(
    model: keras.Model, token_ids: KerasTensor, states: States, training: bool = False
) -> tuple[KerasTensor, KerasTensor, States]:
    """Reads on from given states.

    Args:
        model: of `build_text_generation_model`, or another of such layers.
        token_ids: int32 (B, T).
        states: as `initial_states` or this function gave them.
        training: dropout is on.

    Returns:
        logits float32 (B, T, V); what the last recurrent layer gave, float (B, T, U);
        and the states after the last step.

    Example:

    >>> from keras_seq.models.text_generation import build_text_generation_model
    >>> model = build_text_generation_model(50, 8, 16)
    >>> token_ids, states = ops.array([[1, 2, 3]]), initial_states(model, 1)
    >>> _, _, states = advance(model, token_ids[:, :2], states)
    >>> logits, _, _ = advance(model, token_ids[:, 2:], states)
    >>> bool(ops.all(ops.abs(logits[:, 0] - model(token_ids)[:, 2]) < 1e-5))
    True
    """
    after = []

    def recur(number: int, layer: keras.Layer, x: KerasTensor) -> KerasTensor:
        x, *state = layer(x, initial_state=states[number], training=training)
        after.append(state)
        return x

    logits, hidden = walk(
        {layer.name: layer for layer in model.layers},
        token_ids,
        recur=recur,
        drop=lambda layer, x: layer(x, training=training),
    )
    return logits, hidden, after


def advance_one(
    model: keras.Model, token_ids: KerasTensor, states: States
) -> tuple[KerasTensor, States]:
    """`advance` by one step, without dropout and without a loop over steps.

    Args:
        model: of `build_text_generation_model`, or another of such layers.
        token_ids: int32 (B,).
        states: as `initial_states` or this function gave them.

    Returns:
        logits float32 (B, V), and the states.
    """
    after = []

    def recur(number: int, layer: keras.Layer, x: KerasTensor) -> KerasTensor:
        x, state = layer.cell(x, states[number], training=False)
        after.append(state if isinstance(state, list | tuple) else [state])
        return x

    logits, _ = walk(
        {layer.name: layer for layer in model.layers},
        token_ids,
        recur=recur,
        drop=lambda layer, x: x,
    )
    return logits, [list(state) for state in after]


def walk(
    named: dict[str, keras.Layer],
    token_ids: KerasTensor,
    *,
    recur: Callable[[int, keras.Layer, KerasTensor], KerasTensor],
    drop: Callable[[keras.Layer, KerasTensor], KerasTensor],
) -> tuple[KerasTensor, KerasTensor]:
    """The order of the layers, in one place: (logits, last recurrent output)."""

    def dropped(name: str, x: KerasTensor) -> KerasTensor:
        return drop(named[name], x) if name in named else x

    x = dropped("embedding_dropout", named["embedding"](token_ids))  # (B, T, E)
    count = sum(name.startswith("rnn_") for name in named)
    for number in range(1, count + 1):
        below, x = x, recur(number - 1, named[f"rnn_{number}"], x)  # (B, T, U)
        hidden = x
        if f"norm_{number}" in named:
            x = named[f"norm_{number}"](x)
        if f"residual_{number}" in named:
            x = named[f"residual_{number}"]([below, x])
        x = dropped(f"dropout_{number}", x)
    return token_logits(named, x), hidden
