"""The warm-up file, read with protocol buffers built from the public .proto files."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorflow.core.framework import tensor_pb2

from keras_seq.serving.warmup import encode_prediction_log, write_warmup_requests

STRING, MESSAGE, BYTES = 9, 11, 12  # FieldDescriptorProto.Type
# tensorflow_serving/apis/{prediction_log,predict,model}.proto: name, number, type. A
# TensorProto is read as bytes here, which is the same on the wire.
MESSAGES = {
    "PredictionLog": [("predict_log", 6, "PredictLog")],
    "PredictLog": [("request", 1, "PredictRequest")],
    "PredictRequest": [("model_spec", 1, "ModelSpec"), ("inputs", 2, "map")],
    "ModelSpec": [("name", 1, STRING), ("signature_name", 3, STRING)],
}


def prediction_log_class() -> Any:
    """`PredictionLog` as protoc would make it from MESSAGES."""
    file = descriptor_pb2.FileDescriptorProto(
        name="warmup.proto", package="warmup", syntax="proto3"
    )
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            added = message.field.add(name=field, number=number, label=1)
            if kind == "map":
                added.label, added.type = added.LABEL_REPEATED, MESSAGE
                added.type_name = f".warmup.{name}.InputsEntry"
                entry = message.nested_type.add(name="InputsEntry")
                entry.options.map_entry = True
                entry.field.add(name="key", number=1, label=1, type=STRING)
                entry.field.add(name="value", number=2, label=1, type=BYTES)
            elif isinstance(kind, str):
                added.type, added.type_name = MESSAGE, f".warmup.{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    found = pool.FindMessageTypeByName("warmup.PredictionLog")
    return message_factory.GetMessageClass(found)


def read_log(record: bytes) -> Any:
    """One record; every byte of it must belong to a field of MESSAGES."""
    log = prediction_log_class().FromString(record)
    log.DiscardUnknownFields()
    assert log.ByteSize() == len(record)
    return log


def test_requests_read_back_with_the_public_messages(tmp_path: Path):
    inputs = {
        "wav": np.array([b"RIFF\x00\x00"], object),
        "window": np.arange(400, dtype=np.float32).reshape(1, 200, 2),
        "frame": np.zeros((1, 40), np.float32),  # lengths below, above, far above 128
        "steps": np.asarray(3, np.int32),
    }
    path = tmp_path / "tf_serving_warmup_requests"
    write_warmup_requests(path, "speech", [inputs, {"steps": inputs["steps"]}])
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
    first, second = (read_log(record).predict_log.request for record in records)
    assert first.model_spec.name == "speech"
    assert first.model_spec.signature_name == "serving_default"
    assert set(first.inputs) == set(inputs)
    assert set(second.inputs) == {"steps"}
    for name, value in inputs.items():
        tensor = tensor_pb2.TensorProto.FromString(first.inputs[name])
        read = tf.make_ndarray(tensor)
        assert (read.dtype, read.shape) == (value.dtype, value.shape)
        assert read.tolist() == value.tolist()


def test_the_shortest_message_byte_by_byte():
    spec = b"\x0a\x01m" + b"\x1a\x02ab"  # name = 1, signature_name = 3
    request = b"\x0a" + bytes([len(spec)]) + spec  # model_spec = 1
    log = b"\x0a" + bytes([len(request)]) + request  # request = 1
    expected = b"\x32" + bytes([len(log)]) + log  # predict_log = 6
    assert encode_prediction_log("m", {}, "ab") == expected
