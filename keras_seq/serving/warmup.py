"""The warm-up file of TensorFlow Serving, written without its package.

A server that finds `assets.extra/tf_serving_warmup_requests` in a version sends these
requests through the model before the first client's, so that nobody waits for lazy
initialisation. The file is a TFRecord of `PredictionLog` messages. Their package,
tensorflow-serving-api, is large and lags behind TensorFlow; the few fields that are
needed are encoded here. This module knows the wire format only, no task.

Field numbers, from tensorflow/serving, folder tensorflow_serving/apis:

    PredictionLog   predict_log = 6                  prediction_log.proto
    PredictLog      request = 1                      prediction_log.proto
    PredictRequest  model_spec = 1, inputs = 2       predict.proto
    ModelSpec       name = 1, signature_name = 3     model.proto
    map entry       key = 1, value = 2               protocol buffers
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

WARMUP_FILE = "tf_serving_warmup_requests"


def _varint(number: int) -> bytes:
    """Base 128, lowest seven bits first, the top bit set on all but the last."""
    groups = []
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


def _field(number: int, payload: bytes) -> bytes:
    """One length-delimited field (wire type 2): a string or a nested message."""
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def encode_prediction_log(
    model_name: str,
    inputs: Mapping[str, np.ndarray],
    signature_name: str = "serving_default",
) -> bytes:
    """Encode one predict request, of one batch, as a serialized `PredictionLog`.

    Example:

    >>> encode_prediction_log("sentiment", {})[:7]
    b'2 \\n\\x1e\\n\\x1c\\n'
    """
    model_spec = _field(1, model_name.encode()) + _field(3, signature_name.encode())
    request = _field(1, model_spec)
    for name, value in sorted(inputs.items()):
        tensor = tf.make_tensor_proto(value).SerializeToString()
        request += _field(2, _field(1, name.encode()) + _field(2, tensor))
    return _field(6, _field(1, request))


def write_warmup_requests(
    path: Path, model_name: str, requests: Sequence[Mapping[str, np.ndarray]]
) -> None:
    """Write the warm-up file; a server reads 1000 requests at most."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for inputs in requests:
            writer.write(encode_prediction_log(model_name, inputs))
