"""Text generation: a recurrent network reads a text and learns to write on.

Data: a text file, a folder of them, or a table for its texts, in any language and size;
`--data shakespeare` downloads the well-known file; without --data Python's own docs.

    python tasks/text_generation.py train --data book.txt
    python tasks/text_generation.py evaluate --data other_book.txt
    python tasks/text_generation.py predict "Once upon a time"

Scores and wall times on real data stand in docs/results.md.
"""

import itertools
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
from keras_seq.options import RunOptions, TrainOptions, takes
from keras_seq.ranges import Range
from keras_seq.tasks import text_generation
from keras_seq.tasks.result import Report, Run

if TYPE_CHECKING:
    import keras

STEM = "text_generation"
Tokens = Literal["characters", "words", "bytes", "subwords"]
EXPORT_DIR = Path("saved_models", STEM)
BATCH_OF_PROMPTS = 16


@dataclass(frozen=True, kw_only=True)
class DataOptions(RunOptions):
    """What is read, and how it is cut into tokens."""

    data: Data = None
    text_column: str | None = None
    validation_data: Data = None
    test_data: Data = None
    table_format: TableFormat = AS_FOUND
    tokens: Tokens = "characters"
    vocab_size: int | None = None


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions, DataOptions):
    """Of `train`."""

    cell: Literal["lstm", "gru", "simple_rnn"] = "lstm"
    num_layers: int | None = None
    embedding_dim: int | None = None
    rnn_units: int | None = None
    dropout: float | None = None
    variational_dropout: bool = False
    tie_embeddings: bool = False
    layer_norm: bool = False
    residual: bool = False
    weight_drop: float = 0.0
    temporal_activation: float = 0.0
    label_smoothing: float = 0.0
    average: Literal["none", "mean", "ema"] = "none"
    learning_rate: float | None = None
    steps: int | None = None
    strategy: Literal["auto", "cpu", "gpu"] = "auto"
    dynamic_evaluation: bool = False
    embeddings: Path | None = None
    documented: Literal["simple_rnn", "lstm"] | None = None

    def __post_init__(self) -> None:
        if self.embeddings is None:
            return
        if self.tokens != "words":
            what = f"--embeddings are of words, but --tokens is {self.tokens}"
            raise ks.UserError(f"{what}; give --tokens words")
        if self.embedding_dim is not None:
            what = "--embedding-dim is that of --embeddings; leave it out"
            raise ks.UserError(what)
        ks.text.check_embeddings(self.embeddings, documented=bool(self.documented))


def load_data(options: DataOptions) -> "text_generation.LanguageData":
    """Parts of the text, and what was fitted on train: the coder of its tokens."""
    read_as = options.text_column, options.table_format
    given = {"train": ks.read_text(options.data, *read_as)}
    further = {"validation": options.validation_data, "test": options.test_data}
    for part, data in further.items():
        if data is not None:
            given[part] = ks.read_text(data, *read_as)
    return text_generation.prepare_corpus(
        given,
        tokens=options.tokens,
        vocab_size=options.vocab_size,
        limit=options.limit,
    )


def build_model(
    data: "text_generation.LanguageData", recipe: dict[str, Any], **vectors: Any
) -> "keras.Model":
    """One builder call; `recipe` has the sizes and options."""
    options = text_generation.builder_options(recipe) | vectors
    return ks.build_text_generation_model(data.coder.vocab_size, **options)


@takes(Options)
def train(options: Options) -> Run:
    """Train, score beside n-gram models, export and prove. Sizes depend on the tokens.

    Args:
        data: Text file, folder, table, or `shakespeare`; default Python's own docs.
        validation_data: Text of its own; default a twentieth of the data.
        test_data: Text of its own; default the last tenth of the data.
        tokens: What the network reads and writes one after the other.
        vocab_size: Most tokens; default 10,000, for subwords 4,000.
        cell: Kind of the recurrent layers.
        num_layers: Number of them.
        embedding_dim: Size of a token's vector.
        rnn_units: Size of a state.
        dropout: Rate between layers.
        variational_dropout: One mask for all steps (Gal and Ghahramani 2016).
        tie_embeddings: Output weights are the embedding's (Press and Wolf 2017).
        layer_norm: Normalise what layers give (Ba et al. 2016).
        residual: Add the input of further layers to their output (He et al. 2016).
        weight_drop: Rate on recurrent weights (Merity et al. 2017).
        temporal_activation: Weight of a penalty on jumping states (likewise).
        label_smoothing: Share of a target given to all tokens (Szegedy et al. 2016).
        average: Of weights over steps: their mean (Polyak 1992), or one that forgets.
        learning_rate: The highest; it falls along a cosine (Loshchilov 2017).
        steps: Tokens that gradients reach back through.
        epochs: Most passes over train; default what --max-seconds has room for.
        dynamic_evaluation: Score once more while learning (Krause et al. 2018).
        documented: Train the tutorial's own model instead.
    """
    loaded = load_data(options)
    recipe = text_generation.language_recipe(options.tokens, vars(options))
    vectors = ks.text.GivenEmbeddings.load(options.embeddings, loaded.coder)
    contents = loaded.fingerprints | vectors.fingerprints
    run_dir = ks.training.begin_run(STEM, vars(options), contents)
    ks.set_seed(options.seed)
    arguments = (loaded.coder, loaded.token_ids, recipe, run_dir)
    with ks.get_strategy(options.strategy).scope():
        if options.documented:
            documented = options.documented
            model, history = text_generation.train_documented(documented, *arguments)
        else:
            model = build_model(loaded, recipe, **vectors.options)
            history = text_generation.train_language_model(model, *arguments)
    dynamic = options.dynamic_evaluation
    return ks.tasks.finish_run(
        STEM,
        partial(text_generation.score_run, STEM, model, loaded, dynamic),
        history,
        model=model,
        answer=predict,
        describe=ks.evaluation.format_language_report,
        run_dir=run_dir,
        export_dir=options.export_dir,
    )


@takes(DataOptions)
def gradients(options: DataOptions) -> Iterator[Row]:
    """Show how far back the error of one token reaches in SimpleRNN, LSTM and GRU.

    Args:
        data: Text file, folder, table, or `shakespeare`; default Python's own docs.
        tokens: What the networks read.
        vocab_size: Most tokens; default 10,000, for subwords 4,000.
    """
    loaded = load_data(options)
    run_dir = ks.training.make_run_dir(STEM, options.run_dir)
    ks.set_seed(options.seed)
    norms = text_generation.gradients_by_distance(
        loaded.token_ids["train"], loaded.coder.vocab_size
    )
    text_generation.show_gradients_by_distance(run_dir, norms)
    for cell, values in norms.items():
        yield {"cell": cell, "gradient_by_distance": values, "run": run_dir}


def evaluate(
    *,
    model: Path = EXPORT_DIR,
    data: Data = None,
    text_column: str | None = None,
    table_format: TableFormat = AS_FOUND,
) -> Report:
    """Score an exported model on a text, beside the n-gram models of its training.

    Args:
        model: Folder of an export, or of one version.
        data: Text file, folder or table; default Python's own docs.
    """
    corpus = ks.read_text(data, text_column, table_format)
    return text_generation.evaluate_language_export(STEM, model, corpus)


@cli_inputs.takes_inputs
def predict(
    inputs: cli_inputs.Inputs,
    *,
    model: Path = EXPORT_DIR,
    max_new_tokens: int = 300,
    temperature: float = 0.8,
    top_k: int = 0,
    top_p: float = 0.95,
    seed: Annotated[int, Range(0, 2**31 - 1)] = 0,
) -> Iterator[Row]:
    """Write on from prompts with an exported model; "unknown" counts unread tokens.

    Args:
        model: Folder of an export, or of one version.
        data: Table whose texts are prompts, in place of texts.
        max_new_tokens: Tokens to write.
        temperature: Below 1 is surer, above 1 wilder; 0 takes the likeliest token.
        top_k: Choose among so many tokens; 0 among all.
        top_p: Choose among the likeliest tokens of this probability together.
        seed: Same seed, same text.
    """
    options = {
        "max_new_tokens": max_new_tokens,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "seed": seed,
    }

    def answer(asked: Iterator[str]) -> Iterator[Row]:
        signature = ks.load_exported(model).signature()
        while prompts := list(itertools.islice(asked, BATCH_OF_PROMPTS)):
            yield from text_generation.write_texts(signature, prompts, **options)

    yield from cli_inputs.answers(answer, inputs)


if __name__ == "__main__":
    cli.run(
        __doc__, train=train, evaluate=evaluate, predict=predict, gradients=gradients
    )
