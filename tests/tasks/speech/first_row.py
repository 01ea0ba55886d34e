"""Tables whose first row is bad, by verb, and how the line about it begins."""

NO_SOUND = (
    "file,transcript\nnone.wav,hello\n",
    "bad.csv:2: there is no file 'none.wav'",
)
BAD = dict.fromkeys(("train", "evaluate", "predict"), NO_SOUND)
