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
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import keras_seq as ks
from keras_seq import cli, cli_inputs
from keras_seq.data.answers import Row
from keras_seq.data.in_memory import Data
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.options import TrainOptions, takes
from keras_seq.ranges import Range
from keras_seq.tasks import tagging
from keras_seq.tasks.result import Report, Run

if TYPE_CHECKING:
    import keras

STEM = "tagging"
EXPORT_DIR = Path("saved_models", STEM)
LEARNING_RATE = 0.003
WORDS_SEEN = 3_000_000  # in all epochs together
FRESH_SEED = 1_000_000  # of generated sentences that no training saw


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions):
    """Of `train`."""

    data: Data = None
    token_column: str | None = None
    tag_column: str | None = None
    table_format: TableFormat = AS_FOUND
    validation_data: Data = None
    test_data: Data = None
    crf: Literal["auto", "on", "off"] = "auto"
    characters: Literal["cnn", "lstm", "off"] = "cnn"
    features: Literal["on", "off"] = "on"
    batch_size: int = 32
    mixed_precision: Literal["auto", "on", "off"] = "auto"
    embeddings: Path | None = None
    documented: bool = False

    def __post_init__(self) -> None:
        ks.text.check_embeddings(self.embeddings, documented=self.documented)
        if self.documented and self.crf == "on":
            raise ks.UserError("--documented has no CRF; leave it or --crf on out")


def load_data(options: Options) -> "tagging.TaggedData":
    """Named parts, and what was fitted on train: tag names, scheme and words."""
    read_as = options.token_column, options.tag_column, options.table_format
    given = {"train": ks.text.load_sample_sentences(options.seed)}
    files = {"train": options.data, "validation": options.validation_data}
    for part, data in (files | {"test": options.test_data}).items():
        if data is not None:
            given[part] = ks.text.read_tagged(data, *read_as)
    has_characters = options.characters != "off" and not options.documented
    return tagging.prepare_tagged(
        given,
        limit=options.limit,
        seed=options.seed,
        with_features=options.features == "on" and not options.documented,
        word_length=tagging.WORD_LENGTH if has_characters else None,
    )


def build_model(
    data: "tagging.TaggedData",
    crf: bool,
    characters: Literal["cnn", "lstm", "off"] = "cnn",
    documented: bool = False,
    **vectors: Any,
) -> "keras.Model":
    """The strong recipe; `documented`: the architecture with its sizes alone."""
    sizes = data.encoder.vocab_size, len(data.tag_names)
    if documented:
        return ks.build_tagging_model(*sizes, 100, 128)
    return ks.build_tagging_model(
        *sizes,
        dropout=0.4,
        word_dropout=0.1,
        characters=None if characters == "off" else characters,
        crf=crf,
        allowed=ks.text.allowed_tags(data.tag_names, data.scheme) if crf else None,
        **{"embedding_dim": 100, "lstm_units": 128, **data.encoder.sizes, **vectors},
    )


@takes(Options)
def train(options: Options) -> Run:
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
    loaded = load_data(options)
    seed, documented = options.seed, options.documented
    epochs = options.epochs or max(3, min(30, WORDS_SEEN // loaded.num_words))
    wants_crf = options.crf == "on" or options.crf == "auto" and bool(loaded.scheme)
    has_crf = wants_crf and not documented
    words = ["", "", *loaded.encoder.words]  # of padding and of unknown words: none
    vectors = ks.text.GivenEmbeddings.load(options.embeddings, words)
    contents = loaded.fingerprints | vectors.fingerprints
    run_dir = ks.training.begin_run(STEM, vars(options), contents)
    ks.set_seed(seed)
    ks.training.set_precision(options.mixed_precision, options.strategy)
    train_set, validation_set = (
        ks.text.make_tagged_dataset(
            loaded.splits[part],
            loaded.encoder,
            loaded.tag_names,
            batch_size=options.batch_size,
            shuffle=part == "train",
            seed=seed,
        )
        for part in ("train", "validation")
    )
    loss, metric = ks.losses.tag_loss, ks.metrics.TagAccuracy()
    if has_crf:
        loss, metric = ks.layers.crf_loss, ks.training.PathAccuracy()
        metric = ks.training.EntityF1(loaded.tag_names) if loaded.scheme else metric
    recipe: dict[str, Any] = {"loss": loss, "metrics": [metric]}
    if not documented:
        rate = ks.training.BudgetedRate(
            LEARNING_RATE, epochs, options.max_seconds, warmup=1
        )
        recipe |= {"monitor": f"val_{metric.name}", "mode": "max", "patience": 5}
        recipe["callbacks"] = [rate]
    with ks.get_strategy(options.strategy).scope():
        model = build_model(
            loaded, has_crf, options.characters, documented, **vectors.options
        )
        history = ks.fit(
            model,
            train_set,
            validation_data=validation_set,
            epochs=epochs,
            max_seconds=options.max_seconds,
            run_dir=run_dir,
            resume=options.resume,
            hparams=vars(options),
            embedding_words=["(padding)", "(unknown)", *loaded.encoder.words],
            **recipe,
        )
    return ks.tasks.finish_run(
        STEM,
        partial(tagging.score_run, STEM, model, loaded, seed),
        history,
        model=model,
        answer=predict,
        describe=tagging.describe,
        run_dir=run_dir,
        export_dir=options.export_dir,
    )


def evaluate(
    *,
    model: Path = EXPORT_DIR,
    data: Data = None,
    token_column: str | None = None,
    tag_column: str | None = None,
    table_format: TableFormat = AS_FOUND,
) -> Report:
    """Score an exported model on a data file, beside the baselines of its training.

    Args:
        model: Folder of an export, or of one version.
        data: File or glob of tagged sentences; default freshly generated sentences.
        token_column: Column of the words, a name or a number; default by the format.
        tag_column: Column of the tags; default by the format.
    """
    sentences = ks.text.load_sample_sentences(FRESH_SEED)
    if data is not None:
        sentences = ks.text.read_tagged(data, token_column, tag_column, table_format)
    return tagging.evaluate_export(STEM, model, sentences)


@cli_inputs.takes_inputs
def predict(
    inputs: cli_inputs.Inputs,
    *,
    model: Path = EXPORT_DIR,
    words: bool = False,
    n_best: Annotated[int, Range(1, 1000)] = 1,
) -> Iterator[Row]:
    """Answer texts with an exported model: words, tags, probabilities, entities.

    Args:
        model: Folder of an export, or of one version.
        data: Table whose texts are answered, in place of texts.
        words: Spaces part the words already; entities are then counted in words.
        n_best: With more than one, also the so many most probable tags of each text.
    """

    def answer(asked: Iterator[str]) -> Iterator[Row]:
        exported = ks.load_exported(model)
        if words:
            rows = (text.split() for text in asked)
            answers = tagging.answer_words(exported.signature("words"), rows)
        else:
            answers = tagging.answer_texts(exported.signature(), asked)
        if n_best > 1:
            ask = exported.signature("n_best")
            answers = tagging.with_best_paths(ask, answers, n_best)
        return answers

    yield from cli_inputs.answers(answer, inputs)


if __name__ == "__main__":
    cli.run(__doc__, train=train, evaluate=evaluate, predict=predict, directions=2)
