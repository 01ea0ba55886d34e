"""Builder functions: pure Keras models, uncompiled, every layer named."""
