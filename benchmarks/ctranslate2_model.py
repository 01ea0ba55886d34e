"""Writes a Transformer of keras_seq as a model that CTranslate2 reads.

Pre-norm, with tied embeddings: what `build_network` makes. Tokens are written as their
ids in decimal, "0" the start and "1" the end.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from ctranslate2.specs import TransformerSpec, common_spec

from keras_seq.constants import PAD_ID
from keras_seq.layers.transformer import SinusoidalPositions, TransformerBlock
from keras_seq.text.pair_batches import END_ID

MOST_STEPS = 1024


def blocks_of(model: keras.Model) -> tuple[list[TransformerBlock], ...]:
    """Blocks of the encoder, and of the decoder."""
    blocks = [each for each in model.layers if isinstance(each, TransformerBlock)]
    encoder = [each for each in blocks if not each.cross]
    return encoder, [each for each in blocks if each.cross]


def position_table(width: int) -> np.ndarray:
    """What is added at each place: float32 (MOST_STEPS, D)."""
    return np.array(SinusoidalPositions()(np.zeros((1, MOST_STEPS, width), "float32")))[
        0
    ]


def write_model(model: keras.Model, folder: Path) -> None:
    """The same weights, in float32, in a new folder."""
    encoder, decoder = blocks_of(model)
    embedding = model.get_layer("embedding").get_weights()[0]  # (V, D)
    spec = TransformerSpec.from_config(
        (len(encoder), len(decoder)),
        encoder[0].num_heads,
        pre_norm=True,
        activation=getattr(common_spec.Activation, encoder[0].activation.upper()),
    )
    spec.config.layer_norm_epsilon = encoder[0].norms["self"].epsilon
    spec.config.add_source_bos = spec.config.add_source_eos = False
    spec.config.bos_token = spec.config.decoder_start_token = str(PAD_ID)
    spec.config.unk_token, spec.config.eos_token = str(PAD_ID), str(END_ID)
    for register in (spec.register_source_vocabulary, spec.register_target_vocabulary):
        register([str(number) for number in range(len(embedding))])
    spec.encoder.embeddings[0].weight = spec.decoder.embeddings.weight = embedding
    spec.decoder.projection.weight = embedding
    for side, blocks in ((spec.encoder, encoder), (spec.decoder, decoder)):
        side.position_encodings.encodings = position_table(embedding.shape[1])
        for layer, block in zip(side.layer, blocks, strict=True):
            _write_attention(
                layer.self_attention, block, "self", ("projection", "output")
            )
            if block.cross:
                names = ("query", "memory", "cross_output")
                _write_attention(layer.attention, block, "cross", names)
            _write_norm(layer.ffn.layer_norm, block.norms["ff"])
            _write_dense(layer.ffn.linear_0, block.dense["expand"])
            _write_dense(layer.ffn.linear_1, block.dense["contract"])
    _write_norm(spec.encoder.layer_norm, model.get_layer("encoder_norm"))
    _write_norm(spec.decoder.layer_norm, model.get_layer("decoder_norm"))
    spec.validate()
    spec.optimize()
    folder.mkdir()
    spec.save(str(folder))


def _write_attention(
    spec: Any, block: TransformerBlock, part: str, names: Sequence[str]
) -> None:
    _write_norm(spec.layer_norm, block.norms[part])
    for linear, name in zip(spec.linear, names, strict=True):
        _write_dense(linear, block.dense[name])


def _write_dense(spec: Any, layer: keras.layers.Dense) -> None:
    kernel, bias = layer.get_weights()
    spec.weight, spec.bias = np.ascontiguousarray(kernel.T), bias


def _write_norm(spec: Any, layer: keras.layers.LayerNormalization) -> None:
    spec.gamma, spec.beta = layer.get_weights()
