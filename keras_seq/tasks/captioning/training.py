"""How a captioner is trained: the network by the size of the data, and the recipe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_seq.losses import token_loss
from keras_seq.models.captioning import build_captioning_model
from keras_seq.models.image_encoder import build_image_encoder
from keras_seq.tasks.captioning.data import CaptioningData
from keras_seq.text.row_batches import make_row_dataset
from keras_seq.training.planned import fit_planned

CAPTIONS_SEEN = 60_000  # in all epochs together, where no time is given


def build_network(
    data: CaptioningData,
    *,
    units: int,
    attention: bool = True,
    dropout: float = 0.3,
    documented: bool = False,
) -> keras.Model:
    """One builder call, with a small encoder where none is given.

    Args:
        data: whose pictures and captions it is for.
        units: of the LSTM, and the size of a token's vector.
        attention: each step looks at the grid, where the features have one.
        dropout: rate.
        documented: with the positional arguments alone.
    """
    shape, reads = data.arrays["train"].shape[1:], None
    if data.encoder is None:
        reads = build_image_encoder(shape)
        shape = reads.output_shape[1:]
    sizes = shape, data.coder.vocab_size, units, units
    if documented:
        return build_captioning_model(*sizes, encoder=reads)
    return build_captioning_model(
        *sizes,
        attention="additive" if attention and len(shape) > 1 else None,
        encoder=reads,
        tie_embeddings=True,
        dropout=dropout,
    )


def train_captioner(
    model: keras.Model, data: CaptioningData, recipe: Mapping[str, Any], run_dir: Path
) -> keras.callbacks.History:
    """Trains with smoothed labels, a warm-up, a cosine, and weights that are averaged.

    Args:
        model: it learns.
        data: with the parts "train" and "validation".
        recipe: batch_size, seed, learning_rate, label_smoothing, epochs, max_seconds
            and resume.
        run_dir: takes TensorBoard's logs, checkpoints and the planned steps.
    """
    train, validation = (
        make_row_dataset(
            data.arrays[part],
            [picture.captions for picture in data.splits[part]],
            data.coder,
            batch_size=recipe["batch_size"],
            shuffle=part == "train",
            seed=recipe["seed"],
        )
        for part in ("train", "validation")
    )
    captions = train.num_batches * recipe["batch_size"]
    return fit_planned(
        model,
        train,
        validation,
        token_loss(recipe["label_smoothing"]),
        recipe,
        epochs=max(10, min(40, CAPTIONS_SEEN // captions)),
        learning_rate=recipe["learning_rate"],
        run_dir=run_dir,
        token_names=data.coder.names,
    )
