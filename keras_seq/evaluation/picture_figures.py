"""Pictures with what is said of them, and where each word looked, as arrays.

Shapes: T tokens, H and W places of a grid.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_seq.evaluation.figures import rendered

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS, WIDEST = 4, 34  # panels of a row, characters of a line
LINE = 0.15  # inches of a line of text
MOST_TOKENS = 24  # panels of a figure


def captions_figure(
    pictures: Sequence[np.ndarray],
    captions: Sequence[str],
    references: Sequence[Sequence[str]],
) -> np.ndarray:
    """Draws pictures, each above its caption and what people said of it.

    Args:
        pictures: uint8 (H, W, 3) each.
        captions: one of each.
        references: one or more of each.

    Returns:
        uint8 (H, W, 4), RGBA.

    Raises:
        ValueError: There is no picture.

    Example:

    >>> image = captions_figure([np.zeros((4, 4, 3), "u1")], ["a dog"], [["dogs"]])
    >>> image.dtype, image.shape[2]
    (dtype('uint8'), 4)
    """
    import textwrap

    if not len(pictures):
        raise ValueError("pictures are none; expected one or more")
    titles = [textwrap.fill(caption, WIDEST) for caption in captions]
    said = [
        "\n".join(textwrap.fill(text, WIDEST + 8) for text in texts[:3])
        for texts in references
    ]
    breaks = max(f"{title}{text}".count("\n") for title, text in zip(titles, said))
    figure, panels = _panels(len(pictures), 3.0 + LINE * breaks)
    for axes, picture, title, text in zip(panels, pictures, titles, said):
        axes.imshow(picture)
        axes.set_title(_plain(title), fontsize=9)
        axes.set_xlabel(_plain(text), fontsize=7)
    return rendered(figure)


def attention_maps_figure(
    picture: np.ndarray, tokens: Sequence[str], weights: np.ndarray
) -> np.ndarray:
    """Draws a picture once for each token: bright is where the network looked.

    Xu et al. 2015, arXiv:1502.03044, figure 3.

    Args:
        picture: uint8 (h, w, 3).
        tokens: T.
        weights: float (T, H, W), of a grid over the picture.

    Returns:
        uint8 (H, W, 4), RGBA.

    Raises:
        ValueError: There is no token, or the weights are of another shape.

    Example:

    >>> picture, weights = np.zeros((8, 8, 3), "u1"), np.ones((1, 2, 2))
    >>> image = attention_maps_figure(picture, ["a"], weights)
    >>> image.dtype, image.shape[2]
    (dtype('uint8'), 4)
    """
    weights = np.asarray(weights)
    if weights.ndim != 3 or len(weights) != len(tokens) or not weights.size:
        raise ValueError(
            f"weights are {weights.shape}; expected ({len(tokens)}, H, W), not empty"
        )
    height, width = picture.shape[:2]
    figure, panels = _panels(min(len(tokens), MOST_TOKENS), 2.4)
    for axes, token, own in zip(panels, tokens, weights):
        axes.imshow(picture, extent=(0, width, height, 0))
        share = own / max(float(own.max()), 1e-9)
        axes.imshow(
            share,
            extent=(0, width, height, 0),
            cmap="gray",
            alpha=0.65,
            interpolation="bilinear",
            vmin=0.0,
            vmax=1.0,
        )
        axes.set_title(_plain(token.strip() or "·"), fontsize=9)
    return rendered(figure)


def _panels(count: int, height: float) -> tuple["Figure", list["Axes"]]:
    from matplotlib.figure import Figure

    columns = min(count, COLUMNS)
    rows = -(-count // columns)
    size = (2.6 * columns, height * rows)
    figure = Figure(figsize=size, layout="constrained")
    panels = [figure.add_subplot(rows, columns, n) for n in range(1, count + 1)]
    for axes in panels:
        axes.set_xticks([])
        axes.set_yticks([])
    return figure, panels


def _plain(text: str) -> str:
    return text.replace("$", r"\$")  # else matplotlib reads a formula
