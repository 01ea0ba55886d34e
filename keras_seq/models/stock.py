"""The next price, or the next steps of any regular series, out of a window of rows.

The builder needs no files, dates or units: what it reads is scaled already. Any
Keras backend, uncompiled.

Shapes: B batch, T time steps, F features, K targets, H horizon, Q quantiles, U units.
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers, ops

from keras_seq.layers.recurrent import GRU, LSTM
from keras_seq.models.blocks import check_sizes, check_window

SMALLEST_SCALE = 1e-3  # a window that stands still is not blown up


def build_stock_prediction_model(
    input_shape: tuple[int, int],
    *,
    horizon: int = 1,
    num_targets: int = 1,
    quantiles: Sequence[float] | None = None,
    units: int = 50,
    num_layers: int = 3,
    cell: Literal["lstm", "gru"] = "lstm",
    attention: bool = False,
    residual: bool = False,
    normalize_window: bool = False,
) -> keras.Model:
    """Stacked LSTMs that read a window of rows and answer with what follows it.

    With `input_shape` alone it is the tutorial's: LSTM(50, return_sequences), LSTM(50,
    return_sequences), LSTM(50), Dense(1).

    Args:
        input_shape: (T, F); the first `num_targets` features are the targets.
        horizon: H, steps to forecast.
        num_targets: K.
        quantiles: Q of them, in (0, 1); None answers with one number a step.
        units: U, size of each layer's state.
        num_layers: number of recurrent layers.
        cell: "lstm" or "gru".
        attention: answer from a mean of all states of the last layer, weighted by how
            well each fits the last one, beside the last one (Luong et al. 2015,
            arXiv:1508.04025, "dot").
        residual: add each further layer's input to its output.
        normalize_window: shift and scale each window by its own mean and deviation,
            and the answer back (RevIN: Kim et al. 2022, without its learned weights).

    Returns:
        float32 (B, T, F) -> (B, H, K, Q) without the axes K and Q where `num_targets`
        is 1 or `quantiles` None.

    Raises:
        ValueError: A size, name or quantile does not fit.

    Example:

    >>> model = build_stock_prediction_model((60, 5))
    >>> model.output_shape, model.count_params()
    ((None, 1), 51651)
    >>> build_stock_prediction_model((60, 5), horizon=5, quantiles=(0.1, 0.9),
    ...                              attention=True).output_shape
    (None, 5, 2)
    """
    num_steps, num_features = check_window(input_shape, horizon, num_targets, quantiles)
    check_sizes(units=units, num_layers=num_layers)
    if cell not in ("lstm", "gru"):
        raise ValueError(f"cell is {cell!r}; expected 'lstm' or 'gru'")
    window = keras.Input((num_steps, num_features), name="window")
    x = window
    if normalize_window:
        mean = ops.mean(x, axis=1, keepdims=True)  # (B, 1, F)
        scale = ops.std(x, axis=1, keepdims=True) + SMALLEST_SCALE
        x = (x - mean) / scale
    for number in range(1, num_layers + 1):
        recurrent = (LSTM if cell == "lstm" else GRU)(
            units,
            return_sequences=number < num_layers or attention or residual,
            name=f"{cell}_{number}",
        )
        states = recurrent(x)  # (B, T, U); (B, U) for the last
        if residual and number > 1:
            states = layers.Add(name=f"residual_{number}")([x, states])
        x = states
    if attention:
        last = x[:, -1:]
        context = layers.Attention(name="attention")([last, x])  # (B, 1, U)
        x = ops.concatenate([last, context], axis=-1)[:, 0]
    elif residual:
        x = x[:, -1]
    answers = len(quantiles or (0.5,))
    x = layers.Dense(horizon * num_targets * answers, name="forecast")(x)
    if num_targets > 1 or normalize_window or answers > 1:
        x = ops.reshape(x, (-1, horizon, num_targets, answers))
        if normalize_window:
            x = x * scale[:, :, :num_targets, None] + mean[:, :, :num_targets, None]
        x = ops.squeeze(x, 2) if num_targets == 1 else x
        x = x if quantiles else x[..., 0]
    elif quantiles:
        x = ops.expand_dims(x, -1)
    return keras.Model(window, x, name="stock")
