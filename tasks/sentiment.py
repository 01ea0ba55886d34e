"""Sentiment of texts: an LSTM and n-grams read a review and name its class.

Data: CSV, TSV, JSON Lines or Parquet with a text and a label column (usual names are
found), in any language, with any number of classes; `--data imdb` downloads the IMDB
reviews. Without --data it trains on generated reviews: some two minutes on two cores.

    python tasks/sentiment.py train --data reviews.csv
    python tasks/sentiment.py evaluate --data more_reviews.csv
    python tasks/sentiment.py predict "What a film!"

Scores and wall times on real data stand in the README.
"""

import itertools
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import keras_seq as ks
from keras_seq import cli

STEM = "sentiment"
EXPORT_DIR = Path("saved_models", STEM)
BASELINES = "baselines.npz"
VOCAB_SIZE = 30_000
MAX_LEN = 1000  # tokens: 99 % of the IMDB reviews are shorter
LEARNING_RATE = 0.002
SAMPLES_SEEN = 75_000  # in all epochs together
FRESH_SEED = 1_000_000  # of generated reviews that no training saw
PROVEN = 64  # held-out texts that the export is proven on


def load_data(
    data: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    validation_data: str | None = None,
    test_data: str | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> tuple[dict[str, Any], Any, Any]:
    """Named splits, and of train: its summary (rows, labels) and fitted tokenizer."""
    if data == "imdb":
        given = ks.load_imdb()
    elif data:
        given = {"train": ks.read_table(data, text_column, label_column)}
    else:
        given = {"train": ks.load_sample_reviews(seed)}
    for name, path in (("validation", validation_data), ("test", test_data)):
        if path:
            given[name] = ks.read_table(path, text_column, label_column)
    shares = {name: 0.1 * (name not in given) for name in ("validation", "test")}
    splits = given | ks.split_samples(
        given["train"], **shares, seed=seed, limit=limit, min_classes=2
    )
    summary = ks.scan(splits["train"])
    for name in ("validation", "test"):
        ks.check_labels(splits[name], list(summary.label_counts))
    tokenizer = ks.Tokenizer(VOCAB_SIZE)
    tokenizer.fit_on_texts(text for text, _ in splits["train"])
    return splits, summary, tokenizer


def build_model(
    tokenizer: Any, num_classes: int, train_set: Any, documented: bool = False
) -> Any:
    """The strong recipe; `documented`: the tutorial's own architecture."""
    sizes = {"vocab_size": tokenizer.vocab_size, "num_classes": num_classes}
    if documented:
        return ks.build_sentiment_model(**sizes)
    buckets = ks.ngram_buckets(sum(tokenizer.word_counts.values()))
    return ks.build_sentiment_model(
        **sizes,
        dropout=0.5,
        recurrent_dropout=0.0,
        embedding_dropout=0.5,
        bidirectional=True,
        pooling="max_and_mean",
        ngram_ratios=ks.ngram_log_ratios(train_set, num_classes, buckets),
    )


def train(
    *,
    data: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    validation_data: str | None = None,
    test_data: str | None = None,
    epochs: int | None = None,
    batch_size: int = 64,
    max_seconds: float | None = None,
    limit: int | None = None,
    seed: int = 0,
    run_dir: Path | None = None,
    export_dir: Path = EXPORT_DIR,
    strategy: Literal["auto", "cpu", "gpu", "mirrored"] = "auto",
    documented: bool = False,
) -> dict[str, Any]:
    """Train, score beside the baselines, export and prove.

    Args:
        data: File or glob of samples, or `imdb`; default generated reviews.
        text_column: Column of the texts; default found by its name.
        label_column: Column of the labels; default found by its name.
        validation_data: File of its own; default a tenth of the data.
        test_data: File of its own; default a tenth of the data.
        epochs: Most passes over train; default by its size, from 3 to 20.
        documented: Train the tutorial's own architecture instead.
    """
    settings = dict(locals())
    splits, summary, tokenizer = load_data(
        data, text_column, label_column, validation_data, test_data, limit, seed
    )
    names = list(summary.label_counts)
    epochs = epochs or max(3, min(20, SAMPLES_SEEN // summary.rows))
    run_dir = ks.make_run_dir(STEM, run_dir)
    ks.write_facts(run_dir, "config.json", settings | {"data": summary.fingerprint})
    ks.set_seed(seed)
    train_set, validation_set = (
        ks.make_text_dataset(
            splits[name], tokenizer, names, batch_size=batch_size, max_len=MAX_LEN,
            shuffle=name == "train", seed=seed,
        )
        for name in ("train", "validation")
    )  # fmt: skip
    with ks.get_strategy(strategy).scope():
        model = build_model(tokenizer, len(names), train_set, documented)
        recipe = {"loss": ks.classification_loss(len(names))}
        if not documented:
            recipe = {"loss": ks.loss_of_each_path, "metrics": [ks.accuracy]}
            recipe["schedule"] = ks.cosine_schedule(LEARNING_RATE, epochs)
        trained = model if documented else ks.separate_paths(model)
        history = ks.fit(
            trained, train_set, validation_set, epochs=epochs, max_seconds=max_seconds,
            run_dir=run_dir, **recipe,
        )  # fmt: skip
        if not documented:
            model = ks.weigh_evidence(model, validation_set)
    model.save(run_dir / "model.keras")
    server = ks.TextClassifier(model, tokenizer, names, MAX_LEN)
    baselines = ks.fit_baselines(splits["train"], names, seed)
    validation, test = (
        ks.score_classifier(STEM, splits[name], server.answer, baselines, names)
        for name in ("validation", "test")
    )
    metrics = {"validation": validation.report, "test": test.report}
    metrics = {"task": STEM, **metrics, "seconds": history.seconds}
    ks.write_facts(run_dir, "metrics.json", metrics)
    ks.show_classifier(run_dir, history.history, test, names)
    facts = {"task": STEM, "labels": names, "documented": documented}
    version = ks.export(
        server, export_dir, models=[model], signatures=server.signatures(),
        examples={"text": test.texts[:PROVEN]},
        expected=server.expected(test.texts[:PROVEN]),
        metadata=facts | {"data": summary.fingerprint, "metrics": test.report},
        extra_files={BASELINES: partial(ks.save_baselines, baselines=baselines)},
    )  # fmt: skip
    return {
        "test scores": ks.format_report(test.report),
        "training": f"{history.seconds:.0f} s, {len(history.epoch)} epochs",
        "run": run_dir,
        "export": version,
    }


def evaluate(
    *,
    model: Path = EXPORT_DIR,
    data: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
) -> dict[str, Any]:
    """Score an exported model on a data file, beside the baselines of its training.

    Args:
        model: Folder of an export, or of one version.
        data: File or glob of samples; default freshly generated reviews.
        text_column: Column of the texts; default found by its name.
        label_column: Column of the labels; default found by its name.
    """
    exported = ks.load_exported(model)
    names = exported.metadata["labels"]
    if data:
        samples = ks.read_table(data, text_column, label_column)
    else:
        samples = ks.load_sample_reviews(seed=FRESH_SEED)
    ks.check_labels(samples, names)
    baselines = ks.load_baselines(exported.path / "assets.extra" / BASELINES)
    answer = partial(ks.answer_texts, exported.signature())
    return ks.score_classifier(STEM, samples, answer, baselines, names).report


def predict(
    *texts: str, model: Path = EXPORT_DIR, file: Path | None = None
) -> Iterator[dict[str, Any]]:
    """Answer texts with an exported model: label, its probability, and all of them.

    Args:
        texts: Texts; without them, one a line from --file or standard input.
        model: Folder of an export, or of one version.
        file: UTF-8 text file, one text a line.
    """
    signature = ks.load_exported(model).signature()
    asked, shown = itertools.tee(cli.input_texts(texts, file))
    for text, answer in zip(shown, ks.answer_texts(signature, asked)):
        yield {"input": text, **answer}


if __name__ == "__main__":
    cli.run(__doc__, train=train, evaluate=evaluate, predict=predict)
