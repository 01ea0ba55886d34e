"""An encoder-decoder: one sequence read, another written. Recurrent, pure Keras.

`model([source_ids, target_ids])` scores every next target token at once, for training;
`initial_state` and `advance_one` go step by step, for decoding. Both walk over the same
named layers. Nothing here knows of text, files or training.

Shapes: B batch, S source steps, T target steps, E embedding, U units, V vocabulary.
"""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import KerasTensor, layers, ops

from keras_seq.constants import PAD_ID
from keras_seq.layers.attention import Attention, Score
from keras_seq.layers.decoder import RecurrentDecoder
from keras_seq.layers.token_scores import TokenScores
from keras_seq.models.blocks import (
    check_one_vocabulary,
    check_rates,
    check_sizes,
    dropped,
)
from keras_seq.models.embeddings import (
    embeddings_of_both,
    token_logits,
    with_both_vectors,
)
from keras_seq.models.recurrent_states import CELLS

State = dict[str, Any]


def build_translation_model(
    source_vocab_size: int,
    target_vocab_size: int,
    embedding_dim: int,
    rnn_units: int,
    *,
    cell: Literal["lstm", "gru", "simple_rnn"] = "lstm",
    num_layers: int = 1,
    attention: Score | None = None,
    bidirectional: bool = False,
    input_feeding: bool = False,
    tie_embeddings: bool = False,
    dropout: float = 0.0,
    embeddings: Sequence[Sequence[float]] | None = None,
    target_embeddings: Sequence[Sequence[float]] | None = None,
) -> keras.Model:
    """A recurrent encoder-decoder with attention as an option.

    With positional arguments alone h[i] = LSTM(x[i], h[i-1]) reads the source, and
    s[j] = LSTM([y[j-1]; c], s[j-1]) writes, with c = h[S] fed at every step and s[0]
    the encoder's last state (Sutskever et al. 2014, arXiv:1409.3215; Cho et al. 2014,
    arXiv:1406.1078). `attention` gives each step a context of its own.

    Args:
        source_vocab_size: number of source ids; 0 is padding.
        target_vocab_size: V, number of target ids; 0 is padding, and the start.
        embedding_dim: E, size of a token's vector.
        rnn_units: U, size of each layer's state; encoder, in each direction.
        cell: kind of the recurrent layers.
        num_layers: of encoder and decoder each.
        attention: "additive", "dot" or "general": how a decoder's step scores the
            encoder's steps; `layers.RecurrentDecoder` has the equations.
        bidirectional: the encoder reads both ways; the decoder starts from a projection
            of its last states.
        input_feeding: each step also reads the output before it (dot and general).
        tie_embeddings: one matrix for source, target and output; equal vocabularies.
        dropout: rate on embeddings and behind encoder and decoder.
        embeddings: float (source_vocab_size, embedding_dim), where the vectors of
            source tokens, or tied ones, start; `keras_seq.text.load_embeddings` reads
            such from a file.
        target_embeddings: float (V, embedding_dim), those of target tokens; not where
            they are tied.

    Returns:
        source_ids int32 (B, S), target_ids int32 (B, T), which begin with the start
        -> logits float32 (B, T, V) of the token that follows each.

    Raises:
        ValueError: A size, rate, name or array does not fit, or options contradict.

    Example:

    >>> model = build_translation_model(50, 60, 8, 16)
    >>> [tuple(each.shape) for each in model.inputs], model.output_shape
    ([(None, None), (None, None)], (None, None, 60))
    """
    check_sizes(
        source_vocab_size=source_vocab_size,
        target_vocab_size=target_vocab_size,
        embedding_dim=embedding_dim,
        rnn_units=rnn_units,
        num_layers=num_layers,
    )
    check_rates(dropout=dropout)
    if cell not in CELLS:
        raise ValueError(f"cell is {cell!r}; expected one of {', '.join(CELLS)}")
    if tie_embeddings:
        check_one_vocabulary(source_vocab_size, target_vocab_size)

    def rnn(name: str) -> layers.Layer:
        return CELLS[cell](
            rnn_units, return_sequences=True, return_state=True, name=name
        )

    # Source: embedded, then read.
    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    source_embedding, target_embedding = embeddings_of_both(
        source_vocab_size, target_vocab_size, embedding_dim, tie_embeddings
    )
    mask = ops.not_equal(source_ids, PAD_ID)
    x = dropped(source_embedding(source_ids), dropout, "source_dropout")
    states, both = [], layers.Bidirectional
    for number in range(1, num_layers + 1):
        layer = rnn(f"encoder_{number}")
        if bidirectional:
            layer = both(layer, name=f"encoder_{number}_both_ways")
        x, *last = layer(x, mask=mask)  # (B, S, U or 2 U)
        states.append(_decoder_state(last, rnn_units, number, bidirectional))
        x = dropped(x, dropout, f"encoder_dropout_{number}")
    # Target: each step reads what is written so far, and the source.
    decoder = RecurrentDecoder(
        [rnn(f"decoder_{number}") for number in range(1, num_layers + 1)],
        attention and Attention(attention, rnn_units, name="attention"),
        input_feeding,
        name="decoder",
    )
    y = dropped(target_embedding(target_ids), dropout, "target_dropout")
    y = decoder(y, x, states[-1][0], states, mask)  # (B, T, U)
    y = dropped(y, dropout, "decoder_dropout")
    # Scores of the next token.
    head: dict[str, layers.Layer] = {"embedding": target_embedding}
    if not tie_embeddings:
        head["logits"] = TokenScores(target_vocab_size, name="logits")
    elif rnn_units != embedding_dim:
        head["projection"] = layers.Dense(embedding_dim, name="projection")
    logits = token_logits(head, y)
    model = keras.Model([source_ids, target_ids], logits, name="translation")
    return with_both_vectors(model, embeddings, target_embeddings)


def _decoder_state(
    last: list[KerasTensor], units: int, number: int, bidirectional: bool
) -> list[KerasTensor]:
    """What a decoder's layer starts from: the encoder's last state, or one of both."""
    if not bidirectional:
        return last
    count = len(last) // 2
    return [
        layers.Dense(units, "tanh", name=f"bridge_{number}_{which}")(
            ops.concatenate([forward, backward], axis=-1)
        )
        for which, (forward, backward) in enumerate(zip(last[:count], last[count:]))
    ]


def initial_state(
    model: keras.Model,
    source_ids: KerasTensor,
    max_new_tokens: KerasTensor | None = None,
) -> tuple[State, State]:
    """Reads sources; what `decoding.beam_search` takes as `fixed` and `moving`.

    Args:
        model: of `build_translation_model`, or loaded from its file.
        source_ids: int32 (B, S), padded with 0.
        max_new_tokens: not used here; a Transformer makes room for so many.

    Returns:
        What steps only read, and what they change: tensors (B, ...).
    """
    decoder = model.get_layer("decoder")
    encoder = keras.Model(model.inputs[0], decoder.input[1:])
    memory, context, *flat, mask = encoder(source_ids, training=False)
    count = len(flat) // len(decoder.rnns)
    states = [flat[n : n + count] for n in range(0, len(flat), count)]
    fixed = decoder.prepare(memory, context, mask)
    return fixed, {"states": states, "previous": ops.zeros_like(flat[0])}


def advance_one(
    model: keras.Model,
    token_ids: KerasTensor,
    fixed: State,
    moving: State,
    vectors: KerasTensor | None = None,
) -> tuple[KerasTensor, State, KerasTensor | None]:
    """Reads one target token of each row, without dropout.

    Args:
        model: of `build_translation_model`, or loaded from its file.
        token_ids: int32 (B,); the start first.
        fixed: of `initial_state`.
        moving: of `initial_state`, or of the step before.
        vectors: of `embeddings.tied_vectors`: faster where many steps follow.

    Returns:
        logits float32 (B, V) of the next token, the new `moving`, and attention weights
        float (B, S), or None without attention.

    Example:

    >>> model = build_translation_model(50, 60, 8, 16, attention="additive")
    >>> source, target = ops.array([[3, 4, 5]]), ops.array([[0, 7]])
    >>> fixed, moving = initial_state(model, source, 2)
    >>> _, moving, _ = advance_one(model, target[:, 0], fixed, moving)
    >>> logits, *_ = advance_one(model, target[:, 1], fixed, moving)
    >>> bool(ops.all(ops.abs(logits - model([source, target])[:, 1]) < 1e-5))
    True
    """
    named = {layer.name: layer for layer in model.layers}
    embedding = named.get("target_embedding") or named["embedding"]
    y, states, weights = named["decoder"].step(
        embedding(token_ids), fixed, moving["states"], moving["previous"]
    )
    return token_logits(named, y, vectors), {"states": states, "previous": y}, weights
