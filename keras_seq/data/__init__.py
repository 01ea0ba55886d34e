"""Raw files to batches: sources, text, and tf.data pipelines."""
