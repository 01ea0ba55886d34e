"""How a captioner is trained: the network by the size of the data, and the recipe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras

from keras_seq.losses import TokenLoss
from keras_seq.models.captioning import build_captioning_model
from keras_seq.models.image_encoder import build_image_encoder
from keras_seq.tasks.captioning.data import CaptioningData
from keras_seq.text.row_batches import make_row_dataset
from keras_seq.training.planned import fit_planned


class Usual(NamedTuple):
    """What a user leaves out; captions are those that all epochs together see."""

    units: int
    dropout: float
    batch_size: int
    captions: int


ON_FEATURES = Usual(256, 0.3, 64, 60_000)
ON_PICTURES = Usual(128, 0.1, 32, 150_000)  # it learns to see, too: small, many steps


def build_network(
    data: CaptioningData,
    *,
    units: int | None = None,
    attention: bool = True,
    dropout: float | None = None,
    documented: bool = False,
) -> keras.Model:
    """One builder call, with a small encoder where none is given.

    Args:
        data: whose pictures and captions it is for.
        units: of the LSTM, and the size of a token's vector; None fits what is read.
        attention: each step looks at the grid, where the features have one.
        dropout: rate; None fits what is read.
        documented: with the positional arguments alone.
    """
    shape, reads, usual = data.arrays["train"].shape[1:], None, ON_FEATURES
    if data.encoder is None:
        reads, usual = build_image_encoder(shape), ON_PICTURES
        shape = reads.output_shape[1:]
    units = units or usual.units
    sizes = shape, data.coder.vocab_size, units, units
    if documented:
        return build_captioning_model(*sizes, encoder=reads)
    return build_captioning_model(
        *sizes,
        attention="additive" if attention and len(shape) > 1 else None,
        encoder=reads,
        tie_embeddings=True,
        dropout=usual.dropout if dropout is None else dropout,
    )


def train_captioner(
    model: keras.Model, data: CaptioningData, recipe: Mapping[str, Any], run_dir: Path
) -> keras.callbacks.History:
    """Trains with smoothed labels, a warm-up, a cosine, and weights that are averaged.

    Args:
        model: it learns.
        data: with the parts "train" and "validation".
        recipe: batch_size (None fits what is read), seed, learning_rate,
            label_smoothing, epochs, max_seconds and resume.
        run_dir: takes TensorBoard's logs, checkpoints and the planned steps.
    """
    usual = ON_PICTURES if data.encoder is None else ON_FEATURES
    batch_size = recipe["batch_size"] or usual.batch_size
    train, validation = (
        make_row_dataset(
            data.arrays[part],
            [picture.captions for picture in data.splits[part]],
            data.coder,
            batch_size=batch_size,
            shuffle=part == "train",
            seed=recipe["seed"],
        )
        for part in ("train", "validation")
    )
    captions = train.num_batches * batch_size
    return fit_planned(
        model,
        train,
        validation,
        TokenLoss(recipe["label_smoothing"]),
        recipe,
        epochs=max(10, min(40, usual.captions // captions)),
        learning_rate=recipe["learning_rate"],
        run_dir=run_dir,
        token_names=data.coder.names,
    )
