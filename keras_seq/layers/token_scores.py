"""Scores of tokens that say, in training, what they are the product of.

A loss that knows it, `keras_seq.losses.TokenLoss`, takes the factors, and the logits
are never computed: in a graph, what nobody reads is left out. Pure Keras.

Shapes: U units, E embedding, V vocabulary.
"""

import keras
from keras import KerasTensor, ops

from keras_seq.keras_internals import carry_factors


@keras.saving.register_keras_serializable("keras_seq")
class TokenEmbedding(keras.layers.ReversibleEmbedding):
    """Vectors of tokens, which score the output, too.

    Args:
        *args: of `keras.layers.ReversibleEmbedding`.
        **kwargs: likewise.

    Call arguments:
        inputs: int (...), or float (..., E) where `reverse`.
        reverse: scores in place of vectors.
        training: whether a loss may take the factors.

    Returns:
        float (..., E), or (..., V).

    Example:

    >>> layer = TokenEmbedding(50, 8)
    >>> layer(layer(ops.array([[1, 2, 3]])), reverse=True).shape
    TensorShape([1, 3, 50])
    """

    def call(
        self,
        inputs: KerasTensor,
        reverse: bool = False,
        training: bool | None = None,
    ) -> KerasTensor:
        answer = super().call(inputs, reverse)
        if reverse and training and self._is_product():
            carry_factors(answer, inputs, self.embeddings)
        return answer

    def _is_product(self) -> bool:
        options = self.tie_weights, self.reverse_dtype, self.logit_soft_cap
        return options == (True, None, None)

    def compute_output_spec(
        self,
        inputs: KerasTensor,
        reverse: bool = False,
        training: bool | None = None,
    ) -> KerasTensor:
        return super().compute_output_spec(inputs, reverse)


@keras.saving.register_keras_serializable("keras_seq")
class TokenScores(keras.layers.Dense):
    """A dense layer whose units are tokens.

    Args:
        *args: of `keras.layers.Dense`.
        **kwargs: likewise.

    Call arguments:
        inputs: float (..., U).
        training: whether a loss may take the factors.

    Returns:
        float (..., V).

    Example:

    >>> TokenScores(50)(ops.ones((1, 3, 8))).shape
    TensorShape([1, 3, 50])
    """

    def call(self, inputs: KerasTensor, training: bool | None = None) -> KerasTensor:
        answer = super().call(inputs)
        if training and self.activation is keras.activations.linear:
            vectors = ops.transpose(self.kernel)  # (V, U)
            if self.bias is not None:  # one more feature, which is always 1
                inputs = ops.concatenate([inputs, ops.ones_like(inputs[..., :1])], -1)
                vectors = ops.concatenate([vectors, self.bias[:, None]], axis=-1)
            carry_factors(answer, inputs, vectors)
        return answer
