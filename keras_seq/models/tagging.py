"""A tag for every word of a sentence.

The builder knows nothing of text or files. Any Keras backend, uncompiled.

Shapes: B batch, T words, L characters, K features, C tags.
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers, ops

from keras_seq.constants import OOV_ID, PAD_ID
from keras_seq.layers.characters import CharacterEncoder, WordDropout
from keras_seq.layers.crf import CRF, Allowed
from keras_seq.layers.recurrent import LSTM
from keras_seq.models.blocks import check_rates, check_sizes
from keras_seq.models.embeddings import with_vectors

CHARACTER_DIM, CHARACTER_UNITS, FEATURE_DIM = 32, 64, 16


def build_tagging_model(
    vocab_size: int,
    num_tags: int,
    embedding_dim: int = 100,
    lstm_units: int = 128,
    *,
    num_layers: int = 1,
    dropout: float = 0.0,
    word_dropout: float = 0.0,
    characters: Literal["cnn", "lstm"] | None = None,
    num_characters: int = 2048,
    word_length: int = 20,
    num_features: int = 0,
    feature_ids: int = 0,
    crf: bool = False,
    allowed: Allowed | None = None,
    embeddings: Sequence[Sequence[float]] | None = None,
) -> keras.Model:
    """An LSTM that reads a sentence both ways and scores the tags of each word.

    With positional arguments alone: Embedding, Bidirectional(LSTM), Dense at every step
    (Huang, Xu and Yu 2015, arXiv:1508.01991). The inputs are `token_ids`, and, where
    they are asked for, `characters` and `features`, in this order.

    Args:
        vocab_size: V, number of word ids; 0 is padding, 1 an unknown word.
        num_tags: C.
        embedding_dim: size of a word's vector.
        lstm_units: size of the LSTM's state, of each direction.
        num_layers: LSTMs, one above the other.
        dropout: rate on what goes into and comes out of each LSTM.
        word_dropout: share of the words that training makes unknown.
        characters: reads each word's characters, too: by a CNN or by an LSTM.
        num_characters: ids of characters, padding not counted.
        word_length: L.
        num_features: K hashed features of each word, such as `text.words.affix_ids`.
        feature_ids: number of their ids, 0 not counted.
        crf: answers with the potentials of a `CRF` instead of logits.
        allowed: of the `CRF`.
        embeddings: float (V, embedding_dim), where the vectors of words start, such as
            `keras_seq.text.load_embeddings` reads; they are trained on.

    Returns:
        int32 (B, T), and int32 (B, T, L) and (B, T, K) -> logits float32 (B, T, C); or
        potentials float32 (B, T, C, C).

    Raises:
        ValueError: A size, rate, name or array does not fit.

    Example:

    >>> model = build_tagging_model(10_000, 17, 100, 128)
    >>> model.output_shape, model.count_params()
    ((None, None, 17), 1238865)
    """
    check_sizes(
        vocab_size=vocab_size,
        num_tags=num_tags,
        embedding_dim=embedding_dim,
        lstm_units=lstm_units,
        num_layers=num_layers,
    )
    check_rates(dropout=dropout, word_dropout=word_dropout)
    if allowed is not None and not crf:
        raise ValueError("allowed is given, but crf is False; only a CRF can use it")
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    inputs, mask = [token_ids], ops.not_equal(token_ids, PAD_ID)
    # Words: vectors, of which some are left out in training.
    x = token_ids
    if word_dropout:
        x = WordDropout(word_dropout, OOV_ID, name="word_dropout")(x)
    embedding = layers.Embedding(vocab_size, embedding_dim, name="embedding")
    parts = [embedding(x)]  # (B, T, E)
    # Their characters, and features that somebody else has made.
    if characters is not None:
        check_sizes(num_characters=num_characters, word_length=word_length)
        inputs.append(
            keras.Input((None, word_length), dtype="int32", name="characters")
        )
        parts.append(
            CharacterEncoder(
                num_characters,
                CHARACTER_DIM,
                CHARACTER_UNITS,
                characters,
                name="character_encoder",
            )(inputs[-1])
        )
    if num_features:
        check_sizes(num_features=num_features, feature_ids=feature_ids)
        inputs.append(keras.Input((None, num_features), dtype="int32", name="features"))
        vectors = layers.Embedding(
            feature_ids + 1, FEATURE_DIM, name="feature_embedding"
        )(
            inputs[-1]
        )  # (B, T, K, 16)
        parts.append(layers.Reshape((-1, num_features * FEATURE_DIM))(vectors))
    x = layers.Concatenate(name="word")(parts) if len(parts) > 1 else parts[0]
    # The sentence, both ways.
    for number in range(1, num_layers + 1):
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout_{number}")(x)
        lstm = LSTM(lstm_units, return_sequences=True)
        x = layers.Bidirectional(lstm, name=f"bidirectional_{number}")(x, mask=mask)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    # Scores of tags, and of neighbours.
    x = layers.Dense(num_tags, dtype="float32", name="logits")(x)
    if crf:
        x = CRF(num_tags, allowed, name="crf")(x, mask=mask)
    model = keras.Model(inputs if len(inputs) > 1 else token_ids, x, name="tagging")
    return with_vectors(model, embeddings)
