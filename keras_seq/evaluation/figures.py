"""Pictures of scores as arrays, for TensorBoard or a file.

Independent of TensorBoard, of screens or of matplotlib's global state: each figure
is drawn by the Agg renderer into memory, so that it works on a server and in a thread.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# More classes than these leave no room for a number in a cell.
MAX_NUMBERED_CLASSES = 20
# For labels in Chinese, Japanese or Korean, where one of these is installed.
CJK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "SimHei",
)


def confusion_matrix_figure(
    labels: Sequence[int] | np.ndarray,
    predictions: Sequence[int] | np.ndarray,
    label_names: Sequence[str],
) -> np.ndarray:
    """Draws which classes are taken for which.

    A cell holds its count; its shade is the share of its row, the true class, so that
    a rare class is as easy to read as a common one.

    Args:
        labels: int (N,), from 0 to C - 1.
        predictions: int (N,).
        label_names: C names.

    Returns:
        uint8 (H, W, 4), RGBA.

    Raises:
        ValueError: There are not as many labels as predictions, or a class has no name.

    Example:

    >>> image = confusion_matrix_figure([0, 1, 1], [0, 1, 0], ["bad", "good"])
    >>> image.dtype, image.shape[2]
    (dtype('uint8'), 4)
    """
    from matplotlib.figure import Figure

    counts = _confusion_counts(labels, predictions, len(label_names))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(3.0 + 0.6 * len(counts), 15.0)  # inches
    # Squares of a narrower figure would push the names of the classes out of it.
    figure = Figure(figsize=(side + 2.0, side), layout="constrained")
    axes = figure.add_subplot()
    picture = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    figure.colorbar(picture, ax=axes, label="share of the true class")
    names = [short_label(name) for name in label_names]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if len(counts) <= MAX_NUMBERED_CLASSES:
        for (row, column), count in np.ndenumerate(counts):
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=color)
    return rendered(figure)


def learning_curves_figure(
    history: Mapping[str, Sequence[float]], columns: int = 3
) -> np.ndarray:
    """Draws each metric over the epochs, train and validation in one panel.

    Args:
        history: As Keras keeps it: a name to one value an epoch; `val_loss` is drawn
            beside `loss`. Values that are not finite leave a gap.
        columns: most panels side by side.

    Returns:
        uint8 (H, W, 4), RGBA.

    Raises:
        ValueError: The history holds no value.

    Example:

    >>> image = learning_curves_figure({"loss": [0.6, 0.4], "val_loss": [0.6, 0.5]})
    >>> image.dtype, image.shape[2]
    (dtype('uint8'), 4)
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    curves = {name: values for name, values in history.items() if len(values)}
    if not curves:
        raise ValueError(
            "history holds no value; expected one or more metrics, each with a value "
            "an epoch"
        )
    metrics = list(dict.fromkeys(name.removeprefix("val_") for name in curves))
    columns = min(len(metrics), columns)
    rows = math.ceil(len(metrics) / columns)
    figure = Figure(figsize=(4.5 * columns, 3.2 * rows), layout="constrained")
    for place, metric in enumerate(metrics, start=1):
        axes = figure.add_subplot(rows, columns, place)
        for name, label in ((metric, "train"), (f"val_{metric}", "validation")):
            if name in curves:
                epochs = range(1, len(curves[name]) + 1)
                axes.plot(epochs, curves[name], marker="o", markersize=3, label=label)
        axes.set_title(short_label(metric))
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
        if f"val_{metric}" in curves:
            axes.legend()
    return rendered(figure)


def attention_figure(
    weights: Sequence[Sequence[float]] | np.ndarray,
    source_tokens: Sequence[str],
    target_tokens: Sequence[str],
) -> np.ndarray:
    """Draws which source tokens each target token looked at, a row a target token.

    Args:
        weights: float (T, S).
        source_tokens: S tokens.
        target_tokens: T tokens.

    Returns:
        uint8 (H, W, 4), RGBA.

    Raises:
        ValueError: There is no token, or the weights are of another shape.

    Example:

    >>> image = attention_figure([[0.9, 0.1]], ["ein", " Hund"], ["a"])
    >>> image.dtype, image.shape[2]
    (dtype('uint8'), 4)
    """
    from matplotlib.figure import Figure

    weights, shape = np.asarray(weights), (len(target_tokens), len(source_tokens))
    if weights.shape != shape or not weights.size:
        raise ValueError(f"weights are {weights.shape}; expected {shape}, not empty")
    height, width = (min(2.0 + 0.3 * size, 16.0) for size in shape)  # inches
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(weights, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    axes.set_xticks(range(shape[1]), map(short_label, source_tokens), rotation=90)
    axes.set_yticks(range(shape[0]), map(short_label, target_tokens))
    axes.set_xlabel("source")
    axes.set_ylabel("translation")
    return rendered(figure)


def predictions_figure(
    truth: Sequence[float] | np.ndarray, predictions: Sequence[float] | np.ndarray
) -> np.ndarray:
    """Draws each prediction over what it should be; on the line it is right.

    Args:
        truth: float (N,).
        predictions: float (N,).

    Returns:
        uint8 (H, W, 4), RGBA.

    Raises:
        ValueError: There is no number, or not as many of both.

    Example:

    >>> image = predictions_figure([1.0, 2.0], [1.5, 2.0])
    >>> image.dtype, image.shape[2]
    (dtype('uint8'), 4)
    """
    from matplotlib.figure import Figure

    truth, predictions = np.asarray(truth), np.asarray(predictions)
    if truth.ndim != 1 or truth.shape != predictions.shape or not truth.size:
        raise ValueError(
            f"truth is {truth.shape} and predictions {predictions.shape}; expected "
            "(N,) both, with N >= 1"
        )
    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.axline((truth.mean(), truth.mean()), slope=1, color="black", lw=1)
    axes.scatter(truth, predictions, s=12, alpha=0.4)
    axes.set_xlabel("true")
    axes.set_ylabel("predicted")
    axes.grid(alpha=0.3)
    return rendered(figure)


def gradient_by_time_figure(
    norms: Mapping[str, Sequence[float] | np.ndarray],
) -> np.ndarray:
    """Draws how strongly the loss depends on each step, layers side by side.

    Args:
        norms: name of a layer to one gradient norm a step, such as
            `training.through_time.gradient_by_time` returns. The axis is logarithmic;
            a norm of 0 leaves a gap.

    Returns:
        uint8 (H, W, 4), RGBA.

    Raises:
        ValueError: There is no norm.

    Example:

    >>> image = gradient_by_time_figure({"LSTM": [0.1, 1.0], "GRU": [0.2, 1.0]})
    >>> image.dtype, image.shape[2]
    (dtype('uint8'), 4)
    """
    from matplotlib.figure import Figure

    if not any(map(len, norms.values())):
        raise ValueError("norms hold no value; expected a norm a step for each layer")
    figure = Figure(figsize=(4.0 * len(norms), 3.2), layout="constrained")
    panels = figure.subplots(1, len(norms), sharey=True, squeeze=False)[0]
    for axes, (name, given) in zip(panels, norms.items()):
        values = np.asarray(given, np.float64)
        steps = range(1, len(values) + 1)
        axes.semilogy(steps, np.where(values > 0, values, np.nan), marker=".")
        axes.set_title(short_label(name))
        axes.set_xlabel("step (the last is read last)")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("|dL/dh|, gradient of the loss")
    return rendered(figure)


def _confusion_counts(
    labels: Sequence[int] | np.ndarray,
    predictions: Sequence[int] | np.ndarray,
    num_classes: int,
) -> np.ndarray:
    """int64 (C, C): a row a true class, a column a predicted one."""
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim != 1 or labels.shape != predictions.shape or not labels.size:
        raise ValueError(
            f"labels are {labels.shape} and predictions {predictions.shape}; expected "
            "(N,) both, with N >= 1"
        )
    both = np.stack([labels, predictions])
    if both.dtype.kind not in "iu" or both.min() < 0 or both.max() >= num_classes:
        raise ValueError(
            f"labels and predictions are {both.dtype} from {both.min()} to "
            f"{both.max()}; expected integers from 0 to {num_classes - 1}, as there "
            f"are {num_classes} label names"
        )
    cells = np.bincount(labels * num_classes + predictions, minlength=num_classes**2)
    return cells.reshape(num_classes, num_classes)  # (C, C)


def short_label(name: str) -> str:
    """At most 24 characters of a name, as matplotlib draws it and no formula."""
    name = name.replace("$", r"\$")
    return name if len(name) <= 24 else name[:23] + "…"


def rendered(figure: "Figure") -> np.ndarray:
    """uint8 (H, W, 4) RGBA of a figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.font_manager import fontManager
    from matplotlib.text import Text

    installed = set(fontManager.get_font_names())
    fonts = ["DejaVu Sans", *(font for font in CJK_FONTS if font in installed)]
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        # A label without a font is drawn as boxes, which says enough.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        canvas.draw()  # makes the tick labels, which the fonts are then set for
        for text in figure.findobj(Text):
            text.set_fontfamily(fonts)
        canvas.draw()
    return np.array(canvas.buffer_rgba())  # (H, W, 4)
