"""Raw files in, (text, label) samples out: tables, their facts, and their splits.

Samples are anything that yields pairs of strings: a list, or a table that reads its
files on every pass; `store.py` keeps what was read once. This module never holds more
of them than a batch, knows neither file formats (tables.py) nor models, and imports no
framework.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from keras_seq.data.in_memory import Table, as_file
from keras_seq.data.labels import check_missing, clean_label, reads_as_missing
from keras_seq.data.splits import (
    count_shared,
    digests_by_label,
    plan_splits,
    split_store,
)
from keras_seq.data.store import Samples, SampleStore, stored
from keras_seq.data.tables import (
    error_at,
    find_files,
    listed,
    place_of,
    read_columns,
    read_rows,
)

# Usual names in order of preference. A rating says how much, not which class.
TEXT_COLUMNS = (
    "text review sentence content comment body message tweet document review_text "
    "reviewtext review_body review_content comment_text full_text utterance description"
).split()
LABEL_COLUMNS = (
    "label sentiment class category target labels polarity label_name class_name "
    "airline_sentiment intent topic emotion y"
).split()
# How spreadsheets and pandas write that there is no text.
_MISSING = {"", "nan", "null"}


class TextTable:
    """(text, label) pairs that are read from the files again on every pass.

    Attributes:
        paths: The files, in order.
        text_column: Name of the column of texts.
        label_column: Name of the column of labels, or None when they are not read;
            every label is then "".
        labels_as_written: A label such as NA is a class; else it is an error.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        text_column: str,
        label_column: str | None,
        labels_as_written: bool = False,
    ) -> None:
        self.paths = tuple(paths)
        self.text_column = text_column
        self.label_column = label_column
        self.labels_as_written = labels_as_written

    def __str__(self) -> str:
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.paths[0]}{more}"

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((text, label.strip()) for _, _, text, label in self.rows())

    def rows(self) -> Iterator[tuple[Path, int, str, str]]:
        """Yields (file, line or row number, text, label as it is written).

        Raises:
            UserError: A row cannot be read, lacks a text or a label, or there is none.
        """
        columns = [name for name in (self.text_column, self.label_column) if name]
        empty = True
        for path in self.paths:
            for number, values in read_rows(path, columns):
                empty = False
                try:
                    text = _text_of(values[0])
                    label = _label_of(values[1]) if self.label_column else ""
                except ValueError as error:
                    name = columns[error.args[1]]
                    what = f"{error.args[0]} in column {name!r}; mend or remove the row"
                    raise error_at(place_of(path, number), what) from error
                if not self.labels_as_written and reads_as_missing(label):
                    check_missing(place_of(path, number), [label])
                yield path, number, text, label
        if empty:
            raise error_at(self.paths[0], "holds no rows")


def _text_of(value: object) -> str:
    if not isinstance(value, str):
        if value is None or value != value:
            raise ValueError("no text", 0)
        raise ValueError(f"{type(value).__name__} instead of text", 0)
    if len(value) < 8 and value.strip().lower() in _MISSING or value.isspace():
        raise ValueError("no text", 0)
    try:
        value.encode()
    except UnicodeEncodeError:
        # Half of a pair, as JSON writers leave when they cut a text.
        return value.encode("utf-8", "replace").decode()
    return value


def _label_of(value: object) -> str:
    if value is None or value != value:
        raise ValueError("no label", 1)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int):
        what = f"{type(value).__name__} instead of a label (a word or a whole number)"
        raise ValueError(what, 1)
    if not clean_label(str(value)):
        raise ValueError("no label", 1)
    return str(value).encode("utf-8", "replace").decode()


def read_table(
    path_or_glob: Table,
    text_column: str | None = None,
    label_column: str | None = None,
    need_labels: bool = True,
    labels_as_written: bool = False,
) -> TextTable:
    """Opens files of texts and labels: CSV, TSV, JSON Lines or Parquet, plain or .gz.

    Only the names of files and columns are read here; the rows stream from disk on
    every pass, so a file may be larger than memory.

    Args:
        path_or_glob: A file, a glob such as `data/*.csv`, or a list of both; every
            file has the same two columns. Or a DataFrame, (texts, labels), or a list of
            (text, label).
        text_column: Column of texts; by default the first of the usual names (text,
            review, sentence, content, ...), whatever their case.
        label_column: Column of labels, strings or whole numbers; by default the first
            of label, sentiment, class, category, ...; never a rating.
        need_labels: False reads texts alone, with "" for every label.
        labels_as_written: A label such as NA, None or ? is a class of its own; else it
            is an error that names the row.

    Returns:
        Samples, re-iterable.

    Raises:
        UserError: A file or a column is missing, or a file is empty or unreadable.
            While iterating: a row is unreadable, or has no text or label.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "reviews.csv"
    >>> _ = path.write_text("Review,stars,Sentiment\\nA fine film,5,good\\n")
    >>> list(read_table(path))
    [('A fine film', 'good')]
    """
    paths = find_files(as_file(path_or_glob, ("text", "label")))
    columns = read_columns(paths[0])
    text = _find_column(paths[0], columns, "text", text_column, TEXT_COLUMNS)
    label = None
    if need_labels:
        label = _find_column(paths[0], columns, "label", label_column, LABEL_COLUMNS)
        if label == text:
            what = f"column {text!r} is named for both texts and labels; name two"
            raise error_at(paths[0], what)
    for path in paths[1:]:
        columns = read_columns(path)
        for kind, name in (("text", text), ("label", label)):
            if name is not None:
                _find_column(path, columns, kind, name, ())
    return TextTable(paths, text, label, labels_as_written)


def _find_column(
    path: Path,
    columns: Sequence[str],
    kind: str,
    asked: str | None,
    usual: Sequence[str],
) -> str:
    for name in [asked] if asked is not None else usual:
        matches = [column for column in columns if column == name] or [
            column for column in columns if column.lower() == name.lower()
        ]
        if len(matches) > 1:
            what = f"{len(matches)} columns are called {listed(matches)}; rename one"
            raise error_at(path, what)
        if matches:
            return matches[0]
    what = f"no column {asked!r}" if asked is not None else f"no {kind} column found"
    what += f"; its columns are: {listed(columns)}; name one with --{kind}-column"
    raise error_at(path, what)


def split_samples(
    samples: Samples,
    *,
    test: float = 0.1,
    validation: float = 0.1,
    seed: int = 0,
    limit: int | None = None,
) -> dict[str, SampleStore]:
    """Splits samples into train, validation and test parts that share no text.

    Who belongs where is decided by a seeded digest of the text alone, so copies stay
    together wherever they stand in the data (`copies.py` says what a copy is); within
    each label the digests are cut where the rows come closest to the asked-for share
    (`splits.py` says how). The samples are read once, into a temporary file, and memory
    is some 40 bytes a sample.

    Args:
        samples: Samples.
        test: Share of the rows to score at the very end, in [0, 1); 0 makes none.
        validation: Share of the rows to stop training by, in [0, 1); 0 makes none.
        seed: Another seed gives another split.
        limit: Most rows to use in all parts together, taken evenly from each part and
            label (one row of each at least); by default all.

    Returns:
        "train", "validation" and "test" (those asked for), each re-iterable.

    Raises:
        UserError: Too few rows for a part, or no samples.
        ValueError: The shares leave nothing to train on, or `limit` is below 1.

    Example:

    >>> samples = [(f"film {n}", "good" if n % 2 else "bad") for n in range(100)]
    >>> {name: len(list(part)) for name, part in split_samples(samples).items()}
    {'train': 80, 'validation': 10, 'test': 10}
    """
    shares = {"test": test, "validation": validation}
    for name, share in shares.items():
        if not 0 <= share < 1:
            raise ValueError(f"{name}={share}: a share of the rows is in [0, 1)")
    if sum(shares.values()) >= 1:
        what = f"test={test} and validation={validation} leave nothing to train on"
        raise ValueError(f"{what}; their sum must be below 1")
    if limit is not None and limit < 1:
        raise ValueError(f"limit={limit}: use at least one row")
    store = stored(samples)
    plan = plan_splits(digests_by_label(store, seed), shares)
    for name, share in shares.items():
        if share and not plan.rows[name]:
            what = f"{len(store)} rows are too few for a {name} part of {share:g}"
            if shared := count_shared(store):  # copies stand in one part
                what = f"{shared:,} texts stand under several labels, and "
                what += f"what is left is too little for a {name} part of {share:g}"
            what += f"; bring more rows, or a {name} file of its own"
            raise error_at(store.name, what)
    parts = [name for name in ("train", "validation", "test") if shares.get(name, 1)]
    keep = 1.0
    if limit is not None and limit < len(store):
        # Each label of each part may round up by a row.
        spare = len(parts) * len(store.label_counts)
        keep = max(0, limit - spare) / len(store)
    cut = split_store(store, plan, seed, keep)
    return {name: cut[name] for name in parts}
