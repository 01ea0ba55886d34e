"""Tables whose first row is bad, by verb, and how the line about it begins."""

EMPTY = ("text,label\n ,good\nfine,bad\n", "bad.csv:2: no text in column 'text'")
BAD = {"train": EMPTY, "evaluate": EMPTY, "predict": EMPTY}
