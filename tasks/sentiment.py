"""Sentiment of texts: an LSTM and n-grams read a review and name its class.

Data: CSV, TSV, JSON Lines or Parquet with a text and a label column (usual names are
found), any language, any number of classes; `--data imdb` downloads the IMDB reviews.
Several labels a text (`--label-separator`, `--label-columns`, lists) or a number a
text (`--kind regression`) are learned as well. Without --data it trains on generated
reviews, in half a minute on two cores.

    python tasks/sentiment.py train --data reviews.csv
    python tasks/sentiment.py evaluate --data more_reviews.csv
    python tasks/sentiment.py predict "What a film!"

Scores and wall times on real data stand in docs/results.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import keras_seq as ks
from keras_seq import cli, cli_inputs
from keras_seq.data.answers import Row
from keras_seq.data.in_memory import Data
from keras_seq.data.label_format import LabelFormat
from keras_seq.data.store import Samples, stored
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.options import TrainOptions, takes
from keras_seq.tasks import sentiment
from keras_seq.tasks.result import Report, Run

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

STEM = "sentiment"
EXPORT_DIR = Path("saved_models", STEM)
VOCAB_SIZE = 30_000
MAX_LEN = 1000  # tokens: 99 % of the IMDB reviews are shorter
LEARNING_RATE = 0.002
SAMPLES_SEEN = 60_000  # in all epochs together
NO_NOTE = ("note", "")
FRESH_SEED = 1_000_000  # of generated reviews that no training saw


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions):
    """Of `train`."""

    data: Data = None
    text_column: str | None = None
    label_column: str | None = None
    validation_data: Data = None
    test_data: Data = None
    labels_as_written: bool = False
    label_separator: str | None = None
    label_columns: Sequence[str] | None = None
    kind: Literal["auto", "classification", "regression"] = "auto"
    class_weight: Literal["none", "balanced"] = "none"
    table_format: TableFormat = AS_FOUND
    max_len: int = MAX_LEN
    batch_size: int = 64
    mixed_precision: Literal["auto", "on", "off"] = "auto"
    embeddings: Path | None = None
    documented: bool = False

    def __post_init__(self) -> None:
        ks.text.check_embeddings(self.embeddings, documented=self.documented)


def load_data(options: Options) -> "sentiment.TextData":
    """Named splits, and what was fitted on train: the target and a tokenizer."""
    labels = LabelFormat(options.label_separator, options.label_columns, options.kind)
    columns = options.text_column, options.label_column, True
    read_as = *columns, options.labels_as_written, options.table_format, labels
    given: dict[str, Samples]
    if isinstance(options.data, str) and options.data == "imdb":
        given = {**ks.data.load_imdb()}
    elif options.data is not None:
        # Read here: what is wrong with a row is said before TensorFlow is imported.
        given = {"train": stored(ks.read_table(options.data, *read_as))}
    else:
        given = {"train": ks.text.load_sample_reviews(options.seed)}
    further = {"validation": options.validation_data, "test": options.test_data}
    for part, data in further.items():
        if data is not None:
            given[part] = stored(ks.read_table(data, *read_as))
    return sentiment.prepare_texts(
        given,
        num_words=VOCAB_SIZE,
        limit=options.limit,
        seed=options.seed,
        labels_as_written=options.labels_as_written,
        label_format=labels,
        class_weight=options.class_weight,
    )


def build_model(
    data: "sentiment.TextData",
    train_set: "tf.data.Dataset",
    documented: bool = False,
    **vectors: Any,
) -> "keras.Model":
    """The strong recipe; `documented`: the tutorial's own architecture."""
    vocab_size, target = data.tokenizer.vocab_size, data.target
    if documented:
        return ks.build_sentiment_model(vocab_size, **target.head())
    buckets = ks.layers.ngram_buckets(sum(data.tokenizer.word_counts.values()))
    return ks.build_sentiment_model(
        vocab_size,
        **target.head(),
        dropout=0.5,
        recurrent_dropout=0.0,
        embedding_dropout=0.5,
        bidirectional=True,
        pooling="max_and_mean",
        ngram_ratios=target.ngram_ratios(train_set, buckets),
        **vectors,
    )


@takes(Options)
def train(options: Options) -> Run:
    """Train, score beside the baselines, export and prove.

    Args:
        data: File or glob of samples, or `imdb`; default generated reviews.
        validation_data: File of its own; default a tenth of the data, 1,250 at most.
        test_data: File of its own; default a tenth of the data.
        epochs: Most passes over train; default by its size, from 2 to 20, with class
            weights to 80, and fewer where --max-seconds has no room: the learning rate
            falls with the time.
        labels_as_written: Join no spellings of a label, and take NA for a class.
        kind: regression learns a number a text; auto asks about labels that are many
            different numbers, which classification takes for classes.
        class_weight: balanced lets each class count alike, however rare it is.
        max_len: Tokens that are read of a text.
    """
    loaded = load_data(options)
    target, seed, documented = loaded.target, options.seed, options.documented
    most = min(target.most_epochs, SAMPLES_SEEN // loaded.num_train)
    epochs = options.epochs or max(2, most)
    vectors = ks.text.GivenEmbeddings.load(options.embeddings, loaded.tokenizer)
    contents = loaded.fingerprints | vectors.fingerprints
    run_dir = ks.training.begin_run(STEM, vars(options), contents)
    ks.set_seed(seed)
    ks.training.set_precision(options.mixed_precision, options.strategy)
    train_set, validation_set = (
        ks.make_text_dataset(
            loaded.splits[part],
            loaded.tokenizer,
            target.values,
            max_len=options.max_len,
            batch_size=options.batch_size,
            shuffle=part == "train",
            seed=seed,
        )
        for part in ("train", "validation")
    )
    with ks.get_strategy(options.strategy).scope():
        model = learning = build_model(loaded, train_set, documented, **vectors.options)
        hparams: dict[str, float] = {
            "documented": documented,
            "batch_size": options.batch_size,
        }
        recipe = target.recipe(documented)
        if not documented:
            learning = sentiment.with_auxiliary_heads(model, target)
            rate = ks.training.BudgetedRate(
                LEARNING_RATE, epochs, options.max_seconds, warmup=1
            )
            recipe["callbacks"] = [rate]
            hparams["learning_rate"] = LEARNING_RATE
        history = ks.fit(
            learning,
            train_set,
            validation_data=validation_set,
            epochs=epochs,
            max_seconds=options.max_seconds,
            run_dir=run_dir,
            resume=options.resume,
            hparams=hparams | {"seed": seed},
            embedding_words=["(padding)", *loaded.tokenizer.word_index],
            **recipe,
        )
        if not documented:
            model = sentiment.fit_head_weights(model, validation_set, target)
    return ks.tasks.finish_run(
        STEM,
        partial(sentiment.score_run, STEM, model, loaded, options.max_len, seed),
        history,
        model=model,
        answer=predict,
        run_dir=run_dir,
        export_dir=options.export_dir,
    )


def evaluate(
    *,
    model: Path = EXPORT_DIR,
    data: Data = None,
    text_column: str | None = None,
    label_column: str | None = None,
    label_separator: str | None = None,
    label_columns: Sequence[str] | None = None,
    table_format: TableFormat = AS_FOUND,
) -> Report:
    """Score an exported model on a data file, beside the baselines of its training.

    Args:
        model: Folder of an export, or of one version.
        data: File or glob of samples; default freshly generated reviews.
    """
    samples: Samples = ks.text.load_sample_reviews(FRESH_SEED)
    if data is not None:  # the model's labels say what is one
        labels = sentiment.label_format_of(model, label_separator, label_columns)
        columns = text_column, label_column, True, True
        samples = stored(ks.read_table(data, *columns, table_format, labels))
    return sentiment.evaluate_export(STEM, model, samples)


@cli_inputs.takes_inputs
def predict(
    inputs: cli_inputs.Inputs,
    *,
    model: Path = EXPORT_DIR,
) -> Iterator[Row]:
    """Answer texts with an exported model: label, its probability, and all of them.

    How many of the words that were read it does not know stands behind; a text of
    which it knows none gets a note.

    Args:
        model: Folder of an export, or of one version.
        data: Table whose texts are answered, in place of texts.
    """

    def answer(asked: Iterator[str]) -> Iterator[Row]:
        exported = ks.load_exported(model)
        max_len = exported.metadata["max_len"]
        return sentiment.answer_texts(exported.signature(), asked, max_len=max_len)

    answered = cli_inputs.answers(answer, inputs)
    yield from ({k: v for k, v in row.items() if (k, v) != NO_NOTE} for row in answered)


if __name__ == "__main__":
    cli.run(__doc__, train=train, evaluate=evaluate, predict=predict, directions=2)
