"""What the task does after its training, whatever its answers are.

Scores beside the baselines, the run folder, the proven export. This module knows no
architecture and no training.
"""

from functools import partial

import keras

from keras_seq.data.copies import save_digests
from keras_seq.log import stage
from keras_seq.serving.exported import DEFAULT
from keras_seq.tasks.run import Ending
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
from keras_seq.text.batches import CutTexts

BASELINES, TRAINED = "baselines.npz", "trained_on.npy"


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
