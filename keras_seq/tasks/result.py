"""What a task's `train` returns; reading it imports no framework."""

import html
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_seq.evaluation.table import format_report

if TYPE_CHECKING:
    import keras

Report = dict[str, Any]
# A task's `predict`: raw inputs, and `model=` an export, to one mapping each.
Answer = Callable[..., Iterable[Mapping[str, Any]]]


class Evaluation(dict[str, Any]):
    """A report of `evaluate`, which is also a table for people.

    Args:
        report: plain values.
        describe: writes them as lines.

    Example:

    >>> found = Evaluation({"n": 2}, lambda report: f"{report['n']} texts")
    >>> found["n"], found.as_table()
    (2, '2 texts')
    """

    def __init__(
        self, report: Report, describe: Callable[[Report], str] = format_report
    ) -> None:
        super().__init__(report)
        self._describe = describe

    def as_table(self) -> str:
        """Lines without a final line end."""
        return self._describe(self)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a training has left: scores, a model, figures, and an export that answers.

    A notebook shows it with its figures.

    Attributes:
        task: its name.
        report: of the test part.
        history: name of a loss or metric to its value by epoch.
        seconds: of training, that of interrupted parts included.
        model: as trained.
        run_dir: metrics.json, figures, TensorBoard's files, checkpoints.
        export_path: the proven version.
        describe: a report as text.
        answer: the task's `predict`.

    Example:

    >>> report = {"task": "tone", "n": 2, "scores": {}, "baselines": {},
    ...           "comparison": {"sentence": "The network wins."}}
    >>> run = Run(task="tone", report=report, history={}, seconds=3.2, model=None,
    ...           run_dir=Path("runs", "1"), export_path=Path("tone", "1"),
    ...           answer=lambda *texts, model: ({"input": text} for text in texts))
    >>> run.predict("a film")
    [{'input': 'a film'}]
    """

    task: str
    report: Report
    history: Mapping[str, Sequence[float]]
    seconds: float
    model: "keras.Model"
    run_dir: Path
    export_path: Path
    answer: Answer = field(repr=False)
    describe: Callable[[Report], str] = field(default=format_report, repr=False)

    def predict(self, *inputs: Any, **options: Any) -> list[Mapping[str, Any]]:
        """Answers raw inputs with the export, as the task's `predict` at the shell.

        Args:
            inputs: as the task takes them: texts, files, tables.
            options: those of its `predict`.
        """
        return list(self.answer(*inputs, model=self.export_path, **options))

    @property
    def figures(self) -> dict[str, Path]:
        """PNG files by name."""
        found = sorted((self.run_dir / "figures").glob("*.png"))
        return {path.stem: path for path in found}

    def summary(self) -> dict[str, Any]:
        """What the shell prints."""
        scores = self.describe(self.report)
        scores = f"{scores}\n{self.seconds:.0f} seconds of training"
        return {"test scores": scores, "run": self.run_dir, "export": self.export_path}

    def _repr_html_(self) -> str:
        lines = "\n".join(str(value) for value in self.summary().values())
        images = (
            f'<img alt="{html.escape(name)}" style="max-width: 100%" '
            f'src="data:image/png;base64,{b64encode(path.read_bytes()).decode()}">'
            for name, path in self.figures.items()
        )
        return f"<pre>{html.escape(lines)}</pre>" + "".join(images)
