"""What every task that tags words does before and after its training.

Before: named parts, repaired tags, and what is fitted on train. After: scores beside
the baselines, the run folder, the proven export. Needs no architecture and no training.
"""

from collections.abc import Iterator, Mapping, Sequence
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
from keras_seq.data.splits import digests_by_label, plan_splits, split_store
from keras_seq.data.store import SampleStore, stored
from keras_seq.data.tables import error_at
from keras_seq.evaluation.fitted import save_fitted
from keras_seq.log import log
from keras_seq.ranges import check_settings
from keras_seq.serving.saved_model import EXTRA, load_exported
from keras_seq.tasks.run import Answer, Ending, Run, finish_run
from keras_seq.tasks.tagging.figures import draw_tagger
from keras_seq.tasks.tagging.scores import (
    describe,
    fit_baselines,
    load_baselines,
    score_tagger,
)
from keras_seq.tasks.tagging.server import Tagger, answer_texts, answer_words
from keras_seq.text.sentences import Sentence
from keras_seq.text.tag_schemes import OUTSIDE, find_scheme, split_tag
from keras_seq.text.tagged import (
    WordEncoder,
    check_tags,
    name_of_file,
    repair_sentences,
)

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
        name = name_of_file(given["train"])
        log.info(f"{name}: tags of entities, written as {scheme.upper()}")
    repaired = {part: repair_sentences(rows, scheme) for part, rows in given.items()}
    scheme = "bioes" if scheme == "bioes" else "bio2" if scheme else None
    stores = {part: _stored(rows) for part, rows in repaired.items()}
    _log_copies(repaired, stores)
    splits = repaired | _cut(repaired, stores["train"], limit, seed)
    tag_names = _tag_names(splits["train"], scheme)
    for part in ("validation", "test"):
        check_tags(splits[part], tag_names)
    train = [each.words for each in splits["train"]]
    encoder = WordEncoder.fit(train, word_length, with_features)
    fingerprints = {part: _fingerprint(rows) for part, rows in splits.items()}
    return TaggedData(splits, tag_names, scheme, encoder, sum(map(len, train)),
                      fingerprints)  # fmt: skip


def _texts(sentences: Sequence[Sentence]) -> Iterator[tuple[str, str]]:
    return ((" ".join(each.words), "") for each in sentences)


def _stored(sentences: Sequence[Sentence]) -> SampleStore:
    return stored(list(_texts(sentences)))


def _fingerprint(sentences: Sequence[Sentence]) -> str:
    rows = [("\n".join(each.words), "\n".join(each.tags)) for each in sentences]
    return stored(rows).fingerprint()


def _log_copies(
    given: Mapping[str, Sequence[Sentence]], stores: Mapping[str, SampleStore]
) -> None:
    for part, store in stores.items():
        if part != "train":
            copied = count_copies(store.digests(), stores["train"].digests())
            count = counted(copied, len(store), "sentences")
            share, name = copied / len(store), name_of_file(given[part])
            log_copies(name, part, count, share, "train")


def _cut(
    given: Mapping[str, Sequence[Sentence]],
    train: SampleStore,
    limit: int | None,
    seed: int,
) -> dict[str, list[Sentence]]:
    """The train part, and those that are not given, cut by digests of the words."""
    shares = {part: 0.1 for part in ("validation", "test") if part not in given}
    plan = plan_splits(digests_by_label(train, seed), shares)
    keep = min(1.0, (limit or len(train)) / len(train))
    cut = split_store(train, plan, seed, keep)
    for part in ("train", *shares):
        if not len(cut[part]):
            what = f"{len(train)} sentences are too few for a {part} part"
            raise error_at(name_of_file(given["train"]), f"{what}; bring more")
    return {
        part: [given["train"][row] for row in cut[part].rows]
        for part in ("train", *shares)
    }


def _tag_names(sentences: Sequence[Sentence], scheme: str | None) -> list[str]:
    """Those of train; of a scheme, all that its types can have."""
    found = {tag for each in sentences for tag in each.tags}
    if scheme:
        kinds = {split_tag(tag)[1] for tag in found} - {""}
        letters = "BIES" if scheme == "bioes" else "BI"
        found = {OUTSIDE} | {f"{letter}-{kind}" for letter in letters for kind in kinds}
    if len(found) < 2:
        what = (
            f"every word has the tag {next(iter(found))!r}; a tagger needs two or more"
        )
        raise error_at(name_of_file(sentences), what)
    return sorted(found, key=lambda tag: (tag != OUTSIDE, tag))


def finish(
    task: str,
    model: keras.Model,
    data: TaggedData,
    history: keras.callbacks.History,
    *,
    seed: int,
    run_dir: Path,
    export_dir: Path,
    answer: Answer,
) -> Run:
    """Scores a trained model on validation and test, shows it, exports and proves it.

    Args:
        task: its name.
        model: from `build_tagging_model`.
        data: what it was trained on.
        history: of `fit`.
        seed: of the perceptron.
        run_dir: takes model.keras, metrics.json and what TensorBoard shows.
        export_dir: takes the SavedModel's version, with the baselines beside it.
        answer: the task's `predict`.

    Raises:
        ExportError: The SavedModel does not answer as Python does.
    """
    end = partial(_end, task, model, data, seed)
    return finish_run(
        task,
        end,
        history,
        model=model,
        answer=answer,
        describe=describe,
        run_dir=run_dir,
        export_dir=export_dir,
    )


def _end(task: str, model: keras.Model, data: TaggedData, seed: int) -> Ending:
    server = Tagger(model, data.encoder, data.tag_names)
    has_entities = data.scheme is not None
    baselines = fit_baselines(data.splits["train"], seed, has_entities)
    validation, test = (
        score_tagger(task, data.splits[part], server.tag, server.answer, baselines,
                     has_entities)
        for part in ("validation", "test")
    )  # fmt: skip
    some = sorted(data.splits["test"][:EXAMPLES], key=lambda each: len(each.words))
    texts = [each.text or " ".join(each.words) for each in some]
    expected = server.expected([each.words for each in some], texts)
    examples, answers = expected.pop("serving_default")
    digests = _stored(data.splits["train"]).digests()
    return Ending(
        models=[model],
        server=server,
        signatures=server.signatures(),
        examples=examples,
        expected=answers,
        proofs=expected,
        reports={"validation": validation.report, "test": test.report},
        metadata={"labels": data.tag_names, "scheme": data.scheme,
                  "data": data.fingerprints["train"]},
        draw=partial(draw_tagger, test, data.tag_names),
        run_files={ENCODER: data.encoder.to_json()},
        extra_files={
            BASELINES: partial(save_fitted, baselines=baselines),
            TRAINED: partial(save_digests, digests=digests),
        },
    )  # fmt: skip


def evaluate_export(
    task: str, model: Path, sentences: Sequence[Sentence]
) -> dict[str, Any]:
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
    if scheme:  # what is written as BIO1 is learned as BIO2
        written = find_scheme(each.tags for each in sentences) or scheme
        if (written == "bioes") != (scheme == "bioes"):
            what = f"tags are {written.upper()}, but the model has {scheme.upper()}"
            raise error_at(name_of_file(sentences), f"{what}; convert them")
        sentences = repair_sentences(sentences, written)
    check_tags(sentences, exported.metadata["labels"])
    extra = exported.path / EXTRA
    digests = _stored(sentences).digests()
    log_trained(name_of_file(sentences), digests, extra / TRAINED, "sentences")
    tag = partial(answer_words, exported.signature("words"))
    answer = partial(answer_texts, exported.signature())
    baselines = load_baselines(extra / BASELINES)
    return score_tagger(task, sentences, tag, answer, baselines, bool(scheme)).report
