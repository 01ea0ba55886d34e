"""A language model: after each token it says how likely each token is to come next.

`model(token_ids)` reads rows from a fresh start; `recurrent_states.py` goes on from
given states. Pure Keras; nothing here knows of text, files or training.

Shapes: B batch, T time steps, E embedding, U units, V vocabulary.
"""

from collections.abc import Sequence

import keras
from keras import layers

from keras_seq.models.blocks import check_rates, check_sizes
from keras_seq.models.embeddings import with_vectors
from keras_seq.models.recurrent_states import CELLS, Cell, walk


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
    logits, _ = walk(
        {layer.name: layer for layer in made},
        token_ids,
        recur=lambda number, layer, x: layer(x)[0],
        drop=lambda layer, x: layer(x),
    )
    model = keras.Model(token_ids, logits, name="text_generation")
    return with_vectors(model, embeddings)
