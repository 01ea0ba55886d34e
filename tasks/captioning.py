"""Pictures to sentences: an LSTM with attention writes what a picture shows.

Data: a table (CSV, TSV, JSON Lines, Parquet, Excel) with columns of pictures and
captions, Flickr8k's token file, or COCO's JSON; the pictures in a folder or a zip
archive, JPEG or PNG of any size. Without --data it trains on drawings of two shapes
each, in a few minutes. Photographs are read by EfficientNet-Lite0, whose weights a
package brings; --encoder names another, or trains a small one.

    python tasks/captioning.py train --data captions.csv --images photos.zip
    python tasks/captioning.py evaluate --data more.csv --images more
    python tasks/captioning.py predict a.jpg b.png

Needs the extra `captioning`: pip install 'keras_seq[captioning]'.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import keras_seq as ks
from keras_seq import cli, cli_inputs
from keras_seq.data.answers import Row
from keras_seq.data.in_memory import Data
from keras_seq.data.named_files import NamedFileReader
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.options import TrainOptions, takes
from keras_seq.ranges import Range
from keras_seq.tasks import captioning
from keras_seq.tasks.result import Report, Run

if TYPE_CHECKING:
    import keras

STEM = "captioning"
EXPORT_DIR = Path("saved_models", STEM)
FRESH_SEED = 1_000_000  # of drawings that no training saw
NONE, LITE0 = "none", "efficientnet-lite0"


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions):
    """Of `train`."""

    data: Data = None
    validation_data: Data = None
    test_data: Data = None
    images: Sequence[Path] = ()
    image_column: str | None = None
    caption_column: str | None = None
    table_format: TableFormat = AS_FOUND
    encoder: str | None = None
    image_size: Annotated[int, Range(16, 1024)] = 64
    no_attention: bool = False
    vocab_size: int = 1000
    lstm_units: Annotated[int | None, Range(1, 8192)] = None
    dropout: float | None = None
    label_smoothing: float = 0.1
    learning_rate: float = 0.002
    documented: bool = False

    def __post_init__(self) -> None:
        if self.images and self.data is None:
            raise ks.UserError("--images needs the captions of the pictures: --data")


def load_data(options: Options) -> "captioning.CaptioningData":
    """Named parts, what was fitted on train, and what the network reads of pictures."""
    columns = options.image_column, options.caption_column, options.table_format
    given = {}
    if options.data is None:
        given = ks.images.load_sample_drawings(options.seed)
    parts = {
        "train": options.data,
        "validation": options.validation_data,
        "test": options.test_data,
    }
    for part, data in parts.items():
        if data is not None:
            given[part] = ks.images.read_captions(data, options.images, *columns)
    encoder = options.encoder or (NONE if options.data is None else LITE0)
    return captioning.prepare_captions(
        given,
        encoder=None if encoder == NONE else ks.images.load_encoder(encoder),
        image_size=options.image_size,
        vocab_size=options.vocab_size,
        limit=options.limit,
        seed=options.seed,
    )


def build_model(data: "captioning.CaptioningData", options: Options) -> "keras.Model":
    """One builder call."""
    return captioning.build_network(
        data,
        units=options.lstm_units,
        attention=not options.no_attention,
        dropout=options.dropout,
        documented=options.documented,
    )


@takes(Options)
def train(options: Options) -> Run:
    """Train, score beside the baselines, export and prove.

    Args:
        data: Captions: a table, Flickr8k's token file, COCO's JSON; default drawings.
        images: Folders or zip archives of the pictures; default beside the captions.
        image_column: Column of a table that names pictures.
        caption_column: Column of a table that holds captions.
        encoder: What reads pictures: efficientnet-lite0, a saved Keras model, or none,
            which trains a small one; default none for the drawings alone.
        image_size: Height and width that the small one reads.
        no_attention: Read the mean of the features alone, at every step.
        vocab_size: Most subwords.
        lstm_units: Size of the LSTM's state, and of a token's vector; default 256, of
            --encoder none 128.
        batch_size: Captions of a step; default 64, of --encoder none 32.
        dropout: Rate on features, on embeddings and behind the LSTM; default 0.3, of
            --encoder none 0.1.
        label_smoothing: Share of a target given to all tokens (Szegedy et al. 2016).
        learning_rate: The highest; it rises, then falls along a cosine.
        epochs: Most passes over train; default by its size, or what --max-seconds has
            room for.
    """
    loaded = load_data(options)
    run_dir = ks.training.begin_run(STEM, vars(options), loaded.fingerprints)
    ks.set_seed(options.seed)
    with ks.get_strategy(options.strategy).scope():
        model = build_model(loaded, options)
        history = captioning.train_captioner(model, loaded, vars(options), run_dir)
    return ks.tasks.finish_run(
        STEM,
        partial(captioning.score_run, STEM, model, loaded),
        history,
        model=model,
        answer=predict,
        describe=ks.evaluation.describe_captions,
        run_dir=run_dir,
        export_dir=options.export_dir,
    )


def evaluate(
    *,
    model: Path = EXPORT_DIR,
    data: Data = None,
    images: Sequence[Path] = (),
    image_column: str | None = None,
    caption_column: str | None = None,
    table_format: TableFormat = AS_FOUND,
) -> Report:
    """Score an exported model on pictures, beside the baselines of its training.

    Args:
        model: Folder of an export, or of one version.
        data: Captions: a table, Flickr8k's token file, COCO's JSON; default drawings.
        images: Folders or zip archives of the pictures; default beside the captions.
        image_column: Column of a table that names pictures.
        caption_column: Column of a table that holds captions.
    """
    if data is None:
        pictures = ks.images.load_sample_drawings(FRESH_SEED)["test"]
    else:
        pictures = ks.images.read_captions(
            data, images, image_column, caption_column, table_format
        )
    return captioning.evaluate_export(STEM, model, pictures)


def predict(
    *files: str,
    model: Path = EXPORT_DIR,
    data: str | None = None,
    image_column: str | None = None,
    output: Path | None = None,
    beam_width: Annotated[int, Range(1, 1000)] = 4,
    length_penalty: Annotated[float, Range(0, 10)] = 1.0,
    several: bool = False,
    attention: bool = False,
    table_format: TableFormat = AS_FOUND,
) -> Iterator[Row]:
    """Write what pictures show, JPEG or PNG files of any size.

    Args:
        files: Pictures.
        model: Folder of an export, or of one version.
        data: Table that names pictures, in place of files.
        image_column: Of the table.
        beam_width: Paths of the search; 1 takes the likeliest token at each step.
        length_penalty: Larger values make longer captions.
        several: Also the next best captions of the search.
        attention: Also tokens, and where in the picture each looked.
    """
    if not files and data is None:
        raise ks.UserError("name one or more pictures, or a table of them with --data")
    yield from cli_inputs.answers(
        lambda pictures: captioning.answer_export(
            ks.load_exported(model),
            pictures,
            beam_width=beam_width,
            length_penalty=length_penalty,
            several=several,
            attention=attention,
        ),
        cli_inputs.Inputs(files, None, data, image_column, output, table_format),
        kind="image",
        usual=ks.images.IMAGE_COLUMNS,
        read=NamedFileReader(),
    )


if __name__ == "__main__":
    cli.run(__doc__, train=train, evaluate=evaluate, predict=predict)
