"""Recurrent language models and classifiers over token ids, as the tutorial has them.

Each builder returns an uncompiled `keras.Model`. This module knows nothing of text,
files or training: what it needs of the data comes as plain sizes.

Shapes: B batch, T time steps, U units, V vocabulary, C classes.
"""

from collections.abc import Callable, Sequence
from functools import partial

import keras
from keras import layers

from keras_seq.layers.recurrent import GRU, LSTM, SimpleRNN
from keras_seq.models.blocks import check_sizes, final_states
from keras_seq.models.embeddings import with_vectors

DROPOUT = 0.2


def build_simple_rnn(
    vocab_size: int,
    embedding_dim: int,
    rnn_units: int,
    batch_size: int,
    *,
    embeddings: Sequence[Sequence[float]] | None = None,
) -> keras.Model:
    """A stateful SimpleRNN that scores the next token at every step.

    The state is carried from batch to batch, so row b of the next batch must go on
    where row b of this one stopped; `model.get_layer("rnn").reset_state()` starts anew.

    Args:
        vocab_size: V, number of ids, the padding id 0 included.
        embedding_dim: size of a token's vector.
        rnn_units: U, size of the state.
        batch_size: B, fixed, since each row has a state of its own.
        embeddings: float (V, embedding_dim), where the vectors of tokens start, such as
            `keras_seq.text.load_embeddings` reads; they are trained on.

    Returns:
        int32 (B, T) -> logits float32 (B, T, V).

    Raises:
        ValueError: A size is not a positive integer, or an array does not fit.

    Example:

    >>> model = build_simple_rnn(50, 8, 16, batch_size=2)
    >>> model.output_shape
    (2, None, 50)
    """
    check_sizes(vocab_size=vocab_size, embedding_dim=embedding_dim)
    check_sizes(rnn_units=rnn_units, batch_size=batch_size)
    token_ids = keras.Input(
        batch_shape=(batch_size, None), dtype="int32", name="token_ids"
    )
    x = layers.Embedding(vocab_size, embedding_dim, mask_zero=True, name="embedding")(
        token_ids
    )
    x = SimpleRNN(
        rnn_units,
        return_sequences=True,
        stateful=True,
        recurrent_initializer="glorot_uniform",
        name="rnn",
    )(
        x
    )  # (B, T, U)
    logits = layers.Dense(vocab_size, name="logits")(x)  # (B, T, V)
    model = keras.Model(token_ids, logits, name="simple_rnn")
    return with_vectors(model, embeddings)


def build_lstm_model(
    vocab_size: int,
    embedding_dim: int,
    lstm_units: int,
    *,
    num_classes: int | None = None,
    num_layers: int = 2,
    residual: bool = False,
    kernel_regularizer: str | keras.Regularizer | None = None,
    embeddings: Sequence[Sequence[float]] | None = None,
) -> keras.Model:
    """Stacked LSTMs that read a text and predict its next token, or its class.

    Hochreiter and Schmidhuber 1997, "Long Short-Term Memory"; dropout stands between
    the layers alone, as in Zaremba et al. 2014, arXiv:1409.2329.

    Args:
        vocab_size: V, number of ids, the padding id 0 included.
        embedding_dim: size of a token's vector.
        lstm_units: U, size of each layer's state.
        num_classes: C; None predicts the next of the V tokens.
        num_layers: number of recurrent layers.
        residual: add each further layer's input to its output.
        kernel_regularizer: penalty on the weights of the recurrent layers' inputs and
            of the output layer, such as "l2".
        embeddings: float (V, embedding_dim), where the vectors of tokens start, such as
            `keras_seq.text.load_embeddings` reads; they are trained on.

    Returns:
        int32 (B, T) -> probabilities float32 (B, V), or (B, C).

    Raises:
        ValueError: A size is not a positive integer, or an array does not fit.

    Example:

    >>> build_lstm_model(50, 8, 16).output_shape
    (None, 50)
    >>> build_lstm_model(50, 8, 16, num_classes=3).output_shape
    (None, 3)
    """
    check_sizes(lstm_units=lstm_units)
    cell = partial(LSTM, lstm_units, kernel_regularizer=kernel_regularizer)
    return _stacked(
        cell,
        "lstm",
        vocab_size,
        embedding_dim,
        num_classes,
        num_layers,
        residual,
        kernel_regularizer,
        embeddings,
    )


def build_gru_model(
    vocab_size: int,
    embedding_dim: int,
    gru_units: int,
    *,
    num_classes: int | None = None,
    num_layers: int = 2,
    residual: bool = False,
    kernel_regularizer: str | keras.Regularizer | None = None,
    embeddings: Sequence[Sequence[float]] | None = None,
) -> keras.Model:
    """`build_lstm_model` with GRU cells: a quarter fewer weights at the same size.

    Cho et al. 2014, arXiv:1406.1078.

    Args:
        gru_units: U, size of each layer's state.
        others: as `build_lstm_model` takes them; it says what is returned and raised.

    Example:

    >>> build_gru_model(50, 8, 16).get_layer("gru_1").units
    16
    """
    check_sizes(gru_units=gru_units)
    cell = partial(GRU, gru_units, kernel_regularizer=kernel_regularizer)
    return _stacked(
        cell,
        "gru",
        vocab_size,
        embedding_dim,
        num_classes,
        num_layers,
        residual,
        kernel_regularizer,
        embeddings,
    )


def build_bidirectional_lstm(
    vocab_size: int,
    embedding_dim: int,
    lstm_units: int,
    *,
    num_classes: int | None = None,
    num_layers: int = 2,
    residual: bool = False,
    kernel_regularizer: str | keras.Regularizer | None = None,
    embeddings: Sequence[Sequence[float]] | None = None,
) -> keras.Model:
    """`build_lstm_model` that also reads each text backwards.

    Both directions are concatenated, so each layer gives 2 U features. Graves and
    Schmidhuber 2005, "Framewise phoneme classification with bidirectional LSTM".

    Args:
        lstm_units: U, size of the state of each direction.
        others: as `build_lstm_model` takes them; it says what is returned and raised.

    Example:

    >>> build_bidirectional_lstm(50, 8, 16, num_classes=2).count_params()
    9938
    """
    check_sizes(lstm_units=lstm_units)

    def cell(return_sequences: bool, name: str) -> keras.Layer:
        one_way = LSTM(
            lstm_units,
            return_sequences=return_sequences,
            kernel_regularizer=kernel_regularizer,
            name="lstm",
        )
        return layers.Bidirectional(one_way, name=name)

    return _stacked(
        cell,
        "bidirectional_lstm",
        vocab_size,
        embedding_dim,
        num_classes,
        num_layers,
        residual,
        kernel_regularizer,
        embeddings,
    )


def _stacked(
    cell: Callable[..., keras.Layer],
    name: str,
    vocab_size: int,
    embedding_dim: int,
    num_classes: int | None,
    num_layers: int,
    residual: bool,
    kernel_regularizer: str | keras.Regularizer | None,
    embeddings: Sequence[Sequence[float]] | None,
) -> keras.Model:
    """Embedding, then `num_layers` times (cell, Dropout), then probabilities."""
    check_sizes(vocab_size=vocab_size, embedding_dim=embedding_dim)
    check_sizes(num_layers=num_layers)
    outputs = vocab_size if num_classes is None else num_classes
    check_sizes(num_classes=outputs)
    if outputs < 2:
        raise ValueError(
            "num_classes is 1; expected 2 or more, for the softmax of one class is "
            "always 1: two classes are 2, and build_sentiment_model(..., "
            "target='number') has one number"
        )
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    x = layers.Embedding(vocab_size, embedding_dim, mask_zero=True, name="embedding")(
        token_ids
    )  # (B, T, E)
    for number in range(1, num_layers + 1):
        is_whole = number < num_layers or residual
        recurrent = cell(return_sequences=is_whole, name=f"{name}_{number}")
        states = recurrent(x)
        if residual and number > 1:
            states = layers.Add(name=f"residual_{number}")([x, states])
        x = layers.Dropout(DROPOUT, name=f"dropout_{number}")(states)
    if residual:
        both_ways = isinstance(recurrent, layers.Bidirectional)
        x = final_states(x, token_ids, bidirectional=both_ways)
    probabilities = layers.Dense(
        outputs,
        activation="softmax",
        kernel_regularizer=kernel_regularizer,
        name="probabilities",
    )(x)
    model = keras.Model(token_ids, probabilities, name=name)
    return with_vectors(model, embeddings)
