"""A report as a table for people, the same for every task."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def format_report(
    report: Mapping[str, Any],
    *,
    unit: str = "samples",
    shown: Callable[[float | None], str] = "{:.3f}".format,
    extra_columns: Mapping[str, Mapping[str, float]] | None = None,
    lines: Sequence[str] = (),
) -> str:
    """Writes a report for people: an aligned table, notes, then the plain sentence.

    Args:
        report: What a task's report function returned, or the same of `metrics.json`.
        unit: What was scored, in the plural.
        shown: Writes a number.
        extra_columns: Columns behind the baselines, by name.
        lines: To stand above the sentence.

    Returns:
        Lines without a final line end.

    Example:

    >>> scores = {"accuracy": {"value": 0.856, "low": 0.85, "high": 0.862}}
    >>> print(format_report({
    ...     "task": "sentiment", "n": 12502, "scores": scores, "verdict": "loses",
    ...     "baselines": {"majority": {"accuracy": 0.503}},
    ...     "notes": {"majority": "fitted on 10 of 20 rows"},
    ...     "comparison": {"sentence": "The network loses."}}))
    sentiment, 12,502 samples
              network   95 % interval  majority
    accuracy    0.856  0.850 to 0.862     0.503
    majority: fitted on 10 of 20 rows
    The network loses.
    """
    columns = {**report["baselines"], **(extra_columns or {})}
    rows = [["", "network", "95 % interval", *columns]]
    for metric, score in report["scores"].items():
        value, low, high = (shown(score[end]) for end in ("value", "low", "high"))
        others = [
            shown(values[metric]) if metric in values else ""
            for values in columns.values()
        ]
        rows.append([metric, value, f"{low} to {high}", *others])
    title = f"{report['task']}, {report['n']:,} {unit}"
    notes = [f"{name}: {note}" for name, note in report.get("notes", {}).items()]
    sentence = report["comparison"]["sentence"]
    hidden = [report["imbalance"]] if "imbalance" in report else []
    return "\n".join([title, *_aligned(rows), *notes, *lines, *hidden, sentence])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(_width, column)) for column in zip(*rows)]
    lines = []
    for first, *cells in rows:
        line = first + " " * (widths[0] - _width(first))
        for cell, width in zip(cells, widths[1:]):
            line += "  " + " " * (width - _width(cell)) + cell
        lines.append(line)
    return lines


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in text)
