"""Tables whose first row is bad, by verb, and how the line about it begins."""

NO_SOURCE = ("source,target\n,gut\nfine,schlecht\n", "bad.csv:2: ")
BAD = dict.fromkeys(("train", "evaluate", "predict"), NO_SOURCE)
