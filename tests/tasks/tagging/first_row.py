"""Tables whose first row is bad, by verb, and how the line about it begins."""

EMPTY = ("text,label\n ,good\nfine,bad\n", "bad.csv:2: no text in column 'text'")
NO_WORD = ("word,tag\n,NN\na,DT\n", "bad.csv:2: ")
BAD = {"train": NO_WORD, "evaluate": NO_WORD, "predict": EMPTY}
