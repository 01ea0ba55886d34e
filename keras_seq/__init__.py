"""Sequence models for Keras, from raw data to a proven SavedModel.

What users need first is here; everything else stands in its room: `keras_seq.text`,
`keras_seq.training` ... Each name is loaded when it is first asked for: importing
keras_seq imports neither TensorFlow nor Keras, and keeps TensorFlow's start-up remarks
off the screen when it comes. The names are in `__init__.pyi`.
"""

import lazy_loader

from keras_seq.quiet import quiet_tensorflow

quiet_tensorflow()
__version__ = "0.2.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
