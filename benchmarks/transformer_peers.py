"""The Transformer of keras_seq twice more: of Keras' own layers, and in PyTorch.

Pre-norm with tied embeddings, as `build_network` makes it; dropout where it has some:
on embeddings and on what each part adds.
"""

import keras
import torch
from keras import layers, ops
from torch import nn

from benchmarks.ctranslate2_model import blocks_of, position_table
from keras_seq.constants import PAD_ID
from keras_seq.layers.transformer import SinusoidalPositions, TransformerBlock


def stock_twin(model: keras.Model) -> keras.Model:
    """The same network of `keras.layers`, with weights of its own."""
    blocks, embedding = blocks_of(model), model.get_layer("embedding")
    size, width = embedding.input_dim, embedding.output_dim
    source_ids = keras.Input((None,), dtype="int32")
    target_ids = keras.Input((None,), dtype="int32")
    start = keras.initializers.RandomNormal(stddev=width**-0.5)
    shared = layers.ReversibleEmbedding(size, width, embeddings_initializer=start)
    rate = blocks[0][0].dropout
    seen = ops.not_equal(source_ids, PAD_ID)[:, None]  # (B, 1, S)

    def attended(x, block: TransformerBlock, **options):
        attention = layers.MultiHeadAttention(
            block.num_heads, width // block.num_heads, flash_attention=False
        )
        normal = layers.LayerNormalization(epsilon=1e-6)(x)
        options = {"value": normal} | options
        return x + layers.Dropout(rate)(attention(normal, **options))

    def expanded(x, block: TransformerBlock):
        normal = layers.LayerNormalization(epsilon=1e-6)(x)
        h = layers.Dense(block.ff_dim, block.activation)(normal)
        return x + layers.Dropout(rate)(layers.Dense(width)(h))

    x, y = (
        layers.Dropout(rate)(SinusoidalPositions()(shared(ids)))
        for ids in (source_ids, target_ids)
    )
    for block in blocks[0]:
        x = expanded(attended(x, block, attention_mask=seen), block)
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    for block in blocks[1]:
        y = attended(y, block, use_causal_mask=True)
        y = expanded(attended(y, block, value=x, attention_mask=seen), block)
    y = layers.LayerNormalization(epsilon=1e-6)(y)
    twin = keras.Model([source_ids, target_ids], shared(y, reverse=True))
    if twin.count_params() != model.count_params():
        raise ValueError(f"{twin.count_params()} weights, not {model.count_params()}")
    return twin


class TorchBlock(nn.Module):
    """With the weights of a block."""

    def __init__(self, block: TransformerBlock) -> None:
        super().__init__()
        width, heads = block.width, block.num_heads
        names = {"self": ("projection", "output")}
        if block.cross:
            names["cross"] = ("query", "memory", "cross_output")
        self.attentions, self.norms = nn.ModuleDict(), nn.ModuleDict()
        for part, denses in names.items():
            attention = nn.MultiheadAttention(width, heads, batch_first=True)
            *inputs, output = (block.dense[name] for name in denses)
            weights = [torch.cat([_kernel(each) for each in inputs])]
            weights += [torch.cat([_bias(each) for each in inputs])]
            attention.in_proj_weight.data, attention.in_proj_bias.data = weights
            attention.out_proj.weight.data = _kernel(output)
            attention.out_proj.bias.data = _bias(output)
            self.attentions[part] = attention
        self.expand = nn.Linear(width, block.ff_dim)
        self.contract = nn.Linear(block.ff_dim, width)
        for name in ("expand", "contract"):
            getattr(self, name).weight.data = _kernel(block.dense[name])
            getattr(self, name).bias.data = _bias(block.dense[name])
        for part, norm in block.norms.items():
            self.norms[part] = _norm(norm)
        self.drop = nn.Dropout(block.dropout)
        self.activation = getattr(torch.nn.functional, block.activation)

    def attended(self, part, x, memory=None, padding=None, causal=None):
        normal = self.norms[part](x)
        memory = normal if memory is None else memory
        added, _ = self.attentions[part](
            normal,
            memory,
            memory,
            key_padding_mask=padding,
            attn_mask=causal,
            is_causal=causal is not None,
            need_weights=False,
        )
        return x + self.drop(added)

    def expanded(self, x):
        h = self.activation(self.expand(self.norms["ff"](x)))
        return x + self.drop(self.contract(h))


class TorchTransformer(nn.Module):
    """With the weights of a model: ids (B, S) and (B, T) to logits (B, T, V)."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        embedding = torch.tensor(model.get_layer("embedding").get_weights()[0])
        self.embedding = nn.Embedding.from_pretrained(embedding, freeze=False)
        self.table = torch.tensor(position_table(embedding.shape[1]))
        encoder, decoder = blocks_of(model)
        self.encoder = nn.ModuleList(TorchBlock(block) for block in encoder)
        self.decoder = nn.ModuleList(TorchBlock(block) for block in decoder)
        self.encoder_norm = _norm(model.get_layer("encoder_norm"))
        self.decoder_norm = _norm(model.get_layer("decoder_norm"))
        self.drop = nn.Dropout(encoder[0].dropout)

    def embedded(self, ids):
        scaled = self.embedding(ids) * self.embedding.embedding_dim**0.5
        return self.drop(scaled + self.table[: ids.shape[1]])

    def forward(self, source_ids, target_ids):
        padding, x = source_ids == PAD_ID, self.embedded(source_ids)
        for block in self.encoder:
            x = block.expanded(block.attended("self", x, padding=padding))
        x, y = self.encoder_norm(x), self.embedded(target_ids)
        steps = target_ids.shape[1]
        causal = torch.ones(steps, steps, dtype=torch.bool).triu(1)
        for block in self.decoder:
            y = block.attended("self", y, causal=causal)
            y = block.expanded(block.attended("cross", y, x, padding))
        return self.decoder_norm(y) @ self.embedding.weight.T


def _kernel(layer: keras.layers.Dense) -> torch.Tensor:
    return torch.tensor(layer.get_weights()[0].T.copy())


def _bias(layer: keras.layers.Dense) -> torch.Tensor:
    return torch.tensor(layer.get_weights()[1])


def _norm(layer: keras.layers.LayerNormalization) -> nn.LayerNorm:
    gamma, beta = (torch.tensor(each) for each in layer.get_weights())
    norm = nn.LayerNorm(len(gamma), eps=layer.epsilon)
    norm.weight.data, norm.bias.data = gamma, beta
    return norm
