"""Table of the loop that each recurrent layer of a model runs, and the reason."""

import keras

from keras_seq.keras_internals import flatten_layers


def paths_table(model: keras.Model) -> str:
    """One line a recurrent layer: its name, fast, cudnn or fallback, and the reason.

    Returns:
        The lines, or "" for a model without recurrent layers.

    Example:

    >>> stock = keras.layers.Bidirectional(keras.layers.GRU(2, name="gru"))
    >>> print(paths_table(keras.Sequential([keras.Input((None, 3)), stock])))
    recurrent layer  loop      reason
    forward_gru      fallback  Keras' own layer
    backward_gru     fallback  Keras' own layer
    """
    rows = [("recurrent layer", "loop", "reason")]
    for layer in model.layers:
        for part in flatten_layers(layer):
            if isinstance(part, keras.layers.RNN):
                rows.append((part.name, *_loop(part, model)))
    if len(rows) == 1:
        return ""
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    lines = (f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}" for row in rows)
    return "\n".join(lines)


def _loop(layer: keras.layers.RNN, model: keras.Model) -> tuple[str, str]:
    loop = getattr(layer, "loop_in_fit", None)
    if loop is None:
        return "fallback", "Keras' own layer"
    if loop.kind == "fast" and model.compiled and model.jit_compile:
        return "fallback", "XLA"
    return loop.kind, loop.reason
