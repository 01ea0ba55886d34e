"""What the task does before its training, whatever its answers are.

Named splits, and what is fitted on train. This module knows no architecture.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from keras_seq.data.copies import log_copies_between
from keras_seq.data.label_format import ONE_LABEL, LabelFormat, is_marked
from keras_seq.data.places import listed
from keras_seq.data.sources import split_samples
from keras_seq.data.splits import count_shared
from keras_seq.data.store import Samples, SampleStore, stored
from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.ranges import check_settings
from keras_seq.tasks.sentiment.like import READING
from keras_seq.tasks.sentiment.number import Number
from keras_seq.tasks.sentiment.one_label import OneLabel
from keras_seq.tasks.sentiment.several_labels import SeveralLabels
from keras_seq.tasks.sentiment.targets import ClassWeight, Target
from keras_seq.text.tokenizer import Tokenizer

VALIDATION_ROWS = 1250  # enough to stop by and to weigh two paths; the rest trains


class TextData(NamedTuple):
    """Splits, and what was fitted on their train part alone.

    Attributes:
        splits: "train", "validation" and "test".
        target: what is answered.
        tokenizer: fitted.
        num_train: samples of the train part.
        fingerprint: SHA-256 of the train part.
        fingerprints: of each part, by its name.
        reading: how the labels of further data are read.
    """

    splits: dict[str, SampleStore]
    target: Target
    tokenizer: Tokenizer
    num_train: int
    fingerprint: str
    fingerprints: dict[str, str]
    reading: dict[str, Any]

    @property
    def label_names(self) -> list[str]:
        """C names in order; none of a number."""
        return self.target.label_names


def prepare_texts(
    given: Mapping[str, Samples],
    *,
    num_words: int,
    limit: int | None = None,
    seed: int = 0,
    labels_as_written: bool = False,
    label_format: LabelFormat = ONE_LABEL,
    class_weight: ClassWeight = "none",
) -> TextData:
    """Cuts the parts that are not given from train, and fits on the rest.

    A tenth tests; a tenth validates, or 1,250 samples where that is less. Spellings of
    one label are joined, and copies of train texts in the parts that are given counted.
    Labels say which kind of target it is: lists, or what a separator or columns made,
    are several labels a text; a number is what `label_format` asks for.

    Args:
        given: "train", and "validation" or "test" where the user brings them.
        num_words: of the tokenizer.
        limit: most samples to take of what is cut.
        seed: of the split.
        labels_as_written: joins no labels, and takes NA and the like for classes.
        label_format: how the labels were read.
        class_weight: "balanced" weighs a class by how rare it is.

    Returns:
        The splits and what was fitted on train.

    Raises:
        UserError: One class only, too few rows, a label that train does not have or
            that reads as missing, or a part that mostly stands in train.

    Example:

    >>> samples = [(f"film {n}", "no" if n % 2 else "yes") for n in range(100)]
    >>> data = prepare_texts({"train": samples}, num_words=50)
    >>> data.label_names, data.num_train, data.tokenizer.vocab_size
    (['no', 'yes'], 80, 50)
    """
    check_settings(limit=limit)
    # The files are read here, and never again.
    train = stored(given["train"])
    kind = _kind_of(train, label_format)
    is_class = label_format.kind == "classification"
    read = _read(kind, {**given, "train": train}, labels_as_written, is_class)
    names, read["train"] = read["train"].names, kind.strata(read["train"])
    log_copies_between(read, "texts")
    if shared := count_shared(read["train"]):
        what = f"{shared:,} texts stand under several labels"
        log.info(f"{read['train']}: {what}; each in one part")
    share = min(0.1, VALIDATION_ROWS / len(read["train"]))
    shares = {"validation": share, "test": 0.1}
    shares |= {part: 0.0 for part in shares if part in read}
    splits = read | split_samples(read["train"], **shares, seed=seed, limit=limit)
    if names is not read["train"].names:
        cut = [part for part in splits if part not in given or part == "train"]
        named = dict(zip(train.spellings, names))
        splits |= {part: splits[part].renamed(named) for part in cut}
    target = kind.fit(splits["train"], class_weight)
    if absent := set(label_format.label_columns or ()) - set(target.label_names):
        what = f"no text has the labels {listed(sorted(absent))}; they are not learned"
        log.info(f"{train}: {what}")
    for part in ("validation", "test"):
        target.values(splits[part])  # a label that train does not have is an error
    fingerprints = {part: store.fingerprint() for part, store in splits.items()}
    tokenizer = Tokenizer(num_words)
    tokenizer.fit_on_texts(splits["train"].encoded_texts())
    return TextData(
        splits,
        target,
        tokenizer,
        len(splits["train"]),
        fingerprints["train"],
        fingerprints,
        {name: getattr(label_format, name) for name in READING},
    )


def _kind_of(train: SampleStore, label_format: LabelFormat) -> type[Target]:
    if label_format.kind == "regression":
        return Number
    return SeveralLabels if any(map(is_marked, train.spellings)) else OneLabel


def _read(
    kind: type[Target],
    given: Mapping[str, Samples],
    as_written: bool,
    may_be_numbers: bool,
) -> dict[str, SampleStore]:
    """Samples in which every label has one name: that of train."""
    read_part = partial(kind.read, as_written=as_written, may_be_numbers=may_be_numbers)
    read = {"train": read_part(given["train"])}
    known = kind.names_of(read["train"])
    for part in [part for part in given if part != "train"]:
        read[part] = read_part(given[part], known)
        if not len(read[part]):
            raise UserError(f"{read[part]}: no rows, so there is nothing to score")
    return read
