"""Sentiment of texts: an LSTM and n-grams read a review and name its class.

Data: CSV, TSV, JSON Lines or Parquet with a text and a label column (usual names are
found), any language, any number of classes; `--data imdb` downloads the IMDB reviews.
Without --data it trains on generated reviews, in half a minute on two cores.

    python tasks/sentiment.py train --data reviews.csv
    python tasks/sentiment.py evaluate --data more_reviews.csv
    python tasks/sentiment.py predict "What a film!"

Scores and wall times on real data stand in the README.
"""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import keras_seq as ks
from keras_seq import cli
from keras_seq.data.in_memory import Table
from keras_seq.data.store import stored
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.tasks import sentiment
from keras_seq.tasks.result import Run

STEM = "sentiment"
EXPORT_DIR = Path("saved_models", STEM)
Data = str | Table | None  # at the shell names alone
VOCAB_SIZE = 30_000
MAX_LEN = 1000  # tokens: 99 % of the IMDB reviews are shorter
LEARNING_RATE = 0.002
SAMPLES_SEEN = 60_000  # in all epochs together
# The loss of a model that grows surer rises while more and more answers are right.
ANSWER_WATCHED = {"monitor": "val_accuracy", "mode": "max"}
FRESH_SEED = 1_000_000  # of generated reviews that no training saw


def load_data(
    data: Data = None, text_column: str | None = None,
    label_column: str | None = None, validation_data: Data = None,
    test_data: Data = None, limit: int | None = None, seed: int = 0,
    labels_as_written: bool = False, table_format: TableFormat = AS_FOUND,
) -> Any:  # fmt: skip
    """Named splits, and what was fitted on train: label names and tokenizer."""
    columns = text_column, label_column, True, labels_as_written, table_format
    if isinstance(data, str) and data == "imdb":
        given = ks.data.load_imdb()
    elif data is not None:
        # Read here: what is wrong with a row is said before TensorFlow is imported.
        given = {"train": stored(ks.read_table(data, *columns))}
    else:
        given = {"train": ks.text.load_sample_reviews(seed)}
    for part, path in (("validation", validation_data), ("test", test_data)):
        if path is not None:
            given[part] = ks.read_table(path, *columns)
    return sentiment.prepare_texts(
        given, num_words=VOCAB_SIZE, limit=limit, seed=seed,
        labels_as_written=labels_as_written,
    )  # fmt: skip


def build_model(data: Any, train_set: Any, documented: bool = False) -> Any:
    """The strong recipe; `documented`: the tutorial's own architecture."""
    vocab_size, num_classes = data.tokenizer.vocab_size, len(data.label_names)
    if documented:
        return ks.build_sentiment_model(vocab_size, num_classes=num_classes)
    buckets = ks.layers.ngram_buckets(sum(data.tokenizer.word_counts.values()))
    return ks.build_sentiment_model(
        vocab_size, num_classes=num_classes, dropout=0.5, recurrent_dropout=0.0,
        embedding_dropout=0.5, bidirectional=True, pooling="max_and_mean",
        ngram_ratios=ks.layers.ngram_log_ratios(train_set, num_classes, buckets),
    )  # fmt: skip


def train(
    *, data: Data = None, text_column: str | None = None,
    label_column: str | None = None, validation_data: Data = None,
    test_data: Data = None, labels_as_written: bool = False,
    table_format: TableFormat = AS_FOUND,
    max_len: int = MAX_LEN, epochs: int | None = None, batch_size: int = 64,
    max_seconds: float | None = None, limit: int | None = None, seed: int = 0,
    run_dir: Path | None = None, export_dir: Path = EXPORT_DIR, resume: bool = False,
    strategy: Literal["auto", "cpu", "gpu", "mirrored"] = "auto",
    mixed_precision: Literal["auto", "on", "off"] = "auto", documented: bool = False,
) -> Run:  # fmt: skip
    """Train, score beside the baselines, export and prove.

    Args:
        data: File or glob of samples, or `imdb`; default generated reviews.
        validation_data: File of its own; default a tenth of the data, 1,250 at most.
        test_data: File of its own; default a tenth of the data.
        epochs: Most passes over train; default by its size, from 2 to 20, and fewer
            where --max-seconds has no room: the learning rate falls with the time.
        labels_as_written: Join no spellings of a label, and take NA for a class.
        max_len: Tokens that are read of a text.
    """
    settings = dict(locals())
    loaded = load_data(
        data, text_column, label_column, validation_data, test_data, limit, seed,
        labels_as_written, table_format,
    )  # fmt: skip
    epochs = epochs or max(2, min(20, SAMPLES_SEEN // loaded.num_train))
    run_dir = ks.training.begin_run(STEM, settings, loaded.fingerprints)
    ks.set_seed(seed)
    print(ks.training.set_precision(mixed_precision, strategy))
    train_set, validation_set = (ks.make_text_dataset(
        loaded.splits[part], loaded.tokenizer, loaded.label_names, max_len=max_len,
        batch_size=batch_size, shuffle=part == "train", seed=seed,
    ) for part in ("train", "validation"))  # fmt: skip
    with ks.get_strategy(strategy).scope():
        model = build_model(loaded, train_set, documented)
        recipe = {"loss": ks.losses.classification_loss(len(loaded.label_names))}
        hparams = {"documented": documented, "batch_size": batch_size, "seed": seed}
        if not documented:
            recipe = {
                "loss": ks.losses.auxiliary_loss,
                "metrics": [ks.metrics.accuracy],
            }
            rate = ks.training.BudgetedRate(
                LEARNING_RATE, epochs, max_seconds, warmup=1
            )
            recipe |= {"callbacks": [rate], **ANSWER_WATCHED}
            hparams["learning_rate"] = LEARNING_RATE
        history = ks.fit(
            model if documented else sentiment.with_auxiliary_heads(model), train_set,
            validation_data=validation_set, epochs=epochs, max_seconds=max_seconds,
            run_dir=run_dir, resume=resume, hparams=hparams, **recipe,
            embedding_words=["(padding)", *loaded.tokenizer.word_index],
        )  # fmt: skip
        if not documented:
            model = sentiment.fit_head_weights(model, validation_set)
    return sentiment.finish(
        STEM, model, loaded, history, max_len=max_len, seed=seed, run_dir=run_dir,
        export_dir=export_dir, answer=predict,
    )  # fmt: skip


def evaluate(
    *, model: Path = EXPORT_DIR, data: Data = None,
    text_column: str | None = None, label_column: str | None = None,
    table_format: TableFormat = AS_FOUND,
) -> dict[str, Any]:  # fmt: skip
    """Score an exported model on a data file, beside the baselines of its training.

    Args:
        model: Folder of an export, or of one version.
        data: File or glob of samples; default freshly generated reviews.
    """
    samples = ks.text.load_sample_reviews(FRESH_SEED)
    if data is not None:  # the model's labels say what is one
        samples = ks.read_table(
            data, text_column, label_column, True, True, table_format
        )
    return sentiment.evaluate_export(STEM, model, samples)


def predict(
    *texts: str, model: Path = EXPORT_DIR, file: Path | None = None,
    data: str | None = None, text_column: str | None = None,
    output: Path | None = None,
    table_format: TableFormat = AS_FOUND,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Answer texts with an exported model: label, its probability, and all of them.

    Args:
        texts: Texts; without them, one a line from --file or standard input.
        model: Folder of an export, or of one version.
        file: UTF-8 text file, one text a line.
        data: Table whose texts are answered, in place of texts.
    """
    exported = ks.load_exported(model)
    answer = functools.partial(
        sentiment.answer_texts, exported.signature(),
        max_len=exported.metadata["max_len"],
    )  # fmt: skip
    yield from cli.answers(
        answer, texts, file, data=data, output=output, text_column=text_column,
        table_format=table_format,
    )  # fmt: skip


if __name__ == "__main__":
    cli.run(__doc__, train=train, evaluate=evaluate, predict=predict, directions=2)
