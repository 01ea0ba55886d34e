"""Blocks of a Transformer and its positions, with a cache for one step. Pure Keras.

Vaswani et al. 2017, arXiv:1706.03762:

    Attention(Q, K, V) = softmax(Q K^T / sqrt(d)) V         h heads side by side
    FFN(x) = activation(x W1 + b1) W2 + b2
    PE[pos, 2 i] = sin(pos / 10000^(2 i / D))     PE[pos, 2 i + 1] = cos(the same)

Shapes: B batch, T steps, S steps of the memory, L steps of the cache, D model width,
H heads, d = D / H.
"""

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import KerasTensor, layers, ops

from keras_seq.layers.attention import masked_softmax
from keras_seq.layers.one_step import Cache, attend_once, normalized, with_step


@keras.saving.register_keras_serializable("keras_seq")
class SinusoidalPositions(layers.Layer):
    """Adds to each step's vector, times sqrt(D), a vector of its place.

    Call arguments:
        x: float (B, T, D); D even.
        position: int32 (B,), the place of the first step; None: 0.

    Returns:
        float (B, T, D).

    Example:

    >>> added = SinusoidalPositions()(ops.zeros((1, 2, 2)))
    >>> ops.convert_to_numpy(added).round(3).tolist()
    [[[0.0, 1.0], [0.8410000205039978, 0.5400000214576721]]]
    """

    def call(self, x: KerasTensor, position: KerasTensor | None = None) -> KerasTensor:
        width = x.shape[-1]
        places = ops.arange(ops.shape(x)[1], dtype="float32")[None]  # (1, T)
        if position is not None:
            places = places + ops.cast(position, "float32")[:, None]  # (B, T)
        exponents = ops.arange(0, width, 2, dtype="float32") / width
        angles = places[..., None] / 10000.0**exponents  # (B, T, D / 2)
        pairs = ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1)
        encoded = ops.reshape(pairs, (*ops.shape(angles)[:2], width))
        return x * ops.cast(width**0.5, x.dtype) + ops.cast(encoded, x.dtype)


@keras.saving.register_keras_serializable("keras_seq")
class TransformerBlock(layers.Layer):
    """Self-attention, attention to a memory where asked for, and a feed-forward net.

    Each has a residual connection and a layer normalisation: before it (Xiong et al.
    2020, arXiv:2002.04745), or after their sum as in the paper above.

    Args:
        num_heads: H, a divisor of D.
        ff_dim: width of the feed-forward net.
        dropout: rate on what each of the parts adds.
        activation: of the feed-forward net; "gelu" or "relu".
        pre_norm: normalise before each part, not behind it.
        causal: a step sees none behind it.
        cross: attend to a memory, too.
        recompute: compute activations anew in the backward pass instead of keeping
            them: less memory, a third more arithmetic.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: float (B, T, D).
        mask: bool (B, T), the steps that may be seen.
        memory: float (B, S, D), with `cross`.
        memory_mask: bool (B, S), likewise.

    Returns:
        float (B, T, D).

    Raises:
        ValueError: D is no multiple of H.

    Example:

    >>> x, mask = ops.ones((2, 3, 8)), ops.ones((2, 3), dtype="bool")
    >>> tuple(TransformerBlock(2, 16)(x, mask).shape)
    (2, 3, 8)
    """

    def __init__(
        self,
        num_heads: int,
        ff_dim: int,
        dropout: float = 0.0,
        activation: str = "relu",
        pre_norm: bool = True,
        causal: bool = False,
        cross: bool = False,
        recompute: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads, self.ff_dim = num_heads, ff_dim
        self.dropout, self.activation = dropout, activation
        self.pre_norm, self.causal, self.cross = pre_norm, causal, cross
        self.recompute = recompute
        self.drop = layers.Dropout(dropout)

    def build(self, x_shape: tuple, *_: Any, **__: Any) -> None:
        width = x_shape[-1]
        if width % self.num_heads:
            raise ValueError(
                f"a width of {width} does not divide into {self.num_heads} heads; "
                "expected a multiple of num_heads"
            )
        self.width = width
        made = {"projection": (width, 3 * width), "output": (width, width)}
        made |= {"expand": (width, self.ff_dim), "contract": (self.ff_dim, width)}
        if self.cross:
            made |= {"query": (width, width), "memory": (width, 2 * width)}
            made |= {"cross_output": (width, width)}
        self.dense = {}
        for name, (inputs, units) in made.items():
            activation = self.activation if name == "expand" else None
            self.dense[name] = layers.Dense(units, activation, name=name)
            self.dense[name].build((None, inputs))
        parts = ["self", "cross", "ff"] if self.cross else ["self", "ff"]
        self.norms = {
            part: layers.LayerNormalization(epsilon=1e-6, name=f"{part}_norm")
            for part in parts
        }
        for norm in self.norms.values():
            norm.build((None, None, width))

    def call(
        self,
        x: KerasTensor,
        mask: KerasTensor | None = None,
        memory: KerasTensor | None = None,
        memory_mask: KerasTensor | None = None,
        training: bool = False,
    ) -> KerasTensor:
        seen, counts = (
            None if each is None else ops.cast(each, "bool")[:, None, None]
            for each in (mask, memory_mask)
        )
        if self.causal:
            places = ops.arange(ops.shape(x)[1])
            before = places[:, None] >= places  # (T, T)
            seen = before if seen is None else ops.logical_and(seen, before)

        def attend_self(x: KerasTensor) -> KerasTensor:
            query, keys, values = self._project(x, "projection", 3)
            return self._attend(query, keys, values, seen, "output")

        def attend_memory(x: KerasTensor, memory: KerasTensor) -> KerasTensor:
            (query,) = self._project(x, "query", 1)
            keys, values = self._project(memory, "memory", 2)
            return self._attend(query, keys, values, counts, "cross_output")

        x = self._residual("self", attend_self, (x,), training)
        if self.cross:
            x = self._residual("cross", attend_memory, (x, memory), training)
        return self._residual("ff", self._feed_forward, (x,), training)

    def prepare(self, memory: KerasTensor) -> Cache:
        """Keys and values, float (B, 1, H, S, d), of a memory (B, S, D)."""
        keys, values = self._project(memory, "memory", 2)
        return {"keys": keys[:, None], "values": values[:, None]}

    def empty_cache(
        self, batch_size: KerasTensor, steps: KerasTensor | None = None
    ) -> Cache:
        """Room for keys and values of L steps: zeros (B, H, L, d).

        With `steps` None there is none at first, and each step adds its own.
        """
        # A product, for a graph would take a constant for the length of all steps.
        steps = batch_size * 0 if steps is None else steps
        shape = (batch_size, self.num_heads, steps, self.width // self.num_heads)
        zeros = ops.zeros(shape, dtype=self.compute_dtype)
        return {"keys": zeros, "values": zeros}

    def step(
        self,
        x: KerasTensor,
        cache: Cache,
        position: KerasTensor | None,
        memory: Cache | None = None,
        memory_mask: KerasTensor | None = None,
    ) -> tuple[KerasTensor, Cache, KerasTensor | None]:
        """One step of a causal block, without dropout.

        Args:
            x: float (B, D).
            cache: of `empty_cache`, or of the step before.
            position: int32 (B,), the place of this step; None: the cache grows by it.
            memory: of `prepare`, with `cross`. With fewer rows M than x, each is that
                of B / M rows of x, side by side, such as the beams of a sentence.
            memory_mask: bool (M, S), with `cross`.

        Returns:
            float (B, D), the new cache, and the mean of the heads' weights of the
            memory (B, S), or None.
        """
        after, weights = cache, None
        heads, each = self.num_heads, self.width // self.num_heads

        def attend_self(x: KerasTensor) -> KerasTensor:
            nonlocal after
            parts = self.dense["projection"](x)
            parts = ops.reshape(parts, (-1, 3, heads, 1, each))
            query, keys, values = ops.unstack(parts, 3, axis=1)  # (B, H, 1, d)
            after, seen = with_step(cache, position, keys, values)
            x, _ = attend_once(query * each**-0.5, after["keys"], after["values"], seen)
            return self.dense["output"](ops.reshape(x, (-1, self.width)))

        def attend_memory(x: KerasTensor) -> KerasTensor:
            nonlocal weights
            # As the docstring asks.
            assert memory is not None and memory_mask is not None
            mask = ops.cast(memory_mask, "bool")[:, None, None, None]
            rows, steps = ops.shape(memory_mask)
            shape = (rows, -1, heads, 1, each)  # (M, B / M, H, 1, d)
            query = ops.reshape(self.dense["query"](x) * each**-0.5, shape)
            x, found = attend_once(query, memory["keys"], memory["values"], mask)
            weights = ops.reshape(ops.mean(found, axis=2), (-1, steps))
            return self.dense["cross_output"](ops.reshape(x, (-1, self.width)))

        x = self._residual("self", attend_self, (x,))
        if self.cross:
            x = self._residual("cross", attend_memory, (x,))
        x = self._residual("ff", self._feed_forward, (x,))
        return x, after, weights

    def _residual(
        self,
        part: str,
        function: Callable[..., KerasTensor],
        inputs: tuple[KerasTensor, ...],
        training: bool = False,
    ) -> KerasTensor:
        x, norm = inputs[0], self.norms[part]
        if len(x.shape) == 2:  # one step
            norm = functools.partial(normalized, norm=norm)

        def add(x: KerasTensor, *memory: KerasTensor) -> KerasTensor:
            return function(norm(x) if self.pre_norm else x, *memory)

        if self.recompute and training:
            # Without the dropout, which would draw another mask the second time.
            add = keras.remat(add)
        x = x + self.drop(add(*inputs), training=training)
        return x if self.pre_norm else norm(x)

    def _feed_forward(self, x: KerasTensor) -> KerasTensor:
        return self.dense["contract"](self.dense["expand"](x))

    def _project(self, x: KerasTensor, name: str, parts: int) -> list[KerasTensor]:
        """Linear maps of x, split into heads: `parts` times float (B, H, T, d)."""
        heads, each = self.num_heads, self.width // self.num_heads
        x = ops.reshape(self.dense[name](x), (*ops.shape(x)[:2], parts, heads, each))
        x = ops.transpose(x, (2, 0, 3, 1, 4))  # (parts, B, H, T, d)
        # Not by index: the gradient of a slice is a copy of the whole.
        return ops.unstack(x, parts)

    def _attend(
        self,
        query: KerasTensor,
        keys: KerasTensor,
        values: KerasTensor,
        seen: KerasTensor | None,
        output: str,
    ) -> KerasTensor:
        """softmax(Q K^T / sqrt(d)) V of all heads, through a last map: (B, T, D)."""
        scale = (self.width // self.num_heads) ** -0.5
        scores = ops.matmul(query * scale, ops.swapaxes(keys, 2, 3))
        x = ops.matmul(masked_softmax(scores, seen), values)  # (B, H, T, d)
        x = ops.transpose(x, (0, 2, 1, 3))
        return self.dense[output](ops.reshape(x, (*ops.shape(x)[:2], self.width)))

    def compute_output_shape(self, x_shape: tuple, *_: Any, **__: Any) -> tuple:
        return x_shape

    def compute_mask(self, *_: Any, **__: Any) -> None:
        return None

    def get_config(self) -> dict[str, Any]:
        names = "num_heads ff_dim dropout activation pre_norm causal cross recompute"
        return super().get_config() | {
            name: getattr(self, name) for name in names.split()
        }
