"""Says which way each recurrent layer of a model computes, and why."""

import keras


def paths_table(model: keras.Model) -> str:
    """One line a recurrent layer: its name, fast, cudnn or fallback, and the reason.

    Args:
        model: compiled or not; layers inside Bidirectional are found.

    Returns:
        The lines, or "" for a model without recurrent layers.

    Example:

    >>> stock = keras.layers.Bidirectional(keras.layers.GRU(2, name="gru"))
    >>> print(paths_table(keras.Sequential([keras.Input((None, 3)), stock])))
    recurrent layer  path      reason
    forward_gru      fallback  Keras' own layer
    backward_gru     fallback  Keras' own layer
    """
    rows = [("recurrent layer", "path", "reason")]
    for layer in model.layers:
        for part in layer._flatten_layers():
            if isinstance(part, keras.layers.RNN):
                rows.append((part.name, *_path(part, model)))
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    if len(rows) == 1:
        return ""
    lines = (f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}" for row in rows)
    return "\n".join(lines)


def _path(layer: keras.layers.RNN, model: keras.Model) -> tuple[str, str]:
    if not hasattr(layer.path, "kind"):
        return "fallback", "Keras' own layer"
    if layer.path.kind == "fast" and model.compiled and model.jit_compile:
        return "fallback", "XLA"
    return layer.path.kind, layer.path.reason
