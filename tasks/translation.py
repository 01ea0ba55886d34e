"""Sentences of one language in another: an encoder-decoder with attention.

Data: a table with a column a side (CSV, TSV, JSON Lines, Parquet, Excel), two files
with a sentence a line, or a translation memory (TMX). Without --data it trains on two
small languages that differ in the order of their words, in a few minutes.

    python tasks/translation.py train --data train.de --target-data train.en
    python tasks/translation.py evaluate --data test.de --target-data test.en
    python tasks/translation.py predict "Ein Hund rennt."

Needs the extra `translation`: pip install 'keras_seq[translation]'.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import keras_seq as ks
from keras_seq import cli, cli_inputs
from keras_seq.data.answers import Row
from keras_seq.data.columns import TEXT_COLUMNS
from keras_seq.data.in_memory import Data
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.options import TrainOptions, takes
from keras_seq.ranges import Range
from keras_seq.tasks import translation
from keras_seq.tasks.result import Report, Run
from keras_seq.text.pairs import SOURCE_COLUMNS

if TYPE_CHECKING:
    import keras

STEM = "translation"
EXPORT_DIR = Path("saved_models", STEM)
FRESH_SEED = 1_000_000  # of sample pairs that no training saw
MULTI30K = "multi30k"


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions):
    """Of `train`."""

    data: Data = None
    target_data: Data = None
    validation_data: Data = None
    validation_target_data: Data = None
    test_data: Data = None
    test_target_data: Data = None
    source_column: str | None = None
    target_column: str | None = None
    table_format: TableFormat = AS_FOUND
    network: Literal["transformer", "lstm"] = "transformer"
    attention: Literal["additive", "dot", "general"] | None = None
    vocab_size: int = 4000
    model_dim: Annotated[int | None, Range(2, 8192)] = None
    num_layers: int | None = None
    batch_tokens: Annotated[int, Range(16, 10**7)] = 4096
    dropout: float = 0.2
    label_smoothing: float = 0.1
    learning_rate: float = 0.002
    schedule: Literal["cosine", "inverse_sqrt"] = "cosine"
    documented: bool = False

    def __post_init__(self) -> None:
        if self.batch_size is not None:
            raise ks.UserError("batches are of so many tokens: give --batch-tokens")
        if self.attention and self.network != "lstm" and not self.documented:
            raise ks.UserError(
                "--attention is of --network lstm and --documented; a transformer has "
                "its own"
            )
        for part in ("validation_", "test_", ""):
            data, target = (
                getattr(self, f"{part}{side}") for side in ("data", "target_data")
            )
            if target is not None and data is None:
                name = part.replace("_", "-")
                raise ks.UserError(f"--{name}target-data needs the other: --{name}data")


def load_data(options: Options) -> "translation.TranslationData":
    """Named parts, and what was fitted on train: subwords of both languages."""
    further = options.source_column, options.target_column, options.table_format
    given = {}
    if options.data in (MULTI30K, f"{MULTI30K}-reversed"):
        given = ks.text.load_multi30k(reverse=options.data != MULTI30K)
    elif options.data is None:
        given["train"] = ks.text.load_sample_pairs(options.seed)
    files = {
        "train": (None if given else options.data, options.target_data),
        "validation": (options.validation_data, options.validation_target_data),
        "test": (options.test_data, options.test_target_data),
    }
    for part, (data, target) in files.items():
        if data is not None:
            given[part] = ks.text.read_pairs(data, target, *further)
    return translation.prepare_pairs(
        given,
        vocab_size=options.vocab_size,
        limit=options.limit,
        seed=options.seed,
    )


def build_model(data: "translation.TranslationData", options: Options) -> "keras.Model":
    """One builder call, by the kind of network and the size of the data."""
    return translation.build_network(
        data.coder.vocab_size,
        len(data.splits["train"]),
        "documented" if options.documented else options.network,
        attention=options.attention,
        model_dim=options.model_dim,
        num_layers=options.num_layers,
        dropout=options.dropout,
    )


@takes(Options)
def train(options: Options) -> Run:
    """Train, score beside the baselines, export and prove.

    Args:
        data: Pairs in a table or TMX, sources a line, or `multi30k` (German to English;
            `multi30k-reversed`: the other way); default a generated sample.
        target_data: Targets, one a line, where --data has sources alone.
        validation_target_data: The same of --validation-data.
        test_target_data: The same of --test-data.
        source_column: Column, or language of a TMX, to translate from.
        target_column: Column, or language of a TMX, to translate to.
        network: Kind of the encoder-decoder.
        attention: How a recurrent decoder looks back at the source.
        vocab_size: Most subwords, of both languages together.
        model_dim: Width of the layers, even; default by network and number of pairs.
        num_layers: Of encoder and decoder each; default by network and number of pairs.
        batch_tokens: Tokens of a step, of both sides and with padding.
        dropout: Rate on embeddings and between layers.
        label_smoothing: Share of a target given to all tokens (Szegedy et al. 2016).
        learning_rate: The highest, after a warm-up.
        schedule: How the rate falls then: along a cosine to 0, or with the root of the
            step (Vaswani et al. 2017).
        epochs: Most passes over train; default by its size, or what --max-seconds has
            room for.
    """
    loaded = load_data(options)
    run_dir = ks.training.begin_run(STEM, vars(options), loaded.fingerprints)
    ks.set_seed(options.seed)
    with ks.get_strategy(options.strategy).scope():
        model = build_model(loaded, options)
        history = translation.train_translator(
            model, loaded.coder, loaded.splits, vars(options), run_dir
        )
    return ks.tasks.finish_run(
        STEM,
        partial(translation.score_run, STEM, model, loaded),
        history,
        model=model,
        answer=predict,
        describe=translation.describe,
        run_dir=run_dir,
        export_dir=options.export_dir,
    )


def evaluate(
    *,
    model: Path = EXPORT_DIR,
    data: Data = None,
    target_data: Data = None,
    source_column: str | None = None,
    target_column: str | None = None,
    table_format: TableFormat = AS_FOUND,
) -> Report:
    """Score an exported model on sentence pairs, beside the baselines of its training.

    Args:
        model: Folder of an export, or of one version.
        data: Pairs in a table or TMX, or sources a line; default a fresh sample.
        target_data: Targets, one a line, where --data has sources alone.
        source_column: Column, or language of a TMX, to translate from.
        target_column: Column, or language of a TMX, to translate to.
    """
    pairs = ks.text.load_sample_pairs(FRESH_SEED, 500)
    if data is not None:
        pairs = ks.text.read_pairs(
            data, target_data, source_column, target_column, table_format
        )
    return translation.evaluate_export(STEM, model, pairs)


@cli_inputs.takes_inputs
def predict(
    inputs: cli_inputs.Inputs,
    *,
    model: Path = EXPORT_DIR,
    beam_width: Annotated[int, Range(1, 1000)] = 4,
    length_penalty: Annotated[float, Range(0, 10)] = 1.0,
    attention: bool = False,
) -> Iterator[Row]:
    """Translate texts with an exported model, a sentence each.

    Args:
        model: Folder of an export, or of one version.
        data: Table whose texts are translated, in place of texts.
        beam_width: Paths of the search; 1 takes the likeliest token at each step.
        length_penalty: Larger values make longer translations.
        attention: Also tokens, and what each of the translation's looked at.
    """

    def answer(asked: Iterator[str]) -> Iterator[Row]:
        return translation.answer_export(
            ks.load_exported(model), asked, beam_width, length_penalty, attention
        )

    usual = *SOURCE_COLUMNS, *TEXT_COLUMNS
    yield from cli_inputs.answers(answer, inputs, usual=usual)


if __name__ == "__main__":
    cli.run(__doc__, train=train, evaluate=evaluate, predict=predict)
