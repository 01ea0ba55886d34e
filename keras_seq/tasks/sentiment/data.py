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
from keras_seq.data.sources import split_samples
from keras_seq.data.splits import check_classes_differ, count_shared
from keras_seq.data.store import Samples, SampleStore
from keras_seq.errors import UserError
from keras_seq.log import log, stage
from keras_seq.ranges import check_settings
from keras_seq.serving.saved_model import EXTRA, load_exported
from keras_seq.tasks.run import Answer, Ending, Run, finish_run
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
        splits: "train", "validation" and "test".
        label_names: C names in order.
        tokenizer: fitted.
        num_train: samples of the train part.
        fingerprint: SHA-256 of the train part.
        fingerprints: of each part, by its name.
    """

    splits: dict[str, SampleStore]
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
    # The files are read here, and never again.
    read = _with_one_name_a_class(given, labels_as_written)
    _log_copies(read)
    share = min(0.1, VALIDATION_ROWS / len(read["train"]))
    shares = {"validation": share, "test": 0.1}
    shares |= {part: 0.0 for part in shares if part in read}
    splits = read | split_samples(read["train"], **shares, seed=seed, limit=limit)
    check_classes_differ(splits["train"])
    names = list(splits["train"].label_counts)
    for part in ("validation", "test"):
        splits[part].label_ids(names)  # a label that train does not have is an error
    fingerprints = {part: store.fingerprint() for part, store in splits.items()}
    tokenizer = Tokenizer(num_words)
    tokenizer.fit_on_texts(splits["train"].encoded_texts())
    return TextData(
        splits, names, tokenizer, len(splits["train"]), fingerprints["train"],
        fingerprints,
    )  # fmt: skip


def _with_one_name_a_class(
    given: Mapping[str, Samples], as_written: bool
) -> dict[str, SampleStore]:
    """Samples in which every class has one name: that of train."""
    joined = {"train": join_labels(given["train"], as_written=as_written)}
    check_classes_differ(joined["train"])
    known = list(joined["train"].label_counts)
    for part in [part for part in given if part != "train"]:
        joined[part] = join_labels(given[part], known, as_written=as_written)
        if not len(joined[part]):
            raise UserError(f"{joined[part]}: no rows, so there is nothing to score")
    return joined


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
    cut.log_count(data.splits["test"].name)
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
            TRAINED: partial(save_digests, digests=train.digests()),
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
    store = join_labels(samples, names)
    store.label_ids(names)  # refused before anything is loaded
    extra = exported.path / EXTRA
    log_trained(store.name, store.digests(), extra / TRAINED, "texts")
    baselines = load_baselines(extra / BASELINES)
    signature = exported.signature()

    def answer(texts: Iterable[str]) -> Iterator[dict[str, Any]]:
        return answer_texts(signature, cut.counted(texts))

    with stage("scoring"):
        report = score_classifier(task, store, answer, baselines, names).report
    cut.log_count(store.name)
    return report
