"""What the task does after its training, whatever its answers are.

Scores beside the baselines, the run folder, the proven export. This module knows no
architecture and no training.
"""

from functools import partial
from pathlib import Path

import keras

from keras_seq.data.copies import save_digests
from keras_seq.log import stage
from keras_seq.tasks.run import Answer, Ending, Run, finish_run
from keras_seq.tasks.sentiment.data import TextData
from keras_seq.tasks.sentiment.figures import draw_answers
from keras_seq.tasks.sentiment.scores import (
    ask_all,
    fit_baselines,
    report_on,
    save_baselines,
    score_classifier,
)
from keras_seq.tasks.sentiment.server import TextClassifier
from keras_seq.text.lengths import CutTexts

BASELINES, TRAINED = "baselines.npz", "trained_on.npy"


def finish(
    task: str,
    model: keras.Model,
    data: TextData,
    history: keras.callbacks.History,
    *,
    max_len: int,
    seed: int,
    run_dir: Path,
    export_dir: Path | None = None,
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
