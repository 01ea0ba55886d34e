"""What the characters of each word say, and words that training leaves out. Pure Keras.

Shapes: B batch, T words, L characters, E embedding, F features.
"""

from typing import Any, Literal

import keras
from keras import KerasTensor, layers, ops

WIDTH = 3  # characters that a feature of the CNN sees


@keras.saving.register_keras_serializable("keras_seq")
class CharacterEncoder(keras.layers.Layer):
    """Reads each word by its characters: a CNN with its maximum, or an LSTM both ways.

    Ma and Hovy 2016, arXiv:1603.01354 (CNN); Lample et al. 2016, arXiv:1603.01360.

    Args:
        num_characters: number of ids, padding 0 not counted.
        embedding_dim: E.
        units: F; of the LSTM half of it in each direction.
        kind: "cnn" or "lstm".
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        characters: int32 (B, T, L), zeros behind each word.

    Returns:
        float (B, T, F).

    Example:

    >>> encoder = CharacterEncoder(num_characters=9, embedding_dim=4, units=6)
    >>> encoder(ops.ones((2, 3, 5), "int32")).shape
    TensorShape([2, 3, 6])
    """

    def __init__(
        self,
        num_characters: int,
        embedding_dim: int,
        units: int,
        kind: Literal["cnn", "lstm"] = "cnn",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if kind not in ("cnn", "lstm"):
            raise ValueError(f"kind is {kind!r}; expected 'cnn' or 'lstm'")
        if kind == "lstm" and units % 2:
            raise ValueError(f"units is {units}; expected an even number of an LSTM")
        self.num_characters, self.embedding_dim = num_characters, embedding_dim
        self.units, self.kind = units, kind
        self.embedding = layers.Embedding(num_characters + 1, embedding_dim)
        if kind == "cnn":
            self.reader = layers.Dense(units, activation="relu")
        else:
            self.reader = layers.Bidirectional(layers.LSTM(units // 2))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if len(input_shape) != 3 or input_shape[-1] is None:
            raise ValueError(
                f"characters have the shape {tuple(input_shape)}; expected (batch, "
                "words, L) with L known"
            )
        self.embedding.build((None, input_shape[-1]))
        if self.kind == "cnn":
            self.reader.build((None, None, None, WIDTH * self.embedding_dim))
        else:
            self.reader.build((None, input_shape[-1], self.embedding_dim))

    def call(self, characters: KerasTensor) -> KerasTensor:
        x = self.embedding(characters)  # (B, T, L, E)
        present = ops.not_equal(characters, 0)
        if self.kind == "cnn":
            return self._largest(x, ops.cast(present, x.dtype)[..., None])
        batch, steps, length = ops.shape(x)[:3]
        x = ops.reshape(x, (-1, length, self.embedding_dim))
        x = self.reader(x, mask=ops.reshape(present, (-1, length)))
        return ops.reshape(x, (batch, steps, self.units))

    def _largest(self, x: KerasTensor, present: KerasTensor) -> KerasTensor:
        """A convolution over L as one product: neighbours side by side."""
        x = x * present
        pad = [[0, 0], [0, 0]]
        left = ops.pad(x[:, :, :-1], [*pad, [1, 0], [0, 0]])
        right = ops.pad(x[:, :, 1:], [*pad, [0, 1], [0, 0]])
        x = self.reader(ops.concatenate([left, x, right], axis=-1))  # (B, T, L, F)
        # After relu nothing is below zero, and a word without characters gives zeros.
        return ops.max(x * present, axis=2)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:2], self.units)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "num_characters": self.num_characters,
            "units": self.units,
            "embedding_dim": self.embedding_dim,
            "kind": self.kind,
        }


@keras.saving.register_keras_serializable("keras_seq")
class WordDropout(keras.layers.Layer):
    """While training, makes a share of the words unknown, so that it learns of those.

    Args:
        rate: share of the words, in [0, 1).
        unknown_id: what they become; padding stays.
        seed: of the draw.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(
        self, rate: float, unknown_id: int = 1, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate, self.unknown_id, self.seed = rate, unknown_id, seed
        self.seeds = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, token_ids: KerasTensor, training: bool = False) -> KerasTensor:
        if not training or not self.rate:
            return token_ids
        drawn = keras.random.uniform(ops.shape(token_ids), seed=self.seeds)
        dropped = ops.logical_and(drawn < self.rate, ops.not_equal(token_ids, 0))
        return ops.where(dropped, self.unknown_id, token_ids)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        own = {"rate": self.rate, "unknown_id": self.unknown_id, "seed": self.seed}
        return super().get_config() | own
