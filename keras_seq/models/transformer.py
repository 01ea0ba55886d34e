"""A Transformer that reads one sequence and writes another. Pure Keras.

`model([source_ids, target_ids])` scores every next target token at once, for training;
`initial_state` and `advance_one` go step by step with a cache, for decoding. Both walk
over the same named layers. Nothing here knows of text, files or training.

Shapes: B batch, S source steps, T target steps, D model width, V vocabulary.
"""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import KerasTensor, layers, ops

from keras_seq.constants import PAD_ID
from keras_seq.layers.one_step import normalized
from keras_seq.layers.token_scores import TokenScores
from keras_seq.layers.transformer import SinusoidalPositions, TransformerBlock
from keras_seq.models.blocks import check_one_vocabulary, check_rates, check_sizes
from keras_seq.models.embeddings import (
    embeddings_of_both,
    token_logits,
    with_both_vectors,
)

State = dict[str, Any]


def build_transformer(
    source_vocab_size: int,
    target_vocab_size: int,
    model_dim: int = 128,
    num_heads: int = 4,
    num_layers: int = 4,
    *,
    ff_dim: int | None = None,
    dropout: float = 0.0,
    activation: Literal["relu", "gelu"] = "relu",
    pre_norm: bool = False,
    tie_embeddings: bool = False,
    recompute: bool = False,
    embeddings: Sequence[Sequence[float]] | None = None,
    target_embeddings: Sequence[Sequence[float]] | None = None,
) -> keras.Model:
    """The encoder-decoder of "Attention Is All You Need", with its options.

    Vaswani et al. 2017, arXiv:1706.03762. With positional arguments alone it is the
    paper's: sinusoidal positions, layer normalisation behind each part, ReLU.

    Args:
        source_vocab_size: number of source ids; 0 is padding.
        target_vocab_size: V, number of target ids; 0 is padding, and the start.
        model_dim: D, even, a multiple of num_heads.
        num_heads: of each attention.
        num_layers: blocks of encoder and decoder each.
        ff_dim: width of the feed-forward nets; default 4 D.
        dropout: rate on the embeddings and on what each part of a block adds.
        activation: of the feed-forward nets.
        pre_norm: normalise before each part, and once at the end.
        tie_embeddings: one matrix for source, target and output (Press and Wolf 2017,
            arXiv:1608.05859); equal vocabularies.
        recompute: compute blocks anew in the backward pass, to save memory.
        embeddings: float (source_vocab_size, model_dim), where the vectors of
            source tokens, or tied ones, start; `keras_seq.text.load_embeddings` reads
            such from a file.
        target_embeddings: float (V, model_dim), those of target tokens; not where
            they are tied.

    Returns:
        source_ids int32 (B, S), target_ids int32 (B, T), which begin with the start
        -> logits float32 (B, T, V) of the token that follows each.

    Raises:
        ValueError: A size, rate, name or array does not fit.

    Example:

    >>> model = build_transformer(50, 60, 8, 2, 1)
    >>> [tuple(each.shape) for each in model.inputs], model.output_shape
    ([(None, None), (None, None)], (None, None, 60))
    """
    ff_dim = 4 * model_dim if ff_dim is None else ff_dim
    check_sizes(
        source_vocab_size=source_vocab_size,
        target_vocab_size=target_vocab_size,
        model_dim=model_dim,
        num_heads=num_heads,
        num_layers=num_layers,
        ff_dim=ff_dim,
    )
    check_rates(dropout=dropout)
    if model_dim % 2 or model_dim % num_heads:
        raise ValueError(
            f"model_dim is {model_dim}; expected an even multiple of num_heads, "
            f"{num_heads}"
        )
    if activation not in ("relu", "gelu"):
        raise ValueError(f"activation is {activation!r}; expected relu or gelu")
    if tie_embeddings:
        check_one_vocabulary(source_vocab_size, target_vocab_size)

    def block(name: str, decodes: bool) -> TransformerBlock:
        return TransformerBlock(
            num_heads,
            ff_dim,
            dropout,
            activation,
            pre_norm,
            causal=decodes,
            cross=decodes,
            recompute=recompute,
            name=name,
        )

    source_embedding, target_embedding = embeddings_of_both(
        source_vocab_size, target_vocab_size, model_dim, tie_embeddings
    )
    # Source: tokens with their places, through the encoder's blocks.
    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    mask = ops.not_equal(source_ids, PAD_ID)
    positions = SinusoidalPositions(name="positions")
    x = positions(source_embedding(source_ids))  # (B, S, D)
    if dropout:
        x = layers.Dropout(dropout, name="source_dropout")(x)
    for number in range(1, num_layers + 1):
        x = block(f"encoder_{number}", decodes=False)(x, mask)
    if pre_norm:
        x = layers.LayerNormalization(epsilon=1e-6, name="encoder_norm")(x)
    # Target: each step sees the tokens up to its own, and the whole source.
    y = positions(target_embedding(target_ids))  # (B, T, D)
    if dropout:
        y = layers.Dropout(dropout, name="target_dropout")(y)
    for number in range(1, num_layers + 1):
        y = block(f"decoder_{number}", decodes=True)(y, None, x, mask)
    if pre_norm:
        y = layers.LayerNormalization(epsilon=1e-6, name="decoder_norm")(y)
    # Scores of the next token.
    head: dict[str, layers.Layer] = {"embedding": target_embedding}
    if not tie_embeddings:
        head["logits"] = TokenScores(target_vocab_size, name="logits")
    logits = token_logits(head, y)
    model = keras.Model([source_ids, target_ids], logits, name="transformer")
    return with_both_vectors(model, embeddings, target_embeddings)


def initial_state(
    model: keras.Model,
    source_ids: KerasTensor,
    max_new_tokens: KerasTensor | None = None,
) -> tuple[State, State]:
    """Reads sources; what `decoding.beam_search` takes as `fixed` and `moving`.

    Args:
        model: of `build_transformer`, or loaded from its file.
        source_ids: int32 (B, S), padded with 0.
        max_new_tokens: int32, the most steps that follow; the size of the cache. None:
            it grows with each step, which is faster and takes a backend whose loops
            may carry tensors that grow.

    Returns:
        What steps only read, and what they change: tensors (B, ...).
    """
    blocks = decoder_blocks(model)
    encoder = keras.Model(model.inputs[0], blocks[0].input[1:])
    memory, mask = encoder(source_ids, training=False)
    batch_size = ops.shape(source_ids)[0]
    fixed = {block.name: block.prepare(memory) for block in blocks}
    fixed["mask"] = mask
    moving: State = {
        block.name: block.empty_cache(batch_size, max_new_tokens) for block in blocks
    }
    if max_new_tokens is not None:
        moving["position"] = ops.zeros((batch_size,), dtype="int32")
    return fixed, moving


def decoder_blocks(model: keras.Model) -> list[TransformerBlock]:
    """The decoder's blocks, first to last."""
    return [
        layer
        for layer in model.layers
        if isinstance(layer, TransformerBlock) and layer.cross
    ]


def advance_one(
    model: keras.Model,
    token_ids: KerasTensor,
    fixed: State,
    moving: State,
    vectors: KerasTensor | None = None,
) -> tuple[KerasTensor, State, KerasTensor]:
    """Reads one target token of each row, without dropout.

    Args:
        model: of `build_transformer`, or loaded from its file.
        token_ids: int32 (B,); the start first.
        fixed: of `initial_state`, of all rows or of the sentences that they are beams
            of, K side by side.
        moving: of `initial_state`, or of the step before.
        vectors: of `embeddings.tied_vectors`: faster where many steps follow.

    Returns:
        logits float32 (B, V) of the next token, the new `moving`, and the mean of the
        last block's attention weights over its heads, float (B, S).

    Example:

    >>> model = build_transformer(50, 60, 8, 2, 1)
    >>> source, target = ops.array([[3, 4, 5]]), ops.array([[0, 7]])
    >>> fixed, moving = initial_state(model, source, 2)
    >>> _, moving, _ = advance_one(model, target[:, 0], fixed, moving)
    >>> logits, *_ = advance_one(model, target[:, 1], fixed, moving)
    >>> bool(ops.all(ops.abs(logits - model([source, target])[:, 1]) < 1e-5))
    True
    """
    named = {layer.name: layer for layer in model.layers}
    embedding = named.get("target_embedding") or named["embedding"]
    blocks = decoder_blocks(model)
    position, after = moving.get("position"), {}
    if position is None:  # the cache has as many steps as went before
        place = ops.reshape(ops.shape(moving[blocks[0].name]["keys"])[2], (1,))
    else:
        place, after["position"] = position, position + 1
    y = named["positions"](embedding(token_ids[:, None]), place)[:, 0]  # (B, D)
    for block in blocks:
        y, after[block.name], weights = block.step(
            y, moving[block.name], position, fixed[block.name], fixed["mask"]
        )
    if "decoder_norm" in named:
        y = normalized(y, named["decoder_norm"])
    return token_logits(named, y, vectors), after, weights
