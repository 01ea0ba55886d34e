"""Tables whose first row is bad, by verb, and how the line about it begins."""

NO_NUMBER = ("Date,Close\n2024-01-02,x1\n2024-01-03,2\n", "bad.csv:2: column 'Close'")
BAD = dict.fromkeys(("train", "evaluate", "predict"), NO_NUMBER)
