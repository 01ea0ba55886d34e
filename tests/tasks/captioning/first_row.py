"""Tables whose first row is bad, by verb, and how the line about it begins."""

NO_PICTURE = (
    "image,caption\nnone.png,a dog\n",
    "bad.csv:2: there is no file 'none.png'",
)
BAD = dict.fromkeys(("train", "evaluate", "predict"), NO_PICTURE)
