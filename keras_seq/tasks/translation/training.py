"""How a translator is trained: the network by the size of the data, and the recipe."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from keras_seq.layers.attention import Score
from keras_seq.losses import TokenLoss
from keras_seq.models.transformer import build_transformer
from keras_seq.models.translation import build_translation_model
from keras_seq.text.pair_batches import make_pair_dataset
from keras_seq.text.pairs import SentencePair
from keras_seq.text.reversible import ReversibleTokenizer
from keras_seq.training.planned import fit_planned

FEW_PAIRS, MANY_PAIRS = 10_000, 100_000
PAIRS_SEEN = 600_000  # in all epochs together, where no time is given


def build_network(
    vocab_size: int,
    num_pairs: int,
    network: str,
    *,
    attention: Score | None = None,
    model_dim: int | None = None,
    num_layers: int | None = None,
    dropout: float = 0.2,
) -> keras.Model:
    """One builder call: smaller where there are few pairs.

    Args:
        vocab_size: of both sides.
        num_pairs: of the train part.
        network: "transformer", "lstm", or "documented": the LSTM encoder-decoder with
            its positional arguments alone.
        attention: of the recurrent ones; of "lstm" additive where it is None.
        model_dim: width of all layers; None is 128 for few pairs, else 256, and 128 of
            a transformer where pairs are not many.
        num_layers: of encoder and decoder each; None is 2 for few pairs, else 4, and 1
            of recurrent ones.
        dropout: rate.
    """
    narrow = MANY_PAIRS if network == "transformer" else FEW_PAIRS
    width = model_dim or (128 if num_pairs < narrow else 256)
    if network == "documented":
        return build_translation_model(
            vocab_size, vocab_size, width, width, attention=attention
        )
    if network == "lstm":
        return build_translation_model(
            vocab_size,
            vocab_size,
            width,
            width,
            attention=attention or "additive",
            num_layers=num_layers or 1,
            bidirectional=True,
            tie_embeddings=True,
            dropout=dropout,
        )
    layers = num_layers or (2 if num_pairs < FEW_PAIRS else 4)
    return build_transformer(
        vocab_size,
        vocab_size,
        width,
        4,
        layers,
        ff_dim=2 * width,
        dropout=dropout,
        pre_norm=True,
        tie_embeddings=True,
    )


def train_translator(
    model: keras.Model,
    coder: ReversibleTokenizer,
    splits: Mapping[str, Sequence[SentencePair]],
    recipe: Mapping[str, Any],
    run_dir: Path,
) -> keras.callbacks.History:
    """Trains with smoothed labels, a warm-up, and weights that are averaged.

    Args:
        model: it learns.
        coder: of both sides.
        splits: "train" and "validation".
        recipe: batch_tokens, seed, learning_rate, label_smoothing, epochs, max_seconds,
            schedule and resume.
        run_dir: takes TensorBoard's logs, checkpoints and the planned steps.
    """
    sizes = {"batch_tokens": recipe["batch_tokens"], "seed": recipe["seed"]}
    train = make_pair_dataset(splits["train"], coder, shuffle=True, **sizes)
    validation = make_pair_dataset(splits["validation"], coder, **sizes)
    return fit_planned(
        model,
        train,
        validation,
        TokenLoss(recipe["label_smoothing"]),
        recipe,
        epochs=max(3, min(30, PAIRS_SEEN // len(splits["train"]))),
        learning_rate=recipe["learning_rate"],
        run_dir=run_dir,
        token_names=coder.names,
        schedule=recipe["schedule"],
    )
