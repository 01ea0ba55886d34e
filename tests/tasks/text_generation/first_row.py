"""Tables whose first row is bad, by verb, and how the line about it begins."""

SHORT = ("text,n\nfine\nso,2\n", "bad.csv:2: 1 field, but the header has 2")
BAD = dict.fromkeys(("train", "evaluate", "predict"), SHORT)
