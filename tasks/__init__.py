"""The scripts of the tasks; the wheel ships them as `keras_seq.scripts`."""
