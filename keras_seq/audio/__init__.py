"""From recordings to features: files, waveforms, log-mel, augmentation, batches."""
