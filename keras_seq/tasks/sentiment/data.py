"""What the task does before and after its training, whatever its answers are.

Before: named splits, and what is fitted on train. After: scores beside the baselines,
the run folder, the proven export. This module knows no architecture and no training.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import keras

from keras_seq.data.copies import (
    count_copies,
    counted,
    log_copies,
    log_trained,
    save_digests,
)
from keras_seq.data.label_format import ONE_LABEL, LabelFormat, is_marked
from keras_seq.data.places import listed
from keras_seq.data.sources import split_samples
from keras_seq.data.splits import count_shared
from keras_seq.data.store import Samples, SampleStore, stored
from keras_seq.errors import UserError
from keras_seq.log import log, stage
from keras_seq.ranges import check_settings
from keras_seq.serving.saved_model import EXTRA, load_exported
from keras_seq.tasks.run import Answer, Ending, Run, finish_run
from keras_seq.tasks.sentiment.figures import draw_answers
from keras_seq.tasks.sentiment.number import Number
from keras_seq.tasks.sentiment.one_label import OneLabel
from keras_seq.tasks.sentiment.scores import (
    ask_all,
    fit_baselines,
    load_baselines,
    report_on,
    save_baselines,
    score_classifier,
)
from keras_seq.tasks.sentiment.server import TextClassifier, answer_texts
from keras_seq.tasks.sentiment.several_labels import SeveralLabels
from keras_seq.tasks.sentiment.targets import ClassWeight, Target
from keras_seq.text.lengths import CutTexts
from keras_seq.text.tokenizer import Tokenizer

BASELINES, TRAINED = "baselines.npz", "trained_on.npy"
TARGETS = {kind.name: kind for kind in (OneLabel, SeveralLabels, Number)}
READING = ("label_separator", "label_columns")  # facts that evaluation reads data by
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
    _log_copies(read)
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
        splits, target, tokenizer, len(splits["train"]), fingerprints["train"],
        fingerprints, {name: getattr(label_format, name) for name in READING},
    )  # fmt: skip


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


def _log_copies(given: Mapping[str, SampleStore]) -> None:
    """Compares what is given as files of their own, and refuses too many copies."""
    own = [part for part in ("validation", "test") if part in given]
    # The train file as a whole: its validation part chooses the weights that are kept.
    pairs = [(part, "train") for part in own]
    if len(own) == 2:
        pairs.append(("test", "validation"))
    for part, other in pairs:
        rows = len(given[part])
        copied = count_copies(given[part].digests(), given[other].digests())
        log_copies(
            given[part].name, part, counted(copied, rows, "texts"), copied / rows,
            other, refuse=other == "train",
        )  # fmt: skip
    if shared := count_shared(given["train"]):
        what = f"{shared:,} texts stand under several labels"
        log.info(f"{given['train']}: {what}; each in one part")


def finish(
    task: str,
    model: keras.Model,
    data: TextData,
    history: keras.callbacks.History,
    *,
    max_len: int,
    seed: int,
    run_dir: Path,
    export_dir: Path,
    answer: Answer,
) -> Run:
    """Scores a trained model on validation and test, shows it, exports and proves it.

    Args:
        task: its name.
        model: int32 (B, T) -> probabilities.
        data: what it was trained on.
        history: of `fit`.
        max_len: tokens that the model reads of a text.
        seed: of the baseline's subsample.
        run_dir: takes model.keras, metrics.json and what TensorBoard shows.
        export_dir: takes the SavedModel's version, with the baselines beside it.
        answer: the task's `predict`.

    Raises:
        ExportError: The SavedModel does not answer as Python does.
    """
    end = partial(_end, task, model, data, max_len, seed)
    return finish_run(
        task,
        end,
        history,
        model=model,
        answer=answer,
        run_dir=run_dir,
        export_dir=export_dir,
    )


def _end(
    task: str, model: keras.Model, data: TextData, max_len: int, seed: int
) -> Ending:
    target, train = data.target, data.splits["train"]
    server = TextClassifier(model, data.tokenizer, target, max_len)
    with stage("baselines"):
        baselines = fit_baselines(train, target, seed)
    cut = CutTexts(max_len)
    with stage("scoring"):
        asked = ask_all(data.splits["validation"], server.answer, baselines, target)
        tuned = target.tuned(asked.labels, asked.answers, asked.beside)
        if tuned is not target:
            target = tuned
            server = TextClassifier(model, data.tokenizer, target, max_len)
        validation = report_on(task, asked, baselines, target)
        # How many of validation are cut was said before the training.
        test = score_classifier(
            task, data.splits["test"], lambda texts: server.answer(cut.counted(texts)),
            baselines, target,
        )  # fmt: skip
    cut.log_count(data.splits["test"].name)
    facts = {"target": target.name, **target.facts(), **data.reading}
    return Ending(
        models=[model],
        server=server,
        signatures=server.signatures(),
        examples={"text": test.examples},
        expected=server.expected(test.examples),
        reports={"validation": validation.report, "test": test.report},
        metadata={**facts, "max_len": max_len, "data": data.fingerprint},
        draw=partial(draw_answers, test, target),
        run_files={"tokenizer.json": data.tokenizer.to_json()},
        extra_files={
            BASELINES: partial(save_baselines, baselines=baselines),
            TRAINED: partial(save_digests, digests=train.digests()),
        },
    )


def label_format_of(
    model: Path, separator: str | None = None, columns: Sequence[str] | None = None
) -> LabelFormat:
    """How labels are read that an exported model is scored on.

    Args:
        model: folder of an export, or of one version.
        separator: between labels; None is that of its training.
        columns: of 0 and 1; None are those of its training.

    Raises:
        UserError: It is no export.
    """
    facts = load_exported(model).metadata
    if facts.get("target") == Number.name:
        return LabelFormat(separator, columns, "regression")
    if separator is None and columns is None:
        separator, columns = (facts.get(name) for name in READING)
    return LabelFormat(separator, columns)


def evaluate_export(task: str, model: Path, samples: Samples) -> dict[str, Any]:
    """Scores an exported classifier beside the baselines that were fitted with it.

    Args:
        task: its name.
        model: folder of an export, or of one version.
        samples: (text, label) pairs.

    Returns:
        The report, as `evaluation.scores.report` has it.

    Raises:
        UserError: It is no export, or a label is not among the model's.
    """
    exported = load_exported(model)
    facts, cut = exported.metadata, CutTexts(exported.metadata["max_len"])
    target = TARGETS[facts.get("target", OneLabel.name)].from_facts(facts)
    store = target.read(samples, target.label_names)
    target.values(store)  # refused before anything is loaded
    extra = exported.path / EXTRA
    log_trained(store.name, store.digests(), extra / TRAINED, "texts")
    baselines = load_baselines(extra / BASELINES, target)
    signature = exported.signature()

    def answer(texts: Iterable[str]) -> Iterator[dict[str, Any]]:
        return answer_texts(signature, cut.counted(texts))

    with stage("scoring"):
        report = score_classifier(task, store, answer, baselines, target).report
    cut.log_count(store.name)
    return report
