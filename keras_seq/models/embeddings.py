"""What several builders share: vectors of tokens, and scores by them.

Shapes: V vocabulary, E embedding, U units.
"""

from collections.abc import Mapping, Sequence

import keras
from keras import KerasTensor, ops

from keras_seq.layers.token_scores import TokenEmbedding


def with_vectors(
    model: keras.Model,
    vectors: Sequence[Sequence[float]] | None,
    layer: str = "embedding",
    argument: str = "embeddings",
) -> keras.Model:
    """The same model, whose embedding starts from given vectors; None changes nothing.

    Args:
        model: built.
        vectors: float (V, E), such as `keras_seq.text.load_embeddings` reads.
        layer: name of the embedding.
        argument: what the vectors are called in an error.

    Raises:
        ValueError: They are no numbers, or have another shape.

    Example:

    >>> model = keras.Sequential([keras.layers.Embedding(3, 2, name="embedding")])
    >>> _ = model.build((None, None))
    >>> with_vectors(model, [[1.0, 2.0]])
    Traceback (most recent call last):
    ...
    ValueError: embeddings has shape (1, 2); expected (3, 2): a row for each id, ...
    """
    if vectors is None:
        return model
    embedding, matrix = model.get_layer(layer), ops.convert_to_numpy(vectors)
    expected = embedding.input_dim, embedding.output_dim
    if matrix.shape != expected:
        raise ValueError(
            f"{argument} has shape {matrix.shape}; expected {expected}: a row for "
            "each id, as long as the model's vectors"
        )
    if not (matrix.dtype.kind in "fiu" and ops.all(ops.isfinite(matrix))):
        raise ValueError(f"{argument} hold NaN, Inf or words; expected numbers alone")
    embedding.set_weights([matrix])
    return model


def with_both_vectors(
    model: keras.Model,
    vectors: Sequence[Sequence[float]] | None,
    target_vectors: Sequence[Sequence[float]] | None,
) -> keras.Model:
    """`with_vectors` of an encoder-decoder: of each side, or of the tied embedding.

    Args:
        model: built; its embeddings are "source_embedding" and "target_embedding", or
            "embedding" alone.
        vectors: float (V, E), of the source's or the tied one.
        target_vectors: float (V, E), of the target's; None where they are tied.

    Raises:
        ValueError: They are no numbers, have another shape, or are two for one.
    """
    names = {layer.name for layer in model.layers}
    if "embedding" not in names:
        with_vectors(model, vectors, "source_embedding")
        target = "target_embedding", "target_embeddings"
        return with_vectors(model, target_vectors, *target)
    if target_vectors is not None:
        raise ValueError("target_embeddings: tied ones are given as embeddings")
    return with_vectors(model, vectors)


def token_embedding(
    name: str, vocab_size: int, embedding_dim: int, tied: bool
) -> keras.layers.Embedding:
    """Vectors of tokens, normal with a deviation of 1 / sqrt(E) (Vaswani et al. 2017).

    Keras' own start, within 0.05, is so small that a recurrent decoder whose vectors
    are its output, too, hardly learns.

    Args:
        name: of the layer.
        vocab_size: V.
        embedding_dim: E.
        tied: they score the output, too.

    Example:

    >>> layer = token_embedding("embedding", 4000, 100, tied=True)
    >>> round(float(ops.std(layer(ops.arange(4000)))), 2)
    0.1
    """
    kind = TokenEmbedding if tied else keras.layers.Embedding
    start = keras.initializers.RandomNormal(stddev=embedding_dim**-0.5)
    return kind(vocab_size, embedding_dim, embeddings_initializer=start, name=name)


def embeddings_of_both(
    source_vocab_size: int, target_vocab_size: int, embedding_dim: int, tied: bool
) -> tuple[keras.layers.Embedding, keras.layers.Embedding]:
    """Those of source and target: one layer where they are tied, else one each."""
    if tied:
        both = token_embedding("embedding", target_vocab_size, embedding_dim, tied)
        return both, both
    sizes = {"source": source_vocab_size, "target": target_vocab_size}
    source, target = (
        token_embedding(f"{side}_embedding", size, embedding_dim, tied)
        for side, size in sizes.items()
    )
    return source, target


def token_logits(
    named: Mapping[str, keras.Layer],
    x: KerasTensor,
    vectors: KerasTensor | None = None,
) -> KerasTensor:
    """Scores of tokens: by the layer "logits", or by the tied "embedding" transposed.

    Args:
        named: layers of a model by name; "projection" stands before a tied embedding
            of another width.
        x: float (..., U).
        vectors: of `tied_vectors`, where many calls follow each other.

    Returns:
        float32 (..., V): a loss in half precision says little.
    """
    if "projection" in named:
        x = named["projection"](x)  # (..., E)
    if "logits" in named:
        logits = named["logits"](x)
    elif vectors is None:
        logits = named["embedding"](x, reverse=True)
    else:
        logits = ops.matmul(x, vectors)
    return logits if logits.dtype == "float32" else ops.cast(logits, "float32")


def tied_vectors(model: keras.Model) -> KerasTensor | None:
    """What a tied embedding scores tokens with: float (E, V), None where none is tied.

    Transposed once: a product of few rows with the transpose of a matrix takes up to
    ten times as long as one with the matrix itself.

    Args:
        model: an encoder-decoder, whose logits are of a layer "logits" or tied.

    Example:

    >>> model = keras.Sequential([TokenEmbedding(50, 8, name="embedding")])
    >>> _ = model.build((None, None))
    >>> tuple(tied_vectors(model).shape)
    (8, 50)
    """
    if any(layer.name == "logits" for layer in model.layers):
        return None
    embedding = model.get_layer("embedding")
    return ops.transpose(ops.cast(embedding.embeddings, embedding.compute_dtype))
