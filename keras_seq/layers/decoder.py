"""The recurrent decoder of an encoder-decoder, with or without attention. Pure Keras.

Without attention the context c is the encoder's last state, fed at every step (Cho et
al. 2014, arXiv:1406.1078):

    s[i] = rnn([y[i-1]; c], s[i-1])                                    output s[i]

With an additive score each step reads a context of its own first (Bahdanau et al.
2015, arXiv:1409.0473); with a dot or general score afterwards (Luong et al. 2015,
arXiv:1508.04025), and may hand its output to the next step ("input feeding"):

    additive      c[i] = attend(s[i-1], h)     s[i] = rnn([y[i-1]; c[i]], s[i-1])
    dot, general  s[i] = rnn([y[i-1]; o[i-1]?], s[i-1])    c[i] = attend(s[i], h)
    both                                       output o[i] = tanh(W [c[i]; s[i]])

Only where a step needs the output before it do steps run one by one.

Shapes: B batch, T steps, S steps of the memory, D its width, E inputs, U units.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor, layers, ops

from keras_seq.layers.attention import Attention

States = list[list[KerasTensor]]


@keras.saving.register_keras_serializable("keras_seq")
class RecurrentDecoder(layers.Layer):
    """Reads target tokens and an encoded source; gives what each next token is made of.

    Args:
        rnns: recurrent layers of equal units with `return_sequences` and
            `return_state`, the lowest first.
        attention: an `Attention`, or None for one context of all steps.
        input_feeding: with a dot or general score, each step also reads the output of
            the step before it.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: float (B, T, E), embedded tokens, the start first.
        memory: float (B, S, D), the encoder's steps.
        context: float (B, C), the encoder's last state; read without attention.
        initial_state: for each rnn its states, float (B, U).
        memory_mask: bool (B, S), the steps that are no padding.

    Returns:
        float (B, T, U). `step` gives attention weights, too.

    Raises:
        ValueError: Input feeding without a dot or general score.

    Example:

    >>> rnn = layers.GRU(4, return_sequences=True, return_state=True)
    >>> decoder = RecurrentDecoder([rnn], Attention("dot"))
    >>> inputs, memory = ops.ones((2, 3, 5)), ops.ones((2, 6, 4))
    >>> state, mask = [[ops.zeros((2, 4))]], ops.ones((2, 6))
    >>> tuple(decoder(inputs, memory, memory[:, -1], state, mask).shape)
    (2, 3, 4)
    """

    def __init__(
        self,
        rnns: Sequence[layers.Layer],
        attention: Attention | None = None,
        input_feeding: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rnns, self.attention = list(rnns), attention
        self.reads_first = attention is not None and attention.score == "additive"
        self.input_feeding = input_feeding
        if input_feeding and (attention is None or self.reads_first):
            raise ValueError("input_feeding needs attention by 'dot' or 'general'")
        if attention is not None:
            self.combine = layers.Dense(
                self.units, "tanh", use_bias=False, name="combine"
            )

    @property
    def units(self) -> int:
        """U, of every rnn."""
        return self.rnns[0].units

    def build(
        self,
        inputs_shape: tuple,
        memory_shape: tuple,
        context_shape: tuple,
        initial_state_shape: list,
        memory_mask_shape: tuple,
    ) -> None:
        width = inputs_shape[-1]
        if self.attention is None:
            width += context_shape[-1]
        elif self.reads_first:
            width += memory_shape[-1]
        elif self.input_feeding:
            width += self.units
        # Layers that come from a config are built already.
        for rnn in self.rnns:
            if not rnn.built:
                rnn.build((None, None, width))
            width = self.units
        if self.attention is not None:
            if not self.attention.built:
                self.attention.build((None, None, self.units), memory_shape)
            self.combine.build((None, None, memory_shape[-1] + self.units))

    def call(
        self,
        inputs: KerasTensor,
        memory: KerasTensor,
        context: KerasTensor,
        initial_state: States,
        memory_mask: KerasTensor,
    ) -> KerasTensor:
        fixed = self.prepare(memory, context, memory_mask)
        if self.reads_first or self.input_feeding:
            return self._one_by_one(inputs, fixed, initial_state)
        x = inputs
        if self.attention is None:
            steps = ops.zeros_like(x[..., :1])
            x = ops.concatenate([x, steps + context[:, None]], axis=-1)
        for rnn, state in zip(self.rnns, initial_state):
            x, *_ = rnn(x, initial_state=list(state))  # (B, T, U)
        return self._attend_after(x, fixed)[0]

    def prepare(
        self, memory: KerasTensor, context: KerasTensor, memory_mask: KerasTensor
    ) -> dict[str, KerasTensor]:
        """What all steps read of the source, with what is computed of it only once."""
        if self.attention is None:
            return {"context": context}
        keys = self.attention.project(memory)
        return {"memory": memory, "keys": keys, "mask": memory_mask}

    def step(
        self,
        inputs: KerasTensor,
        fixed: dict[str, KerasTensor],
        states: States,
        previous: KerasTensor,
    ) -> tuple[KerasTensor, States, KerasTensor | None]:
        """One step, without dropout.

        Args:
            inputs: float (B, E).
            fixed: of `prepare`. With fewer rows M than inputs, each is that of B / M
                rows, side by side, such as the beams of a sentence.
            states: for each rnn its states, float (B, U).
            previous: the output of the step before it, float (B, U); zeros at first.

        Returns:
            The output (B, U), the new states, and the attention weights (B, S) or None.
        """
        x, weights = inputs, None
        if self.attention is None:
            context = fixed["context"]
            times = ops.shape(x)[0] // ops.shape(context)[0]
            x = ops.concatenate([x, ops.repeat(context, times, axis=0)], axis=-1)
        elif self.reads_first:
            context, weights = self._attend(states[-1][0], fixed)
            x = ops.concatenate([x, context], axis=-1)
        elif self.input_feeding:
            x = ops.concatenate([x, previous], axis=-1)
        after = []
        for rnn, state in zip(self.rnns, states):
            x, state = rnn.cell(x, list(state))
            after.append(list(state) if isinstance(state, list | tuple) else [state])
        if self.reads_first:
            x = self.combine(ops.concatenate([context, x], axis=-1))
        else:
            x, weights = self._attend_after(x, fixed)
        return x, after, weights

    def _attend(
        self, query: KerasTensor, fixed: dict[str, KerasTensor]
    ) -> tuple[KerasTensor, KerasTensor]:
        assert self.attention is not None
        memory, mask, keys = (fixed[name] for name in ("memory", "mask", "keys"))
        if len(query.shape) == 3:
            return self.attention(query, memory, mask, keys)
        # Rows of one memory ask it together, as steps of a sequence would.
        beams = ops.reshape(query, (ops.shape(memory)[0], -1, query.shape[-1]))
        context, weights = self.attention(beams, memory, mask, keys)
        context = ops.reshape(context, (-1, memory.shape[-1]))
        return context, ops.reshape(weights, (-1, ops.shape(memory)[1]))

    def _attend_after(
        self, x: KerasTensor, fixed: dict[str, KerasTensor]
    ) -> tuple[KerasTensor, KerasTensor | None]:
        if self.attention is None:
            return x, None
        context, weights = self._attend(x, fixed)
        return self.combine(ops.concatenate([context, x], axis=-1)), weights

    def _one_by_one(
        self, inputs: KerasTensor, fixed: dict[str, KerasTensor], states: States
    ) -> KerasTensor:
        def one(carried: tuple, x: KerasTensor) -> tuple[tuple, tuple]:
            output, after, _ = self.step(x, fixed, carried[1], carried[0])
            # `ops.scan` asks that what is stacked is like what is carried.
            return (output, after), (output, after)

        start = (ops.zeros_like(states[0][0]), [list(state) for state in states])
        _, (outputs, _) = ops.scan(one, start, ops.transpose(inputs, (1, 0, 2)))
        return ops.transpose(outputs, (1, 0, 2))

    def compute_output_spec(self, inputs: KerasTensor, *_: Any, **__: Any) -> Any:
        return KerasTensor((*inputs.shape[:2], self.units), self.compute_dtype)

    def compute_mask(self, *_: Any, **__: Any) -> None:
        return None

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return super().get_config() | {
            "rnns": [serialize(rnn) for rnn in self.rnns],
            "attention": serialize(self.attention),
            "input_feeding": self.input_feeding,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "RecurrentDecoder":
        make = keras.saving.deserialize_keras_object
        rnns = [make(rnn) for rnn in config.pop("rnns")]
        return cls(rnns, make(config.pop("attention")), **config)
