"""A classifier of your own as a SavedModel that answers in words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.serving.graph import without_cudnn
from keras_seq.serving.saved_model import export


def export_classifier(
    model: keras.Model,
    export_dir: str | Path,
    labels: Sequence[str],
    examples: np.ndarray,
    metadata: Mapping[str, Any],
) -> Path:
    """`export` of a model with one input, whose outputs are probabilities of labels.

    Its signature takes the model's input, by its name, and answers `label`, the
    likeliest, its `probability` and all `probabilities`.

    Args:
        model: (B, ...) -> probabilities (B, C).
        export_dir: the model's folder.
        labels: C names, in the model's order.
        examples: inputs held out from training, which prove the export.
        metadata: of `export`; the labels are added.

    Returns:
        The version's folder.

    Raises:
        ExportError: The SavedModel does not answer as Python does.
        ValueError: The model has other outputs than labels, or several inputs.
    """
    if len(model.inputs) != 1 or model.output_shape[1:] != (len(labels),):
        raise ValueError(
            f"the model has {len(model.inputs)} inputs and outputs "
            f"{model.output_shape}; expected one, and (B, {len(labels)}) for the labels"
        )
    module = tf.Module()
    module.model, given = model, model.inputs[0]

    def serve(samples: tf.Tensor) -> dict[str, tf.Tensor]:
        probabilities = module.model(samples, training=False)  # (B, C)
        return {
            "label": tf.gather(list(labels), tf.argmax(probabilities, axis=-1)),
            "probability": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
        }

    with without_cudnn([model]), tf.device("CPU"):
        expected = serve(tf.constant(examples, given.dtype))
    return export(
        module,
        export_dir,
        models=[model],
        signatures={
            "serving_default": (
                serve,
                [tf.TensorSpec(given.shape, given.dtype, name=given.name)],
            )
        },
        examples={given.name: examples},
        expected={name: value.numpy() for name, value in expected.items()},
        metadata={**metadata, "labels": list(labels)},
    )
