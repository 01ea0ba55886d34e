"""What the task does after its training, whatever its answers are.

Scores beside the baselines, the run folder, the proven export, and further data that
the export is scored on. This module knows no architecture and no training.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras

from keras_seq.data.copies import log_trained, save_digests
from keras_seq.data.store import Samples
from keras_seq.log import stage
from keras_seq.serving.exported import DEFAULT
from keras_seq.serving.saved_model import EXTRA, load_exported
from keras_seq.tasks.result import Evaluation
from keras_seq.tasks.run import Ending
from keras_seq.tasks.sentiment.data import TextData
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
from keras_seq.text.batches import CutTexts

BASELINES, TRAINED = "baselines.npz", "trained_on.npy"
TARGETS = {kind.name: kind for kind in (OneLabel, SeveralLabels, Number)}


def score_run(
    task: str, model: keras.Model, data: TextData, max_len: int, seed: int
) -> Ending:
    """Scores a trained model beside the baselines, on validation and test.

    Args:
        task: its name.
        model: int32 (B, T) -> probabilities.
        data: what it was trained on.
        max_len: tokens that the model reads of a text.
        seed: of the baseline's subsample.
    """
    target, train = data.target, data.splits["train"]
    server = TextClassifier(model, data.tokenizer, target, max_len)
    with stage("baselines"):
        baselines = fit_baselines(train, target, seed)
    cut = CutTexts(max_len)
    with stage("scoring"):
        asked = ask_all(data.splits["validation"], server.answer, baselines, target)
        tuned = target.tuned(asked)
        if tuned is not target:
            target = tuned
            server = TextClassifier(model, data.tokenizer, target, max_len)
        validation = report_on(task, asked, baselines, target)
        # How many of validation are cut was said before the training.
        test = score_classifier(
            task,
            data.splits["test"],
            lambda texts: server.answer(cut.counted(texts)),
            baselines,
            target,
        )
    cut.log_count(data.splits["test"].name)
    facts = {"target": target.name, **target.facts(), **data.reading}
    return Ending(
        models=[model],
        server=server,
        signatures=server.signatures(),
        proofs={DEFAULT: ({"text": test.examples}, server.expected(test.examples))},
        reports={"validation": validation.report, "test": test.report},
        metadata={**facts, "max_len": max_len, "data": data.fingerprint},
        draw=partial(draw_answers, test, target),
        run_files={"tokenizer.json": data.tokenizer.to_json()},
        extra_files={
            BASELINES: partial(save_baselines, baselines=baselines),
            TRAINED: partial(save_digests, digests=train.digests()),
        },
    )


def evaluate_export(task: str, model: Path, samples: Samples) -> Evaluation:
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
    return Evaluation(report)
