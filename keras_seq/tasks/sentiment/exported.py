"""An exported classifier on further data, beside the baselines of its training."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from keras_seq.data.copies import log_trained
from keras_seq.data.store import Samples
from keras_seq.log import stage
from keras_seq.serving.saved_model import EXTRA, load_exported
from keras_seq.tasks.result import Evaluation
from keras_seq.tasks.sentiment.ending import BASELINES, TRAINED
from keras_seq.tasks.sentiment.number import Number
from keras_seq.tasks.sentiment.one_label import OneLabel
from keras_seq.tasks.sentiment.scores import load_baselines, score_classifier
from keras_seq.tasks.sentiment.server import answer_texts
from keras_seq.tasks.sentiment.several_labels import SeveralLabels
from keras_seq.text.lengths import CutTexts

TARGETS = {kind.name: kind for kind in (OneLabel, SeveralLabels, Number)}


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
