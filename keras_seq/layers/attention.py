"""Attention of one sequence to another, as encoder-decoders use it. Pure Keras.

Scores e[i, j] = a(s[i], h[j]); weights are their softmax over j; the context
c[i] = sum over j of weights[i, j] h[j]. With a score of

    additive   v . tanh(W s[i] + U h[j])   Bahdanau et al. 2015, arXiv:1409.0473
    dot        s[i] . h[j]                 Luong et al. 2015, arXiv:1508.04025
    general    s[i] . W h[j]               the same

Scaled dot-product and multi-head attention are `keras.layers.MultiHeadAttention`.

Shapes: B batch, T queries, S steps of the memory, Q and D widths, U units.
"""

from typing import Any, Literal

import keras
from keras import KerasTensor, ops

Score = Literal["additive", "dot", "general"]
FAR_BELOW = -1e9  # of a masked score: its weight is then set to 0 all the same


def masked_softmax(scores: KerasTensor, counts: KerasTensor | None) -> KerasTensor:
    """Weights of the last axis, exactly 0 where a place does not count.

    Args:
        scores: float (..., S).
        counts: bool, of a shape that broadcasts; None: all. A row where none counts
            has no weight at all.

    Returns:
        float (..., S), computed in float32.

    Example:

    >>> counts = ops.array([[True, True, False], [False, False, False]])
    >>> ops.convert_to_numpy(masked_softmax(ops.ones((2, 3)), counts)).tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    wide = ops.cast(scores, "float32")
    if counts is None:
        return ops.cast(ops.softmax(wide, axis=-1), scores.dtype)
    weights = ops.softmax(ops.where(counts, wide, FAR_BELOW), axis=-1)
    return ops.cast(ops.where(counts, weights, 0.0), scores.dtype)


@keras.saving.register_keras_serializable("keras_seq")
class Attention(keras.layers.Layer):
    """Contexts of queries out of a memory, and the weights they are made of.

    What depends on the memory alone is computed by `project` once, and handed back at
    every step of a decoder.

    Args:
        score: "additive", "dot" or "general".
        units: U of an additive score; default the memory's width.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        query: float (B, T, Q), or (B, Q) of one step.
        memory: float (B, S, D).
        mask: bool (B, S), which steps of the memory count; None: all. Others have a
            weight of exactly 0, and so has every step of a row where none counts.
        keys: of `project(memory)`; None computes them.

    Returns:
        Contexts (B, T, D) and weights (B, T, S); (B, D) and (B, S) of one step.

    Raises:
        ValueError: A dot score of widths that differ, or an unknown score.

    Example:

    >>> memory = ops.array([[[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]])
    >>> query, mask = ops.array([[2.0, 2.0]]), ops.array([[True, True, False]])
    >>> context, weights = Attention("dot")(query, memory, mask=mask)
    >>> ops.convert_to_numpy(context).tolist(), ops.convert_to_numpy(weights).tolist()
    ([[0.5, 0.5]], [[0.5, 0.5, 0.0]])
    """

    def __init__(
        self, score: Score = "additive", units: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if score not in ("additive", "dot", "general"):
            raise ValueError(f"score is {score!r}; expected additive, dot or general")
        if units is not None and units < 1:
            raise ValueError(f"units is {units}; expected 1 or more")
        self.score, self.units = score, units
        self.supports_masking = True

    def build(
        self, query_shape: tuple, memory_shape: tuple, keys_shape: tuple | None = None
    ) -> None:
        query, memory = query_shape[-1], memory_shape[-1]
        if self.score == "dot" and query != memory:
            raise ValueError(
                f"a dot score needs equal widths; the query has {query}, the memory "
                f"{memory}: take score='general'"
            )
        if self.score == "additive":
            units = self.units or memory
            self.query_kernel = self.add_weight(shape=(query, units), name="query")
            self.memory_kernel = self.add_weight(shape=(memory, units), name="memory")
            self.scale = self.add_weight(shape=(units,), name="scale")
        elif self.score == "general":
            self.memory_kernel = self.add_weight(shape=(memory, query), name="memory")

    def project(self, memory: KerasTensor) -> KerasTensor:
        """What scores read of the memory: float (B, S, U or Q)."""
        return memory if self.score == "dot" else memory @ self.memory_kernel

    def call(
        self,
        query: KerasTensor,
        memory: KerasTensor,
        mask: KerasTensor | None = None,
        keys: KerasTensor | None = None,
    ) -> tuple[KerasTensor, KerasTensor]:
        is_one_step = len(query.shape) == 2
        if is_one_step:
            query = query[:, None]  # (B, 1, Q)
        keys = self.project(memory) if keys is None else keys
        counts = None if mask is None else ops.cast(mask, "bool")[:, None]
        weights = masked_softmax(self._scores(query, keys), counts)  # (B, T, S)
        context = weights @ memory  # (B, T, D)
        if is_one_step:
            return context[:, 0], weights[:, 0]
        return context, weights

    def _scores(self, query: KerasTensor, keys: KerasTensor) -> KerasTensor:
        if self.score != "additive":
            return query @ ops.transpose(keys, (0, 2, 1))
        sums = (query @ self.query_kernel)[:, :, None] + keys[:, None]  # (B, T, S, U)
        # A product with a matrix of one column ends the process in oneDNN, in a loop.
        return ops.sum(ops.tanh(sums) * self.scale, axis=-1)

    def compute_output_shape(
        self, query_shape: tuple, memory_shape: tuple, **_: Any
    ) -> tuple[tuple, tuple]:
        context = (*query_shape[:-1], memory_shape[-1])
        return context, (*query_shape[:-1], memory_shape[1])

    def compute_mask(self, *_: Any, **__: Any) -> tuple[None, None]:
        return None, None

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"score": self.score, "units": self.units}
