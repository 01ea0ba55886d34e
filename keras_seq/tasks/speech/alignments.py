"""Pictures of how a model read a recording, as arrays. Independent of models.

Shapes: T frames, F bands, T2 answered frames, C classes.
"""

from collections.abc import Sequence

import numpy as np

from keras_seq.evaluation.figures import rendered

MOST_SYMBOLS = 12


def alignment_figure(
    log_energies: np.ndarray,
    log_probabilities: np.ndarray,
    symbols: Sequence[str],
    title: str,
) -> np.ndarray:
    """Draws the sound above, and below when which symbol was heard.

    The symbols that were surest somewhere are drawn, the blank as a grey shade.

    Args:
        log_energies: float (T, F).
        log_probabilities: float (T2, C), class 0 the blank.
        symbols: C - 1 names.
        title: what stands above.

    Returns:
        uint8 (H, W, 4), RGBA.

    Example:

    >>> probabilities = np.log(np.full((4, 3), 1 / 3))
    >>> alignment_figure(np.zeros((8, 5)), probabilities, ["a", "b"], "ab").dtype
    dtype('uint8')
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    steps = len(log_probabilities)
    above.imshow(
        log_energies.T,
        aspect="auto",
        origin="lower",
        cmap="magma",
        extent=(0, steps, 0, log_energies.shape[1]),
    )
    above.set_title(title.replace("$", r"\$")[:100])
    above.set_ylabel("mel band")
    probabilities = np.exp(log_probabilities)
    centres = np.arange(steps) + 0.5
    below.fill_between(centres, probabilities[:, 0], color="lightgrey", label="blank")
    peaks = probabilities[:, 1:].max(axis=0, initial=0)
    for number in np.argsort(-peaks)[:MOST_SYMBOLS]:
        if peaks[number] > 0.05:
            name = "space" if symbols[number] == " " else symbols[number]
            below.plot(centres, probabilities[:, number + 1], label=name)
    below.set_xlabel("answered frame")
    below.set_ylabel("probability")
    below.set_ylim(0, 1.02)
    below.legend(loc="upper right", fontsize="small", ncols=4)
    return rendered(figure)
