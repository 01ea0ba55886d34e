"""A language model: after each token it says how likely each token is to come next.

One model answers three ways: `model(token_ids)` reads rows from a fresh start,
`advance` goes on from given states by many steps, `advance_one` by a single one. All
are one walk over the same named layers, so they cannot differ. Pure Keras; nothing here
knows of text, files or training.

Shapes: B batch, T time steps, E embedding, U units, V vocabulary.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import keras
from keras import KerasTensor, layers, ops

from keras_seq.layers import recurrent
from keras_seq.models.blocks import check_rates, check_sizes
from keras_seq.models.embeddings import token_logits, with_vectors

Cell = Literal["lstm", "gru", "simple_rnn"]
CELLS: dict[Cell, Callable[..., keras.layers.RNN]] = {
    "lstm": recurrent.LSTM,
    "gru": recurrent.GRU,
    "simple_rnn": recurrent.SimpleRNN,
}

States = list[list[Any]]


def build_text_generation_model(
    vocab_size: int,
    embedding_dim: int,
    rnn_units: int,
    *,
    cell: Cell = "lstm",
    num_layers: int = 1,
    dropout: float = 0.0,
    variational_dropout: bool = False,
    tie_embeddings: bool = False,
    layer_norm: bool = False,
    residual: bool = False,
    embeddings: Sequence[Sequence[float]] | None = None,
) -> keras.Model:
    """Stacked recurrent layers that score the next token at every step.

    Mikolov et al. 2010, "Recurrent neural network based language model"; the options
    are each from a paper of their own, named below.

    Args:
        vocab_size: V, number of ids; id 0 marks the start of a text and is no token.
        embedding_dim: E, size of a token's vector.
        rnn_units: U, size of each layer's state.
        cell: kind of the recurrent layers.
        num_layers: number of them.
        dropout: rate on the embedding and behind each layer, never on the state
            (Zaremba et al. 2014, arXiv:1409.2329).
        variational_dropout: one mask for all steps of a row instead of one a step (Gal
            and Ghahramani 2016, arXiv:1512.05287).
        tie_embeddings: the output layer is the embedding transposed (Press and Wolf
            2017, arXiv:1608.05859), behind a projection where E is not U.
        layer_norm: normalise what each layer gives (Ba et al. 2016, arXiv:1607.06450).
        residual: add each further layer's input to its output (He et al. 2016).
        embeddings: float (V, embedding_dim), where the vectors of tokens start, such as
            `keras_seq.text.load_embeddings` reads; they are trained on.

    Returns:
        int32 (B, T) -> logits float32 (B, T, V); those of a step score the next token.

    Raises:
        ValueError: A size, rate, name or array does not fit.

    Example:

    >>> model = build_text_generation_model(50, 8, 16, num_layers=2)
    >>> model.output_shape
    (None, None, 50)
    """
    check_sizes(vocab_size=vocab_size, embedding_dim=embedding_dim)
    check_sizes(rnn_units=rnn_units, num_layers=num_layers)
    check_rates(dropout=dropout)
    if cell not in CELLS:
        raise ValueError(f"cell is {cell!r}; expected one of {', '.join(CELLS)}")
    embedding = layers.ReversibleEmbedding if tie_embeddings else layers.Embedding
    made = [embedding(vocab_size, embedding_dim, name="embedding")]
    drop = layers.SpatialDropout1D if variational_dropout else layers.Dropout
    if dropout:
        made.append(drop(dropout, name="embedding_dropout"))
    for number in range(1, num_layers + 1):
        made.append(
            CELLS[cell](
                rnn_units,
                return_sequences=True,
                return_state=True,
                name=f"rnn_{number}",
            )
        )
        if layer_norm:
            made.append(layers.LayerNormalization(name=f"norm_{number}"))
        if residual and number > 1:
            made.append(layers.Add(name=f"residual_{number}"))
        if dropout:
            made.append(drop(dropout, name=f"dropout_{number}"))
    if not tie_embeddings:
        made.append(layers.Dense(vocab_size, name="logits"))
    elif embedding_dim != rnn_units:
        made.append(layers.Dense(embedding_dim, name="projection"))
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    logits, _ = _walk(
        {layer.name: layer for layer in made},
        token_ids,
        recur=lambda number, layer, x: layer(x)[0],
        drop=lambda layer, x: layer(x),
    )
    model = keras.Model(token_ids, logits, name="text_generation")
    return with_vectors(model, embeddings)


def initial_states(model: keras.Model, batch_size: int) -> States:
    """The states of rows that have read nothing: zeros.

    Args:
        model: of `build_text_generation_model`, or loaded from its file.
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
        model: of `build_text_generation_model`, or loaded from its file.
        token_ids: int32 (B, T).
        states: as `initial_states` or this function gave them.
        training: dropout is on.

    Returns:
        logits float32 (B, T, V); what the last recurrent layer gave, float (B, T, U);
        and the states after the last step.

    Example:

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

    logits, hidden = _walk(
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
        model: of `build_text_generation_model`, or loaded from its file.
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

    logits, _ = _walk(
        {layer.name: layer for layer in model.layers},
        token_ids,
        recur=recur,
        drop=lambda layer, x: x,
    )
    return logits, [list(state) for state in after]


def _walk(
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
