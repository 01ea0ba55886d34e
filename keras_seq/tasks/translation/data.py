"""What a translation task does before and after its training.

Before: named parts, what is doubtful in them, and the subwords, fitted on train alone.
After: scores beside the baselines, the run folder, the proven export. Knows no
architecture and no training.
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
from keras_seq.evaluation.fitted import load_fitted, save_fitted
from keras_seq.evaluation.translations import translation_metrics
from keras_seq.ranges import check_settings
from keras_seq.serving.saved_model import EXTRA, load_exported
from keras_seq.tasks.result import Evaluation
from keras_seq.tasks.run import Ending
from keras_seq.tasks.translation.figures import draw_translator
from keras_seq.tasks.translation.scores import (
    KINDS,
    describe,
    fit_baselines,
    score_translator,
)
from keras_seq.tasks.translation.server import Translator, answer_texts
from keras_seq.text.pairs import SentencePair, report_faults
from keras_seq.text.subwords import Subwords

BASELINES, TRAINED, CODER = "baselines.npz", "trained_on.npy", "subwords.json"
EXAMPLES = 16  # sentences that prove an export
LEAST_VOCABULARY = 300


class TranslationData(NamedTuple):
    """Parts, and what was fitted on train alone.

    Attributes:
        splits: "train", "validation" and "test".
        coder: subwords of both sides.
        characters: that sources of train have.
        fingerprints: SHA-256 of each part, by its name.
    """

    splits: dict[str, list[SentencePair]]
    coder: Subwords
    characters: str
    fingerprints: dict[str, str]


def prepare_pairs(
    given: Mapping[str, Sequence[SentencePair]],
    *,
    vocab_size: int,
    limit: int | None = None,
    seed: int = 0,
) -> TranslationData:
    """Cuts the parts that are not given from train, a tenth each, and fits on the rest.

    Pairs with one source stand in one part; what of the parts that are given stands in
    train is counted. Doubtful pairs are counted, and stay.

    Args:
        given: "train", and "validation" or "test" where the user brings them.
        vocab_size: most subwords of both sides.
        limit: most pairs to take of what is cut.
        seed: of the split.

    Raises:
        UserError: Too few pairs, a part that mostly stands in train, or a package is
            not installed.
    """
    check_settings(limit=limit, vocab_size=vocab_size)
    translation_metrics(["text"])  # what scores later has to be here now
    stores = {part: _stored(rows) for part, rows in given.items()}
    for rows in given.values():
        report_faults(rows)
    splits = complete_parts(given, stores, "sources", limit=limit, seed=seed)
    both = (side for pair in splits["train"] for side in pair[:2])
    coder = Subwords.fit(both, max(vocab_size, LEAST_VOCABULARY))
    characters = "".join(sorted({c for pair in splits["train"] for c in pair.source}))
    fingerprints = {part: _fingerprint(rows) for part, rows in splits.items()}
    return TranslationData(splits, coder, characters, fingerprints)


def _stored(pairs: Sequence[SentencePair]) -> SampleStore:
    store = stored([(pair.source, "") for pair in pairs])
    return replace(store, name=str(pairs[0].path)) if pairs else store


def _fingerprint(pairs: Sequence[SentencePair]) -> str:
    return stored([(pair.source, pair.target) for pair in pairs]).fingerprint()


def score_run(task: str, model: keras.Model, data: TranslationData) -> Ending:
    """Scores a trained model beside the baselines, on validation and test.

    Args:
        task: its name.
        model: from a builder of encoder-decoders.
        data: what it was trained on.
    """
    server = Translator(model, data.coder)
    baselines = fit_baselines(data.splits["train"])
    validation, test = (
        score_translator(task, data.splits[part], server.answer, baselines)
        for part in ("validation", "test")
    )
    some = sorted((p.source for p in data.splits["test"][:EXAMPLES]), key=len)
    proofs = server.expected(some)
    digests = _stored(data.splits["train"]).digests()
    return Ending(
        models=[model],
        server=server,
        signatures=server.signatures(),
        proofs=proofs,
        reports={"validation": validation.report, "test": test.report},
        metadata={
            "source_characters": data.characters,
            "data": data.fingerprints["train"],
        },
        draw=partial(draw_translator, test, server.attend, some),
        run_files={CODER: data.coder.to_json()},
        extra_files={
            BASELINES: partial(save_fitted, baselines=baselines),
            TRAINED: partial(save_digests, digests=digests),
        },
        absolute=1e-4,  # sums over the tokens of a sentence
    )


def evaluate_export(
    task: str, model: Path, pairs: Sequence[SentencePair]
) -> Evaluation:
    """Scores an exported translator beside the baselines that were fitted with it.

    Args:
        task: its name.
        model: folder of an export, or of one version.
        pairs: sources and references.

    Raises:
        UserError: It is no export, or a package is not installed.
    """
    exported = load_exported(model)
    extra = exported.path / EXTRA
    report_faults(pairs)
    digests = _stored(pairs).digests()
    log_trained(str(pairs[0].path), digests, extra / TRAINED, "sources")
    kinds = {kind.name: kind for kind in KINDS}
    baselines = load_fitted(extra / BASELINES, kinds.__getitem__)
    answer = partial(answer_texts, exported.signature())
    scored = score_translator(task, pairs, answer, baselines)
    return Evaluation(scored.report, describe)
