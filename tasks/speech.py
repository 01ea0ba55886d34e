"""Speech recognition: bidirectional LSTMs read a recording and write its words.

Data: a manifest (CSV, TSV, JSON Lines) with file and transcript columns, a folder or
zip archive of LABEL/x.wav, x.txt beside x.wav, a LibriSpeech, Common Voice or Kaldi
folder; sounds of any format and rate, whole or from start to end. Where a recording is
one label, this is keyword spotting: logistic regression on mean features answers with
the network, and accuracy is reported too. `--data speech_commands_mini` and `--data
librispeech_dev_clean` are downloaded. Without --data it trains on made-up words spoken
by synthetic voices; --max-seconds bounds the time. Scores and wall times on real data
stand in docs/results.md.

    python tasks/speech.py train --data train.csv --test-data test.csv
    python tasks/speech.py evaluate --data more.csv
    python tasks/speech.py predict a.wav b.flac
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import keras_seq as ks
from keras_seq import cli, cli_inputs
from keras_seq.audio.recordings import FILE_COLUMNS, SoundReader
from keras_seq.data.answers import Row
from keras_seq.data.in_memory import Data
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.options import TrainOptions, takes
from keras_seq.tasks import speech
from keras_seq.tasks.result import Report, Run

if TYPE_CHECKING:
    import keras

STEM = "speech"
EXPORT_DIR = Path("saved_models", STEM)
LEARNING_RATE = 0.0015
SECONDS_OF_SOUND = 150_000  # of sound, in all epochs together


class Recipe(NamedTuple):
    """Of the model, what epochs are compared by, and of the changes to a sound."""

    model: dict[str, Any]
    monitor: str
    changes: dict[str, Any]


# A word alone tells little of its voice and microphone: a smaller network, larger
# changes. Error rates of few words are often equal, and the loss tells epochs apart.
WORDS = Recipe(
    model=dict(lstm_units=128, num_layers=1, dropout=0.3),
    monitor="val_loss",
    changes=dict(
        tempo=0.4, warp=0.2, gain=15, colour=0.5, noise_share=0.5, band_masks=1
    ),
)
SENTENCES = Recipe(
    model=dict(lstm_units=256, num_layers=3, dropout=0.4),
    monitor="val_cer",
    changes=dict(tempo=0.15, warp=0.16, noise_share=0.5, time_masks=2, band_masks=2),
)
FRESH_SEED = 1_000_000  # of generated recordings that are in no training


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions):
    """Of `train`."""

    data: Data = None
    file_column: str | None = None
    transcript_column: str | None = None
    validation_data: Data = None
    test_data: Data = None
    test_speaker: str | None = None
    table_format: TableFormat = AS_FOUND
    unit: Literal["auto", "character", "word"] = "auto"
    streaming: bool = False
    labels_as_written: bool = False
    batch_size: int = 16
    mixed_precision: Literal["auto", "on", "off"] = "auto"
    documented: bool = False


def load_data(options: Options) -> "speech.SpeechData":
    """Named parts, and what was fitted on train: alphabet and features."""
    columns = options.file_column, options.transcript_column
    table_format = options.table_format
    given = {
        "train": ks.audio.load_recordings(
            options.data, *columns, options.seed, table_format=table_format
        )
    }
    further = {"validation": options.validation_data, "test": options.test_data}
    for part, data in further.items():
        if data is not None:
            given[part] = ks.find_recordings(
                data, *columns, any_parts=True, table_format=table_format
            )
    return speech.prepare_speech(
        given,
        unit=options.unit,
        normalize="fitted" if options.streaming else "auto",
        subsampling=1 if options.documented else None,
        test_speaker=options.test_speaker,
        limit=options.limit,
        seed=options.seed,
        labels_as_written=options.labels_as_written,
    )


def build_model(
    data: "speech.SpeechData", streaming: bool = False, documented: bool = False
) -> "keras.Model":
    """The strong recipe; `documented`: the tutorial's own architecture."""
    sizes: dict[str, Any] = {"num_features": data.extractor.num_features}
    if not documented:
        sizes |= (WORDS if data.is_isolated else SENTENCES).model
        sizes |= {"bidirectional": not streaming, "logits": True}
        sizes |= {"subsampling": data.subsampling}
    return ks.build_speech_model(data.alphabet.num_classes, **sizes)


@takes(Options)
def train(options: Options) -> Run:
    """Train, score beside the baselines, export and prove.

    Args:
        data: Manifest, folder, zip archive, glob or corpus; default generated speech.
        file_column: column of file names; default found by its usual names
        transcript_column: column of transcripts; default found by its usual names
        test_speaker: Test on this speaker, and train on all others.
        unit: What the model writes; auto takes words where each recording is a label.
        streaming: Read forwards alone, so that it answers while somebody speaks.
        labels_as_written: Join no spellings of a label, and take NA for a word.
        epochs: Most passes over train; default as many as --max-seconds has room for,
            and without it by the duration, from 10 to 100.
    """
    loaded = load_data(options)
    seed, documented = options.seed, options.documented
    max_seconds = options.max_seconds
    run_dir = ks.training.begin_run(STEM, vars(options), loaded.fingerprints)
    ks.audio.report_data_issues(loaded.problems, run_dir)
    ks.set_seed(seed)
    ks.training.set_precision(options.mixed_precision, options.strategy)
    recipe = WORDS if loaded.is_isolated else SENTENCES
    changes = None if documented else ks.audio.Augmentation(**recipe.changes)
    with ks.get_strategy(options.strategy).scope():
        model = build_model(loaded, options.streaming, documented)
        # One that reads forwards alone needs no counts where it leaves no frame out.
        given = {"frame_counts": len(model.inputs) > 1}
        train_set = loaded.batches(
            "train", options.batch_size, seed=seed, augmentation=changes, **given
        )
        validation_set = loaded.batches("validation", options.batch_size, **given)
        loss = ks.losses.ctc_loss_of_probabilities if documented else ks.losses.ctc_loss
        epochs = options.epochs
        if epochs is None and max_seconds:
            epochs = ks.training.planned_epochs(
                run_dir, max_seconds, model, loss, train_set
            )
        passes = int(SECONDS_OF_SOUND / loaded.splits["train"].seconds)
        epochs = epochs or max(10, min(100, passes))
        rate = ks.training.BudgetedRate(LEARNING_RATE, epochs, max_seconds)
        history = ks.fit(
            model,
            train_set,
            validation_data=validation_set,
            epochs=epochs,
            max_seconds=max_seconds,
            loss=loss,
            metrics=[ks.training.SymbolErrorRate()],
            patience=epochs,
            monitor=recipe.monitor,
            run_dir=run_dir,
            resume=options.resume,
            hparams=vars(options),
            callbacks=[rate, ks.training.BlankAlarm(validation_set)],
        )
    linear = not (options.streaming or documented)
    return ks.tasks.finish_run(
        STEM,
        partial(speech.score_run, STEM, model, loaded, linear),
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
    file_column: str | None = None,
    transcript_column: str | None = None,
    beam_width: int | None = None,
    arpa: Path | None = None,
    labels_as_written: bool = False,
    table_format: TableFormat = AS_FOUND,
) -> Report:
    """Score an exported model on recordings, beside the baselines of its training.

    Args:
        model: Folder of an export, or of one version.
        beam_width: Score prefix beam search of this width, too.
        arpa: Language model for it, an ARPA file; default that of the training.
        labels_as_written: Join no spellings of a label, and take NA for a word.
    """
    columns = file_column, transcript_column
    recordings = ks.audio.load_recordings(
        data, *columns, FRESH_SEED, any_parts=True, table_format=table_format
    )
    return speech.evaluate_speech_export(
        STEM,
        model,
        recordings,
        beam_width=beam_width,
        arpa=arpa,
        labels_as_written=labels_as_written,
    )


def predict(
    *files: str,
    model: Path = EXPORT_DIR,
    data: str | None = None,
    file_column: str | None = None,
    output: Path | None = None,
    table_format: TableFormat = AS_FOUND,
) -> Iterator[Row]:
    """Write down what is said in sound files, of any format and rate.

    Args:
        files: Sound files.
        model: Folder of an export, or of one version.
        data: Table that names sound files, in place of files.
    """
    if not files and data is None:
        raise ks.UserError("name one or more sound files, or a table with --data")
    inputs = cli_inputs.Inputs(files, None, data, file_column, output, table_format)
    yield from cli_inputs.answers(
        lambda sounds: speech.transcribe(model, sounds),
        inputs,
        kind="file",
        usual=FILE_COLUMNS,
        read=SoundReader(),
    )


if __name__ == "__main__":
    cli.run(__doc__, train=train, evaluate=evaluate, predict=predict, directions=2)
