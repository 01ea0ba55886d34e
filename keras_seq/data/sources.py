"""Raw files in, (text, label) samples out: tables, their facts, and their splits.

Samples are anything that yields pairs of strings: a list, or a table that reads its
files on every pass; `store.py` keeps what was read once. This module never holds more
of them than a batch, knows neither file formats (tables.py) nor models, and imports no
framework.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

from keras_seq.data.columns import (
    LABEL_COLUMNS,
    NUMBER_COLUMNS,
    TEXT_COLUMNS,
    check_one_of_flags,
    find_column,
)
from keras_seq.data.in_memory import Table, as_file
from keras_seq.data.label_format import ONE_LABEL, LabelFormat
from keras_seq.data.places import exists, user_path
from keras_seq.data.splits import (
    count_shared,
    digests_by_label,
    plan_splits,
    split_store,
)
from keras_seq.data.store import Samples, SampleStore, stored
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import (
    error_at,
    find_files,
    kind_of,
    read_columns,
)
from keras_seq.data.text_table import LabelFolders, TextTable
from keras_seq.errors import UserError


def read_table(
    path_or_glob: Table,
    text_column: str | None = None,
    label_column: str | None = None,
    need_labels: bool = True,
    labels_as_written: bool = False,
    table_format: TableFormat = AS_FOUND,
    label_format: LabelFormat = ONE_LABEL,
) -> TextTable | LabelFolders:
    """Opens files of texts and labels: CSV, TSV, JSON, Parquet, Excel, fastText's.

    Only the names of files and columns are read here; the rows stream from disk on
    every pass, so a file may be larger than memory.

    Args:
        path_or_glob: A file, plain or .gz, a glob such as `data/*.csv`, or a list of
            both; every file has the same two columns. Or a folder of folders with a
            file a text, whose names are the labels. Or a DataFrame, (texts, labels), or
            a list of (text, label).
        text_column: Column of texts; by default the first of the usual names (text,
            review, sentence, content, ...), whatever their case.
        label_column: Column of labels, strings or whole numbers; by default the first
            of label, sentiment, class, category, ...; never a rating.
        need_labels: False reads texts alone, with "" for every label.
        labels_as_written: A label such as NA, None or ? is a class of its own; else it
            is an error that names the row.
        table_format: Separator, encoding, and what else a file leaves open.
        label_format: Several labels a text, or a number, where it is not one label. A
            list of labels, in memory or in a JSON file, needs none.

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
    if isinstance(path_or_glob, str | Path) and need_labels:
        folder = user_path(path_or_glob)
        if exists(folder) and folder.is_dir():
            return LabelFolders(folder, encoding=table_format.encoding)
    given = as_file(path_or_glob, ("text", "label"))
    paths = tuple(find_files(given, partial(kind_of, table_format=table_format)))
    columns = read_columns(paths[0], table_format)
    find = partial(find_column, paths[0], columns, table_format)
    text = find("text", text_column, TEXT_COLUMNS)
    several = label_format.label_columns or ()
    if several and label_column is not None:
        raise UserError("--label-column and --label-columns exclude each other")
    label = None
    if need_labels and not several:
        asked = label_column is not None
        numbers = label_format.kind == "regression"
        if not (asked or numbers):
            check_one_of_flags(paths[0], columns, table_format)
        usual = NUMBER_COLUMNS if numbers else LABEL_COLUMNS
        label = find("label", label_column, usual)
    several = [find("label", name, ()) for name in several]
    if text in (label, *several):
        what = f"column {text!r} is named for both texts and labels; name two"
        raise error_at(paths[0], what)
    for path in paths[1:]:
        columns = read_columns(path, table_format)
        for kind, name in (("text", text), *(("label", n) for n in (label, *several))):
            if name is not None:
                find_column(path, columns, table_format, kind, name, ())
    if several:
        label_format = replace(label_format, label_columns=tuple(several))
    return TextTable(paths, text, label, labels_as_written, table_format, label_format)


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
