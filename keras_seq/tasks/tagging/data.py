"""What every task that tags words does before and after its training.

Before: named parts, repaired tags, and what is fitted on train. After: scores beside
the baselines, the run folder, the proven export. Needs no architecture and no training.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras

from keras_seq.data.copies import log_trained, save_digests
from keras_seq.data.splits import complete_parts
from keras_seq.data.store import SampleStore, stored
from keras_seq.evaluation.fitted import save_fitted
from keras_seq.log import log
from keras_seq.ranges import check_settings
from keras_seq.serving.saved_model import EXTRA, load_exported
from keras_seq.tasks.result import Evaluation
from keras_seq.tasks.run import Ending
from keras_seq.tasks.tagging.figures import draw_tagger
from keras_seq.tasks.tagging.scores import (
    describe,
    fit_baselines,
    load_baselines,
    score_tagger,
)
from keras_seq.tasks.tagging.server import Tagger, answer_texts, answer_words
from keras_seq.text.sentences import (
    Sentence,
    check_tags,
    name_of_file,
    names_of_tags,
    repair_like,
    repair_sentences,
)
from keras_seq.text.tag_schemes import find_scheme
from keras_seq.text.tagged import WordEncoder

BASELINES, TRAINED, ENCODER = "baselines.npz", "trained_on.npy", "words.json"
EXAMPLES = 64  # sentences that prove an export
WORD_LENGTH = 20  # characters


class TaggedData(NamedTuple):
    """Parts, and what was fitted on train alone.

    Attributes:
        splits: "train", "validation" and "test".
        tag_names: C names in order.
        scheme: "bio2", "bioes" or None, as tags are learned.
        encoder: fitted.
        num_words: of the train part.
        fingerprints: SHA-256 of each part, by its name.
    """

    splits: dict[str, list[Sentence]]
    tag_names: list[str]
    scheme: str | None
    encoder: WordEncoder
    num_words: int
    fingerprints: dict[str, str]


def prepare_tagged(
    given: Mapping[str, Sequence[Sentence]],
    *,
    limit: int | None = None,
    seed: int = 0,
    word_length: int | None = WORD_LENGTH,
    with_features: bool = True,
) -> TaggedData:
    """Cuts the parts that are not given from train, a tenth each, and fits on the rest.

    Copies of a sentence stand in one part; what of the parts that are given stands in
    train is counted. Schemes of entities are recognised in train, and repaired.

    Args:
        given: "train", and "validation" or "test" where the user brings them.
        limit: most sentences to take of what is cut.
        seed: of the split.
        word_length, with_features: of the `WordEncoder`.

    Raises:
        UserError: One tag only, too few sentences, a tag that train does not have, or
            a part that mostly stands in train.
    """
    check_settings(limit=limit)
    scheme = find_scheme(each.tags for each in given["train"])
    if scheme:
        what = f"tags of entities, written as {scheme.upper()}"
        log.info(f"{name_of_file(given['train'])}: {what}")
    repaired = {part: repair_sentences(rows, scheme) for part, rows in given.items()}
    scheme = "bioes" if scheme == "bioes" else "bio2" if scheme else None
    stores = {part: _stored(rows) for part, rows in repaired.items()}
    splits = complete_parts(repaired, stores, "sentences", limit=limit, seed=seed)
    tag_names = names_of_tags(splits["train"], scheme)
    for part in ("validation", "test"):
        check_tags(splits[part], tag_names)
    train = [each.words for each in splits["train"]]
    encoder = WordEncoder.fit(train, word_length, with_features)
    fingerprints = {part: _fingerprint(rows) for part, rows in splits.items()}
    return TaggedData(
        splits, tag_names, scheme, encoder, sum(map(len, train)), fingerprints
    )


def _stored(sentences: Sequence[Sentence]) -> SampleStore:
    store = stored([(" ".join(each.words), "") for each in sentences])
    return replace(store, name=name_of_file(sentences))


def _fingerprint(sentences: Sequence[Sentence]) -> str:
    rows = [("\n".join(each.words), "\n".join(each.tags)) for each in sentences]
    return stored(rows).fingerprint()


def score_run(task: str, model: keras.Model, data: TaggedData, seed: int) -> Ending:
    """Scores a trained model beside the baselines, on validation and test.

    Args:
        task: its name.
        model: from `build_tagging_model`.
        data: what it was trained on.
        seed: of the perceptron.
    """
    server = Tagger(model, data.encoder, data.tag_names)
    has_entities = data.scheme is not None
    baselines = fit_baselines(data.splits["train"], seed, has_entities)
    validation, test = (
        score_tagger(
            task, data.splits[part], server.tag, server.answer, baselines, has_entities
        )
        for part in ("validation", "test")
    )
    some = sorted(data.splits["test"][:EXAMPLES], key=lambda each: len(each.words))
    texts = [each.text or " ".join(each.words) for each in some]
    proofs = server.expected([each.words for each in some], texts)
    digests = _stored(data.splits["train"]).digests()
    return Ending(
        models=[model],
        server=server,
        signatures=server.signatures(),
        proofs=proofs,
        reports={"validation": validation.report, "test": test.report},
        metadata={
            "labels": data.tag_names,
            "scheme": data.scheme,
            "data": data.fingerprints["train"],
        },
        draw=partial(draw_tagger, test, data.tag_names),
        run_files={ENCODER: data.encoder.to_json()},
        extra_files={
            BASELINES: partial(save_fitted, baselines=baselines),
            TRAINED: partial(save_digests, digests=digests),
        },
    )


def evaluate_export(
    task: str, model: Path, sentences: Sequence[Sentence]
) -> Evaluation:
    """Scores an exported tagger beside the baselines that were fitted with it.

    Args:
        task: its name.
        model: folder of an export, or of one version.
        sentences: with their tags.

    Raises:
        UserError: It is no export, or a tag is not among the model's.
    """
    exported = load_exported(model)
    scheme = exported.metadata["scheme"]
    sentences = repair_like(sentences, scheme)
    check_tags(sentences, exported.metadata["labels"])
    extra, store = exported.path / EXTRA, _stored(sentences)
    log_trained(store.name, store.digests(), extra / TRAINED, "sentences")
    tag = partial(answer_words, exported.signature("words"))
    answer = partial(answer_texts, exported.signature())
    baselines = load_baselines(extra / BASELINES)
    scored = score_tagger(task, sentences, tag, answer, baselines, bool(scheme))
    return Evaluation(scored.report, describe)
