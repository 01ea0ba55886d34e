"""What TensorBoard shows of a run while it trains, and once it has ended.

Every curve has the optimizer's steps as its axis, so that a resumed run goes on where
it was.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.evaluation.figures import learning_curves_figure
from keras_seq.keras_internals import functional
from keras_seq.training.bptt import TruncatedBackprop
from keras_seq.training.event_files import EventWriter

HISTOGRAM_VALUES = 100_000  # of a larger weight, so many are looked at
PROJECTED_ROWS = 10_000  # more than a browser moves smoothly
SCORE, BASELINE = "test score", "best baseline"  # `ReportBoard.report` writes them
SO_FAR = "Mean over the epoch so far; it starts anew with each epoch."


class RunBoard(keras.callbacks.Callback):
    """Losses, metrics, learning rate, weights, graph, hyperparameters and embedding.

    Args:
        log_dir: takes the curves of train; "validation" in it, a run of its own in
            TensorBoard, those that stand in the same charts.
        every: steps between two points within an epoch.
        hparams: what the HParams tab compares runs by.
        words: names of the embedding's rows, in the order of their ids.
    """

    def __init__(
        self,
        log_dir: str | Path,
        every: int = 50,
        hparams: Mapping[str, Any] | None = None,
        words: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self.log_dir = Path(log_dir)
        self.every = every
        self.hparams = dict(hparams or {})
        self.words = words
        self._train = EventWriter(self.log_dir)
        self._validation = EventWriter(self.log_dir / "validation")
        self._has_begun = False

    def get_state(self) -> dict[str, Any]:
        writers = (self._train, self._validation)
        return {"files": [writer.get_state() for writer in writers]}

    def set_state(self, state: dict[str, Any]) -> None:
        writers = (self._train, self._validation)
        for writer, sizes in zip(writers, state["files"]):
            writer.set_state(sizes)
        self._has_begun = True

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if not self._has_begun:
            self._show_graph()
            self._show_hparams()
            self._show_weights(0)
        self._has_begun = True

    def next_step(self, step: int) -> int:
        """The next step with a point of its own."""
        return next_due(step, self.every)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        step = int(self.model.optimizer.iterations.numpy())
        if step % self.every == 0 or step == 1:
            for name, value in scalars(logs).items():
                self._train.scalar(f"running_mean/{name}", value, step, SO_FAR)
            rate = learning_rate(self.model.optimizer)
            if rate is not None:
                self._train.scalar("learning_rate", rate, step)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        step = int(self.model.optimizer.iterations.numpy())
        for name, value in scalars(logs).items():
            if name.startswith("val_"):
                tag = name.removeprefix("val_")
                self._validation.scalar(f"epoch_{tag}", value, step)
            elif name != "learning_rate":
                self._train.scalar(f"epoch_{name}", value, step)
        self._show_weights(step)

    def on_train_end(self, logs: dict | None = None) -> None:
        step = int(self.model.optimizer.iterations.numpy())
        history = self.model.history.history
        with self._train.at(step):
            shown = {k: v for k, v in history.items() if v and not np.ndim(v[0])}
            tf.summary.text("summary", run_summary(shown, step))
            curves = {k: v for k, v in shown.items() if k != "learning_rate"}
            if curves:
                # One above the other: TensorBoard shows images small.
                picture = learning_curves_figure(curves, columns=1)
                tf.summary.image("learning_curves", picture[np.newaxis])
        for writer in (self._train, self._validation):
            writer.close()
        self._show_embedding()

    def _show_weights(self, step: int) -> None:
        with self._train.at(step):
            for layer in self.model.layers:
                for weight in layer.trainable_weights:
                    name = weight.path.split("/", 1)[-1]
                    values = keras.ops.reshape(weight, (-1,))
                    values = values[:: max(1, values.shape[0] // HISTOGRAM_VALUES)]
                    tf.summary.histogram(f"weights/{layer.name}/{name}", values)

    def _show_graph(self) -> None:
        """The graph of an answer; the training step's is too large to read."""
        model: keras.Model = self.model
        if isinstance(model, TruncatedBackprop):
            model = model.inner
        if not getattr(model, "inputs", None):
            return
        structure = functional(model).input
        specs = [tf.TensorSpec(x.shape, x.dtype, x.name) for x in model.inputs]

        @tf.function(input_signature=specs)
        def answer(*inputs: tf.Tensor) -> tf.Tensor:
            # `call` alone: the layers stand in the picture, not one box around them.
            x = keras.tree.pack_sequence_as(structure, inputs)
            return model.call(x, training=False)

        with self._train.at(0):
            tf.summary.graph(answer.get_concrete_function().graph)

    def _show_hparams(self) -> None:
        from tensorboard.plugins.hparams import api as hp

        if not self.hparams:
            return
        values = {
            name: value if isinstance(value, bool | int | float | str) else str(value)
            for name, value in self.hparams.items()
            if value is not None
        }
        shown = [
            hp.Metric(tag, display_name=name)
            for tag, name in (("test/score", SCORE), ("test/baseline", BASELINE))
        ]
        shown += [
            hp.Metric(f"epoch_{name}", group=folder, display_name=f"{part} {name}")
            for folder, part in (("validation", "validation"), ("", "train"))
            for name in self.model.get_metrics_result()
        ]
        # A run is found by its folder's name; the plugin alone would make up a number.
        name = self.log_dir.resolve().parent.name
        with self._train.at(0):
            hp.hparams_config(hparams=[hp.HParam(key) for key in values], metrics=shown)
            hp.hparams(values, trial_id=name)

    def _show_embedding(self) -> None:
        """The first embedding's rows as points, each with its word.

        Keras' own callback writes a file that the projector does not find.
        """
        layers = [x for x in self.model.layers if isinstance(x, keras.layers.Embedding)]
        if not layers:
            return
        table = keras.ops.convert_to_numpy(layers[0].embeddings)[:PROJECTED_ROWS]
        # TensorBoard looks for checkpoints one folder up, too: here it finds one alone.
        folder = self.log_dir / "validation"
        folder = folder if folder.exists() else self.log_dir
        names = [str(row) for row in range(len(table))]
        if self.words is not None:
            names[: len(self.words)] = self.words[: len(table)]
        lines = [" ".join(name.split()) or "(blank)" for name in names]
        (folder / "words.tsv").write_text("\n".join(lines) + "\n", "utf-8")
        checkpoint = tf.train.Checkpoint(embedding=tf.Variable(table))
        checkpoint.save(str(folder / "embedding"))
        config = (
            'embeddings {\n  tensor_name: "embedding/.ATTRIBUTES/VARIABLE_VALUE"\n'
            f"  metadata_path: {json.dumps('words.tsv')}\n}}\n"
        )
        (folder / "projector_config.pbtxt").write_text(config, "utf-8")


def learning_rate(optimizer: keras.optimizers.Optimizer) -> float | None:
    """The rate of the next step; None for an optimizer made of several.

    Example:

    >>> learning_rate(keras.optimizers.SGD(lambda: 0.5))
    0.5
    """
    rate = getattr(optimizer, "learning_rate", None)
    return None if rate is None else float(keras.ops.convert_to_numpy(rate))


def scalars(logs: Mapping[str, Any] | None) -> dict[str, float]:
    """Of the logs of a callback, the single numbers; a metric may have one a class.

    Example:

    >>> scalars({"loss": 0.5, "f1_score": np.ones(3)})
    {'loss': 0.5}
    """
    return {k: v for k, v in (logs or {}).items() if np.ndim(v) == 0}


def next_due(step: int, every: int) -> int:
    """The first step after `step` that is the very first or a multiple of `every`.

    Example:

    >>> [next_due(step, 50) for step in (0, 1, 49, 50)]
    [1, 50, 50, 100]
    """
    return every * (step // every + 1) if step else 1


def run_summary(history: Mapping[str, Sequence[float]], steps: int) -> str:
    """A run in a table of Markdown: first, last and best value of each metric.

    Example:

    >>> print(run_summary({"loss": [0.5, 0.25]}, 20))
    20 steps, 2 epochs
    <BLANKLINE>
    | metric | first | last | lowest | highest |
    |---|---|---|---|---|
    | loss | 0.5 | 0.25 | 0.25 | 0.5 |
    """
    epochs = max(map(len, history.values()), default=0)
    lines = [f"{steps:,} steps, {epochs} epochs", ""]
    lines += ["| metric | first | last | lowest | highest |", "|---|---|---|---|---|"]
    for name, values in history.items():
        if len(values):
            shown = (values[0], values[-1], min(values), max(values))
            cells = " | ".join(f"{value:.4g}" for value in shown)
            lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)
