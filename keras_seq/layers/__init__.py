"""Layers that Keras does not have, or does not have as fast."""

from keras_seq.layers.loop import native_step
from keras_seq.layers.recurrent import GRU, LSTM, SimpleRNN

__all__ = ["GRU", "LSTM", "SimpleRNN", "native_step"]
