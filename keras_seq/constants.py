"""Special tokens and their ids, shared by tokenizers, models and decoders."""

PAD_ID = 0
OOV_ID = 1
OOV_TOKEN = "<OOV>"
