"""Tags of words: parts of speech, named entities, or whatever a word can be.

Data: CoNLL-U, CoNLL columns, JSON Lines of words and tags, or a table with a word a
row. BIO and BIOES schemes of entities are recognised, and learned with a CRF. Without
--data it trains on generated sentences, in half a minute on two cores.

    python tasks/tagging.py train --data train.conllu --validation-data dev.conllu
    python tasks/tagging.py evaluate --data test.conllu
    python tasks/tagging.py predict "Ada wrote it in London."

Texts are split into words by rules; --words takes words that spaces part.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import keras_seq as ks
from keras_seq import cli
from keras_seq.data.in_memory import Table
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.ranges import Range
from keras_seq.tasks import tagging
from keras_seq.tasks.result import Run

STEM = "tagging"
EXPORT_DIR = Path("saved_models", STEM)
Data = str | Table | None  # at the shell names alone
LEARNING_RATE = 0.003
WORDS_SEEN = 3_000_000  # in all epochs together
FRESH_SEED = 1_000_000  # of generated sentences that no training saw


def load_data(
    data: Data = None, token_column: str | None = None,
    tag_column: str | None = None, validation_data: Data = None,
    test_data: Data = None, limit: int | None = None, seed: int = 0,
    has_characters: bool = True, has_features: bool = True,
) -> Any:  # fmt: skip
    """Named parts, and what was fitted on train: tag names, scheme and words."""
    given = {"train": ks.text.load_sample_sentences(seed)}
    if data is not None:
        given["train"] = ks.text.read_tagged(data, token_column, tag_column)
    for part, path in (("validation", validation_data), ("test", test_data)):
        if path is not None:
            given[part] = ks.text.read_tagged(path, token_column, tag_column)
    return tagging.prepare_tagged(
        given, limit=limit, seed=seed, with_features=has_features,
        word_length=tagging.WORD_LENGTH if has_characters else None,
    )  # fmt: skip


def build_model(
    data: Any, crf: bool, characters: str = "cnn", documented: bool = False
) -> Any:
    """The strong recipe; `documented`: the architecture with its sizes alone."""
    encoder, words = data.encoder, ks.text.words
    sizes = encoder.vocab_size, len(data.tag_names), 100, 128
    if documented:
        return ks.build_tagging_model(*sizes)
    read = {}
    if encoder.word_length:
        read |= {"characters": characters, "word_length": encoder.word_length,
                 "num_characters": words.NUM_CHARACTERS}  # fmt: skip
    if encoder.with_features:
        read |= {"num_features": words.NUM_FEATURES,
                 "feature_ids": words.NUM_FEATURES * words.BUCKETS}  # fmt: skip
    rules = ks.text.allowed_tags(data.tag_names, data.scheme) if crf else None
    return ks.build_tagging_model(
        *sizes, dropout=0.4, word_dropout=0.1, crf=crf, allowed=rules, **read
    )


def train(
    *, data: Data = None, token_column: str | None = None,
    tag_column: str | None = None, validation_data: Data = None,
    test_data: Data = None, crf: Literal["auto", "on", "off"] = "auto",
    characters: Literal["cnn", "lstm", "off"] = "cnn",
    features: Literal["on", "off"] = "on", epochs: int | None = None,
    batch_size: int = 32, max_seconds: float | None = None, limit: int | None = None,
    seed: int = 0, run_dir: Path | None = None, export_dir: Path = EXPORT_DIR,
    resume: bool = False, strategy: Literal["auto", "cpu", "gpu", "mirrored"] = "auto",
    mixed_precision: Literal["auto", "on", "off"] = "auto", documented: bool = False,
) -> Run:  # fmt: skip
    """Train, score beside the baselines, export and prove.

    Args:
        data: File or glob of tagged sentences; default generated sentences.
        token_column: Column of the words, a name or a number; default by the format.
        tag_column: Column of the tags, such as xpos; default by the format.
        crf: Scores of neighbouring tags; auto takes them for entities.
        characters: How the characters of a word are read.
        features: Hashed affixes and shape of a word.
        epochs: Most passes over train; default by its size, from 3 to 30, and fewer
            where --max-seconds has no room: the learning rate falls with the time.
    """
    settings = dict(locals())
    if documented and crf == "on":
        raise ks.UserError("--documented has no CRF; leave it or --crf on out")
    loaded = load_data(
        data, token_column, tag_column, validation_data, test_data, limit, seed,
        characters != "off" and not documented, features == "on" and not documented,
    )  # fmt: skip
    epochs = epochs or max(3, min(30, WORDS_SEEN // loaded.num_words))
    has_crf = not documented and (crf == "on" or crf == "auto" and bool(loaded.scheme))
    run_dir = ks.training.begin_run(STEM, settings, loaded.fingerprints)
    ks.set_seed(seed)
    print(ks.training.set_precision(mixed_precision, strategy))
    train_set, validation_set = (ks.text.make_tagged_dataset(
        loaded.splits[part], loaded.encoder, loaded.tag_names, batch_size=batch_size,
        shuffle=part == "train", seed=seed,
    ) for part in ("train", "validation"))  # fmt: skip
    loss, metric = ks.losses.tag_loss, ks.metrics.TagAccuracy()
    if has_crf:
        loss, metric = ks.layers.crf_loss, ks.training.PathAccuracy()
        metric = ks.training.EntityF1(loaded.tag_names) if loaded.scheme else metric
    recipe = {"loss": loss, "metrics": [metric]}
    hparams = {"documented": documented, "batch_size": batch_size, "seed": seed}
    if not documented:
        rate = ks.training.BudgetedRate(LEARNING_RATE, epochs, max_seconds, warmup=1)
        recipe |= {"monitor": f"val_{metric.name}", "mode": "max", "patience": 5,
                   "callbacks": [rate]}  # fmt: skip
        hparams["learning_rate"] = LEARNING_RATE
    with ks.get_strategy(strategy).scope():
        model = build_model(loaded, has_crf, characters, documented)
        history = ks.fit(
            model, train_set, validation_data=validation_set, epochs=epochs,
            max_seconds=max_seconds, run_dir=run_dir, resume=resume, hparams=hparams,
            embedding_words=["(padding)", "(unknown)", *loaded.encoder.words], **recipe,
        )  # fmt: skip
    return tagging.finish(
        STEM, model, loaded, history, seed=seed, run_dir=run_dir,
        export_dir=export_dir, answer=predict,
    )  # fmt: skip


def evaluate(
    *, model: Path = EXPORT_DIR, data: Data = None,
    token_column: str | None = None, tag_column: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Score an exported model on a data file, beside the baselines of its training.

    Args:
        model: Folder of an export, or of one version.
        data: File or glob of tagged sentences; default freshly generated sentences.
        token_column: Column of the words, a name or a number; default by the format.
        tag_column: Column of the tags; default by the format.
    """
    sentences = ks.text.load_sample_sentences(FRESH_SEED)
    if data is not None:
        sentences = ks.text.read_tagged(data, token_column, tag_column)
    return tagging.evaluate_export(STEM, model, sentences)


def predict(
    *texts: str, model: Path = EXPORT_DIR, file: Path | None = None,
    data: str | None = None, text_column: str | None = None,
    output: Path | None = None, words: bool = False,
    n_best: Annotated[int, Range(1, 1000)] = 1,
    table_format: TableFormat = AS_FOUND,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Answer texts with an exported model: words, tags, probabilities, entities.

    Args:
        texts: Texts; without them, one a line from --file or standard input.
        model: Folder of an export, or of one version.
        file: UTF-8 text file, one text a line.
        data: Table whose texts are answered, in place of texts.
        words: Spaces part the words already; entities are then counted in words.
        n_best: With more than one, also the so many most probable tags of each text.
    """
    exported = ks.load_exported(model)

    def answer(asked: Iterator[str]) -> Iterator[dict[str, Any]]:
        if words:
            rows = (text.split() for text in asked)
            answers = tagging.answer_words(exported.signature("words"), rows)
        else:
            answers = tagging.answer_texts(exported.signature(), asked)
        if n_best > 1:
            ask = exported.signature("n_best")
            answers = tagging.with_best_paths(ask, answers, n_best)
        return answers

    yield from cli.answers(
        answer, texts, file, data=data, output=output, text_column=text_column,
        table_format=table_format,
    )  # fmt: skip


if __name__ == "__main__":
    cli.run(__doc__, train=train, evaluate=evaluate, predict=predict, directions=2)
