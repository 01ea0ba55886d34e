"""Sentiment of a text: what its words say, and in which order.

The builder knows nothing of text or files; what it needs of the data comes as sizes and
as one array. Any Keras backend, uncompiled.

Shapes: B batch, T time steps, F features, C classes.
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers, ops

from keras_seq.layers.ngrams import Ratios, ngram_ids
from keras_seq.layers.recurrent import LSTM
from keras_seq.models.blocks import (
    check_rates,
    check_sizes,
    max_and_mean,
    present_steps,
)
from keras_seq.models.embeddings import with_vectors

# Evidence is a mean of small weights; the gain lets it learn at the LSTM's rate.
NGRAM_GAIN = 25.0


def build_sentiment_model(
    vocab_size: int = 10000,
    *,
    num_classes: int = 2,
    target: Literal["class", "labels", "number"] = "class",
    target_mean: float = 0.0,
    target_scale: float = 1.0,
    embedding_dim: int = 128,
    lstm_units: int = 64,
    dropout: float = 0.2,
    recurrent_dropout: float = 0.2,
    embedding_dropout: float = 0.0,
    bidirectional: bool = False,
    pooling: Literal["last", "max_and_mean"] = "last",
    kernel_regularizer: str | keras.Regularizer | None = None,
    ngram_ratios: Ratios | None = None,
    embeddings: Sequence[Sequence[float]] | None = None,
) -> keras.Model:
    """An LSTM that reads a review and gives the probability of its class.

    With `vocab_size` alone it is the tutorial's: Embedding(128), LSTM(64, dropout 0.2,
    recurrent_dropout 0.2), Dense(1, sigmoid).

    With `ngram_ratios`, n-grams give logits of their own, as in NB-SVM (Wang and
    Manning 2012), and the answer is the mean of two logits. `with_auxiliary_heads`
    trains each on its own, `fit_head_weights` finds the weights to add them with.

    Args:
        vocab_size: V, number of ids, the padding id 0 included.
        num_classes: C; two classes have one probability, that of the second.
        target: "class" is one of C; "labels" is any of C, each with a probability of
            its own; "number" is one number, and `num_classes` is not looked at.
        target_mean: of the train part's numbers.
        target_scale: their standard deviation; the model learns in these units, and
            answers in the numbers' own.
        embedding_dim: size of a token's vector.
        lstm_units: size of the LSTM's state, of each direction.
        dropout: rate on the LSTM's inputs, and on what is pooled.
        recurrent_dropout: rate on the state inside the LSTM. Any but 0 rules out
            cuDNN, and costs about 2.5 times the time on a CPU.
        embedding_dropout: rate at which whole features of the embedding are left out.
        bidirectional: read backwards, too.
        pooling: what of the states is classified: the last, or the largest and the mean
            over time.
        kernel_regularizer: penalty on the weights of inputs and outputs, such as "l2".
        ngram_ratios: float (buckets, 1), or (buckets, C) for labels and more than two
            classes, from `keras_seq.layers.ngrams.ngram_log_ratios`,
            `ngram_label_ratios` or `ngram_means`; None leaves n-grams out.
        embeddings: float (V, embedding_dim), where the vectors of tokens start, such as
            `keras_seq.text.load_embeddings` reads; they are trained on.

    Returns:
        int32 (B, T) -> probability float32 (B, 1), or (B, C) for labels and more than
        two classes; number float32 (B, 1).

    Raises:
        ValueError: A size, rate, name or array does not fit.

    Example:

    >>> model = build_sentiment_model(10000)
    >>> model.output_shape, model.count_params()
    ((None, 1), 1329473)
    """
    check_sizes(
        vocab_size=vocab_size, embedding_dim=embedding_dim, lstm_units=lstm_units
    )
    check_rates(dropout=dropout, recurrent_dropout=recurrent_dropout)
    check_rates(embedding_dropout=embedding_dropout)
    outputs, activation = _head(target, num_classes)
    if not target_scale > 0:
        raise ValueError(f"target_scale is {target_scale}; expected more than 0")
    if pooling not in ("last", "max_and_mean"):
        raise ValueError(f"pooling is {pooling!r}; expected 'last' or 'max_and_mean'")
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    x = layers.Embedding(vocab_size, embedding_dim, mask_zero=True, name="embedding")(
        token_ids
    )  # (B, T, E)
    if embedding_dropout:
        x = layers.SpatialDropout1D(embedding_dropout, name="embedding_dropout")(x)
    lstm = LSTM(
        lstm_units,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        kernel_regularizer=kernel_regularizer,
        return_sequences=pooling != "last",
        name="lstm",
    )
    if bidirectional:
        lstm = layers.Bidirectional(lstm, name="bidirectional")
    x = lstm(x)
    if pooling == "max_and_mean":
        x = max_and_mean(x, token_ids)  # (B, 2 F)
        x = layers.Dropout(dropout, name="pooled_dropout")(x)
    is_probability = ngram_ratios is None and activation is not None
    head = layers.Dense(
        outputs,
        activation=activation if is_probability else None,
        kernel_regularizer=kernel_regularizer,
        name="probability" if is_probability else "recurrent_logits",
    )
    answer = head(x)
    if ngram_ratios is not None:
        of_ngrams = _ngram_logits(token_ids, ngram_ratios, outputs)
        answer = layers.Average(name="logits")([answer, of_ngrams])
    if activation is None:
        answer = layers.Rescaling(  # float16 ends at 65504
            target_scale, target_mean, name="number", dtype="float32"
        )(answer)
    elif not is_probability:
        answer = layers.Activation(activation, name="probability")(answer)
    model = keras.Model(token_ids, answer, name="sentiment")
    return with_vectors(model, embeddings)


def _head(target: str, num_classes: int) -> tuple[int, str | None]:
    """Outputs and activation."""
    check_sizes(num_classes=num_classes)
    if target == "number":
        return 1, None
    if target == "labels":
        return num_classes, "sigmoid"
    if target != "class":
        raise ValueError(
            f"target is {target!r}; expected 'class', 'labels' or 'number'"
        )
    if num_classes < 2:
        raise ValueError(
            f"num_classes is {num_classes}; expected 2 or more: two classes have one "
            "probability already, and target='number' is one number"
        )
    return (1, "sigmoid") if num_classes == 2 else (num_classes, "softmax")


def _ngram_logits(
    token_ids: keras.KerasTensor, given: Ratios, outputs: int
) -> keras.KerasTensor:
    """Weighted log-count ratios of a text's n-grams, scaled to unit length: (B, C)."""
    ratios = ops.convert_to_numpy(given)
    if ratios.ndim != 2 or ratios.shape[1] != outputs:
        raise ValueError(
            f"ngram_ratios has shape {ratios.shape}; expected (buckets, {outputs})"
        )
    if not ops.all(ops.isfinite(ratios)):
        raise ValueError("ngram_ratios hold NaN or Inf; expected log-count ratios")
    ids = ngram_ids(token_ids, len(ratios))  # (B, 3 T)
    fixed = layers.Embedding(
        *ratios.shape,
        embeddings_initializer="zeros",
        trainable=False,
        name="ngram_ratios",
    )
    learned = layers.Embedding(
        *ratios.shape, embeddings_initializer="zeros", name="ngram_weights"
    )
    ratio = fixed(ids) * present_steps(ids)  # (B, 3 T, C)
    fixed.set_weights([ratios])
    length = ops.sqrt(ops.sum(ops.square(ratio), axis=1) + 1e-6)
    weighted = ops.sum(ratio * learned(ids), axis=1) / length
    gain = keras.initializers.Identity(NGRAM_GAIN)
    return layers.Dense(outputs, kernel_initializer=gain, name="ngram_logits")(weighted)
