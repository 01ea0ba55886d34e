"""The report of a run as one HTML file that needs nothing else: no server, no network.

Plain values and pictures in, a page out; nothing here knows a task, a framework or a
folder. Whatever comes from data is escaped, and the page forbids the browser to load
anything, so a label or a text can do no harm.
"""

import html
import json
import math
import numbers
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Report = Mapping[str, Any]

POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light; --line: #d7dce2; --soft: #f4f6f8; --ink: #1d2733; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); margin: 0 auto;
  max-width: 64rem; padding: 1.5rem; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0;
  text-align: left; vertical-align: top; overflow-wrap: break-word; }
td.number, th.number { text-align: right; white-space: nowrap; }
pre { background: var(--soft); padding: .7rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; }
figure { margin: 0 0 1.5rem; } figcaption { color: #55606d; }
summary { cursor: pointer; margin: .8rem 0 .4rem; }
.wide { overflow-x: auto; } .soft { color: #55606d; }
.verdict { border-left: .5rem solid #8a94a0; background: var(--soft);
  padding: .7rem 1rem; margin: 1rem 0; }
.wins { border-color: #2e8b57; } .loses { border-color: #c0392b; }
"""
SHOWN_ALREADY = {"task", "n", "scores", "baselines", "notes", "verdict", "comparison"}
SHOWN_ALREADY |= {"imbalance"}
HOW_TO_READ = (
    "An interval holds the score in 95 of 100 redrawn test parts. The network wins "
    "where the whole interval of its difference to the best baseline is on its side, "
    "loses where it is on the other, and else ties. The test part chose nothing."
)
MOST_LINES = 400  # of a list of worst cases
MOST_OPEN = 20  # rows of a table that is not folded


def text_section(title: str, text: str, has_bold: bool = False) -> str:
    """Lines as they are, below a heading.

    Args:
        title: of the heading.
        text: the lines.
        has_bold: what stands between two `**` is bold, as in Markdown.

    Example:

    >>> print(text_section("worst mistakes", "1 < 2"))
    <h2>worst mistakes</h2>
    <pre>1 &lt; 2</pre>
    """
    lines = text.splitlines()
    left_out = len(lines) - MOST_LINES
    if left_out > 0:
        lines = [*lines[:MOST_LINES], f"... and {left_out:,} lines more"]
    shown = _safe("\n".join(lines))
    if has_bold:
        shown = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", shown)
    return f"{_heading(title)}\n<pre>{shown}</pre>"


def table_section(title: str, header: Sequence[str], rows: Sequence[Sequence]) -> str:
    """Rows of anything below a header; "none" where there is no row.

    Many of them are folded, so that what follows is not far away.
    """
    shown = _table(header, rows[:MOST_LINES]) if rows else "<p>none</p>"
    if len(rows) > MOST_OPEN:
        shown = _folded(f"{len(rows):,} rows", shown)
    return f"{_heading(title)}\n{shown}"


def image_section(title: str, png: bytes) -> str:
    """A picture, which stands in the page itself."""
    source = _data_uri("image/png", png)
    return f'{_heading(title)}\n<figure><img alt="{_safe(title)}" src="{source}">' + (
        "</figure>"
    )


def sound_section(title: str, wav: bytes, about: str) -> str:
    """A sound to listen to, with a line about it."""
    source = _data_uri("audio/wav", wav)
    return (
        f'<figure><audio controls title="{_safe(title)}" src="{source}"></audio>'
        f"<figcaption>{_safe(about)}</figcaption></figure>"
    )


def report_page(
    name: str,
    reports: Mapping[str, Report],
    *,
    sections: Sequence[str] = (),
    facts: Mapping[str, Mapping[str, Any]] | None = None,
    command: str | None = None,
) -> str:
    """The page of one run.

    Args:
        name: of the run, such as the task and its data.
        reports: by part; that of "test" is the one whose verdict stands first.
        sections: HTML of `text_section` and the like, in their order.
        facts: tables of settings, versions and so on, by heading.
        command: that made the run, if one did.

    Returns:
        HTML, complete and self-contained.

    Example:

    >>> scores = {"accuracy": {"value": 0.9, "low": 0.8, "high": 0.95}}
    >>> page = report_page("tone", {"test": {
    ...     "task": "tone", "n": 40, "scores": scores, "verdict": "wins",
    ...     "baselines": {"majority": {"accuracy": 0.5}},
    ...     "comparison": {"sentence": "The network wins."}}})
    >>> "The network wins." in page, "://" in page
    (True, False)
    """
    test = reports["test"]
    body = [
        f"<h1>{_safe(name)}</h1>",
        _verdict(test),
        _heading("Scores of the test part"),
        _scores(test),
        *(
            _folded(f"Scores of the {part} part", _scores(report))
            for part, report in reports.items()
            if part != "test"
        ),
        *sections,
        *_further(test),
        _heading("How it was made"),
        *([f"<pre>{_safe(command)}</pre>"] if command else []),
        *(
            _folded(title, _table(("", ""), [*_flat(values)]), is_open=len(values) < 12)
            for title, values in (facts or {}).items()
        ),
        f'<p class="soft">{_safe(HOW_TO_READ)}</p>',
    ]
    return _document(name, "\n".join(body))


def _document(title: str, body: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width">
<title>{_safe(title)}</title>
<style>{STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _verdict(report: Report) -> str:
    verdict, sentence = report["verdict"], report["comparison"]["sentence"]
    return (
        f'<div class="verdict {_safe(verdict)}"><strong>{_safe(verdict)}</strong><br>'
        f"{_safe(sentence)}</div>"
    )


def _scores(report: Report) -> str:
    """The network with its interval beside its baselines, and what to know of them."""
    baselines = report["baselines"]
    rows = []
    for metric, score in report["scores"].items():
        own = (score["value"], f"{_shown(score['low'])} to {_shown(score['high'])}")
        rows.append([metric, *own, *(v.get(metric, "") for v in baselines.values())])
    table = _table(("", "network", "95 % interval", *baselines), rows)
    notes = [f"{name}: {note}" for name, note in report.get("notes", {}).items()]
    notes += [report["imbalance"]] if "imbalance" in report else []
    lines = "".join(f"<br>{_safe(note)}" for note in notes)
    return f'{table}\n<p class="soft">{report["n"]:,} scored.{lines}</p>'


def _further(report: Report) -> list[str]:
    """What a report holds beside its scores: by speaker, by length, by step, ..."""
    kept = {k: v for k, v in report.items() if k not in SHOWN_ALREADY}
    single = {
        k: v for k, v in kept.items() if not isinstance(v, Mapping | list | tuple)
    }
    found = [_table(("", ""), [*_flat(single)])] if single else []
    for name, value in kept.items():
        if name in single or not value:
            continue
        body = f"<pre>{_safe(_json(value))}</pre>"
        if isinstance(value, Mapping):
            body = _nested(value)
        found.append(_folded(name.replace("_", " "), body))
    return [_heading("More of the test part"), *found] if found else []


def _nested(value: Mapping[str, Any]) -> str:
    """Rows of numbers with common names become one table, all else a list of facts."""
    rows = list(value.values())
    if all(isinstance(row, Mapping) and not _is_deep(row) for row in rows):
        columns = list(dict.fromkeys(key for row in rows for key in row))
        cells = [[k, *(row.get(c, "") for c in columns)] for k, row in value.items()]
        return _table(("", *columns), cells)
    return _table(("", ""), [*_flat(value)])


def _is_deep(row: Mapping[str, Any]) -> bool:
    return any(isinstance(cell, Mapping | list | tuple) for cell in row.values())


def _flat(values: Mapping[str, Any], above: str = "") -> Iterable[tuple[str, Any]]:
    """Facts as rows; one inside another bears both names."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{name}.")
        elif isinstance(value, list | tuple):
            yield above + name, ", ".join(map(_shown, value)) or "none"
        else:
            yield above + name, value


def _table(header: Sequence[str], rows: Sequence[Sequence]) -> str:
    lines = []
    if any(header):
        columns = (
            [row[place] for row in rows if len(row) > place]
            for place in range(len(header))
        )
        cells = "".join(
            f"<th{_number_class(column)}>{_safe(title)}</th>"
            for title, column in zip(header, columns)
        )
        lines.append(f"<tr>{cells}</tr>")
    for row in rows:
        cells = "".join(
            f"<td{_number_class([cell])}>{_safe(_shown(cell))}</td>" for cell in row
        )
        lines.append(f"<tr>{cells}</tr>")
    return f'<div class="wide"><table>{chr(10).join(lines)}</table></div>'


def _number_class(cells: Sequence[Any]) -> str:
    is_number = bool(cells) and all(_is_number(cell) for cell in cells if cell != "")
    return ' class="number"' if is_number and any(c != "" for c in cells) else ""


def _is_number(cell: Any) -> bool:
    return isinstance(cell, numbers.Real) and not isinstance(cell, bool)


def _shown(value: Any) -> str:
    """A value as people read it: four digits of a fraction, all of a whole number."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return f"{int(value):,}"
    if _is_number(value):
        return f"{value:.4g}" if math.isfinite(value) else str(value)
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _folded(title: str, body: str, is_open: bool = False) -> str:
    opened = " open" if is_open else ""
    return f"<details{opened}><summary>{_safe(title)}</summary>{body}</details>"


def _heading(title: str) -> str:
    return f"<h2>{_safe(title.replace('_', ' '))}</h2>"


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"


def _safe(text: object) -> str:
    return html.escape(str(text))
