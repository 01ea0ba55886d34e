"""What every task that classifies texts does before and after its training.

Before: named splits, and what is fitted on train. After: scores beside the baselines,
the run folder, the proven export. This module knows no architecture and no training.
"""

from collections.abc import Iterable, Iterator, Mapping
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
from keras_seq.data.label_names import join_labels
from keras_seq.data.sources import Samples, check_labels, split_samples
from keras_seq.data.splits import Summary, name_of, scan
from keras_seq.log import log, stage
from keras_seq.ranges import check_settings
from keras_seq.serving.saved_model import EXTRA, load_exported
from keras_seq.tasks.run import Ending, Report, finish_run
from keras_seq.tasks.sentiment.figures import draw_classifier
from keras_seq.tasks.sentiment.scores import (
    fit_baselines,
    load_baselines,
    save_baselines,
    score_classifier,
)
from keras_seq.tasks.sentiment.server import TextClassifier, answer_texts
from keras_seq.text.lengths import CutTexts
from keras_seq.text.tokenizer import Tokenizer

BASELINES, TRAINED = "baselines.npz", "trained_on.npy"
VALIDATION_ROWS = 1250  # enough to stop by and to weigh two paths; the rest trains


class TextData(NamedTuple):
    """Splits, and what was fitted on their train part alone.

    Attributes:
        splits: "train", "validation" and "test", each re-iterable (text, label) pairs.
        label_names: C names in order.
        tokenizer: fitted.
        num_train: samples of the train part.
        fingerprint: SHA-256 of the train part.
        fingerprints: of each part, by its name.
    """

    splits: dict[str, Samples]
    label_names: list[str]
    tokenizer: Tokenizer
    num_train: int
    fingerprint: str
    fingerprints: dict[str, str]


def prepare_texts(
    given: Mapping[str, Samples],
    *,
    num_words: int,
    limit: int | None = None,
    seed: int = 0,
    labels_as_written: bool = False,
) -> TextData:
    """Cuts the parts that are not given from train, and fits on the rest.

    A tenth tests; a tenth validates, or 1,250 samples where that is less. Spellings of
    one label are joined, and copies of train texts in the parts that are given counted.

    Args:
        given: "train", and "validation" or "test" where the user brings them.
        num_words: of the tokenizer.
        limit: most samples to take of what is cut.
        seed: of the split.
        labels_as_written: joins no labels, and takes NA and the like for classes.

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
    given, known = _with_one_name_a_class(given, labels_as_written)
    _log_copies(given, known)
    rows = known.rows
    shares = {"validation": min(0.1, VALIDATION_ROWS / rows), "test": 0.1}
    shares |= {part: 0.0 for part in shares if part in given}
    cut = split_samples(given["train"], **shares, seed=seed, limit=limit)
    splits = {**given, **cut}
    summary = scan(splits["train"], min_classes=2)
    names = list(summary.label_counts)
    fingerprints = {"train": summary.fingerprint}
    for part in ("validation", "test"):
        found = scan(splits[part])
        if not found.label_counts.keys() <= summary.label_counts.keys():
            check_labels(splits[part], names)  # says where it stands
        fingerprints[part] = found.fingerprint
    tokenizer = Tokenizer(num_words)
    tokenizer.fit_on_texts(text for text, _ in splits["train"])
    return TextData(
        splits, names, tokenizer, summary.rows, summary.fingerprint, fingerprints
    )


def _with_one_name_a_class(
    given: Mapping[str, Samples], as_written: bool
) -> tuple[dict[str, Samples], Summary]:
    """Samples in which every class has one name, and what train's are."""
    train = join_labels(given["train"], as_written=as_written)
    summary = scan(train, min_classes=2)
    joined = {
        part: join_labels(samples, list(summary.label_counts), as_written=as_written)
        for part, samples in given.items()
        if part != "train"
    }
    return {"train": train, **joined}, summary


def _log_copies(given: Mapping[str, Samples], train: Summary) -> None:
    """Compares what is given as files of their own, and refuses too many copies."""
    found = {part: scan(x) for part, x in given.items() if part != "train"}
    # The train file as a whole: its validation part chooses the weights that are kept.
    pairs = [(part, "train", train) for part in found]
    if found.keys() == {"validation", "test"}:
        pairs.append(("test", "validation", found["validation"]))
    for part, other, known in pairs:
        rows = found[part].rows
        copied = count_copies(found[part].digests, known.digests)
        log_copies(
            name_of(given[part]), part, counted(copied, rows, "texts"), copied / rows,
            other, refuse=other == "train",
        )  # fmt: skip
    if train.num_shared:
        what = f"{train.num_shared:,} texts stand under several labels"
        log.info(f"{name_of(given['train'])}: {what}; each in one part")


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
) -> tuple[Report, Path]:
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

    Returns:
        The report on the test part, and the version's folder.

    Raises:
        ExportError: The SavedModel does not answer as Python does.
    """
    end = partial(_end, task, model, data, max_len, seed)
    return finish_run(task, end, history, run_dir=run_dir, export_dir=export_dir)


def _end(
    task: str, model: keras.Model, data: TextData, max_len: int, seed: int
) -> Ending:
    names, train = data.label_names, data.splits["train"]
    server = TextClassifier(model, data.tokenizer, names, max_len)
    with stage("baselines"):
        baselines = fit_baselines(train, names, seed)
    cut = CutTexts(max_len)
    with stage("scoring"):
        validation, test = (
            score_classifier(task, data.splits[part], answer, baselines, names)
            for part, answer in (
                ("validation", server.answer),  # said before the training
                ("test", lambda texts: server.answer(cut.counted(texts))),
            )
        )
    cut.log_count(name_of(data.splits["test"]))
    return Ending(
        models=[model],
        server=server,
        signatures=server.signatures(),
        examples={"text": test.examples},
        expected=server.expected(test.examples),
        reports={"validation": validation.report, "test": test.report},
        metadata={"labels": names, "max_len": max_len, "data": data.fingerprint},
        draw=partial(draw_classifier, test, names),
        run_files={"tokenizer.json": data.tokenizer.to_json()},
        extra_files={
            BASELINES: partial(save_baselines, baselines=baselines),
            TRAINED: partial(save_digests, digests=scan(train).digests),
        },
    )


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
    names, cut = exported.metadata["labels"], CutTexts(exported.metadata["max_len"])
    samples = join_labels(samples, names)
    check_labels(samples, names)
    extra = exported.path / EXTRA
    digests = scan(samples).digests
    log_trained(name_of(samples), digests, extra / TRAINED, "texts")
    baselines = load_baselines(extra / BASELINES)
    signature = exported.signature()

    def answer(texts: Iterable[str]) -> Iterator[dict[str, Any]]:
        return answer_texts(signature, cut.counted(texts))

    with stage("scoring"):
        report = score_classifier(task, samples, answer, baselines, names).report
    cut.log_count(name_of(samples))
    return report
