"""One picture to many words: its features start an LSTM that writes. Pure Keras.

`model([features, target_ids])` scores every next token at once, for training;
`initial_state` and `advance_one`, those of every recurrent encoder-decoder, go step by
step, for decoding.

Shapes: B batch, H and W of a grid, S = H W places, F features, T target steps, E
embedding, U units, V vocabulary.
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers, ops

from keras_seq.layers import recurrent
from keras_seq.layers.attention import Attention
from keras_seq.layers.decoder import RecurrentDecoder
from keras_seq.layers.token_scores import TokenScores
from keras_seq.models.blocks import check_rates, check_shape, check_sizes, dropped
from keras_seq.models.embeddings import token_embedding, token_logits, with_vectors
from keras_seq.models.translation import advance_one, initial_state

__all__ = ["advance_one", "build_captioning_model", "initial_state"]


def build_captioning_model(
    feature_shape: tuple[int, ...],
    vocab_size: int,
    embedding_dim: int,
    lstm_units: int,
    *,
    attention: Literal["additive"] | None = None,
    encoder: keras.Model | None = None,
    tie_embeddings: bool = False,
    dropout: float = 0.0,
    embeddings: Sequence[Sequence[float]] | None = None,
) -> keras.Model:
    """An LSTM that writes what a picture shows, with attention as an option.

    With positional arguments alone the mean of the features starts the LSTM and is fed
    at every step (Vinyals et al. 2015, arXiv:1411.4555; Mao et al. 2015,
    arXiv:1412.6632). With additive attention each step looks at the grid of features
    first (Xu et al. 2015, arXiv:1502.03044):

        a[s] = tanh(W f[s])             places of the grid
        h[0], c[0] = tanh(V mean(f))    where the LSTM starts
        c[i] = attend(h[i-1], a)        h[i] = LSTM([y[i-1]; c[i]], h[i-1])

    Args:
        feature_shape: (H, W, F) or (S, F) of a grid, or (F,) of a whole picture.
        vocab_size: V, number of token ids; 0 is padding, and the start.
        embedding_dim: E, size of a token's vector.
        lstm_units: U, size of the LSTM's state.
        attention: "additive", or None for the mean of the features alone.
        encoder: from pictures to features of `feature_shape`, which is trained with the
            rest unless it is frozen; None where features are given.
        tie_embeddings: one matrix for what is read and what is written.
        dropout: rate on features, on embeddings and behind the LSTM.
        embeddings: float (V, E), where the vectors of tokens start.

    Returns:
        features float32 (B, *feature_shape), or the input of `encoder`, and target_ids
        int32 (B, T), which begin with the start -> logits float32 (B, T, V) of the
        token that follows each.

    Raises:
        ValueError: A size, shape, rate, name or array does not fit.

    Example:

    >>> model = build_captioning_model((7, 7, 32), 60, 8, 16, attention="additive")
    >>> [tuple(each.shape) for each in model.inputs], model.output_shape
    ([(None, 7, 7, 32), (None, None)], (None, None, 60))
    """
    check_shape(feature_shape, (1, 2, 3), feature_shape="(F,), (S, F) or (H, W, F)")
    check_sizes(
        vocab_size=vocab_size, embedding_dim=embedding_dim, lstm_units=lstm_units
    )
    check_rates(dropout=dropout)
    if attention not in (None, "additive"):
        raise ValueError(f"attention is {attention!r}; expected 'additive' or None")
    if attention is not None and len(feature_shape) == 1:
        raise ValueError(
            f"attention needs a grid; feature_shape is {feature_shape}, of a whole "
            "picture: give (H, W, F) or (S, F)"
        )
    # The picture: features, their mean, and the places that can be looked at.
    if encoder is None:
        picture = features = keras.Input(feature_shape, name="features")
    else:
        _check_encoder(encoder, feature_shape)
        picture = keras.Input(encoder.input_shape[1:], name="image")
        features = encoder(picture)
    grid = layers.Reshape((-1, feature_shape[-1]), name="places")(features)  # (B, S, F)
    grid = dropped(grid, dropout, "feature_dropout")
    mean = ops.mean(grid, axis=1)  # (B, F)
    states = [
        layers.Dense(lstm_units, "tanh", name=f"initial_{name}")(mean)
        for name in ("h", "c")
    ]
    annotated = layers.Dense(lstm_units, "tanh", name="annotations")
    if attention is None:  # the mean is the one place
        grid = ops.expand_dims(mean, axis=1)
    memory = annotated(grid)  # (B, S, U)
    every_place = ops.ones_like(memory[:, :, 0], dtype="bool")
    # The caption: each step reads what is written so far, and the picture.
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    embedding = token_embedding("embedding", vocab_size, embedding_dim, tie_embeddings)
    lstm = recurrent.LSTM(
        lstm_units, return_sequences=True, return_state=True, name="lstm"
    )
    looks = attention and Attention(attention, lstm_units, name="attention")
    decoder = RecurrentDecoder([lstm], looks, name="decoder")
    y = dropped(embedding(target_ids), dropout, "target_dropout")
    y = decoder(y, memory, memory[:, 0], [states], every_place)  # (B, T, U)
    y = dropped(y, dropout, "decoder_dropout")
    # Scores of the next token.
    head: dict[str, layers.Layer] = {"embedding": embedding}
    if not tie_embeddings:
        head["logits"] = TokenScores(vocab_size, name="logits")
    elif lstm_units != embedding_dim:
        head["projection"] = layers.Dense(embedding_dim, name="projection")
    model = keras.Model([picture, target_ids], token_logits(head, y), name="captioning")
    return with_vectors(model, embeddings)


def _check_encoder(encoder: keras.Model, feature_shape: tuple[int, ...]) -> None:
    if tuple(encoder.output_shape[1:]) != tuple(feature_shape):
        raise ValueError(
            f"the encoder answers with {encoder.output_shape[1:]}; feature_shape is "
            f"{feature_shape}"
        )
